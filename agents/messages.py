"""The values that travel between the agents, frozen and typed.

A case becomes two arguments (reasoning and concept chain each), an alignment (fused chain and evidence) and an
answer. Nothing here speaks to a model, a store or a screen.
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from knowledge.passage import Passage

Side = Literal["english", "local"]
MAX_CASE_CHARACTERS = 12_000
MAX_OPTIONS = 10


class Message(BaseModel):
    """Base of all values that agents exchange."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Identification(Message):
    """How the language of a case was found, with the probability of it and of the next likely one.

    `found`: the clinician has `given` it, it was `identified`, or the local language was `assumed` because no other
    was clearly likelier. `by` says what told it: `settings` that allow one only, the script, words, words of another
    script typed in Latin letters (`romanised`), or nothing at all.
    """

    language: str
    found: Literal["given", "identified", "assumed"]
    by: Literal["clinician", "settings", "script", "words", "romanised", "nothing"]
    confidence: float = Field(ge=0, le=1)
    runner_up: str | None = None
    runner_up_confidence: float = Field(0.0, ge=0, le=1)


class Case(Message):
    """What the clinician asks. `english` is a rendering given by the caller, if any; `options` are in order.

    A `hypothesis` is a statement to be judged against the text. `identification` says how the language was found.
    """

    text: str = Field(min_length=1, max_length=MAX_CASE_CHARACTERS)
    language: str
    language_found: Literal["given", "identified", "assumed"]
    jurisdiction: str | None = None
    english: str | None = Field(None, max_length=MAX_CASE_CHARACTERS)
    options: tuple[str, ...] = Field((), max_length=MAX_OPTIONS)
    hypothesis: str | None = Field(None, max_length=MAX_CASE_CHARACTERS)
    identification: Identification | None = None


class RedFlag(Message):
    """An emergency that the fixed table sees in the case: `words` stand there from character `start` to `end`.

    `action` says what to do now, in the clinician's language; `source` whose guidance the rule follows.
    """

    emergency: str
    name: str
    action: str
    source: str
    start: int = Field(ge=0)
    end: int = Field(ge=0)
    words: str


class Alarm(Message):
    """All red flags of a case, with the sentences to show around them: title, whom to call, and where this is from."""

    language: str
    title: str
    call: str
    note: str
    flags: tuple[RedFlag, ...] = Field(min_length=1)


class Usage(Message):
    """Tokens of one or more generations; `cached` prompt tokens were not prefilled again."""

    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            prompt_tokens=self.prompt_tokens + other.prompt_tokens,
            cached_tokens=self.cached_tokens + other.cached_tokens,
            completion_tokens=self.completion_tokens + other.completion_tokens,
        )


class Span(Message):
    """When an agent was at work, in seconds since the case began."""

    agent: str
    phase: str
    start: float
    end: float


class RenderingFault(Message):
    """What an English rendering has lost of the case, or added to it: `words` of the side that has it."""

    kind: Literal["number", "unit", "negation", "drug"]
    change: Literal["lost", "added"]
    words: str


class Reasoning(Message):
    """One side's argument. `question` is the case as that side read it; `reason` says why there is no text.

    `meaning` is what a letter or a label as conclusion stands for. `rendering_faults` are what the question may have
    wrong where it is a translation; the side read it with a note of them.
    """

    side: Side
    language: str
    status: Literal["argued", "unavailable"]
    question: str
    text: str = ""
    conclusion: str = ""
    meaning: str = ""
    reason: str = ""
    rendering_faults: tuple[RenderingFault, ...] = ()


class ConceptChain(Message):
    """Clinical concepts of one argument, in the order of the argument. Empty is a state, not an error."""

    side: Side
    language: str
    status: Literal["listed", "empty"]
    concepts: tuple[str, ...] = ()
    reason: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """The concepts' names, in order."""
        return self.concepts


class Argument(Message):
    """What one reasoner hands to the aligner."""

    reasoning: Reasoning
    chain: ConceptChain
    usage: Usage
    spans: tuple[Span, ...]


class FusedConcept(Message):
    """A concept of the fused chain.

    `similarity` is the cosine to `anchor`, the nearest concept of the chain when it was placed. `status`: an English
    concept is `scaffold`; a local one is `merged` with its English synonym, `inserted` beside its anchor, or waits
    in the local-only lane as `promoted` (a passage supports it) or `unconfirmed`; `rejected` is the paper's drop.
    """

    name: str
    local_name: str | None = None
    origin: Literal["english", "local", "both"]
    status: Literal["scaffold", "merged", "inserted", "promoted", "unconfirmed", "rejected"]
    similarity: float | None = None
    anchor: str | None = None
    position: int | None = None
    passages: tuple[str, ...] = ()


class Contradiction(Message):
    """A concept on which the two sides say opposite things; `similarity` is the cosine between the two names."""

    english: str
    local: str
    similarity: float


class FusedChain(Message):
    """The outcome of fusion: `concepts` in order, and `aside` those that did not enter the chain.

    `contradictions` are concepts that one side asserts and the other denies; they never merge.
    """

    strategy: str
    threshold: float
    concepts: tuple[FusedConcept, ...]
    aside: tuple[FusedConcept, ...] = ()
    contradictions: tuple[Contradiction, ...] = ()


class CitedPassage(Message):
    """A retrieved passage with the number it is cited by. `relevant` is false below the relevance threshold."""

    number: int
    passage: Passage
    similarity: float | None
    score: float
    relevant: bool
    expired: bool


class Evidence(Message):
    """What the guidelines say. `status` `missing` names in `reason` why nothing could be searched."""

    status: Literal["found", "none_relevant", "missing"]
    query_mode: str
    queries: tuple[str, ...]
    version: str
    passages: tuple[CitedPassage, ...]
    reason: str = ""

    @property
    def relevant(self) -> tuple[CitedPassage, ...]:
        """The passages that may be cited."""
        return tuple(p for p in self.passages if p.relevant)


class Disagreement(Message):
    """The two conclusions where they differ, with the cosine between them where it was measured."""

    english: str
    local: str
    similarity: float | None = None


class Alignment(Message):
    """What the aligner hands to the synthesizer."""

    fused: FusedChain
    evidence: Evidence
    disagreement: Disagreement | None
    spans: tuple[Span, ...]


class Claim(Message):
    """A sentence of the answer and the passages it cites; `why` says what was wrong with an unsupported one."""

    text: str
    passages: tuple[int, ...]
    supported: bool
    why: str = ""


class Answer(Message):
    """The answer in the clinician's language.

    `conclusion` is a letter where the case has options, a label where it has a hypothesis, and `meaning` what that
    stands for. `mode`: `synthesized` by the model; `evidence_only` lists passages because the model's text was not
    usable; `no_answer` where there is neither. `reason` says why, in the answer's language.
    """

    text: str
    language: str
    mode: Literal["synthesized", "evidence_only", "no_answer"]
    conclusion: str = ""
    meaning: str = ""
    claims: tuple[Claim, ...] = ()
    unsupported: tuple[str, ...] = ()
    disagreement: Disagreement | None = None
    reason: str = ""
    usage: Usage = Usage()
    spans: tuple[Span, ...] = ()
