"""What can go wrong, told to a person: each error says what happened and what to do about it.

The library raises these; only the edges (``cli`` and ``web``) turn them into an exit code or an HTTP answer.
"""

from __future__ import annotations

from typing import ClassVar

INTERRUPTED = 130
"""The exit code of a command that was stopped by Ctrl-C or SIGTERM, as shells have it for the first."""


class MapsiError(Exception):
    """An error with a sentence for the person it happens to.

    ``message`` says what happened and why, ``hint`` what to do; both are plain sentences that may be shown to anybody,
    so neither carries a secret, a path of the server seen over HTTP, or the body of somebody else's answer.
    """

    code: ClassVar[str] = "error"
    exit_code: ClassVar[int] = 1
    http_status: ClassVar[int] = 500

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()


class UsageError(MapsiError):
    """What was asked for does not fit: an unknown name, a number out of range."""

    code = "bad_request"
    exit_code = 2
    http_status = 400


class SettingError(UsageError):
    """A setting has a value that cannot be used."""

    code = "bad_setting"
    http_status = 500


class NotFoundError(MapsiError):
    """The thing named is not here (any more)."""

    code = "not_found"
    exit_code = 3
    http_status = 404


class PhotoError(MapsiError):
    """The bytes given are not a photo that can be read."""

    code = "unreadable_photo"
    exit_code = 4
    http_status = 422


class PhotoTooLargeError(PhotoError):
    """The photo is over the limit on bytes or on pixels."""

    code = "photo_too_large"
    http_status = 413


class PhotoTypeError(PhotoError):
    """The bytes are of a kind that is not accepted (SVG, text, video, ...)."""

    code = "not_a_photo"
    http_status = 415


class FeedError(MapsiError):
    """A feed as a whole cannot be used; nothing of it was taken over."""

    code = "bad_feed"
    exit_code = 5
    http_status = 422


class QuotaSpentError(FeedError):
    """The calls that a provider allows in a day are used up; what whole queries gave before may be kept."""

    code = "quota_spent"
    http_status = 429


class RemoteError(MapsiError):
    """An address outside could not be fetched, or may not be."""

    code = "remote_failed"
    exit_code = 6
    http_status = 502


class RefusedAddressError(RemoteError):
    """The address is one that the service never visits (private, odd scheme, odd port, ...)."""

    code = "address_refused"
    http_status = 400


class ArtifactError(MapsiError):
    """A written format between two stages (model folder, manifest, index, ...) is missing, damaged or of another
    version."""

    code = "bad_artifact"
    exit_code = 7
    http_status = 503


class IndexUnavailableError(MapsiError):
    """The Milvus that keeps vectors, or words, cannot be reached: photos, or words, find nothing for now."""

    code = "index_unavailable"
    exit_code = 14
    http_status = 503


class CatalogError(MapsiError):
    """The database cannot be reached or is not at the schema this version needs."""

    code = "catalog_unavailable"
    exit_code = 8
    http_status = 503


class CatalogAwayError(CatalogError):
    """The database does not answer for now, and may by itself in a while: it starts, or the way to it does."""


class CatalogTooOldError(CatalogError):
    """The catalogue is from before the first release: nothing leads on from it."""


class BusyError(CatalogError):
    """Somebody else is changing the same part of the catalogue just now."""

    code = "catalog_busy"
    exit_code = 11
    http_status = 409


class NotBuiltYetError(BusyError):
    """What a question is answered from is only being built: no conflict with anybody, and it passes by itself."""

    code = CatalogError.code
    http_status = 503


class ExtraMissingError(MapsiError):
    """A stage needs libraries that a serving installation leaves out."""

    code = "extra_missing"
    exit_code = 10
