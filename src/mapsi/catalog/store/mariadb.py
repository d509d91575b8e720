"""Connections to a MariaDB or MySQL that no silent server holds for longer than was meant."""

from __future__ import annotations

from typing import Any

from pymysql.connections import Connection
from sqlalchemy import Dialect, ExceptionContext


def connect_mariadb(dialect: Dialect, record: object, positional: list[Any], named: dict[str, Any]) -> _Connection:
    """A new connection; what SQLAlchemy asks when it needs one."""
    return _Connection(*positional, **named)


class _Connection(Connection):  # type: ignore[misc, type-arg, unused-ignore]
    _read_timeout: Any

    def connect(self, sock: Any = None) -> None:
        """PyMySQL's time to connect ends where the machine of a server answers, be the server itself frozen: its
        greeting then has the time of an answer, ten minutes and more for commands. Here it has that of connecting."""
        patient, self._read_timeout = self._read_timeout, self.connect_timeout
        super().connect(sock)
        self._read_timeout = patient


def spare_a_silent_server(context: ExceptionContext) -> None:
    """A connection of the pool that waited in vain for a sign of life is not followed by a new one, which would wait
    for the same server once more."""
    if context.is_pre_ping and isinstance(context.original_exception.__context__, TimeoutError):
        context.is_disconnect = False
