"""What this process may use of its machine."""

from __future__ import annotations

import math
import os
from pathlib import Path

QUOTAS = Path("/sys/fs/cgroup/cpu.max"), Path("/sys/fs/cgroup/cpu/cpu.cfs_quota_us")


def cores(quotas: tuple[Path, Path] = QUOTAS) -> int:
    """How many processor cores this process may use: those it may run on, and no more than a container's quota pays
    for.

    With half a core more threads than one only wait for one another; 1.5 cores are two.
    """
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota = _quota(*quotas)
    return allowed if quota is None else max(1, min(allowed, math.ceil(quota)))


def _quota(second: Path, first: Path) -> float | None:
    """Cores of processor time that the container may use, by cgroups of version 2 or 1; ``None`` where there is no
    limit."""
    try:
        granted, period = second.read_text("ascii").split()
    except (OSError, ValueError):
        try:
            granted, period = first.read_text("ascii"), first.with_name("cpu.cfs_period_us").read_text("ascii")
        except OSError:
            return None
    try:
        return int(granted) / int(period) if int(granted) > 0 else None
    except (ValueError, ZeroDivisionError):
        return None  # "max"
