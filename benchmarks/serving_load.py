"""How searches by photo are asked for and measured: by wrk, beyond what can be served, and by py-spy."""

from __future__ import annotations

import asyncio
import json
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread

import numpy as np
from PIL import Image, ImageFilter
from serving_targets import Target

from mapsi.cores import cores
from mapsi.infer import Model
from mapsi.sample.shop import shipped_feed

SIZES = {"0.3": (640, 480), "3": (2000, 1500), "12": (4000, 3000)}
KINDS = {"jpeg": {"format": "JPEG", "quality": 90}, "png": {"format": "PNG"}, "webp": {"format": "WEBP", "quality": 85}}
_HEAD = b'--cut\r\nContent-Disposition: form-data; name="photo"; filename="a"\r\nContent-Type: image/jpeg\r\n\r\n'
_SHOWN_SHARE = 0.01
_AT_REST = 0.05
"""Seconds of processor time within half a second that are none of an answer's."""
_WRK = """
local body = io.open("{body}", "rb"):read("*a")
wrk.method = "POST"
wrk.body = body
wrk.headers["Content-Type"] = "multipart/form-data; boundary=cut"
done = function(summary, latency, requests)
  local errors = summary.errors
  if summary.requests == 0 then latency = {{percentile = function() return 0 end}} end
  local told = "FIGURES {{\\"requests\\": %d, \\"seconds\\": %f, \\"p50\\": %f, \\"p95\\": %f, "
  told = told .. "\\"refused\\": %d, \\"lost\\": %d}}\\n"
  io.write(string.format(
    told, summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e6, latency:percentile(95) / 1e6,
    errors.status, errors.connect + errors.read + errors.write + errors.timeout))
end
"""


@dataclass(frozen=True)
class Case:
    """A photo of ``megapixels`` in a format, asked for by so many ``clients``."""

    megapixels: str
    kind: str
    clients: int

    def __str__(self) -> str:
        return f"{self.megapixels} MP {self.kind.upper()}, {self.clients} clients"


def write_photo(folder: Path, case: Case) -> Path:
    """The body of a form with a sample picture, as large as asked and with a camera's grain."""
    file = folder / f"{case.megapixels}.{case.kind}.body"
    if not file.exists():
        picture = Image.open(sorted((shipped_feed().parent / "pictures").glob("*.webp"))[7]).convert("RGB")
        grown = picture.resize(SIZES[case.megapixels], Image.Resampling.LANCZOS).filter(ImageFilter.GaussianBlur(1))
        grain = np.random.default_rng(1).normal(0, 4, (*grown.size[::-1], 1)).astype(np.float32)
        pixels = np.clip(np.asarray(grown, np.float32) + grain, 0, 255).astype(np.uint8)
        photo = folder / f"{case.megapixels}.{case.kind}"
        Image.fromarray(pixels).save(photo, **KINDS[case.kind])
        file.write_bytes(_HEAD + photo.read_bytes() + b"\r\n--cut--\r\n")
    return file


def ask(target: Target, body: Path, clients: int, seconds: float, folder: Path) -> dict[str, float]:
    """wrk's figures: answered requests a second, p50 and p95 in seconds; and the milliseconds of processor time that
    each took the server, which a busy machine changes least."""
    script = folder / "post.lua"
    script.write_text(_WRK.format(body=body))
    load = (f"-t{min(2, clients)}", f"-c{clients}", f"-d{max(1, round(seconds))}s", "--timeout", "60s")
    before = target.worked
    words = ["wrk", *load, "-s", str(script), target.address]
    said = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    found = json.loads(said.partition("FIGURES ")[2])
    answered = max(0, found["requests"] - found["refused"])
    cpu = (target.worked - before) * 1000 / answered if answered else 0.0
    rest(target)
    kept = {name: found[name] for name in ("p50", "p95", "refused", "lost")}
    return {"rate": answered / found["seconds"], "cpu_ms": cpu, **kept}


def rest(target: Target) -> None:
    """Wait until a server has worked off what its clients left behind, for half a minute at most."""
    for _ in range(60):
        before = target.worked
        time.sleep(0.5)
        if target.worked - before < _AT_REST:
            return


