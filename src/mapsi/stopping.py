"""What runs long ends alike by Ctrl-C and by SIGTERM."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from threading import current_thread, main_thread
from types import FrameType


@contextmanager
def answering_signals(
    numbers: Iterable[signal.Signals], handler: Callable[[int, FrameType | None], object]
) -> Iterator[None]:
    """Let ``handler`` answer these signals, and who answered them before do so again afterwards. Signals reach the main
    thread only; elsewhere nothing changes."""
    if current_thread() is not main_thread():
        yield
        return
    before = {number: signal.signal(number, handler) for number in numbers}
    try:
        yield
    finally:
        for number, earlier in before.items():
            signal.signal(number, earlier)


def stopping_on_sigterm() -> AbstractContextManager[None]:
    """Let SIGTERM end the caller as Ctrl-C does."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    return answering_signals((signal.SIGTERM,), stop)
