"""What is installed: files whose hashes stand in ``locks/``, of the versions that ``constraints.txt`` names."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
PIN = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[a-z,]+\])?==([^\s;]+)", re.MULTILINE)
LOCKS = ("serve", "image", "dev")


def _name(written: str) -> str:
    return re.sub(r"[-_.]+", "-", re.split(r"[\[<>=!~; ]", written, maxsplit=1)[0]).lower()


def _pins(file: Path) -> dict[str, str]:
    return {_name(name): version for name, version in PIN.findall(file.read_text("utf-8"))}


PINNED = _pins(ROOT / "constraints.txt")


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_names_the_versions_of_the_constraints_each_with_hashes(lock: str) -> None:
    text = (ROOT / "locks" / f"{lock}.txt").read_text("utf-8")
    locked = _pins(ROOT / "locks" / f"{lock}.txt")
    other = {name: (version, PINNED[name]) for name, version in locked.items() if version != PINNED.get(name, version)}
    assert not other, "run `make lock`"
    entries = [entry for entry in re.split(r"\n(?=\S)", text) if not entry.startswith("#")]
    assert all("--hash=sha256:" in entry for entry in entries)


@pytest.mark.parametrize(
    ("lock", "extras"),
    [("serve", ()), ("image", ("mysql", "workers", "milvus")), ("dev", tuple(PROJECT["optional-dependencies"]))],
)
def test_a_lock_has_all_that_the_project_asks_for(lock: str, extras: tuple[str, ...]) -> None:
    wanted = [*PROJECT["dependencies"], *(name for extra in extras for name in PROJECT["optional-dependencies"][extra])]
    assert {_name(name) for name in wanted} <= set(_pins(ROOT / "locks" / f"{lock}.txt")), "run `make lock`"


def test_what_serving_installs_holds_nothing_that_learns_or_tests() -> None:
    assert not {"torch", "pytest", "selenium"} & (
        set(_pins(ROOT / "locks/serve.txt")) | set(_pins(ROOT / "locks/image.txt"))
    )


@pytest.mark.parametrize("file", ["Makefile", "Dockerfile"])
def test_every_installation_checks_hashes_or_is_of_the_project_itself(file: str) -> None:
    text = (ROOT / file).read_text("utf-8")
    installs = re.findall(r"(?:pip install|\$\(PIP\)) .*", text.replace("\\\n", " "))
    parts = [part for line in installs for part in line.split("&&") if "-r " in part or " ." in part]
    assert parts
    for part in parts:
        assert "--require-hashes" in part or "--no-build-isolation" in part


def test_every_test_that_the_page_of_threats_names_is_there() -> None:
    page = (ROOT / "docs" / "threats.md").read_text("utf-8")
    files = {file.name: file.read_text("utf-8") for file in (ROOT / "tests").glob("test_*.py")}
    everything = "\n".join(files.values())
    named = set(re.findall(r"`(test_\w+(?:\.py)?)`", page))
    assert named
    assert not {name for name in named if name not in files and f"def {name}(" not in everything}
