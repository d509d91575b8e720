"""The photo in a request: taken from one multipart field, in memory, and decoded within the limits."""

from __future__ import annotations

from io import BytesIO
from typing import IO, TYPE_CHECKING

from flask import Request
from werkzeug.datastructures import FileStorage

from mapsi.errors import UsageError
from mapsi.imaging import READ_SIDE, PhotoLimits, decode_photo
from mapsi.settings import Settings

if TYPE_CHECKING:
    from PIL.Image import Image

FIELD = "photo"

_HOW = f"Send the photo as a file in the multipart field {FIELD!r}."


class UploadMissingError(UsageError):
    """The request has no photo, or more than one."""

    code = "photo_missing"


class UploadTypeError(UsageError):
    """The body is not a multipart form, so there is no field to take a photo from."""

    code = "not_multipart"
    http_status = 415


class InMemoryRequest(Request):
    """A request whose uploaded files stay in memory.

    Werkzeug would write a file above 500 kB to the disk; the pages promise that a photo never gets there. The price is
    memory: up to ``photo_bytes`` for each request that is being worked on.
    """

    def _get_file_stream(
        self,
        total_content_length: int | None,
        content_type: str | None,
        filename: str | None = None,
        content_length: int | None = None,
    ) -> IO[bytes]:
        return BytesIO()


def take_photo(request: Request, settings: Settings) -> Image:
    """The one photo in ``request`` as an upright RGB picture.

    Raises :class:`UploadTypeError`, :class:`UploadMissingError` or what :func:`decode_asked` raises.
    """
    if request.mimetype != "multipart/form-data":
        raise UploadTypeError("The body is not a multipart form.", _HOW)
    return decode_asked(_only_file(request).read(), settings)


def decode_asked(data: bytes, settings: Settings) -> Image:
    """The photo in ``data`` to search by, wherever it came from: of a large one only as much is unpacked as is read.

    Raises what :func:`mapsi.imaging.decode_photo` raises.
    """
    return decode_photo(data, PhotoLimits.of(settings), at_least=READ_SIDE)


def _only_file(request: Request) -> FileStorage:
    # A browser sends a file field that was left empty as a part without a name and without bytes.
    chosen = [file for file in request.files.getlist(FIELD) if file.filename]
    if not chosen:
        raise UploadMissingError("There is no photo in the request.", _HOW)
    if len(chosen) > 1:
        raise UploadMissingError("There is more than one photo in the request.", "Send one photo at a time.")
    return chosen[0]
