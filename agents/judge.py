"""The model as a judge: asked whether the cited passages say what a sentence says. It may refuse, and never rescue.

Only sentences that the deterministic checker accepts are put to it. Knows nothing of how they were written.
"""

from collections.abc import AsyncGenerator, Sequence
from contextlib import suppress
from typing import Literal

from autogen_agentchat.messages import ModelClientStreamingChunkEvent
from autogen_core import CancellationToken
from autogen_core.models import LLMMessage, SystemMessage, UserMessage
from pydantic import BaseModel

from agents.messages import CitedPassage, Claim
from agents.quotation import quoted, quoted_lines
from agents.speaker import Spoken, Voice, prompt
from models.errors import MalformedOutput

_VERDICT_TOKENS = 16
_REFUSED = "the model, asked as a judge, does not find it in the cited passage"


class Verdict(BaseModel):
    """The form that the grammar forces on a verdict."""

    stands_there: Literal["yes", "no"]


async def judged(
    claims: Sequence[Claim], passages: Sequence[CitedPassage], voice: Voice, token: CancellationToken
) -> AsyncGenerator[ModelClientStreamingChunkEvent | Spoken | Claim, None]:
    """Chunks and turns of one request for each supported claim, and every claim as it stands after that.

    Raises ModelError, TranscriptError.
    """
    known = {p.number: p for p in passages}
    for claim in claims:
        verdict = ""
        if claim.supported:
            quotation, mark = quoted([known[n] for n in claim.passages], [claim.text])
            sentence = quoted_lines([claim.text], mark)
            asked = prompt("judge_claim", passages=quotation, mark=mark, sentence=sentence)
            messages: list[LLMMessage] = [
                SystemMessage(content=prompt("judge")),
                UserMessage(content=asked, source="checker"),
            ]
            # A verdict that keeps to no form is no yes.
            with suppress(MalformedOutput):
                async for item in voice.speak("judge", messages, token, max_tokens=_VERDICT_TOKENS, output=Verdict):
                    if isinstance(item, Spoken):
                        verdict = item.text
                    yield item
        yield _refused(claim) if claim.supported and not _says_yes(verdict) else claim


def _refused(claim: Claim) -> Claim:
    return claim.model_copy(update={"supported": False, "why": _REFUSED})


def _says_yes(text: str) -> bool:
    try:
        return Verdict.model_validate_json(text).stands_there == "yes"
    except ValueError:
        return False
