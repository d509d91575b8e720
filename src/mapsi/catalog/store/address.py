"""The address of a database as a person writes it -> what SQLAlchemy and the driver take."""

from __future__ import annotations

import os.path
import re
import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from mapsi.errors import CatalogError

MODES = ("disabled", "preferred", "required", "verify_ca", "verify_identity")
"""TLS as MySQL's own programs name it: ``required`` believes any certificate, ``verify_ca`` one that the authority
signed, ``verify_identity`` one that names the host besides. ``preferred``, the default without an authority, encrypts
if it can."""

_OPTIONS = ("ssl_mode", "ssl_ca", "ssl_cert", "ssl_key", "unix_socket", "charset")
_CHARSETS = ("utf8mb4", "utf8mb3", "utf8", "utf-8")
"""What addresses written for other programs ask for; ours is always the first."""

_SCHEME = re.compile(r"[\w+]+(?=://)")
_WRITTEN = re.compile(
    r"""(?P<scheme>[\w+]+)://(?P<user>[^:/@]*):(?P<password>.*)@
        (?P<rest>(?:\[[^\]]*\]|[^:/@?\#\[\]]*)(?::\d*)?(?:/[^@?]*)?(?:\?[^@]*)?)""",
    re.VERBOSE | re.DOTALL,
)
_HOW = "Write sqlite:////folder/catalog.sqlite3 or mariadb://user:password@host/database."


@dataclass(frozen=True, slots=True)
class DatabaseAddress:
    """``url`` names driver, host and database; ``arguments`` are the driver's own."""

    url: URL
    arguments: dict[str, Any] = field(default_factory=dict)

    @property
    def is_sqlite(self) -> bool:
        return self.url.get_backend_name() == "sqlite"


def read_address(written: str | Path) -> DatabaseAddress:
    """Read an address; a path is a SQLite file. Raises :class:`CatalogError`, which never holds the password.

    Any letter may be in a password, ``@``, ``/``, ``#`` and ``?`` too; only ``%`` is written ``%25``. A file's name has
    ``%3F`` for ``?``; ``~`` is the home folder.
    """
    if isinstance(written, Path):
        return DatabaseAddress(URL.create("sqlite", database=str(written)))
    try:
        url = make_url(_quoted(written.strip()))
    except (ArgumentError, ValueError) as error:
        raise CatalogError("The address of the catalogue's database cannot be read.", _HOW) from error
    match url.drivername:
        case "sqlite" | "sqlite+pysqlite":
            return _file(url, options="?" in written)
        case "mysql" | "mariadb" | "mysql+pymysql" | "mariadb+pymysql":
            return _server(url)
    raise CatalogError(
        f"The catalogue cannot be kept in a database of the kind {url.drivername}.",
        "Use SQLite, MariaDB or MySQL (with PyMySQL).",
    )


def _quoted(written: str) -> str:
    """The address with its password so that no letter of it is taken for the end of it: up to the last ``@`` is
    password."""
    written = _SCHEME.sub(lambda scheme: scheme[0].lower(), written, count=1)
    parts = _WRITTEN.fullmatch(written)
    if parts is None:
        return written
    return f"{parts['scheme']}://{parts['user']}:{quote(parts['password'], safe='%')}@{parts['rest']}"


def _file(url: URL, *, options: bool) -> DatabaseAddress:
    """``options`` says whether there is a question mark: of one without a ``=`` behind it SQLAlchemy tells nothing."""
    if url.host or url.port or url.username:
        raise CatalogError("The address of an SQLite file names a host.", "Write three slashes before the path.")
    if options:
        raise CatalogError(
            "The address of an SQLite file takes no options.", "Write a ? that is part of its name as %3F."
        )
    if not url.database or url.database == ":memory:":
        raise CatalogError("A catalogue in memory would be lost.", "Name a file: sqlite:////folder/catalog.sqlite3.")
    return DatabaseAddress(url.set(database=os.path.expanduser(url.database)))


def _server(url: URL) -> DatabaseAddress:
    if not url.database:
        raise CatalogError("The address names no database on the server.", _HOW)
    unknown = sorted(set(url.query) - set(_OPTIONS))
    if unknown:
        known = ", ".join(_OPTIONS)
        raise CatalogError(f"The database's address has an unknown option {unknown[0]}.", f"There are {known}.")
    twice = [name for name, value in url.query.items() if not isinstance(value, str)]
    if twice:
        raise CatalogError(f"The database's address has the option {twice[0]} twice.", "Leave one of them out.")
    said = {name: str(value) for name, value in url.query.items()}
    if said.get("charset", "utf8mb4").lower() not in _CHARSETS:
        raise CatalogError("The catalogue is kept in utf8mb4 and in no other charset.", "Leave the option charset out.")
    arguments: dict[str, Any] = _tls(said)
    if "unix_socket" in said:
        arguments["unix_socket"] = said["unix_socket"]
    if url.password:
        arguments["password"] = str(url.password).encode()  # PyMySQL would take the letters of a text for Latin-1
    return DatabaseAddress(url.set(drivername=f"{url.get_backend_name()}+pymysql", query={}), arguments)


def _tls(said: dict[str, str]) -> dict[str, Any]:
    authority = said.get("ssl_ca")
    mode = said.get("ssl_mode", "verify_identity" if authority else "preferred").lower().replace("-", "_")
    if mode not in MODES:
        raise CatalogError(f"{mode!r} is not a TLS mode.", f"ssl_mode is one of {', '.join(MODES)}.")
    if mode == "disabled":
        return {"ssl_disabled": True}
    if mode == "preferred" and "ssl_cert" not in said:
        return {}
    try:
        context = ssl.create_default_context(cafile=authority)
        if "ssl_cert" in said:
            context.load_cert_chain(said["ssl_cert"], said.get("ssl_key"))
    except OSError as error:  # ssl.SSLError is one
        raise CatalogError(
            f"A certificate for the database cannot be read: {error}.", "Check ssl_ca and ssl_cert."
        ) from error
    context.check_hostname = mode == "verify_identity"
    context.verify_mode = ssl.CERT_REQUIRED if mode.startswith("verify") else ssl.CERT_NONE
    # Databases make certificates for themselves that lack what newer rules ask for, say MySQL's automatic ones.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return {"ssl": context}
