"""Nothing calls home: no process of ours looks up a name, connects or writes outside its own folder by itself."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Mapping
from pathlib import Path

import pytest

from servers import free_port
from test_dataset import make_folder
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


def _ended(words: list[str], until: str, home: Path, trace: Path) -> str:
    """What a command says until it says ``until``, while its page is asked for, and until SIGTERM has ended it."""
    env = {**_clean(home), "MAPSI_HOME": str(home / "mapsi"), "PYTHONUNBUFFERED": "1"}
    command = [*traced(trace), sys.executable, "-m", "mapsi", *words]
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        said = ""
        while until not in said:
            line = process.stdout.readline()
            assert line, said
            said += line
        if found := re.search(r"http://\S+", said):
            with urllib.request.urlopen(found[0], timeout=30) as answer:
                assert answer.status == 200
        time.sleep(1)
        process.send_signal(signal.SIGTERM)
        said += process.communicate(timeout=60)[0]
    assert process.returncode == 0
    return said


def _left(home: Path) -> list[Path]:
    """Files outside of mapsi's own folder; fonts that matplotlib has listed are for the next report."""
    kept = [file for file in home.rglob("*") if file.is_file() and not file.is_relative_to(home / "mapsi")]
    return [file for file in kept if "matplotlib" not in file.parts]


@pytest.mark.parametrize("stage", ["serve", "worker", "review"])
def test_what_runs_for_long_connects_nowhere_by_itself(stage: str, tmp_path: Path) -> None:
    photos = make_folder(tmp_path / "photos", {"dress": 2, "hat": 2})
    words, until = {
        "serve": (["serve", "--port", str(free_port())], "mapsi is at"),
        "worker": (["worker"], "working;"),
        "review": (["collect", "review", str(photos), "--axis", "garment", "--no-browser"], "mapsi is at"),
    }[stage]
    home = tmp_path / "home"
    home.mkdir()
    _ended(words, until, home, tmp_path / "trace")
    assert outside_connections(tmp_path / "trace") == []
    assert _left(home) == []


STOCK = """
import sys
from mapsi.cli import main
home = sys.argv[1]
for words in (["operator", "add", "a@b.com", "--password-stdin"], ["worker", "--once"], ["index", "build"],
              ["backup", f"{home}/mapsi/shop.tar"], ["accounts", "emails"]):
    main(words, standalone_mode=False)
"""
LEARN = """
import sys
from mapsi.cli import main
home, photos, weights = sys.argv[1:]
run = f"{home}/mapsi/run"
main(["train", "--photos", f"garment={photos}", "--into", run, "--weights", weights, "--backbone", "resnet10t",
      "--phase", "32:1", "--batch", "4", "--accelerator", "cpu"], standalone_mode=False)
main(["refit", run, "--into", f"{home}/mapsi/refitted"], standalone_mode=False)
main(["export", run, "--into", f"{home}/mapsi/model"], standalone_mode=False)
main(["evaluate", "--model", f"{home}/mapsi/model", "--data", photos, "--axis", "garment", "--into",
      f"{home}/mapsi/report"], standalone_mode=False)
main(["dataset", "check", photos, "--axis", "garment", "--into", f"{home}/mapsi/checked"], standalone_mode=False)
"""


@pytest.mark.timeout(300)
@pytest.mark.parametrize("script", [STOCK, LEARN], ids=["stock", "learn"])
def test_what_is_done_once_connects_nowhere(script: str, tmp_path: Path, weights: Path) -> None:
    home, trace = tmp_path / "home", tmp_path / "trace"
    home.mkdir()
    photos = make_folder(tmp_path / "photos", {"dress": 12, "hat": 12})
    more = [] if script == STOCK else [str(photos), str(weights)]
    env = {**_clean(home), "MAPSI_HOME": str(home / "mapsi")}
    words = [*traced(trace), sys.executable, "-c", script, str(home), *more]
    done = subprocess.run(
        words, check=False, env=env, input="green apples on a blue table\n", capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert outside_connections(trace) == []
    assert _left(home) == []


def test_the_switches_win_over_what_the_surroundings_say() -> None:
    script = "import mapsi, os; print(os.environ['ORT_DISABLE_TELEMETRY'])"
    asked = {**os.environ, "ORT_DISABLE_TELEMETRY": "0"}
    assert subprocess.run([sys.executable, "-c", script], env=asked, check=True, capture_output=True).stdout == b"1\n"
