"""Numbers of rows in addresses: such as a database can have."""

from __future__ import annotations

from flask import Flask
from werkzeug.routing import IntegerConverter, Map

LARGEST = 2**63 - 1
"""What both databases hold in 64 bits; SQLite's driver breaks at a larger one."""


class RowId(IntegerConverter):
    """A number from 0 to :data:`LARGEST`; any other is an address that there is not."""

    def __init__(self, map: Map) -> None:
        super().__init__(map, max=LARGEST)


def bound_ids(app: Flask) -> None:
    """Let ``<int:...>`` in an address be the number of a row. Before the routes are registered."""
    app.url_map.converters["int"] = RowId
