"""The errors a shopper can meet, in sentences that the catalogues translate."""

from __future__ import annotations

from dataclasses import dataclass

from mapsi.settings import Settings
from mapsi.web.request.languages import translate as _
from mapsi.web.request.parameters import LONGEST_QUERY


@dataclass(frozen=True, slots=True)
class Explanation:
    """What happened and what to do, in the person's language."""

    message: str
    hint: str


def explain(code: str, parameter: str, settings: Settings) -> Explanation:
    """The error ``code`` in the language of the current request; ``parameter`` names a bad one in the address."""
    return (
        _about_photos(code, settings)
        or _about_addresses(code)
        or _about_words(code)
        or _about_people(code)
        or _about_requests(code, parameter)
        or _about_us(code)
    )


def _about_photos(code: str, settings: Settings) -> Explanation | None:
    match code:
        case "photo_missing" | "not_multipart":
            return Explanation(_("No photo arrived."), _("Choose one photo and search again."))
        case "unreadable_photo":
            hint = _("Choose another one, or save it again and retry.")
            return Explanation(_("This photo is damaged or incomplete."), hint)
        case "not_a_photo":
            hint = _("JPEG, PNG, WebP, AVIF, HEIC, GIF, BMP and TIFF work.")
            return Explanation(_("This file is not a photo we can read."), hint)
        case "photo_too_large":
            return Explanation(_("This photo is too large."), _photo_limits(settings))
        case "photo_expired":
            minutes = settings.photo_minutes
            hint = _("Photos leave our memory after %(minutes)d minutes. Choose it again.", minutes=minutes)
            return Explanation(_("We no longer hold this photo."), hint)
    return None


def _about_addresses(code: str) -> Explanation | None:
    match code:
        case "address_refused":
            return Explanation(
                _("We do not visit this address."), _("Paste one that starts with https:// and is open to all.")
            )
        case "address_failed":
            return Explanation(_("We got no picture from this address."), _("Save the picture and choose it here."))
        case "no_picture":
            return Explanation(
                _("We found no product picture on this page."), _("Copy the address of the picture itself.")
            )
    return None


def _photo_limits(settings: Settings) -> str:
    return _(
        "Up to %(megabytes)d MB and %(megapixels)d million pixels work.",
        megabytes=settings.photo_bytes // (1024 * 1024),
        megapixels=settings.photo_megapixels,
    )


def _about_people(code: str) -> Explanation | None:
    match code:
        case "link_over":
            return Explanation(_("This link is too old or has already been used."), _("Ask for a new one."))
        case "no_stop_link":
            return Explanation(_("This is not one of our links."), _("Stop the emails in your account."))
        case "not_owner":
            return Explanation(_("This belongs to someone else."), _("Only the person who made it can do that."))
        case "not_operator":
            return Explanation(_("These pages are for operators."), _("Log out, then log in as an operator."))
    return None


def _about_requests(code: str, parameter: str) -> Explanation | None:
    match code:
        case "bad_parameter":
            return _about_parameter(parameter)
        case "bad_request" | "method_not_allowed":
            return Explanation(_("We could not understand this request."), _("Go back, or start a new search."))
        case "not_found":
            return Explanation(_("There is nothing here."), _("It may be gone. Start a new search."))
        case "form_expired":
            hint = _("It was open for too long, or its form was already sent. Load it again to see what has been done.")
            return Explanation(_("This page is out of date."), hint)
        case "too_many_requests":
            return Explanation(_("That was a lot of searches at once."), _("Take a breath and try again in a minute."))
    return None


def _about_words(code: str) -> Explanation | None:
    match code:
        case "no_words":
            hint = _("Type a name, a kind of garment or a colour.")
            return Explanation(_("These words have no letter or digit."), hint)
        case "too_many_words":
            hint = _("Up to %(letters)d characters work. Keep the words that matter.", letters=LONGEST_QUERY)
            return Explanation(_("That is too long to search for."), hint)
    return None


def _about_parameter(parameter: str) -> Explanation:
    if parameter in ("min_price", "max_price"):
        hint = _("Write digits only, the lower price first.")
        return Explanation(_("We cannot use this price range."), hint)
    if parameter == "box":
        hint = _("Go on with the whole photo, or draw another.")
        return Explanation(_("No part of the photo lies in that box."), hint)
    message = _("The address asks for something we do not have (%(parameter)s).", parameter=parameter)
    return Explanation(message, _("Go back, or start a new search."))


def _about_us(code: str) -> Explanation:
    if code in ("bad_artifact", "catalog_unavailable", "words_unavailable"):
        return Explanation(_("The search is taking a break."), _("Try again in a few minutes."))
    if code == "index_unavailable":
        hint = _("Search with words, or try again in a moment.")
        return Explanation(_("Searching by photo is not possible right now."), hint)
    return Explanation(_("Something went wrong on our side."), _("Try again in a moment."))
