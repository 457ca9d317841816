"""A draft: what a model wrote as an answer, read from its JSON, each sentence judged, and why it cannot be shown.

Knows nothing of how the model was asked, nor of what is shown instead.
"""

from collections.abc import Sequence
from typing import Annotated, Any, NamedTuple

from pydantic import BaseModel, Field, WithJsonSchema, create_model
from pydantic_core import from_json

from agents.checker import echoes, fault
from agents.conclusions import admitted, conclusion_type, read
from agents.messages import Case, CitedPassage, Claim
from agents.nearness import Nearness
from agents.support import check

_Sentence = tuple[str, tuple[int, ...]]


class Draft(NamedTuple):
    """The sentences and the conclusion of an answer; `concluded` is the judgement of a conclusion in free text.

    `fault` is the key of the phrase that says why it cannot be shown, empty where it can.
    """

    claims: tuple[Claim, ...]
    conclusion: str
    concluded: Claim | None
    fault: str


def drafted(text: str, case: Case, passages: Sequence[CitedPassage], nearness: Nearness | None) -> Draft:
    """The draft that a model's text makes. A sentence that only says the case again is left out.

    So is a whole text that only says the options or the statement again, unless a passage says it too.
    """
    said, written_conclusion = written(text)
    conclusion = read(written_conclusion, case)
    sentences = [sentence for sentence in said if not echoes(sentence[0], case.text, case.language)]
    whole = " ".join(text for text, _ in sentences)
    if found := "echo" if said and not sentences else fault(whole, case.language, case.text):
        return Draft((), conclusion, None, found)
    cited = tuple(dict.fromkeys(n for _, numbers in sentences for n in numbers))
    free_text = conclusion and not admitted(case)
    judged = [*sentences, (conclusion, cited)] if free_text else sentences
    asked = (*case.options, case.hypothesis or "")
    claims = check(judged, passages, nearness, case.text, case.language, asked)
    count = len(sentences)
    if not any(claim.supported for claim in claims) and echoes(whole, "\n".join((case.text, *asked)), case.language):
        return Draft((), conclusion, None, "echo")
    return judged_again(Draft(claims[:count], conclusion, claims[count] if free_text else None, ""), passages)


def judged_again(draft: Draft, passages: Sequence[CitedPassage]) -> Draft:
    """The draft with its fault named anew, after its claims have been judged.

    Where no passage was found unsupported sentences may be shown, but not if a dose has to be left out of each.
    """
    withheld = bool(draft.claims) and all(claim.unfounded for claim in draft.claims)
    unsupported = not any(claim.supported for claim in draft.claims) and (bool(passages) or withheld)
    return draft._replace(fault="unsupported" if unsupported else "")


def answer_form(numbers: tuple[int, ...], sentences: int, *, concludes: bool) -> type[BaseModel]:
    """The form that the grammar forces on an answer: only numbers of passages shown, and a conclusion in words where it
    `concludes`; a letter or label is asked for by itself."""
    number: Any = Annotated[int, WithJsonSchema({"enum": list(numbers)})]
    fields: dict[str, Any] = {"text": (Annotated[str, Field(min_length=8, max_length=280)], ...)}
    if numbers:
        fields["passages"] = (Annotated[list[number], Field(max_length=3)], ...)
    sentence: Any = create_model("Sentence", **fields)
    listed: Any = Annotated[list[sentence], Field(min_length=1, max_length=sentences)]
    conclusion: dict[str, Any] = {"conclusion": (conclusion_type(()), ...)} if concludes else {}
    return create_model("WrittenAnswer", sentences=(listed, ...), **conclusion)


def written(text: str) -> tuple[tuple[_Sentence, ...], str]:
    """The sentences with their citations, and the conclusion, of the model's JSON; complete items of a cut one.

    Nothing of what is not JSON: the grammar admits escapes of half a character, which no parser takes.
    """
    try:
        parsed = from_json(text or "{}", allow_partial=True)
    except ValueError:
        return (), ""
    if not isinstance(parsed, dict):
        return (), ""
    sentences = [s for s in _listed(parsed, "sentences") if isinstance(s, dict) and _said(s, "text")]
    return (
        tuple((_said(s, "text"), tuple(n for n in _listed(s, "passages") if type(n) is int)) for s in sentences),
        _said(parsed, "conclusion"),
    )


# A server without grammars may put anything in the place of a list or a text, and a cut answer nothing.
def _listed(written: dict[str, Any], name: str) -> list[Any]:
    found = written.get(name)
    return found if isinstance(found, list) else []


def _said(written: dict[str, Any], name: str) -> str:
    found = written.get(name)
    return found.strip() if isinstance(found, str) else ""
