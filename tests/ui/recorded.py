"""A consultation put on the record by hand as the program puts it there, without a model: for what only reads it."""

from agents.consultation import Chunk, Outcome, Progress
from agents.messages import (
    Alarm,
    Alignment,
    Argument,
    Case,
    Claim,
    ConceptChain,
    Evidence,
    FusedChain,
    FusedConcept,
    Reasoning,
    Usage,
)
from tests.ui.values import alarm, cited, given, passage
from transcripts.event import EventKind
from transcripts.recorder import Recorder
from transcripts.store import TranscriptStore

TEXTS = {
    "ja": (
        "3歳の女児、三日前から咳と39℃の発熱、呼吸数は毎分52回。",
        "肺炎を考える。まず胸部の陥没呼吸を確かめる。",
        "肺炎",
    ),
    "ar": (
        "طفلة عمرها 3 سنوات تعاني سعالاً وحمى وتنفساً سريعاً.",
        "أفكر في الالتهاب الرئوي. أتحقق أولاً من سحب الصدر.",
        "التهاب رئوي",
    ),
    "en": (
        "Girl of 3 with cough, fever of 39 °C and 52 breaths a minute.",
        "I think of pneumonia. First look for chest indrawing.",
        "pneumonia",
    ),
}
PROMPT = "You are a clinician. \x1b[2J <script>alert(1)</script>"


def argument(side: str, language: str, said: str, concept: str) -> Argument:
    reasoning = {"side": side, "language": language, "status": "argued", "question": said, "text": said}
    return Argument(
        reasoning=Reasoning.model_validate({**reasoning, "conclusion": concept}),
        chain=ConceptChain.model_validate(
            {"side": side, "language": language, "status": "listed", "concepts": (concept, f"{concept} 2")}
        ),
        usage=Usage(),
        spans=(),
    )


def record(store: TranscriptStore, language: str = "ja") -> tuple[str, list[Progress]]:
    """Record a case in a language; its id, and what was shown while it ran."""
    text, said, concept = TEXTS[language]
    case = Case(text=text, language=language, language_found="identified")
    red = alarm(concept, language)
    english, local = argument("english", "en", TEXTS["en"][1], "pneumonia"), argument("local", language, said, concept)
    fused = FusedChain(
        strategy="grounded",
        threshold=0.86,
        concepts=(FusedConcept(name="pneumonia", local_name=concept, origin="both", status="merged", similarity=0.93),),
    )
    evidence = Evidence(
        status="found",
        query_mode="chain",
        queries=(text,),
        version="000001-en",
        passages=(cited(1, passage(said, language)),),
    )
    alignment = Alignment(fused=fused, evidence=evidence, disagreement=None, spans=())
    claims = (Claim(text=said, passages=(1,), supported=True),)
    answer = given(said, language=language, claims=claims, unsupported=(), disagreement=None, conclusion=concept)
    with store.begin() as recorder:
        shown: list[Progress] = [red]
        recorder.record(EventKind.MODEL, {"models": [], "shown": language})
        recorder.record(EventKind.CASE, case.model_dump(mode="json"))
        recorder.record(EventKind.RED_FLAG, red.model_dump(mode="json"))
        for agent, argued in (("EnglishReasoner", english), ("LocalClinician", local)):
            shown += _spoken(recorder, agent, argued)
        for argued in (english, local):
            recorder.record(EventKind.REASONING, argued.reasoning.model_dump(mode="json"))
            recorder.record(EventKind.CHAIN, argued.chain.model_dump(mode="json"))
        recorder.record(EventKind.FUSION, {**fused.model_dump(mode="json"), "disagreement": None})
        recorder.record(EventKind.RETRIEVAL, evidence.model_dump(mode="json"))
        recorder.record(EventKind.ANSWER, answer.model_dump(mode="json"))
        recorder.at_the_end({"seconds": 12.5})
        shown += [alignment, answer, _outcome(recorder, case, red, english, local, alignment, answer)]
    return recorder.consultation_id, shown


def _spoken(recorder: Recorder, agent: str, argued: Argument) -> list[Progress]:
    recorder.record(EventKind.PROMPT, {"agent": agent, "phase": "reasoning", "messages": [{"content": PROMPT}]})
    pieces = [f"{word} " for word in argued.reasoning.text.split()]
    with recorder.stream(agent, "reasoning") as stream:
        for piece in pieces:
            stream.add(piece)
    recorder.record(EventKind.MODEL, {"agent": agent, "phase": "reasoning", "figures": {}})
    return [*(Chunk(agent=agent, phase="reasoning", text=piece) for piece in pieces), argued]


def _outcome(
    recorder: Recorder, case: Case, red: Alarm, english: Argument, local: Argument, alignment: Alignment, answer: object
) -> Outcome:
    return Outcome.model_validate(
        {
            "transcript_id": recorder.consultation_id,
            "case": case,
            "english": english,
            "local": local,
            "alignment": alignment,
            "answer": answer,
            "spans": (),
            "usage": Usage(),
            "seconds": 12.5,
            "red_flags": red,
        }
    )
