"""What a process connects to, watched from outside by strace."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from servers import require

_LOOPBACK = re.compile(r'inet_addr\("127\.|inet_pton\(AF_INET6, "::1"')


def traced(trace: Path) -> list[str]:
    """What to put before a command so that its connections, and those of all it starts, are written to ``trace``. The
    process that is started is the command itself: signals reach it."""
    require(shutil.which("strace"), "strace")
    return ["strace", "-D", "-f", "--seccomp-bpf", "-qq", "-e", "trace=connect,sendto,sendmsg", "-o", str(trace)]


def outside_connections(trace: Path) -> list[str]:
    """The calls in ``trace`` that name an internet address other than this machine's; a name look-up is one of them."""
    named = [
        line for line in trace.read_text("utf-8", "replace").splitlines() if "sin_addr" in line or "inet_pton" in line
    ]
    return [line for line in named if not _LOOPBACK.search(line)]
