"""The form that is forced on the model, how its text is read, and what the answer is where that text is no use."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from autogen_agentchat.messages import StructuredMessage
from autogen_core import CancellationToken
from pydantic import ValidationError

from agents.draft import answer_form, written
from agents.languages import phrase
from agents.messages import (
    Alignment,
    Answer,
    Argument,
    Case,
    Claim,
    ConceptChain,
    Contradiction,
    Disagreement,
    Message,
    Reasoning,
    Side,
    Span,
    Usage,
)
from agents.nearness import Nearness
from agents.speaker import Spoken, Voice
from agents.synthesizer import SynthesisSettings, Synthesizer, Told, rendered
from agents.team import Clock, Thresholds
from models.client import GenerationFigures
from models.embedder import Embedder
from models.engine import Engine
from models.protocol import EngineSettings
from models.registry import Registry
from models.weights import WeightStore
from tests.agents.cases import AMOXICILINA, AMOXICILLIN, ENGLISH, MODEL, SPANISH, alignment, case, cited, client
from transcripts.event import EventKind
from transcripts.recorder import Recorder
from transcripts.store import TranscriptStore

USAGE = Usage(prompt_tokens=100, cached_tokens=20, completion_tokens=30)
SPAN = Span(agent="Synthesizer", phase="answer", start=1.0, end=2.0)
GOOD = "La niña tiene neumonía: dar amoxicilina oral 40 mg/kg dos veces al día."


@pytest.fixture
def recorder(transcripts: TranscriptStore) -> Iterator[Recorder]:
    with transcripts.begin() as opened:
        yield opened


@pytest.fixture
def synthesizer(embedder: Embedder, thresholds: Thresholds, recorder: Recorder, tmp_path: Path) -> Synthesizer:
    """A synthesizer whose weights are not on this machine."""
    missing = WeightStore(tmp_path / "models", Registry.load())
    engine = Engine(lambda: missing.checked_path(MODEL.name), EngineSettings())
    voice = Voice("Synthesizer", client(engine), recorder, Clock(), seed=7)
    return Synthesizer(voice, Nearness(embedder, thresholds.support, thresholds.across), recorder, SynthesisSettings())


def spoken(*sentences: tuple[str, list[int]], conclusion: str = "Neumonía.") -> Spoken:
    form = {"sentences": [{"text": t, "passages": n} for t, n in sentences], "conclusion": conclusion}
    return said(json.dumps(form, ensure_ascii=False))


def said(text: str) -> Spoken:
    return Spoken(text=text, finished=True, usage=USAGE, span=SPAN)


def answer_of(synthesizer: Synthesizer, of: Case, aligned: Alignment, spoken: Spoken | None, why: str = "") -> Answer:
    """The answer where the model said this, or could not be used."""
    told = Told()
    if spoken:
        told.heard(spoken)
        told.draft = synthesizer.drafted(of, aligned, spoken.text)
    return synthesizer.answer(of, aligned, told, why)


def argument(side: Side, language: str, conclusion: str = "") -> Argument:
    said = {"question": SPANISH, "text": "…", "conclusion": conclusion}
    return Argument(
        reasoning=Reasoning(side=side, language=language, status="argued", **said),
        chain=ConceptChain(side=side, language=language, status="empty"),
        usage=Usage(),
        spans=(),
    )


async def answered(synthesizer: Synthesizer, of: Case, aligned: Alignment) -> Answer:
    contents = (of, argument("english", "en"), argument("local", of.language), aligned)
    messages = [StructuredMessage[Message](content=content, source="test") for content in contents]
    response = await synthesizer.on_messages(messages, CancellationToken())
    assert isinstance(response.chat_message, StructuredMessage)
    content = response.chat_message.content
    assert isinstance(content, Answer)
    return content


def test_the_form_admits_the_numbers_that_were_shown_and_no_others() -> None:
    schema = answer_form((1, 4), sentences=3, concludes=True).model_json_schema()

    sentence = schema["$defs"]["Sentence"]
    assert sentence["properties"]["passages"]["items"] == {"enum": [1, 4]}
    assert sentence["properties"]["passages"]["maxItems"] == 3
    assert sorted(sentence["required"]) == ["passages", "text"]
    assert (schema["properties"]["sentences"]["minItems"], schema["properties"]["sentences"]["maxItems"]) == (1, 3)
    assert sorted(schema["required"]) == ["conclusion", "sentences"]


def test_without_passages_the_form_has_no_citations() -> None:
    schema = answer_form((), sentences=3, concludes=True).model_json_schema()

    assert list(schema["$defs"]["Sentence"]["properties"]) == ["text"]


def test_a_conclusion_in_words_is_part_of_the_form_and_a_letter_is_not() -> None:
    words, letter = (answer_form((1,), 2, concludes=words).model_json_schema()["properties"] for words in (True, False))

    assert (words["conclusion"]["type"], words["conclusion"]["maxLength"]) == ("string", 240)
    assert list(letter) == ["sentences"]


def test_the_form_refuses_more_sentences_than_asked_for() -> None:
    form = answer_form((1,), sentences=1, concludes=True)
    sentence = {"text": "Give amoxicillin.", "passages": [1]}

    form.model_validate({"sentences": [sentence], "conclusion": ""})
    with pytest.raises(ValidationError, match="at most 1 item"):
        form.model_validate({"sentences": [sentence, sentence], "conclusion": ""})


@pytest.mark.parametrize(
    ("text", "sentences", "conclusion"),
    [
        ('{"sentences":[{"text":" Dar agua. ","passages":[1,2]}],"conclusion":" A "}', (("Dar agua.", (1, 2)),), "A"),
        ('{"sentences":[{"text":"Dar agua."}],"conclusion":""}', (("Dar agua.", ()),), ""),
        ('{"sentences":[{"text":"Dar agua.","passages":[1]},{"text":"Deri', (("Dar agua.", (1,)),), ""),
        ('{"sentences":[{"text":"Dar agua.","passages":[1]}],"conclu', (("Dar agua.", (1,)),), ""),
        ('{"sentences":[{"text":"Dar agua.","passa', (("Dar agua.", ()),), ""),
        ('{"sentences":[{"text":"   ","passages":[1]}],"conclusion":"B"}', (), "B"),
        ('{"sentences":[{"te', (), ""),
        ("{", (), ""),
        ("", (), ""),
        ("[1, 2]", (), ""),
        ("Dar agua.", (), ""),
        ('{"sentences":[{"text":"\\ud83d!","passages":[1]}],"conclusion":""}', (), ""),
        ('{"sentences":[{"text":"Dar agua.","passages":null},{"te', (("Dar agua.", ()),), ""),
        (
            '{"sentences":[{"text":"Dar agua.","passages":["[1]",true,2.5,2]}],"conclusion":7}',
            (("Dar agua.", (2,)),),
            "",
        ),
        ('{"sentences":[{"text":"Dar agua.","passages":true},{"text":null},[]]}', (("Dar agua.", ()),), ""),
        ('{"sentences":null,"conclusion":null}', (), ""),
    ],
    ids=[
        "whole",
        "without citations",
        "cut in a text",
        "cut in the conclusion",
        "cut before the citations",
        "blank sentence",
        "cut at the start",
        "only opened",
        "nothing",
        "a list",
        "prose",
        "half a character",
        "null for citations",
        "what is no number among them",
        "truth for citations",
        "null for everything",
    ],
)
def test_what_the_model_wrote_is_read_as_far_as_it_is_whole(
    text: str, sentences: tuple[tuple[str, tuple[int, ...]], ...], conclusion: str
) -> None:
    assert written(text) == (sentences, conclusion)


def test_an_answer_is_rendered_with_its_citations_behind_each_sentence() -> None:
    claims = (
        Claim(text="Dar agua.", passages=(1, 3), supported=True),
        Claim(text="Derivar.", passages=(), supported=False, why="cites no passage"),
    )

    assert rendered(claims) == "Dar agua. [1][3] Derivar."
    assert rendered(claims, separator="\n") == "Dar agua. [1][3]\nDerivar."
    assert rendered(()) == ""


def test_a_supported_text_is_the_answer(synthesizer: Synthesizer) -> None:
    answer = answer_of(synthesizer, case(), alignment(AMOXICILLIN, AMOXICILINA), spoken((GOOD, [2])))

    assert (answer.mode, answer.text, answer.language) == ("synthesized", f"{GOOD} [2]", "es")
    assert [(c.passages, c.supported) for c in answer.claims] == [((2,), True)]
    assert (answer.usage, answer.spans, answer.reason) == (USAGE, (SPAN,), "")


def test_unsupported_sentences_and_conclusions_are_kept_and_named(synthesizer: Synthesizer) -> None:
    wrong = "La niña tiene neumonía: no dar amoxicilina oral."
    text = spoken((GOOD, [2]), (wrong, [2]), conclusion="Apendicitis aguda: operar mañana.")

    answer = answer_of(synthesizer, case(), alignment(AMOXICILINA), text)

    assert answer.mode == "synthesized"
    assert [c.supported for c in answer.claims] == [True, False]
    assert answer.unsupported == (wrong, "Apendicitis aguda: operar mañana.")
    assert answer.conclusion == "Apendicitis aguda: operar mañana."


def test_the_letter_of_an_option_is_not_judged_as_a_sentence(synthesizer: Synthesizer) -> None:
    asked = case(options=("amoxicilina", "ceftriaxona"))

    answer = answer_of(synthesizer, asked, alignment(AMOXICILINA), spoken((GOOD, [2]), conclusion="A"))

    assert (answer.conclusion, answer.meaning, answer.unsupported) == ("A", "amoxicilina", ())


@pytest.mark.parametrize("said", ["C", "ninguno", "ceftriaxona o amoxicilina"])
def test_a_conclusion_that_is_no_option_is_none(synthesizer: Synthesizer, said: str) -> None:
    asked = case(options=("amoxicilina", "ceftriaxona"))

    answer = answer_of(synthesizer, asked, alignment(AMOXICILINA), spoken((GOOD, [2]), conclusion=said))

    assert (answer.conclusion, answer.meaning) == ("", "")


def test_the_label_of_a_hypothesis_is_not_judged_as_a_sentence(synthesizer: Synthesizer) -> None:
    asked = case().model_copy(update={"hypothesis": "La niña tiene neumonía."})

    answer = answer_of(synthesizer, asked, alignment(AMOXICILINA), spoken((GOOD, [2]), conclusion="neutral"))

    assert (answer.conclusion, answer.meaning, answer.unsupported) == ("neutral", phrase("label_neutral", "es"), ())


def test_a_sentence_that_says_the_case_again_is_left_out(synthesizer: Synthesizer) -> None:
    answer = answer_of(synthesizer, case(), alignment(AMOXICILINA), spoken((SPANISH, [2]), (GOOD, [2])))

    assert answer.text == f"{GOOD} [2]"


OPTIONS = ("Reparación quirúrgica del esfínter anal externo", "Tratamiento médico con normas dietéticas")


@pytest.mark.parametrize("copied", [f"A. {OPTIONS[0]}.", f"{OPTIONS[0]}. {OPTIONS[1]}."])
def test_an_answer_that_is_its_options_again_is_none(synthesizer: Synthesizer, copied: str) -> None:
    asked = case(options=OPTIONS)

    alone = answer_of(synthesizer, asked, alignment(), spoken((copied, []), conclusion="A"))
    beside = answer_of(synthesizer, asked, alignment(AMOXICILINA), spoken((copied, [2]), (GOOD, [2]), conclusion="A"))

    assert (alone.mode, alone.reason) == ("no_answer", phrase("echo", "es"))
    assert (beside.mode, beside.unsupported) == ("synthesized", (copied,))


def test_an_option_that_a_passage_says_may_be_the_answer(synthesizer: Synthesizer) -> None:
    option = "Dar amoxicilina oral 40 mg/kg dos veces al día"

    asked, said = case(options=(option, "Ningún antibiótico")), spoken((option, [2]), conclusion="A")
    answer = answer_of(synthesizer, asked, alignment(AMOXICILINA), said)

    assert (answer.mode, answer.text, answer.unsupported) == ("synthesized", f"{option} [2]", ())


def test_a_sentence_that_denies_what_the_case_asks_is_kept_and_judged(synthesizer: Synthesizer) -> None:
    of = case("Niña con neumonía y fiebre alta. ¿Puedo dar aspirina a esta niña con neumonía y fiebre alta?")
    sentence = "No dar aspirina a esta niña con neumonía y fiebre alta."

    answer = answer_of(synthesizer, of, alignment(AMOXICILINA), spoken((sentence, [2]), (GOOD, [2])))

    assert [claim.text for claim in answer.claims] == [sentence, GOOD]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (said(""), "empty"),
        (said("Dar amoxicilina."), "empty"),
        (spoken(("...!", [2])), "empty"),
        (spoken(("Give this child amoxicillin by mouth, twice a day.", [1])), "wrong_language"),
        (spoken(*[(GOOD, [2])] * 5), "repetition"),
        (spoken((SPANISH, [2])), "echo"),
        (spoken((GOOD, [])), "unsupported"),
        (spoken(("La niña necesita una apendicectomía urgente esta misma noche.", [2])), "unsupported"),
    ],
    ids=["nothing", "not JSON", "no words", "English", "in circles", "the case", "no citation", "not in the passage"],
)
def test_a_text_of_no_use_gives_way_to_the_evidence(synthesizer: Synthesizer, text: Spoken, why: str) -> None:
    irrelevant = cited(3, "Lavar las patatas y pelarlas.", "es", relevant=False)

    answer = answer_of(synthesizer, case(), alignment(AMOXICILLIN, AMOXICILINA, irrelevant), text)

    assert (answer.mode, answer.reason) == ("evidence_only", phrase(why, "es"))
    assert answer.text == "\n\n".join(
        (phrase("evidence_only", "es"), f"{AMOXICILLIN.passage.text} [1]", f"{AMOXICILINA.passage.text} [2]")
    )
    assert [(c.passages, c.supported) for c in answer.claims] == [((1,), True), ((2,), True)]
    assert (answer.conclusion, answer.unsupported, answer.usage) == ("", (), USAGE)


def test_a_text_of_no_use_without_evidence_is_no_answer(synthesizer: Synthesizer) -> None:
    answer = answer_of(synthesizer, case(), alignment(), spoken((SPANISH, [])))

    assert (answer.mode, answer.claims) == ("no_answer", ())
    assert answer.text == f"{phrase('echo', 'es')} {phrase('no_answer', 'es')}"


def test_without_evidence_a_text_stands_with_every_sentence_marked(synthesizer: Synthesizer) -> None:
    answer = answer_of(synthesizer, case(), alignment(), spoken(("La niña tiene neumonía: dar amoxicilina oral.", [])))

    assert (answer.mode, answer.text) == ("synthesized", "La niña tiene neumonía: dar amoxicilina oral.")
    assert answer.unsupported == ("La niña tiene neumonía: dar amoxicilina oral.", "Neumonía.")


@pytest.mark.parametrize(
    "sentence",
    [
        "La niña tiene neumonía: dar amoxicilina oral 90 mg/kg dos veces al día.",
        "La niña tiene neumonía: dar amoxicilina oral 40 mg dos veces al día.",
        "La niña tiene neumonía: dar ceftriaxona 40 mg/kg dos veces al día.",
        "La niña tiene neumonía grave si la saturación es menor de 88 %.",
    ],
    ids=["another number", "not per kilogram", "of another medicine", "a threshold"],
)
def test_a_dose_or_threshold_that_no_cited_passage_has_is_nowhere_in_what_is_shown(
    synthesizer: Synthesizer, sentence: str
) -> None:
    told = spoken((GOOD, [2]), (sentence, [2]), conclusion="Neumonía: amoxicilina 90 mg/kg.")

    answer = answer_of(synthesizer, case(), alignment(AMOXICILLIN, AMOXICILINA), told)

    left_out = phrase("dose_left_out", "es")
    assert answer.text == f"{GOOD} [2] {left_out} [2]"
    assert answer.unsupported == (left_out, left_out)
    assert (answer.conclusion, answer.meaning) == (left_out, "")
    assert not any(figure in answer.model_dump_json() for figure in (sentence, "90", "88", "40 mg dos"))


def test_a_dose_without_any_citation_is_left_out_too(synthesizer: Synthesizer) -> None:
    answer = answer_of(synthesizer, case(), alignment(), spoken((GOOD, []), ("La niña tiene neumonía.", [])))

    assert (answer.mode, answer.text) == ("synthesized", f"{phrase('dose_left_out', 'es')} La niña tiene neumonía.")


def test_an_answer_of_nothing_but_what_is_left_out_is_none(synthesizer: Synthesizer) -> None:
    answer = answer_of(synthesizer, case(), alignment(), spoken((GOOD, [])))

    assert (answer.mode, answer.reason, answer.claims) == ("no_answer", phrase("unsupported", "es"), ())
    assert GOOD not in answer.text


def test_a_dose_of_the_case_itself_may_be_said_again(synthesizer: Synthesizer) -> None:
    of = case(f"{SPANISH} Toma paracetamol 250 mg.")
    sentence = "La niña tiene neumonía y toma paracetamol 250 mg."

    answer = answer_of(synthesizer, of, alignment(AMOXICILINA), spoken((GOOD, [2]), (sentence, [2])))

    assert answer.claims[1].text == sentence


def test_a_disagreement_is_handed_on_whatever_the_answer(synthesizer: Synthesizer) -> None:
    differ = Disagreement(english="Pneumonia.", local="Asma.", similarity=0.8)
    aligned = alignment(AMOXICILINA, disagreement=differ)

    assert answer_of(synthesizer, case(), aligned, spoken((GOOD, [2]))).disagreement == differ
    assert answer_of(synthesizer, case(), aligned, None, "gone").disagreement == differ


async def test_the_model_is_told_what_the_sides_contradict_each_other_on(
    embedder: Embedder, thresholds: Thresholds, recorder: Recorder, engine: Engine, transcripts: TranscriptStore
) -> None:
    found = Contradiction(english="chest indrawing", local="sin tiraje", similarity=0.9)
    differ = Disagreement(english="Pneumonia.", local="Asma.", contradictions=(found,))
    voice = Voice("Synthesizer", client(engine), recorder, Clock(), seed=7)
    settings = SynthesisSettings(answer_tokens=64, attempts=1)

    await answered(
        Synthesizer(voice, Nearness(embedder, thresholds.support, thresholds.across), recorder, settings),
        case(),
        alignment(disagreement=differ),
    )

    (sent,) = [e for e in transcripts.events(recorder.consultation_id) if e.kind is EventKind.PROMPT]
    assert "contradict each other: chest indrawing (English), sin tiraje (local)" in json.dumps(sent.body)


async def test_of_a_statement_the_model_is_asked_what_decides_it(
    embedder: Embedder, thresholds: Thresholds, recorder: Recorder, engine: Engine, transcripts: TranscriptStore
) -> None:
    asked = case().model_copy(update={"hypothesis": "La niña tiene neumonía."})
    voice = Voice("Synthesizer", client(engine), recorder, Clock(), seed=7)
    settings = SynthesisSettings(answer_tokens=64, attempts=1)

    await answered(
        Synthesizer(voice, Nearness(embedder, thresholds.support, thresholds.across), recorder, settings),
        asked,
        alignment(AMOXICILINA),
    )

    written, labelled = [e for e in transcripts.events(recorder.consultation_id) if e.kind is EventKind.PROMPT]
    answer, label = (json.dumps(e.body["messages"], ensure_ascii=False) for e in (written, labelled))
    assert "Statement:\\nLa niña tiene neumonía." in answer
    assert "Name them in Spanish" in answer
    assert "contradiction" not in answer
    assert "entailment, neutral, contradiction" in label


async def test_missing_weights_leave_the_evidence_and_the_reason(synthesizer: Synthesizer, recorder: Recorder) -> None:
    answer = await answered(synthesizer, case(), alignment(AMOXICILLIN, AMOXICILINA))

    assert answer.mode == "evidence_only"
    assert answer.reason.startswith(phrase("unavailable", "es", reason="The weights of SmolLM2 135M"))
    assert "coreasoner models pull" in answer.reason
    assert [c.passages for c in answer.claims] == [(1,), (2,)]
    assert (answer.usage, answer.spans) == (Usage(), ())


@pytest.mark.parametrize("language", ["es", "th", "ar"])
async def test_missing_weights_and_no_evidence_are_no_answer(synthesizer: Synthesizer, language: str) -> None:
    answer = await answered(synthesizer, case(ENGLISH, language), alignment())

    assert (answer.mode, answer.language, answer.claims) == ("no_answer", language, ())
    assert answer.text == f"{answer.reason} {phrase('no_answer', language)}"


async def test_the_answer_is_on_the_record(
    synthesizer: Synthesizer, recorder: Recorder, transcripts: TranscriptStore
) -> None:
    answer = await answered(synthesizer, case(), alignment(AMOXICILINA))

    (recorded,) = [e for e in transcripts.events(recorder.consultation_id) if e.kind is EventKind.ANSWER]
    assert Answer.model_validate_json(json.dumps(recorded.body)) == answer


async def test_the_model_reads_the_relevant_passages_of_both_languages_that_fit(
    embedder: Embedder, thresholds: Thresholds, recorder: Recorder, engine: Engine
) -> None:
    long = cited(3, "Dar amoxicilina oral. " * 60, "es")
    irrelevant = cited(4, "Lavar las patatas.", "es", relevant=False)
    voice = Voice("Synthesizer", client(engine), recorder, Clock(), seed=7)
    settings = SynthesisSettings(evidence_tokens=100)
    synthesizer = Synthesizer(voice, Nearness(embedder, thresholds.support, thresholds.across), recorder, settings)

    both = await synthesizer.shown(alignment(irrelevant, AMOXICILINA, long, AMOXICILLIN))
    alone = await synthesizer.shown(alignment(long, AMOXICILINA))

    assert [p.number for p in both] == [1, 2]
    assert [p.number for p in alone] == [3]


async def test_the_letter_is_asked_for_where_the_answer_was_read_and_written(
    embedder: Embedder, thresholds: Thresholds, recorder: Recorder, engine: Engine, transcripts: TranscriptStore
) -> None:
    voice = Voice("Synthesizer", client(engine), recorder, Clock(), seed=7)
    nearness = Nearness(embedder, thresholds.support, thresholds.across)
    synthesizer = Synthesizer(voice, nearness, recorder, SynthesisSettings(answer_tokens=64, attempts=1))

    await answered(synthesizer, case(options=("amoxicilina", "ceftriaxona")), alignment(AMOXICILLIN, AMOXICILINA))

    events = transcripts.events(recorder.consultation_id)
    written, lettered = (
        GenerationFigures.model_validate(e.body["figures"]) for e in events if e.kind is EventKind.MODEL
    )
    assert lettered.cached_tokens > written.prompt_tokens
