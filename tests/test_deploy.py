"""The image and the compose file, checked as far as no container engine is needed."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from mapsi.cli import main
from mapsi.settings import setting_table

ROOT = Path(__file__).parents[1]
DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8")


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text("utf-8"))
    return document


def _tool(name: str, *words: str) -> subprocess.CompletedProcess[str]:
    tool = Path(sys.executable).parent / name
    return subprocess.run([str(tool), *words], cwd=ROOT, capture_output=True, text=True, check=False)


def test_a_linter_has_nothing_to_say_of_the_image() -> None:
    done = _tool("hadolint", "Dockerfile")
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize("file", ["compose.yaml", "deploy/milvus.yaml"])
def test_a_compose_file_follows_its_specification(file: str) -> None:
    done = _tool("check-jsonschema", "--builtin-schema", "vendor.compose-spec", file)
    assert done.returncode == 0, done.stdout


def test_every_variable_is_a_setting_or_a_password_of_the_compose_file(compose: dict[str, Any]) -> None:
    known = {row.variable for row in setting_table()} | {"MAPSI_DB_PASSWORD", "MAPSI_DB_ROOT_PASSWORD"}
    text = "".join((ROOT / name).read_text("utf-8") for name in ("compose.yaml", "deploy/milvus.yaml")) + DOCKERFILE
    assert set(re.findall(r"MAPSI_[A-Z_]+", text)) <= known
    assert set(compose["services"]["web"]["environment"]) <= known


def test_no_password_has_a_default() -> None:
    text = "".join((ROOT / name).read_text("utf-8") for name in ("compose.yaml", "deploy/milvus.yaml"))
    milvus = ("MILVUS_STORE_USER", "MILVUS_STORE_PASSWORD")
    for name in ("MAPSI_DB_PASSWORD", "MAPSI_DB_ROOT_PASSWORD", "MAPSI_SECRET_KEY", *milvus):
        assert set(re.findall(rf"\$\{{{name}(.)", text)) == {":"}
        assert f"{{{name}:-" not in text


def test_the_services_run_commands_there_are(compose: dict[str, Any]) -> None:
    commands = [
        service["command"][0] for service in compose["services"].values() if "build" in service and "command" in service
    ]
    commands.append(re.findall(r'CMD \["(\w+)", "--host"', DOCKERFILE)[0])
    assert commands
    assert set(commands) <= set(main.commands)


def test_the_image_takes_what_the_project_has() -> None:
    """The packages that locks/image.txt names, and what is copied; test_supply.py holds that the lock fits the
    project."""
    assert "--require-hashes -r locks/image.txt" in DOCKERFILE
    for names in re.findall(r"^COPY (.+) \S+$", DOCKERFILE, re.MULTILINE):
        assert all((ROOT / name).exists() for name in names.split())
