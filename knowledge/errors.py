"""Everything that can go wrong with the knowledge base; each message says what happened and what to do next.

KnowledgeError
├── KnowledgeBaseMissing    nothing has been added yet
├── KnowledgeBaseDamaged    the tables or a version's record can't be read, and can be made again
├── NotInKnowledgeBase      no such passage, document, pack or version
├── VersionCleaned          that version's data was cleaned away
├── ExportRefused           the folder that a pack should go to holds something
├── DecisionRefused         a curator's decision can't be taken down as it was given
├── PackInvalid             the pack's manifest or its files can't be used
├── DocumentUnsupported     one document can't be read: its kind, its state, or a limit
├── ReaderUnavailable       the process that reads documents can't be started
├── DocumentAltered         a document no longer has the hash that was recorded for it
├── StoreUnwritable         the store's folder can't be written now
├── TurnLost                another machine has taken over the writing
├── StorageError            the object storage
│   ├── StorageUnreachable  doesn't answer
│   ├── StorageRefused      doesn't accept the key or the request
│   ├── StorageMissing      has no such bucket
│   └── StorageUnsuited     can't keep two writers apart
└── EmbedderMismatch        the store was built with another embedder
"""

from datetime import date


class KnowledgeError(Exception):
    """Root of this room's errors."""


class KnowledgeBaseMissing(KnowledgeError):
    """The store holds no guidelines."""

    def __init__(self) -> None:
        super().__init__("No guidelines are installed yet; add a pack with `coreasoner knowledge add FOLDER`.")


class KnowledgeBaseDamaged(KnowledgeError):
    """What is derived from the sources can't be read."""

    def __init__(self, part: str) -> None:
        super().__init__(
            f"The knowledge base is damaged: {part} can't be read; "
            "run `coreasoner knowledge rebuild`, or restore the folder from a backup."
        )


class NotInKnowledgeBase(KnowledgeError):
    """A passage, document, pack or version that was asked for isn't in the store; `instead` says what to do."""

    def __init__(self, kind: str, name: str, instead: str = "add the pack that it came from") -> None:
        super().__init__(f"The {kind} {name} is not in this knowledge base; {instead}.")


class VersionCleaned(KnowledgeError):
    """The version that was asked for, or that was valid on the day that was asked for, has been cleaned away."""

    def __init__(self, tag: str, day: date) -> None:
        super().__init__(
            f"The version {tag} was cleaned away on {day}; choose another of `coreasoner knowledge versions`, "
            "or restore a backup."
        )


class ExportRefused(KnowledgeError):
    """A pack is never written over something."""

    def __init__(self, folder: str) -> None:
        super().__init__(f"{folder} is there already, and nothing is overwritten; name a folder that doesn't exist.")


class DecisionRefused(KnowledgeError):
    """A decision about a marked passage lacks something, or decides nothing."""

    def __init__(self, problem: str) -> None:
        super().__init__(f"Nothing was decided: {problem}.")


class PackInvalid(KnowledgeError):
    """A pack's manifest or layout is wrong."""

    def __init__(self, pack: str, problem: str) -> None:
        super().__init__(f"The pack {pack} can't be used: {problem}; correct it and add it again.")
        self.problem = problem


class DocumentUnsupported(KnowledgeError):
    """A document can't be read, and others can; `reason` is the sentence without the file name."""

    def __init__(self, file: str, reason: str) -> None:
        super().__init__(f"{file} was left out: {reason}.")
        self.file = file
        self.reason = reason


class ReaderUnavailable(KnowledgeError):
    """The process that reads documents can't be started; nothing was changed."""

    def __init__(self) -> None:
        super().__init__(
            "The process that reads documents can't be started here, so nothing was added; free some memory and try "
            "again, and set the product up anew if that doesn't help."
        )


class DocumentAltered(KnowledgeError):
    """A document's bytes don't have the recorded SHA-256."""

    def __init__(self, file: str) -> None:
        super().__init__(
            f"{file} is not the document that was recorded (its SHA-256 differs); fetch the original, "
            "or seal the pack again if the change was meant."
        )


class StoreUnwritable(KnowledgeError):
    """The store's folder can't be written; nothing was changed."""

    def __init__(self, folder: str, problem: str) -> None:
        super().__init__(f"The knowledge base in {folder} can't be written: {problem}; nothing was changed.")


class TurnLost(KnowledgeError):
    """Another machine took over because this one gave no sign of life for too long; what was begun isn't valid."""

    def __init__(self, place: str) -> None:
        super().__init__(
            f"Another machine has taken over the writing of {place}, because this one was not heard of for too long; "
            "nothing was changed, run the command again."
        )


class StorageError(KnowledgeError):
    """The object storage that holds the knowledge base."""


class StorageUnreachable(StorageError):
    """No answer in time, or one that says that it can't serve now."""

    def __init__(self, host: str) -> None:
        super().__init__(
            f"The object storage at {host} can't be reached or doesn't answer in time; nothing is lost, "
            "check that it runs and run the command again."
        )


class StorageRefused(StorageError):
    """The key isn't there, isn't accepted, or may not do what was asked."""


class StorageMissing(StorageError):
    """There is no such bucket; buckets are made by whoever runs the storage."""

    def __init__(self, bucket: str, host: str) -> None:
        super().__init__(f"There is no bucket {bucket} at {host}; make it, or correct knowledge.location.")


class StorageUnsuited(StorageError):
    """The storage ignores a condition of a write."""

    def __init__(self, host: str, condition: str) -> None:
        super().__init__(
            f"The object storage at {host} ignores {condition}, so that nothing would keep two writers apart; "
            "update it to a version that knows conditional writes."
        )


class EmbedderMismatch(KnowledgeError):
    """The vectors in the store come from another embedder and can't be compared with this one's."""

    def __init__(self, stored: str, given: str) -> None:
        super().__init__(
            f"The knowledge base was built with the embedder {stored}, but {given} is configured; "
            "configure the former, or run `coreasoner knowledge rebuild`."
        )
