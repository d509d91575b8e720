"""What the server holds at most, of everything that strangers can make it hold."""

from __future__ import annotations

from dataclasses import dataclass

WAITING_PER_THREAD = 8
"""Requests that wait for each thread. A longer queue serves nobody sooner, and its last one waits for seconds."""

HEAD_BYTES = 64 * 1024
HELD_BODIES = 512 * 1024 * 1024
"""Bytes of bodies that may lie in memory at once: arriving, waiting and being worked on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """``largest`` is the body in bytes that the application takes. A request has ``seconds`` from its first byte to the
    last byte of its answer, of these ``head_seconds`` for its head; ``connections`` are open at once, ``of_one`` of one
    client."""

    threads: int
    largest: int
    seconds: float = 60.0
    head_seconds: float = 10.0
    connections: int = 4000
    of_one: int = 4000
    held: int = HELD_BODIES

    @property
    def kept(self) -> int:
        """Bytes of a body that are kept until it is whole; of a larger one nothing is."""
        return 2 * self.largest

    @property
    def drained(self) -> int:
        """Bytes of a body that are read although nothing of it is kept: a browser shows no answer before it has sent
        all, and somebody who sends a film for a photo is to read a sentence."""
        return 32 * self.largest

    @property
    def admitted(self) -> int:
        """Requests that are worked on or wait for it."""
        return self.threads * (1 + WAITING_PER_THREAD)

    @property
    def body_seconds(self) -> float:
        """Seconds within which a body has to arrive, so that there is time for the answer."""
        return self.seconds * 0.75
