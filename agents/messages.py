"""The values that travel between the agents, frozen and typed.

A case becomes two arguments (reasoning and concept chain each), an alignment (fused chain and evidence) and an
answer. Nothing here speaks to a model, a store or a screen.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from agents.polarity import Polarity
from knowledge.passage import Passage

Side = Literal["english", "local"]
Kind = Literal["finding", "diagnosis", "investigation", "treatment", "drug", "risk", "local_practice"]
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
    """What the clinician asks. `english`, `english_options` and `english_hypothesis` are renderings that the caller has
    given, if any; `options` are in order, and so are those in English.

    A `hypothesis` is a statement to be judged against the text. Of `options` one is right, or, where `several` says so,
    one or more. `identification` says how the language was found.
    """

    text: str = Field(min_length=1, max_length=MAX_CASE_CHARACTERS)
    language: str
    language_found: Literal["given", "identified", "assumed"]
    jurisdiction: str | None = None
    english: str | None = Field(None, max_length=MAX_CASE_CHARACTERS)
    options: tuple[str, ...] = Field((), max_length=MAX_OPTIONS)
    english_options: tuple[str, ...] = Field((), max_length=MAX_OPTIONS)
    several: bool = False
    hypothesis: str | None = Field(None, max_length=MAX_CASE_CHARACTERS)
    english_hypothesis: str | None = Field(None, max_length=MAX_CASE_CHARACTERS)
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
    """What an English rendering has lost of the case, or added to it: `words` of the side that has it.

    Of a rendering that was `cut` they say, in the language of the case, behind which of its words the end is missing.
    """

    kind: Literal["number", "unit", "negation", "drug", "cut"]
    change: Literal["lost", "added"]
    words: str


class Reasoning(Message):
    """One side's argument. `question` is the case as that side read it; `reason` says why there is no text.

    `fault` is what is wrong with the text as a whole, in the language of the case: that it is in another one.
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
    fault: str = ""
    rendering_faults: tuple[RenderingFault, ...] = ()


class Concept(Message):
    """A clinical concept as its side names it.

    `core` is the name without the words that deny or forbid it, where it has such; `kind` None where nothing tells it.
    """

    name: str
    core: str = ""
    polarity: Polarity = "present"
    kind: Kind | None = None
    dose: str = ""

    @property
    def compared(self) -> str:
        """What is compared with other concepts: "chest indrawing" of "no chest indrawing"."""
        return self.core or self.name

    @property
    def asserted(self) -> bool:
        """Whether it is said to be there or to be done."""
        return self.polarity == "present"


def _named(value: object) -> object:
    return {"name": value} if isinstance(value, str) else value


