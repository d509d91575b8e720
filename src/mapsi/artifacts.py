"""Written formats between stages: written whole or not at all, read with checks."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import tempfile
import time
import tomllib
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, cast

from mapsi.encodings import decode
from mapsi.errors import ArtifactError

LARGEST_JSON = 256 << 20
"""Bytes of a JSON file that is read whole. A file system that came to harm may show terabytes of zeros."""


@contextmanager
def atomic_file(target: Path, mode: int = 0o644) -> Iterator[Path]:
    """Give a path beside ``target`` to write to; it takes ``target``'s place, with the rights ``mode``, when the block
    ends well. What is no file but a way out (``/dev/stdout``) is written to, and stays."""
    if _is_way_out(target):
        with tempfile.TemporaryDirectory() as folder:
            yield Path(folder) / target.name
            with (Path(folder) / target.name).open("rb") as written, target.open("ab") as out:
                shutil.copyfileobj(written, out)
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    os.close(handle)
    beside = Path(name)
    try:
        yield beside
        with beside.open("rb") as written:
            os.fsync(written.fileno())
        beside.chmod(mode)
        beside.replace(target)
    finally:
        beside.unlink(missing_ok=True)


def _is_way_out(target: Path) -> bool:
    """A device, or the name of an open file: root would else put a file in the place of ``/dev/null``."""
    inside = target.absolute().is_relative_to("/dev") or target.absolute().is_relative_to("/proc")
    return inside and target.exists() and (target.is_symlink() or not (target.is_file() or target.is_dir()))


@contextmanager
def atomic_folder(target: Path) -> Iterator[Path]:
    """Give a folder beside ``target`` to fill; it takes ``target``'s place when the block ends well.

    A folder that stood there before is moved aside first and removed after the switch: for a moment there is none, and
    a process killed just then leaves the old one beside, whole.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    beside = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    try:
        yield beside
        beside.chmod(0o755)
        if target.exists():
            old = Path(tempfile.mkdtemp(prefix=f".{target.name}.old.", dir=target.parent))
            target.replace(old / "old")
            try:
                beside.replace(target)
            except OSError:
                (old / "old").replace(target)
                raise
            finally:
                shutil.rmtree(old)
        else:
            beside.replace(target)
    finally:
        if beside.exists():
            shutil.rmtree(beside)


def discard_folder(folder: Path) -> None:
    """Remove a folder that others may still be using, as far as the system lets it; what is left, the caller's next
    clearing finds beside, as ``.NAME.discarded``.

    It is renamed first: tantivy watches an index's folder from a thread of its own and creates a lock in it at any
    moment, so that a folder emptied in place is at times not empty.
    """
    aside = folder.with_name(f".{folder.name.strip('.')}.discarded")
    with suppress(OSError):
        folder.replace(aside)
    shutil.rmtree(aside, ignore_errors=True)


def clear_place(file: Path) -> None:
    """Remove what keeps a derived file from its place: a folder where it is to lie, a file where its folder is to, and
    links that lead round in a circle. A link that leads nowhere may lead to a disk that is not there yet: raises
    :class:`ArtifactError` where a folder is to be one."""
    if file.is_symlink() and (file.is_dir() or _leads_round(file)):
        file.unlink()
    elif file.is_dir():
        shutil.rmtree(file)
    for folder in file.parents:
        if folder.is_dir():
            break
        clear_folders_place(folder)


def clear_folders_place(folder: Path) -> None:
    """The same where a derived folder is to lie; one that lies there stays."""
    if folder.is_file() or _leads_round(folder):
        folder.unlink()
    elif folder.is_symlink() and not folder.exists():
        raise ArtifactError(
            f"{folder} is a link that leads nowhere.", "Mount or make what it leads to, or remove the link."
        )


def _leads_round(link: Path) -> bool:
    """Whether a link leads to itself, over others or not."""
    try:
        link.is_symlink() and link.stat()
    except OSError as error:
        return error.errno == errno.ELOOP
    return False


@contextmanager
def locked_file(file: Path, *, seconds: float) -> Iterator[bool]:
    """Hold ``file`` as a lock between processes; returns False where another holds it for longer than ``seconds``.

    The operating system lets go of it when the process ends, however it ends; the empty file stays.
    """
    import fcntl  # not on Windows, where a server database is the way to import

    deadline = time.monotonic() + seconds
    with file.open("wb") as opened:
        while True:
            try:
                fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    yield False
                    return
                time.sleep(0.05)
            else:
                yield True
                return


def cut_torn_line(file: Path) -> None:
    """Cut off what a killed process wrote of the last line of a file that grows by lines; no file is no line."""
    if not file.exists():
        return
    with file.open("rb+") as opened:
        opened.truncate(opened.read().rfind(b"\n") + 1)


def write_json(target: Path, document: Any) -> None:
    """Write ``document`` as JSON a person can read, atomically."""
    with atomic_file(target) as beside:
        beside.write_text(json.dumps(document, ensure_ascii=False, indent=2) + "\n", "utf-8")


def read_short(file: Path, most: int = 1024) -> str:
    """The text of a file that holds a name; raises :class:`OSError`, and :class:`ValueError` where there are more than
    ``most`` bytes, or no UTF-8."""
    with file.open("rb") as opened:
        data = opened.read(most + 1)
    if len(data) > most:
        raise ValueError(f"{file} is larger than {most} bytes")
    return data.decode("utf-8")


def read_json(file: Path, what: str) -> Any:
    """Read a JSON file; raises :class:`ArtifactError`, calling it ``what``, where it is missing or damaged: no JSON,
    nested deeper than can be read, or larger than any of ours."""
    try:
        return json.loads(read_short(file, LARGEST_JSON))
    except OSError as error:
        raise ArtifactError(f"{what} cannot be read: {file}: {error.strerror}.", "Check the path.") from error
    except (ValueError, RecursionError) as error:
        raise ArtifactError(f"{what} is damaged: {file} is not JSON.", "Make it again.") from error


def read_toml(file: Path, what: str, hint: str = "Check the path.") -> dict[str, Any]:
    """Read a TOML file that a person wrote, in whatever encoding an editor saved it, its letters put together (NFC);
    raises :class:`ArtifactError`, calling it ``what``, where it cannot be read."""
    try:
        return tomllib.loads(unicodedata.normalize("NFC", decode(file.read_bytes())))
    except OSError as error:
        raise ArtifactError(f"{what} {file} cannot be read: {error.strerror}.", hint) from error
    except (tomllib.TOMLDecodeError, UnicodeError) as error:
        raise ArtifactError(f"{what} {file} is not TOML: {error}.", "Fix the line it names.") from error


def file_digest(file: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with file.open("rb") as opened:
        return stream_digest(opened)


def stream_digest(stream: IO[bytes]) -> str:
    """SHA-256 of what is left of a stream, in hexadecimal."""
    return hashlib.file_digest(cast(Any, stream), "sha256").hexdigest()
