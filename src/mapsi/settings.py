"""Every setting once: its name, its type, its default and one sentence of help.

A setting is read from the environment variable ``MAPSI_<NAME>``. The table below feeds the help text, the checks and
the manual (``docs/settings.md``, held by a test). :func:`read_settings` is called once, at the edge; every room below
is handed plain values.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, cast
from urllib.parse import urlsplit

import platformdirs

from mapsi.errors import SettingError
from mapsi.http_address import is_http

PREFIX = "MAPSI_"
PAGE_SIZE = 24
LARGEST_ANSWER = 100
"""Products on a page that a stranger may ask for at most."""


class Secret:
    """A text that hides itself wherever it is printed; :meth:`reveal` gives it out."""

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        return self._value

    def __repr__(self) -> str:
        return "Secret('***')"

    __str__ = __repr__

    def __bool__(self) -> bool:
        return bool(self._value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)


def _default_home() -> Path:
    try:
        return Path(platformdirs.user_data_dir("mapsi", appauthor=False))
    except RuntimeError as error:  # a user without a home, as containers start programs
        raise SettingError("There is no home folder to keep anything in.", "Set MAPSI_HOME to a folder.") from error


def _as_path(text: str) -> Path:
    if not text.strip():
        raise ValueError("expected a path")
    try:
        return Path(text).expanduser()
    except RuntimeError as error:
        raise ValueError("there is no such user's home folder") from error


def _as_optional_path(text: str) -> Path | None:
    return _as_path(text) if text else None


def _as_names(text: str) -> tuple[str, ...]:
    return tuple(part.strip().lower() for part in text.replace(";", ",").split(",") if part.strip())


def _as_sources(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _as_contact(text: str) -> str:
    contact = text.strip()
    if not contact.isascii() or not contact.isprintable() or not ("@" in contact or "://" in contact):
        raise ValueError("expected an email address or a web address at which a person answers")
    return contact


def _as_bases(text: str) -> tuple[tuple[str, str], ...]:
    pairs = [part.partition("=") for part in text.split(",") if part.strip()]
    if not all(name.strip() and is_http(address.strip()) for name, _, address in pairs):
        raise ValueError("expected NAME=ADDRESS, comma-separated, each address with http:// or https://")
    return tuple((name.strip(), address.strip().rstrip("/")) for name, _, address in pairs)


def _as_public_url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.netloc or parts.query or parts.fragment:
        raise ValueError("expected an address with http:// or https://, without ? and #")
    return text.rstrip("/")


def _as_redis(text: str) -> Secret:
    if not text.startswith(("redis://", "rediss://", "unix://")):
        raise ValueError("expected redis://HOST:PORT/NUMBER, rediss:// or unix://")
    return Secret(text)


def _as_milvus(text: str) -> Secret:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("expected http://HOST:19530 or https://USER:PASSWORD@HOST:19530/DATABASE")
    return Secret(text)


def _as_bool(text: str) -> bool:
    match text.strip().lower():
        case "1" | "true" | "yes" | "on":
            return True
        case "0" | "false" | "no" | "off" | "":
            return False
        case _:
            raise ValueError("expected yes or no")


def _as_language(text: str) -> str:
    if text not in ("ko", "en"):
        raise ValueError("expected ko or en")
    return text


def _whole(low: int, high: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        digits = text.strip()
        if not (digits.isascii() and digits.isdigit() and len(digits) < 20 and low <= int(digits) <= high):
            raise ValueError(f"expected a whole number from {low} to {high}")
        return int(digits)

    return parse


def _setting(parse: Callable[[str], Any], default: Any, help: str) -> Any:
    """A field of the table. ``default`` is a value, or a function where it depends on the machine."""
    metadata = {"parse": parse, "help": help}
    if callable(default):
        return field(default_factory=default, metadata=metadata)
    return field(default=default, metadata=metadata)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The values that one process runs with. Sizes are in bytes, times in seconds, unless the help says otherwise."""

    home: Path = _setting(_as_path, _default_home, "Folder in which everything is kept.")
    database_url: Secret = _setting(
        Secret, Secret(""), "SQLAlchemy address of the catalogue; empty means SQLite in the home folder."
    )
    index_url: Secret = _setting(
        _as_milvus,
        Secret(""),
        "Milvus that keeps the vectors of product pictures, and the index of words of a large catalogue: "
        "http://HOST:19530 or https://USER:PASSWORD@HOST:19530/DATABASE; empty means files in the home folder.",
    )
    index_words_from: int = _setting(
        _whole(0, 10**12),
        10_000_000,
        "From how many listings on the index of words is kept in that Milvus, too, where one is set.",
    )
    model: Path | None = _setting(
        _as_optional_path, None, "Model folder to answer with; empty means the one shipped with the package."
    )
    taxonomy: tuple[str, ...] = _setting(
        _as_sources,
        ("paper17", "garment", "audience", "colors"),
        "Taxonomies, comma-separated: names of shipped ones or TOML files of your own.",
    )
    language: Literal["ko", "en"] = _setting(
        _as_language, "ko", "Language used when neither the visitor nor the browser asks for one: ko or en."
    )
    secret_key: Secret = _setting(
        Secret,
        Secret(""),
        "Key that signs sessions and forms; empty means a random one, kept in the home folder.",
    )
    behind_tls: bool = _setting(
        _as_bool, False, "Whether a proxy in front terminates TLS: cookies are then sent over https only."
    )
    trusted_proxies: int = _setting(
        _whole(0, 10),
        0,
        "How many proxies in front are believed about the client's address, the scheme, the host and the path "
        "(X-Forwarded-For, -Proto, -Host, -Prefix).",
    )
    allow_hosts: tuple[str, ...] = _setting(
        _as_names,
        (),
        "Private hosts, comma-separated, that the fetcher may reach even though their addresses are not public.",
    )
    fetch_seconds: int = _setting(_whole(1, 3600), 20, "Time within which a fetched picture has to arrive in full.")
    collect_contact: str = _setting(
        _as_contact,
        "",
        "Mail or web address that `mapsi collect` names in its requests; Openverse and Commons are not asked "
        "without one.",
    )
    collect_bases: tuple[tuple[str, str], ...] = _setting(
        _as_bases,
        (),
        "Photo sources to be asked at another address than their official one, comma-separated: NAME=ADDRESS.",
    )
    naver_hub_key_id: Secret = _setting(Secret, Secret(""), "Key id of NAVER API HUB, for the photo source naver-hub.")
    naver_hub_key: Secret = _setting(Secret, Secret(""), "Key of NAVER API HUB, for the photo source naver-hub.")
    openverse_client_id: Secret = _setting(
        Secret,
        Secret(""),
        "Client id registered with Openverse; without one it is asked anonymously, within low limits.",
    )
    openverse_client_secret: Secret = _setting(Secret, Secret(""), "Client secret registered with Openverse.")
    naver_client_id: Secret = _setting(
        Secret, Secret(""), "Client id of Naver Open API, for shop-json and the photo source naver."
    )
    naver_client_secret: Secret = _setting(
        Secret, Secret(""), "Client secret of Naver Open API, for shop-json and the photo source naver."
    )
    picture_days: int = _setting(
        _whole(1, 365), 7, "After about how many days a shop is asked again whether a product's picture has changed."
    )
    naver_daily_calls: int = _setting(
        _whole(1, 10_000_000), 25_000, "How many calls a day the client of Naver Open API may make."
    )
    queue: Secret = _setting(
        Secret,
        Secret(""),
        "Broker that hands jobs to workers: redis://HOST:6379/0 or amqp://USER:PASSWORD@HOST; empty means that "
        "`mapsi worker` works in its own process.",
    )
    photo_bytes: int = _setting(_whole(1024, 1 << 30), 16 * 1024 * 1024, "Largest photo, in bytes, that is read.")
    photo_megapixels: int = _setting(_whole(1, 200), 40, "Largest photo, in millions of pixels, that is decoded.")
    photo_minutes: int = _setting(
        _whole(1, 1440), 30, "How long, in minutes, an answer to a photo stays in memory for paging and filtering."
    )
    photo_answers: int = _setting(_whole(1, 100_000), 256, "How many answers to photos are held in memory at once.")
    answers: Secret = _setting(
        _as_redis,
        Secret(""),
        "Redis that holds the answers to photos, encrypted, so that several processes find them: "
        "redis://HOST:6379/1; empty "
        "means this process's memory.",
    )
    page_size: int = _setting(_whole(1, LARGEST_ANSWER), PAGE_SIZE, "How many products one page shows.")
    image_rate: str = _setting(str, "30 per minute", "How often one client may search by photo.")
    words_rate: str = _setting(str, "120 per minute", "How often one client may search by words.")
    suggest_rate: str = _setting(
        str,
        "600 per minute",
        "How often one client may ask for suggestions while typing, and for the pictures of an answer.",
    )
    login_rate: str = _setting(
        str, "10 per minute", "How often one client may try to log in or ask for a link to choose a password."
    )
    smtp: Secret = _setting(
        Secret,
        Secret(""),
        "Mail server that sends the emails: smtp://USER:PASSWORD@HOST:587 or smtps://...; empty means that "
        "`mapsi accounts emails` prints them.",
    )
    mail_from: str = _setting(str, "", "Mail address that emails come from.")
    public_url: str = _setting(
        _as_public_url,
        "",
        "Address at which the pages are seen from outside, for links in emails: https://shop.example.",
    )
    threads: int = _setting(
        _whole(0, 256),
        0,
        "How many requests the server works on at once; 0 means two for each processor core, at least four.",
    )
    request_seconds: int = _setting(
        _whole(5, 3600), 60, "How long, in seconds, a request may take from its first byte to the last of its answer."
    )
    model_threads: int = _setting(
        _whole(0, 256),
        0,
        "How many processor threads the model uses; 0 means one for each core that this process may use.",
    )
    google_terms_accepted: bool = _setting(
        _as_bool,
        False,
        "Whether you accept that Google's terms forbid automated searching without permission; turns on the "
        "source google.",
    )
    chrome: Path | None = _setting(
        _as_optional_path, None, "Chrome or Chromium that `mapsi collect` starts; empty means the one that is found."
    )
    chromedriver: Path | None = _setting(
        _as_optional_path, None, "Chromedriver of the same version; empty means the one that is found."
    )


