"""Whether a consultation may be used to train models: a recorded yes, until a recorded no."""

from collections.abc import Iterable
from enum import StrEnum

from transcripts.event import Body, Event, EventKind

_FIELD = "consent"


class Consent(StrEnum):
    GIVEN = "given"
    WITHDRAWN = "withdrawn"


def body(consent: Consent, by: str, via: str) -> Body:
    """The body of the feedback event that records it: who said so, and through which program."""
    return {_FIELD: consent.value, "consent_by": by, "by": via}


def consented(events: Iterable[Event]) -> bool:
    """Whether the last word on it is yes; without any it is no."""
    said = [event.body.get(_FIELD) for event in events if event.kind is EventKind.FEEDBACK]
    return next((word == Consent.GIVEN for word in reversed(said) if word in tuple(Consent)), False)
