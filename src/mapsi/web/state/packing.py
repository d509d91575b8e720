"""An answer to a photo as bytes, and back: JSON that names the classes it is made of, and makes no others."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from mapsi.infer.look import Garment, Look, Region
from mapsi.infer.reading import AxisReading, Guess, Reading
from mapsi.web.state.photo_answers import PhotoAnswer

KINDS: dict[str, type[Any]] = {
    kind.__name__: kind for kind in (PhotoAnswer, Reading, AxisReading, Guess, Look, Garment, Region)
}


def pack(answer: PhotoAnswer) -> bytes:
    """Some 4/3 of the picture's bytes and a few kilobytes."""
    return json.dumps(_plain(answer), separators=(",", ":")).encode()


def unpack(data: bytes) -> PhotoAnswer:
    """What :func:`pack` made; raises :class:`ValueError` for anything else, an answer of another version among it."""
    try:
        answer = _made(json.loads(data))
    except (ValueError, KeyError, TypeError, AttributeError, EOFError, RecursionError) as error:
        raise ValueError("these bytes are not an answer of this version") from error
    if not isinstance(answer, PhotoAnswer):
        raise ValueError("these bytes are not an answer of this version")  # noqa: TRY004 - one error for whatever they are
    return answer


def _plain(value: Any) -> Any:
    """``{"is": "Guess", "has": {"slug": "knit", "confidence": 0.9}}`` for a class of ours, likewise for what JSON
    lacks."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    for kind, write in _WRITERS:
        if isinstance(value, kind):
            return write(value)
    if is_dataclass(value) and type(value).__name__ in KINDS:
        return {"is": type(value).__name__, "has": {f.name: _plain(getattr(value, f.name)) for f in fields(value)}}
    raise TypeError(f"an answer holds a {type(value).__name__}, which cannot be packed")


def _array(value: npt.NDArray[Any]) -> dict[str, str]:
    stream = io.BytesIO()
    np.save(stream, value, allow_pickle=False)
    return {"array": _text(stream.getvalue())}


def _text(value: bytes) -> str:
    return base64.b64encode(value).decode("ascii")


_WRITERS: tuple[tuple[Any, Callable[[Any], Any]], ...] = (
    (bytes, lambda value: {"bytes": _text(value)}),
    (np.generic, lambda value: value.item()),
    (np.ndarray, _array),
    (Mapping, lambda value: {"map": [[_plain(key), _plain(each)] for key, each in value.items()]}),
    ((tuple, list), lambda value: [_plain(each) for each in value]),
)


def _made(plain: Any) -> Any:
    if isinstance(plain, list):
        return tuple(_made(each) for each in plain)
    if not isinstance(plain, dict):
        return plain
    if "is" in plain:
        return KINDS[plain["is"]](**{name: _made(each) for name, each in plain["has"].items()})
    if "map" in plain:
        return {_made(key): _made(each) for key, each in plain["map"]}
    if "array" in plain:
        return np.load(io.BytesIO(base64.b64decode(plain["array"])), allow_pickle=False)
    return base64.b64decode(plain["bytes"])
