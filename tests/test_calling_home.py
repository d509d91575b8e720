"""Nothing calls home: no process of ours looks up a name, connects or writes outside its own folder by itself."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tracing import outside_connections, traced

SERVING = (
    "import mapsi.web.app, mapsi.web.server.serving, mapsi.search.building, mapsi.work.worker, mapsi.work.celery_worker"
)
LEARNING = (
    "import mapsi.learn.fitting.training, mapsi.learn.export.export, mapsi.evaluate.report.pages, mapsi.dataset.check"
)
COLLECTING = "import mapsi.collect.browser"
READING = "from mapsi.infer import Model; Model.open()"


def _clean(home: Path) -> Mapping[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in ("ORT_DISABLE_TELEMETRY", "DO_NOT_TRACK")}
    return {**kept, "HOME": str(home), "XDG_CACHE_HOME": str(home / "cache"), "PYTHONPATH": os.pathsep.join(sys.path)}


@pytest.mark.parametrize("stage", [SERVING, LEARNING, COLLECTING])
def test_a_stage_and_its_libraries_connect_nowhere_and_leave_nothing_in_the_home_folder(
    stage: str, tmp_path: Path
) -> None:
    home, trace = tmp_path / "home", tmp_path / "trace"
    home.mkdir()
    words = [*traced(trace), sys.executable, "-c", f"{stage}; {READING}; import time; time.sleep(1)"]
    subprocess.run(words, env=_clean(home), check=True, capture_output=True)
    assert outside_connections(trace) == []
    assert [file for file in home.rglob("*") if "onnxruntime" in str(file) or "device" in file.name] == []


def test_the_switches_win_over_what_the_surroundings_say() -> None:
    script = "import mapsi, os; print(os.environ['ORT_DISABLE_TELEMETRY'])"
    asked = {**os.environ, "ORT_DISABLE_TELEMETRY": "0"}
    assert subprocess.run([sys.executable, "-c", script], env=asked, check=True, capture_output=True).stdout == b"1\n"
