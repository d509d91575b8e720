"""What commands are started with: streams that are closed, full or of another code page, words in another encoding,
signals."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path
from typing import Literal
from unicodedata import normalize

import pytest
from click.testing import CliRunner
from PIL import Image

from mapsi.cli import main
from mapsi.cli.opening import open_stock
from mapsi.settings import Settings
from mapsi.web.accounts.passwords import check_password

MAPSI = shlex.join([sys.executable, "-m", "mapsi"])


def _shell(command: str, home: Path, **environment: str) -> subprocess.CompletedProcess[bytes]:
    named = {**os.environ, "MAPSI_HOME": str(home), "M": MAPSI, **environment}
    return subprocess.run(
        ["bash", "-c", command], check=False, env=named, capture_output=True, timeout=60, cwd=home.parent
    )


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with an operator whose name has Korean letters."""
    folder = tmp_path_factory.mktemp("terminal")
    said = "green apples on a blue table\n"
    command = ["operator", "add", "진@example.com", "--password-stdin"]
    assert CliRunner(env={"MAPSI_HOME": str(folder / "home")}).invoke(main, command, input=said).exit_code == 0
    return folder / "home"


@pytest.mark.parametrize(
    ("command", "code", "told"),
    [
        ("$M operator list >/dev/full", 1, "mapsi: No space left on device. Check the disk and its permissions.\n"),
        ("$M operator list >&-", 0, ""),
        ("$M catalog import none.csv --format csv --shop a --no-index 2>&-", 5, ""),
        ("$M operator add a@b.com --password-stdin <&-", 2, "mapsi: No password arrived on standard input. Send it as one line.\n"),
        ("$M operator add a@b.com --password-stdin <<< $'\\xff\\xfe\\xff\\xfe\\xff long enough'", 2, "mapsi: The password on standard input is in no encoding that is known. Send it in UTF-8.\n"),
        ("$M operator list | true; exit ${PIPESTATUS[0]}", 1, ""),
    ],
)  # fmt: skip
def test_a_stream_that_is_closed_full_or_not_text_is_a_sentence(home: Path, command: str, code: int, told: str) -> None:
    if "none.csv" in command:
        (home.parent / "none.csv").write_bytes(b"")
    done = _shell(command, home)
    assert (done.returncode, done.stderr.decode()) == (code, told)


@pytest.mark.parametrize("encoding", ["utf-8", "cp949"])
def test_words_and_passwords_of_another_encoding_are_read_as_what_they_are(
    home: Path, tmp_path: Path, encoding: str
) -> None:
    quoted = "".join(f"\\x{byte:02x}" for byte in "미나".encode(encoding))
    locale = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    said = "나는 매일 아침 커피를 마신다\n".encode(encoding)
    (tmp_path / "said").write_bytes(said)
    added = _shell(f"$M operator add $'{quoted}@example.com' --password-stdin < {tmp_path}/said", tmp_path / "home", **locale)  # fmt: skip
    assert added.returncode == 0, added.stderr
    with open_stock(Settings(home=tmp_path / "home")) as catalog:
        kept = catalog.accounts.named("미나@example.com")
    assert check_password(kept.password_hash, "나는 매일 아침 커피를 마신다")


@pytest.mark.parametrize(("typed", "kept"), [("NFC", "NFD"), ("NFD", "NFC")])
def test_a_path_that_is_typed_finds_the_file_whatever_form_its_name_has(
    tmp_path: Path, typed: Literal["NFC", "NFD"], kept: Literal["NFC", "NFD"]
) -> None:
    folder = tmp_path / normalize(kept, "원피스 사진")
    folder.mkdir()
    Image.new("RGB", (60, 60), "red").save(folder / normalize(kept, "빨강.png"))
    asked = tmp_path / normalize(typed, "원피스 사진") / normalize(typed, "빨강.png")
    assert CliRunner().invoke(main, ["classify", str(asked)]).exit_code == 0
    environment = {"MAPSI_HOME": str(tmp_path / "home")}
    added = ["catalog", "sources", "add", "haru", "--format", "csv", "--at", str(asked)]
    assert CliRunner(env=environment).invoke(main, added).exit_code == 0
    mask = tmp_path / normalize(typed, "새 이름.png")
    assert CliRunner().invoke(main, ["garments", str(asked), "--mask", str(mask)]).exit_code == 0
    assert mask.is_file()


def test_ctrl_c_while_a_command_is_still_starting_is_no_traceback() -> None:
    script = (
        "import importlib\n"
        "def stop(name):\n"
        "    raise KeyboardInterrupt\n"
        "importlib.import_module = stop\n"
        "import mapsi.cli\n"
    )
    done = subprocess.run([sys.executable, "-c", script], check=False, capture_output=True)
    assert (done.returncode, done.stderr) == (130, b"")


def test_sigterm_ends_a_command_like_ctrl_c_and_nothing_half_written_stays(home: Path) -> None:
    script = (
        "import signal, time\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)  # shells ignore it for what they start behind\n"
        "from pathlib import Path\n"
        "from mapsi.artifacts import atomic_file\n"
        "from mapsi.cli import main\n"
        "from mapsi.cli import operator\n"
        "@operator.operator.command()\n"
        "def wait():\n"
        "    with atomic_file(Path('half')):\n"
        "        print('ready', flush=True)\n"
        "        time.sleep(60)\n"
        "main(['operator', 'wait'])\n"
    )
    folder = home.parent / "stopped"
    folder.mkdir()
    for number in (signal.SIGTERM, signal.SIGINT):
        with subprocess.Popen([sys.executable, "-c", script], cwd=folder, stdout=-1, stderr=-1) as child:
            assert child.stdout is not None
            child.stdout.readline()
            child.send_signal(number)
            assert child.communicate()[1] == b"\nStopped.\n"
        assert child.returncode == 130
    assert list(folder.iterdir()) == []
