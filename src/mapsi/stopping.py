"""What runs long ends alike by Ctrl-C and by SIGTERM."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from threading import current_thread, main_thread
from types import FrameType


@contextmanager
def stopping_on_sigterm() -> Iterator[None]:
    """Let SIGTERM end the caller as Ctrl-C does. Signals reach the main thread only; elsewhere nothing changes."""
    if current_thread() is not main_thread():
        yield
        return

    def stop(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
