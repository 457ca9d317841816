"""The documents of passages as a page opens them. Knows nothing of where they are kept."""

from agents.workspace import Workspace
from knowledge.errors import KnowledgeError
from ui.cards import DocumentText


def documents_of(workspace: Workspace) -> DocumentText:
    """The text of a document as it was, under its hash; empty where it is erased, altered or out of reach.

    A passage stands on the page in full without it. Reads a disk or a server: not for an event loop.
    """

    def text(digest: str) -> str:
        try:
            return workspace.archive.document_text(digest)
        except (KnowledgeError, OSError):
            return ""

    return text
