"""What can go wrong with a transcript.

TranscriptError
├── TranscriptUnwritable      disk full, read-only, locked, gone: the consultation must stop
├── TranscriptUnreadable      the file is absent, damaged or not a transcript
├── TranscriptMissing         no consultation has this id
├── TranscriptAltered         an event is not what was written: names consultation, event and difference
├── CheckpointAltered         a signature over the record is missing, wrong, or by an unknown key
├── SigningKeyUnusable        a key that signs the record or proves its signatures is absent or unreadable
├── ErasureRefused            its content must be kept: it is held, still written, or not signed
├── ContentErased             what is asked for was erased under retention; its hashes are kept
├── AccessDenied              the asking person may not do this with the record
├── TranscriptSchemaTooNew    the file was written by a later version of the product
├── ExportRefused             an export cannot be made, or a file is none
├── RedactionUnknown          no usable rules say what is private in a language
└── EventRefused              the writer's mistake: a body that is not JSON, or a record that has ended
"""


class TranscriptError(Exception):
    """Anything that stops a transcript from being written, read or believed."""


class TranscriptUnwritable(TranscriptError):
    """The record cannot be made durable. Everything acknowledged before is kept; nothing after may be trusted."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"the case was stopped because its record could not be written: {reason}")
        self.reason = reason


class TranscriptUnreadable(TranscriptError):
    """The transcript file cannot be read at all."""


class TranscriptMissing(TranscriptError):
    """No consultation in this file has the id that was asked for."""

    def __init__(self, consultation: str) -> None:
        super().__init__(f"there is no consultation {consultation!r} in this transcript; list them to find its id")
        self.consultation = consultation


class TranscriptAltered(TranscriptError):
    """A stored event is not the one that was written. `seq` is the first such event, counted from 0."""

    def __init__(self, consultation: str, seq: int, difference: str) -> None:
        super().__init__(
            f"event {seq} of consultation {consultation} was altered: {difference}; "
            "keep this file as it is and compare it with a backup"
        )
        self.consultation = consultation
        self.seq = seq
        self.difference = difference


class CheckpointAltered(TranscriptError):
    """A signed checkpoint is not the one that was written. `number` is the first such checkpoint, counted from 1."""

    def __init__(self, number: int, difference: str) -> None:
        super().__init__(
            f"checkpoint {number} of the transcript was altered: {difference}; "
            "keep this file as it is and compare it with a backup"
        )
        self.number = number
        self.difference = difference


class SigningKeyUnusable(TranscriptError):
    """A key that signs the record, or that proves its signatures, is absent, unreadable or open to others."""


class ErasureRefused(TranscriptError):
    """The content of a consultation was not erased."""

    def __init__(self, consultation: str, reason: str) -> None:
        super().__init__(f"the content of consultation {consultation} was not erased: {reason}")
        self.consultation = consultation
        self.reason = reason


class ContentErased(TranscriptError):
    """What a consultation said was erased."""

    def __init__(self, consultation: str) -> None:
        super().__init__(
            f"the content of consultation {consultation} was erased under retention; verify it to see when and why"
        )
        self.consultation = consultation


class AccessDenied(TranscriptError):
    """Who asked may not do this. Nothing was shown, and that it was asked for is recorded."""

    def __init__(self, subject: str, action: str, advice: str) -> None:
        super().__init__(f"{subject!r} may not {action} consultations; {advice}")
        self.subject = subject
        self.action = action


class TranscriptSchemaTooNew(TranscriptError):
    """The file's schema is later than the newest one known here."""

    def __init__(self, found: int, known: int) -> None:
        super().__init__(
            f"this transcript has schema {found} and this version knows schemas up to {known}; "
            "open it with the newer version of the product that wrote it"
        )
        self.found = found
        self.known = known


class EventRefused(TranscriptError):
    """The event was not recorded because the caller asked for something a transcript cannot hold."""


class RedactionUnknown(TranscriptError):
    """A text cannot be redacted because there are no usable rules for its language."""


class ExportRefused(TranscriptError):
    """An export cannot be made, or what was given as one is none."""