class ConceptChain(Message):
    """Clinical concepts of one argument, in the order of the argument. Empty is a state, not an error.

    Records of before concepts had kinds hold bare names; these are read as asserted.
    """

    side: Side
    language: str
    status: Literal["listed", "empty"]
    concepts: tuple[Annotated[Concept, BeforeValidator(_named)], ...] = ()
    reason: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """The concepts' names, in order."""
        return tuple(concept.name for concept in self.concepts)


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
    in the local-only lane as `promoted` (a passage supports it) or `unconfirmed`; one that is `unsure` is perhaps its
    anchor's synonym, and is merged with it unless a passage supports it. `contradicted` is one that denies what the
    other side asserts, or the other way round, or gives another dose; `rejected` is the paper's drop.
    """

    name: str
    local_name: str | None = None
    origin: Literal["english", "local", "both"]
    status: Literal["scaffold", "merged", "inserted", "promoted", "unconfirmed", "unsure", "contradicted", "rejected"]
    similarity: float | None = None
    anchor: str | None = None
    position: int | None = None
    passages: tuple[str, ...] = ()
    polarity: Polarity = "present"
    kind: Kind | None = None


class Decision(Message):
    """One step of fusion, on one local concept, in the order in which they were taken.

    Applied one after the other to the English chain they give the fused one: `merged` gives the concept at `anchor`
    its local name, `inserted` and `promoted` put it before what stands at `position`, the others leave the chain as
    it is. `rule` says why; `anchor` is the nearest concept of the chain then, at `similarity` (cosine). `score` is
    what the rule compared with `threshold`, and `lead` how far it exceeded the second best, where those decided. A
    promoted concept has the `passages` that support it, and stands behind its predecessor in the local chain, or
    behind the one whose synonym it might have been.
    """

    concept: str
    outcome: Literal["merged", "inserted", "local_only", "contradicted", "rejected", "promoted", "unconfirmed"]
    rule: Literal[
        "synonym",
        "unsure",
        "opposite_polarity",
        "another_dose",
        "after_first",
        "before_last",
        "nearer_left",
        "nearer_right",
        "unrelated",
        "other_chain_empty",
        "behind_predecessor",
        "behind_anchor",
        "end_of_chain",
        "no_passage",
    ]
    anchor: str | None = None
    similarity: float | None = None
    score: float | None = None
    lead: float | None = None
    threshold: float | None = None
    position: int | None = None
    passages: tuple[str, ...] = ()


class Contradiction(Message):
    """A concept on which the two sides say opposite things, or give two doses.

    `similarity` is the cosine between the two names. Of opposite things one of the polarities is `present` and the
    other is not.
    """

    english: str
    local: str
    similarity: float
    english_polarity: Polarity = "present"
    local_polarity: Polarity = "absent"

    @property
    def of_dose(self) -> bool:
        """Whether both say the same and differ in the doses that their names give."""
        return (self.english_polarity == "present") == (self.local_polarity == "present")


class FusedChain(Message):
    """The outcome of fusion: `concepts` in order, and `aside` those that did not enter the chain.

    `contradictions` are concepts that one side asserts and the other denies or forbids, or of which they give two
    doses; they never merge. `decisions` are the steps from the English chain to this one.
    """

    strategy: str
    threshold: float
    concepts: tuple[FusedConcept, ...]
    aside: tuple[FusedConcept, ...] = ()
    contradictions: tuple[Contradiction, ...] = ()
    decisions: tuple[Decision, ...] = ()


class CitedPassage(Message):
    """A retrieved passage with the number it is cited by. `relevant` is false below the relevance threshold."""

    number: int
    passage: Passage
    similarity: float | None
    score: float
    relevant: bool
    expired: bool


class Evidence(Message):
    """What the guidelines say. `status` `missing` names in `reason` why nothing could be searched.

    `withheld` are the ids of passages that would be among these, but speak to the model and have not been approved, or
    were refused by a curator: no model has read them.
    """

    status: Literal["found", "none_relevant", "missing"]
    query_mode: str
    queries: tuple[str, ...]
    version: str
    passages: tuple[CitedPassage, ...]
    withheld: tuple[str, ...] = ()
    reason: str = ""

    @property
    def relevant(self) -> tuple[CitedPassage, ...]:
        """The passages that may be cited."""
        return tuple(p for p in self.passages if p.relevant)


class Rebuttal(Message):
    """One side's word on the other's concepts and on the evidence: it holds its conclusion `before`, or revises it.

    `concepts` is the chain of a side that lists its concepts anew; `fault` says why a side that holds gave no reason.
    `conclusion` is what the side concludes from now on, and `meaning` what that stands for where it is a letter or a
    label.
    """

    side: Side
    language: str
    round: int = Field(ge=1)
    decision: Literal["hold", "revise"]
    before: str
    conclusion: str
    meaning: str = ""
    reason: str = ""
    concepts: ConceptChain | None = None
    fault: str = ""
    usage: Usage = Usage()
    spans: tuple[Span, ...] = ()


class Disagreement(Message):
    """What the two sides still say differently: conclusions that differ, or concepts that contradict each other.

    `similarity` is the cosine between the conclusions where it was measured; `rebuttals` is each side's last word to
    the other, if there was one; `told` says all of it in the language of the case.
    """

    english: str
    local: str
    similarity: float | None = None
    contradictions: tuple[Contradiction, ...] = ()
    rebuttals: tuple[Rebuttal, ...] = ()
    told: str = ""


class Alignment(Message):
    """What the aligner hands to the synthesizer, and to the two sides where something is in dispute.

    `rebuttals` is what they have said to each other so far, round by round.
    """

    fused: FusedChain
    evidence: Evidence
    disagreement: Disagreement | None
    spans: tuple[Span, ...]
    rebuttals: tuple[Rebuttal, ...] = ()

    @property
    def rounds(self) -> int:
        """How many rounds of rebuttal there were."""
        return max((rebuttal.round for rebuttal in self.rebuttals), default=0)


class Claim(Message):
    """A sentence of the answer and the passages it cites; `why` says what was wrong with an unsupported one.

    An `unfounded` one gave a dose or a threshold that no cited passage has: `text` then says that it was left out, and
    what it was stands on the record only, in what the model said.
    """

    text: str
    passages: tuple[int, ...]
    supported: bool
    why: str = ""
    unfounded: bool = False


Part = Literal["english", "local", "synthesizer", "embedder", "reranker", "guidelines", "red_flags", "evidence"]


class Missing(Message):
    """A part of the program that a case had to do without: what that means, in a language, and why it was so."""

    part: Part
    text: str
    reason: str = ""


class Answer(Message):
    """The answer in the clinician's language.

    `conclusion` is a letter where the case has options, a label where it has a hypothesis, and `meaning` what that
    stands for. `mode`: `synthesized` by the model; `evidence_only` lists passages because the model's text was not
    usable; `no_answer` where there is neither, and a letter or a label then is what two of the agents share. `reason`
    says why, in the answer's language. Where both sides share a letter or a label and the answer has another,
    `against` tells both, and `unsupported` has the answer's.
    `missing` is what there was not.
    """

    text: str
    language: str
    mode: Literal["synthesized", "evidence_only", "no_answer"]
    conclusion: str = ""
    meaning: str = ""
    claims: tuple[Claim, ...] = ()
    unsupported: tuple[str, ...] = ()
    disagreement: Disagreement | None = None
    against: str = ""
    missing: tuple[Missing, ...] = ()
    reason: str = ""
    usage: Usage = Usage()
    spans: tuple[Span, ...] = ()
