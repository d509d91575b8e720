"""Memory that is freed goes back to the machine."""

from __future__ import annotations

import ctypes
import resource
import sys

_MMAP_THRESHOLD, _TRIM_THRESHOLD, _ARENA_MAX = -3, -1, -8  # glibc's malloc.h
_MIB = 1 << 20


def give_freed_memory_back() -> bool:
    """Let this process keep little of what it frees: pictures of 40 million pixels come and go, and by default glibc
    keeps their memory, in as many heaps as there are threads. Eight such PNGs at once left 216 MB behind, and leave 35.

    Nothing is done, and false given, where the C library is not glibc.
    """
    if not sys.platform.startswith("linux"):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    return mallopt is not None and all(
        mallopt(parameter, value)
        for parameter, value in ((_MMAP_THRESHOLD, _MIB), (_TRIM_THRESHOLD, _MIB), (_ARENA_MAX, 2))
    )


def give_back_now() -> None:
    """Give the system what is free anywhere in this process's heaps; by itself glibc gives back what is free at their
    ends. It takes some milliseconds, and nothing is done where the C library is not glibc."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def limit_memory(count: int) -> None:
    """Let this process have no more than ``count`` bytes of memory of its own (data, heaps, stacks); what would need
    more fails."""
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (count, hard))
