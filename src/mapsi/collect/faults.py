"""What can go wrong with a source of photos; a fault in one source never ends a collection; the report names it."""

from __future__ import annotations

from typing import ClassVar

from mapsi.errors import MapsiError, RemoteError, UsageError


class SourceFault(RemoteError):  # noqa: N818 - told in a report more often than raised to a person
    """A source that did not answer as it should. ``source`` is its name.

    Where ``lasting``, it would not answer the next question either and is not asked again in this run.
    """

    lasting: ClassVar[bool] = True

    def __init__(self, source: str, message: str, hint: str = "") -> None:
        super().__init__(message, hint)
        self.source = source


class SourceRefused(SourceFault):
    """The source refuses us: a key, a contact or a consent is missing or not accepted."""

    code = "source_refused"


class SourceExhausted(SourceFault):
    """The source has given all it will give for now: a quota or a rate."""

    code = "source_exhausted"


class SourceChanged(SourceFault):
    """The source answers in a form that is not known: an API that changed, a page whose structure did, a broken
    answer."""

    code = "source_changed"
    lasting = False


class SourceUnreachable(SourceFault):
    """The source does not answer, or only with errors of its own."""

    code = "source_unreachable"
    lasting = False


class ContactMissingError(UsageError):
    """A source wants to know whom to write to, and the operator has not said."""

    code = "contact_missing"

    def __init__(self, source: str) -> None:
        super().__init__(
            f"The source {source} may be asked only by programs that name a contact.",
            "Set MAPSI_COLLECT_CONTACT to a mail or web address at which a person answers.",
        )


class KeyMissingError(UsageError):
    """A source needs a key that the operator has not set."""

    code = "key_missing"

    def __init__(self, source: str, *settings: str) -> None:
        super().__init__(f"The source {source} needs a key of your own.", f"Set {' and '.join(settings)}.")


class NothingCollectedError(MapsiError):
    """The collection ended with a class that has no photo at all."""

    code = "nothing_collected"
    exit_code = 13


class FolderBusyError(UsageError):
    """Another collection works in the folder."""

    code = "folder_busy"
