"""Measures of the tree: sizes of files and functions, imports inside each room, records that repeat another's fields.

``python tests/measures.py [FOLDER OF A PACKAGE]`` prints them as a table
(docs/decisions/0010-rooms-inside-rooms.md); ``test_house.py`` holds the bounds.
"""

from __future__ import annotations

import ast
import statistics
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

PACKAGE = Path(__file__).parents[1] / "src" / "mapsi"


@dataclass(frozen=True)
class Record:
    """A class that says what it holds: its fields with their types, as they are written."""

    where: str
    fields: frozenset[tuple[str, str]]


class House:
    """What stands in one package's folder; ``migrations/versions`` are history and are not measured."""

    def __init__(self, package: Path) -> None:
        self.package = package
        paths = [path for path in sorted(package.rglob("*.py")) if path.parent.name != "versions"]
        self._trees = {path: ast.parse(path.read_text("utf-8")) for path in paths}

    def file_lengths(self) -> dict[str, int]:
        return {self._name(path): len(path.read_text("utf-8").splitlines()) for path in self._trees}

    def function_lengths(self) -> dict[str, int]:
        """Lines from ``def`` to the last, the docstring's left out: what it says is no work of the function's."""
        return {
            f"{self._name(path)}:{node.lineno} {node.name}": _lines(node)
            for path, tree in self._trees.items()
            for node in ast.walk(tree)
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        }

    def arrows(self, room: Path) -> set[tuple[str, str]]:
        """Pairs of a folder's children (files or rooms) of which the first imports the second; the room's own front
        door counts for none."""
        prefix = (self.package.name, *room.relative_to(self.package).parts)
        found = set()
        for path, tree in self._trees.items():
            if path.is_relative_to(room) and path != room / "__init__.py":
                own = path.relative_to(room).with_suffix("").parts[0]
                inside = (name[len(prefix) :] for name in _imported(tree) if name[: len(prefix)] == prefix)
                targets = {names[0] for names in inside if names and _is_module(room / names[0])}
                found |= {(own, target) for target in targets - {own}}
        return found

    def arrows_by_room(self) -> dict[str, int]:
        """How many arrows each folder with code holds; the package itself is the house, not a room."""
        folders = {path.parent for path in self._trees} - {self.package}
        return {self._name(folder): len(self.arrows(folder)) for folder in sorted(folders)}

    def records(self) -> list[Record]:
        return [
            Record(f"{self._name(path)}:{node.lineno} {node.name}", fields)
            for path, tree in self._trees.items()
            for node in ast.walk(tree)
            if isinstance(node, ast.ClassDef) and (fields := _fields(node))
        ]

    def twins(self) -> list[tuple[Record, Record]]:
        """Records of which three fields or more, and most of them, stand in another with the same name and type: ten
        fields of which seven are another's. Each record is named once, beside the larger one that it repeats."""
        found: dict[str, tuple[Record, Record]] = {}
        by_size = sorted(self.records(), key=lambda record: len(record.fields))
        for one, other in combinations(by_size, 2):
            shared = len(one.fields & other.fields)
            if shared >= 3 and 2 * shared > len(one.fields):
                found.setdefault(one.where, (one, other))
        return list(found.values())

    def _name(self, path: Path) -> str:
        return str(path.relative_to(self.package))


def _lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    assert function.end_lineno is not None
    whole = function.end_lineno - function.lineno + 1
    first = function.body[0]
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
        assert first.end_lineno is not None
        whole -= first.end_lineno - first.lineno + 1
    return whole


def _imported(tree: ast.Module) -> Iterator[tuple[str, ...]]:
    """Dotted names of what a module imports; ``from a.b import c`` gives (a, b) and (a, b, c), since c may be a
    module."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (tuple(alias.name.split(".")) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            parts = tuple(node.module.split("."))
            yield parts
            yield from ((*parts, alias.name) for alias in node.names)


def _is_module(path: Path) -> bool:
    return path.is_dir() or path.with_suffix(".py").is_file()


def _fields(node: ast.ClassDef) -> frozenset[tuple[str, str]]:
    named_tuple = any(isinstance(base, ast.Name) and base.id == "NamedTuple" for base in node.bases)
    decorated = any("dataclass" in ast.unparse(decorator) for decorator in node.decorator_list)
    if not named_tuple and not decorated:
        return frozenset()
    fields = (child for child in node.body if isinstance(child, ast.AnnAssign) and isinstance(child.target, ast.Name))
    return frozenset((ast.unparse(field.target), ast.unparse(field.annotation)) for field in fields)


def _table(house: House) -> Iterator[str]:
    files, functions = list(house.file_lengths().values()), list(house.function_lengths().values())
    named = [lines for name, lines in house.file_lengths().items() if Path(name).name != "__init__.py"]
    arrows = house.arrows_by_room()
    largest = max(arrows, key=lambda room: arrows[room])
    yield f"files | {len(files)}"
    yield f"lines of a file: median, longest | {statistics.median(files):.0f}, {max(files)}"
    yield f"files under 40 lines, front doors left out | {sum(lines < 40 for lines in named)}"
    yield f"functions | {len(functions)}"
    yield f"lines of a function: median, longest | {statistics.median(functions):.0f}, {max(functions)}"
    long = sum(lines > 40 for lines in functions)
    yield f"functions over 40 lines | {long} ({long / len(functions):.1%})"
    yield f"arrows inside the largest room | {arrows[largest]} (`{largest}/`)"
    yield f"twins | {len(house.twins())}"


def _details(house: House) -> Iterator[str]:
    for room, count in sorted(house.arrows_by_room().items(), key=lambda pair: -pair[1])[:8]:
        yield f"{count:4} arrows in {room}/"
    for twin, elder in house.twins():
        yield f"{twin.where} ~ {elder.where}: {len(twin.fields & elder.fields)} of {len(twin.fields)} fields"


if __name__ == "__main__":
    measured = House(Path(sys.argv[1]) if len(sys.argv) > 1 else PACKAGE)
    rows = [f"| {row} |" for row in _table(measured)]
    sys.stdout.write("\n".join([*rows, "", *_details(measured), ""]))
