"""What makes the site an application on a phone: its manifest, the script that answers without a connection, and the
way in for what a phone shares with it."""

from __future__ import annotations

import re

from flask import Blueprint, Response, current_app, jsonify, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from mapsi.web.pages.page_pictures import fetch_picture
from mapsi.web.pages.photos import lead_to_answer
from mapsi.web.request.assets import asset_url
from mapsi.web.request.languages import language
from mapsi.web.request.languages import translate as _
from mapsi.web.request.uploads import FIELD, decode_asked, take_photo
from mapsi.web.state.services import current_services

installing = Blueprint("installing", __name__)
_ADDRESS = re.compile(r"https?://\S+", re.IGNORECASE)


@installing.get("/manifest.webmanifest")
def manifest() -> Response:
    """How the site is installed, and that photos and addresses can be shared with it."""
    sizes = [("192", "any"), ("512", "any"), ("512", "maskable")]
    response = jsonify(
        name=_("Mapsi: find clothes by photo"),
        short_name=_("Mapsi"),
        lang=language(),
        id=url_for("pages.home"),
        start_url=url_for("pages.home"),
        scope=url_for("pages.home"),
        display="standalone",
        background_color="#ffffff",
        theme_color="#ffffff",
        icons=[
            {"src": asset_url(f"icon-{side}.png"), "sizes": f"{side}x{side}", "type": "image/png", "purpose": purpose}
            for side, purpose in sizes
        ],
        share_target={
            "action": url_for("installing.search_shared"),
            "method": "POST",
            "enctype": "multipart/form-data",
            "params": {"text": "text", "url": "url", "files": [{"name": FIELD, "accept": ["image/*"]}]},
        },
    )
    response.mimetype = "application/manifest+json"
    response.headers["Cache-Control"] = "private, no-cache"  # a language may have been chosen since
    return response


@installing.post("/shared-here")
def search_shared() -> AnyResponse:
    """Read what a phone shares: a photo from its gallery, or an address. The phone knows no token of ours; that the
    form comes from no other site is said by ``Sec-Fetch-Site``."""
    services = current_services()
    told = _ADDRESS.search(f"{request.form.get('url', '')} {request.form.get('text', '')}")
    if told and not any(file.filename for file in request.files.getlist(FIELD)):
        data = fetch_picture(services.fetcher, told[0], services.settings)
        return lead_to_answer(decode_asked(data, services.settings))
    return lead_to_answer(take_photo(request, services.settings))


@installing.get("/sw.js")
def service_worker() -> Response:
    """The script that shows a page of ours where there is no connection; at the root, since it answers for all
    below."""
    response = current_app.send_static_file("sw.js")
    response.headers["Cache-Control"] = "no-cache"
    return response


@installing.get("/offline")
def offline() -> str:
    """What is shown without a connection."""
    return render_template("offline.html")