@dataclass(frozen=True, slots=True)
class SettingRow:
    """One row of the manual's table."""

    variable: str
    default: str
    help: str


def setting_table() -> list[SettingRow]:
    """The whole table, for help texts and the manual."""
    rows = []
    for f in fields(Settings):
        default = "the platform's folder for data" if f.name == "home" else _show(f.default)
        rows.append(SettingRow(PREFIX + f.name.upper(), default, cast(str, f.metadata["help"])))
    return rows


def changed_settings(settings: Settings) -> dict[str, str]:
    """The settings that are not at their defaults, by variable, without the folder that everything lies under; of
    secret ones only that they are set."""
    changed = {
        f.name: getattr(settings, f.name)
        for f in fields(Settings)
        if f.name != "home" and f.default != getattr(settings, f.name)
    }
    return {
        PREFIX + name.upper(): "***" if isinstance(value, Secret) else _show(value) for name, value in changed.items()
    }


def _show(value: object) -> str:
    if isinstance(value, Secret) or value is None or value in ("", ()):
        return "empty"
    if isinstance(value, tuple):
        return ",".join(map(str, value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


def read_settings(environ: Mapping[str, str] | None = None, **overrides: object) -> Settings:
    """Read the table from ``environ`` (the process's own by default); ``overrides`` are values that win, by field name.

    Raises :class:`SettingError`, naming the variable, where a value does not fit or a ``MAPSI_`` variable is unknown.
    """
    source = os.environ if environ is None else environ
    known = {PREFIX + f.name.upper(): f for f in fields(Settings)}
    _refuse_unknown(source, known)
    values: dict[str, object] = {}
    for variable, f in known.items():
        text = source.get(variable, "").strip("\r\n")  # files of an environment that were written on Windows
        if not text:
            continue
        try:
            values[f.name] = f.metadata["parse"](text)
        except ValueError as error:
            shown = "***" if isinstance(f.default, Secret) else repr(text)
            raise SettingError(
                f"The setting {variable} has the value {shown}, which cannot be used: {error}.", f.metadata["help"]
            ) from error
    values.update({name: value for name, value in overrides.items() if value is not None})
    return Settings(**cast(dict[str, Any], values))


def _refuse_unknown(source: Mapping[str, str], known: Mapping[str, object]) -> None:
    unknown = sorted(
        name
        for name, value in source.items()
        if name.startswith(PREFIX)
        and name not in known
        and name not in TEST_SWITCHES
        and not _of_a_service(name, value)
    )
    if unknown:
        raise SettingError(f"There is no setting {unknown[0]}.", "Check the spelling; `mapsi settings` lists them all.")


def _of_a_service(name: str, value: str) -> bool:
    """Whether Kubernetes set this for a service that is called mapsi: MAPSI_SERVICE_HOST and
    MAPSI_PORT=tcp://10.0.0.1:8000, in each container beside it."""
    return _SERVICE.fullmatch(name) is not None or (name == "MAPSI_PORT" and "://" in value)


_SERVICE = re.compile(r"MAPSI_(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)")


TEST_SWITCHES = frozenset({"MAPSI_TEST_STRICT"})