def alone(model: Model, clients: int, seconds: float) -> dict[str, float]:
    """How often the network does what a photo of one garment asks of it (two views, prepared), asked by so many
    threads: the limit of any server around it."""
    side = model.document.preprocessing.size
    photo = np.random.default_rng(0).normal(size=(1, 2, 3, side, side)).astype(np.float32)
    end, took, before = time.monotonic() + seconds, list[float](), time.process_time()

    def read() -> None:
        while (begun := time.monotonic()) < end:
            model.answer(photo)
            took.append(time.monotonic() - begun)

    threads = [Thread(target=read) for _ in range(min(clients, 2 * cores()))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    cpu = (time.process_time() - before) * 1000 / len(took)
    middle, slow = statistics.median(took), sorted(took)[int(0.95 * len(took))]
    return {"rate": len(took) / seconds, "cpu_ms": cpu, "p50": middle, "p95": slow}


@dataclass
class Flood:
    """What came of more requests than can be served, asked for so many ``seconds``: seconds of each answer by
    status."""

    seconds: float
    took: dict[int, list[float]] = field(default_factory=dict)
    without_retry: int = 0

    def figures(self) -> dict[str, float]:
        served, refused = (sorted(self.took.get(status, [])) for status in (200, 503))
        others = sum(len(each) for status, each in self.took.items() if status not in (200, 503))
        return {
            "asked": sum(map(len, self.took.values())) / self.seconds,
            "served": len(served) / self.seconds,
            "served_p95": _share(served, 0.95),
            "refused": len(refused) / self.seconds,
            "refused_p50": _share(refused, 0.5),
            "refused_p95": _share(refused, 0.95),
            "without_retry": self.without_retry,
            "others": others,
        }


def _share(took: list[float], share: float) -> float:
    return took[min(len(took) - 1, int(len(took) * share))] if took else 0.0


async def flood(target: Target, body: bytes, rate: float, seconds: float) -> Flood:
    """``rate`` requests a second, each on a connection of its own, whether those before were answered or not."""
    found = Flood(seconds)
    request = (
        f"POST {target.path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: {len(body)}\r\n"
        "Content-Type: multipart/form-data; boundary=cut\r\n\r\n"
    ).encode()

    async def one() -> None:
        begun, head = time.monotonic(), b""
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", target.port)
            writer.write(request + body)
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            writer.close()
        except (OSError, asyncio.IncompleteReadError):
            pass
        status = int(head.split(b" ", 2)[1]) if head else 0
        found.took.setdefault(status, []).append(time.monotonic() - begun)
        found.without_retry += status == 503 and b"\r\nretry-after: " not in head

    begun, tasks = time.monotonic(), list[asyncio.Task[None]]()
    while (number := len(tasks)) < rate * seconds:
        await asyncio.sleep(max(0.0, begun + number / rate - time.monotonic()))
        tasks.append(asyncio.create_task(one()))
    await asyncio.gather(*tasks)
    return found


@contextmanager
def sampled(target: Target, seconds: float, into: Path) -> Iterator[None]:
    """Write where the server's time goes within the block as text, where py-spy is installed and may look."""
    raw = into.with_suffix(".raw")
    spy = Path(sys.executable).with_name("py-spy")
    if not spy.exists():
        yield
        return
    into.parent.mkdir(exist_ok=True)
    words = [str(spy), "record", "--pid", str(target.process.pid), "-d", str(round(seconds)), "-r", "100"]
    quiet = subprocess.DEVNULL
    with subprocess.Popen([*words, "-f", "raw", "-o", str(raw)], stdout=quiet, stderr=quiet):
        yield
    if raw.exists():
        into.write_text(flame(raw.read_text("utf-8")), "utf-8")
        raw.unlink()


def flame(raw: str) -> str:
    """A flame graph as indented lines, out of a line a stack and its count: what threads that answer spend their time
    in, the outermost call first, of those that take at least a hundredth."""
    within: Counter[tuple[str, ...]] = Counter()
    for line in raw.splitlines():
        stack, _, count = line.rpartition(" ")
        frames = [frame.rpartition(":")[0] + ")" if ":" in frame else frame for frame in stack.split(";")]
        first = next((at for at, frame in enumerate(frames) if frame.startswith("search_image (")), None)
        for depth in range(first or 0, len(frames) if first is not None else 0):
            within[tuple(frames[first : depth + 1])] += int(count)
    whole = max([count for path, count in within.items() if len(path) == 1], default=1)
    shown = sorted(path for path, count in within.items() if count >= _SHOWN_SHARE * whole)
    shown.sort(key=lambda path: [(-within[path[: at + 1]], path[at]) for at in range(len(path))])
    lines = [f"{100 * within[path] / whole:5.1f} % {'  ' * (len(path) - 1)}{path[-1]}" for path in shown]
    return "\n".join(lines) + "\n"
