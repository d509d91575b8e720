"""The application, put together in one place from values handed in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Flask

from mapsi.catalog.text.photo_words import PhotoWordReader
from mapsi.remote import Fetcher
from mapsi.settings import Settings
from mapsi.taxonomy import Taxonomy
from mapsi.taxonomy.names import class_name
from mapsi.web.accounts.entrance import entrance
from mapsi.web.accounts.keys import keys
from mapsi.web.accounts.pages import account_pages
from mapsi.web.accounts.stopping import stopping
from mapsi.web.api.endpoints import api
from mapsi.web.lists.view import audience_name
from mapsi.web.operator.pages import operator
from mapsi.web.pages.going import going
from mapsi.web.pages.installing import installing
from mapsi.web.pages.pages import pages
from mapsi.web.pages.photos import photos
from mapsi.web.request.assets import setup_assets
from mapsi.web.request.compression import setup_compression
from mapsi.web.request.faults import setup_faults
from mapsi.web.request.forms import protect_forms
from mapsi.web.request.ids import bound_ids
from mapsi.web.request.languages import language, setup_languages, switch_url
from mapsi.web.request.limits import setup_limits
from mapsi.web.request.onward import here
from mapsi.web.request.security import setup_security
from mapsi.web.request.sessions import visitor
from mapsi.web.request.uploads import InMemoryRequest
from mapsi.web.saved.keeping import is_saved, saved
from mapsi.web.saved.pages import saved_pages
from mapsi.web.sharing.owning import owns_photo
from mapsi.web.sharing.pages import sharing
from mapsi.web.state.attempts import Attempts
from mapsi.web.state.notes import Notes
from mapsi.web.state.photo_answers import PhotoAnswers
from mapsi.web.state.services import Services, attach
from mapsi.web.state.shelf import Shelf

if TYPE_CHECKING:
    from mapsi.search.finder import Finder
    from mapsi.web.state.shared_answers import SharedPhotoAnswers


PASSWORD_FORMS = ("entrance.enter", "keys.ask", "keys.choose", "account.change_password", "account.delete")
"""Where passwords are tried or emails asked for, which share one limit."""

FORMS_FROM_OUTSIDE = ("installing.search_shared", "stopping.stop")
"""What the visitor's own device or mail program sends: no page of ours stands before it."""

PHOTO_FORMS = ("photos.search_photo", "photos.search_address", "photos.search_example", "installing.search_shared")


def create_app(settings: Settings, *, finder: Finder, taxonomy: Taxonomy, secret_key: str) -> Flask:
    """The pages and the API over one finder. ``secret_key`` signs sessions and forms."""
    app = Flask("mapsi.web")
    app.request_class = InMemoryRequest
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    app.jinja_options = {"trim_blocks": True, "lstrip_blocks": True}
    setup_security(app, settings, secret_key)
    setup_languages(app, settings.language)
    setup_assets(app)
    setup_compression(app)
    setup_faults(app)
    bound_ids(app)
    protect_forms(app, exempt=api, without_token=FORMS_FROM_OUTSIDE)
    app.register_blueprint(pages)
    app.register_blueprint(photos)
    app.register_blueprint(api)
    app.register_blueprint(installing)
    app.register_blueprint(saved_pages)
    app.register_blueprint(sharing)
    app.register_blueprint(going)
    app.register_blueprint(entrance)
    app.register_blueprint(keys)
    app.register_blueprint(stopping)
    app.register_blueprint(account_pages)
    app.register_blueprint(operator)
    _setup_templates(app, taxonomy)
    searches = ("pages.words", "photos.photo", "pages.similar", "api.search_words")
    setup_limits(
        app,
        {
            "image": (settings.image_rate, (*PHOTO_FORMS, "api.search_image")),
            "words": (settings.words_rate, searches),
            "suggest": (settings.suggest_rate, ("api.suggest",)),
            "photo": (settings.suggest_rate, ("photos.photo_picture", "photos.photo_part", "photos.photo_focus")),
            "share": (settings.image_rate, ("sharing.make",)),
            "login": (settings.login_rate, PASSWORD_FORMS),
        },
    )
    answers = _answers(settings)
    shelf, notes = Shelf(finder.catalog), Notes(finder.catalog)
    fetcher, names = Fetcher(allow_hosts=settings.allow_hosts), PhotoWordReader(taxonomy)
    attach(app, Services(settings, finder, taxonomy, answers, shelf, notes, Attempts(), fetcher, names))
    return app


def _answers(settings: Settings) -> PhotoAnswers | SharedPhotoAnswers:
    seconds = settings.photo_minutes * 60
    if not settings.answers:
        return PhotoAnswers(settings.photo_answers, seconds)
    from mapsi.web.state.shared_answers import SharedPhotoAnswers  # redis and cryptography: of the extra ``workers``

    return SharedPhotoAnswers(settings.answers.reveal(), seconds)


def _setup_templates(app: Flask, taxonomy: Taxonomy) -> None:
    def class_label(axis: str, slug: str) -> str:
        return class_name(taxonomy, axis, slug).in_language(language())

    app.jinja_env.globals.update(
        language=language, switch_url=switch_url, audience_name=audience_name, class_label=class_label
    )
    app.jinja_env.globals.update(here=here, is_saved=is_saved, saved=saved, visitor=visitor, owns_photo=owns_photo)
    app.jinja_env.filters["thousands"] = "{:,}".format
