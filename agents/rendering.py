"""The English rendering of a case: asked for, compared with the case, asked for once more where something is lost.

What is wrong even then is told to whoever reads it. Knows nothing of the argument that follows.
"""

from collections.abc import AsyncGenerator, Sequence
from math import ceil

from autogen_agentchat.messages import ModelClientStreamingChunkEvent
from autogen_core import CancellationToken
from autogen_core.models import AssistantMessage, LLMMessage, SystemMessage, UserMessage
from pydantic import BaseModel, ConfigDict

from agents.checker import fault
from agents.fidelity import faults
from agents.folding import unspaced
from agents.languages import language, phrase
from agents.messages import RenderingFault
from agents.speaker import Spoken, Voice, prompt

REQUESTS = 2  # that a rendering may take
_TELLING_LETTERS = 40
_LONGEST = 120  # characters of a sentence that are quoted in a note
_LAST = 40  # characters of a rendering that was cut that are quoted
_LONGER = 2  # times the usual limit of a rendering; what is longer would not fit the contexts of small models
_OF_A_LETTER = 0.4  # English tokens


class Rendering(BaseModel):
    """A text in English, and what it may have wrong; `english` is the text itself where no rendering was usable."""

    model_config = ConfigDict(frozen=True)
    english: str
    faults: tuple[RenderingFault, ...] = ()


async def render(
    text: str, code: str, voice: Voice, token: CancellationToken, max_tokens: int, *, prose: bool = True
) -> AsyncGenerator[ModelClientStreamingChunkEvent | Spoken | Rendering, None]:
    """Chunks and turns of at most REQUESTS, then the better of the two renderings. Raises ModelError.

    A turn may take `max_tokens`, and of a long text as many as `rendering_limit` says.
    What is no `prose` but names, as answer options are, is told to be English by its script alone.
    """
    messages: list[LLMMessage] = [
        SystemMessage(content=prompt("render", language=language(code).name)),
        UserMessage(content=text, source="clinician"),
    ]
    best: Rendering | None = None
    limit = rendering_limit(text, max_tokens)
    for _ in range(REQUESTS):
        said, finished = "", False
        async for item in voice.speak("rendering", messages, token, max_tokens=limit, enough=not_english):
            if isinstance(item, Spoken):
                said, finished = item.text, item.finished
            yield item
        made = _rendering(text, code, said.strip(), prose, finished)
        if best is None or (made.english != text and _wrong(made) < _wrong(best)):
            best = made
        if not best.faults:
            break
        messages += [
            AssistantMessage(content=said, source=voice.agent),
            UserMessage(content=prompt("render_again", faults=described(best.faults)), source="clinician"),
        ]
    assert best is not None
    yield best


def rendering_limit(text: str, least: int) -> int:
    """The tokens that one English rendering of a text may take, by its length: at least `least`, at most twice that.

    A character of a script without spaces makes about one English token, one of any other less than half of one.
    """
    needed = sum(1 if unspaced(c) else _OF_A_LETTER for c in text)
    return min(max(least, ceil(needed)), _LONGER * least)


def _wrong(rendering: Rendering) -> tuple[bool, int]:
    """What orders renderings: a whole one before one that was cut, then by the number of faults."""
    return any(fault.kind == "cut" for fault in rendering.faults), len(rendering.faults)


def _rendering(text: str, code: str, said: str, prose: bool, finished: bool) -> Rendering:
    # A rendering that is not English would mislead every step after it; the case itself does not.
    found = fault(said, "en", text)
    if found and (prose or found != "wrong_language" or not_english(said)):
        return Rendering(english=text)
    if finished:
        return Rendering(english=said, faults=faults(text, code, said))
    where = phrase("rendering_cut", code, words=said[-_LAST:].strip())
    return Rendering(
        english=said, faults=(RenderingFault(kind="cut", change="lost", words=where), *faults(text, code, said))
    )


def not_english(text: str) -> bool:
    """Whether what should become English is written in another script: a model that begins so goes on so."""
    letters = [c for c in text if c.isalpha()]
    return len(letters) >= _TELLING_LETTERS and sum(c.isascii() for c in letters) < len(letters) / 2


def noted(rendering: Rendering) -> str:
    """The rendering as a reasoner reads it: with a note of what it may have wrong."""
    if not rendering.faults:
        return rendering.english
    return f"{rendering.english}\n\n{prompt('render_note', faults=described(rendering.faults))}"


def described(found: Sequence[RenderingFault]) -> str:
    """The faults as a list for a model to read, one a line."""
    return "\n".join(f"- {_SAID[fault.kind, fault.change]}: {_quoted(fault.words)}" for fault in found)


_SAID = {
    ("number", "lost"): "number of the original that is missing",
    ("number", "added"): "number that the original does not have",
    ("unit", "lost"): "quantity of the original whose unit is another",
    ("negation", "lost"): "sentence of the original that denies something",
    ("negation", "added"): "sentence that denies what the original does not",
    ("drug", "lost"): "medicine of the original that is missing",
    ("drug", "added"): "medicine that the original does not name",
    ("cut", "lost"): "the translation is cut off before the end of the original",
}


def _quoted(words: str) -> str:
    plain = " ".join(words.split())
    return plain if len(plain) <= _LONGEST else f"{plain[:_LONGEST]}…"
