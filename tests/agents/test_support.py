"""Whether a sentence stands in the passages that it cites."""

from collections.abc import Callable

import pytest

from agents.drugs import drugs
from agents.messages import CitedPassage, Claim
from agents.nearness import Nearness
from agents.support import check
from agents.team import Thresholds
from knowledge.ingest import read_documents
from knowledge.shipped import starter_packs
from models.embedder import Embedder
from tests.agents.cases import AMOXICILINA, AMOXICILLIN, ENGLISH, SPANISH, cited

DOSES = {
    "en": "Amoxicillin, child: 40 mg/kg by mouth twice a day for 5 days.\n"
    "Gentamicin, child: 7.5 mg/kg by injection once a day. Do not give codeine to children.",
    "es": "Amoxicilina, niño: 40 mg/kg por vía oral dos veces al día durante 5 días.\n"
    "Gentamicina, niño: 7,5 mg/kg inyectable una vez al día. No administrar codeína a niños.",
    "ja": "アモキシシリン、小児：40 mg/kgを1日2回、5日間経口投与する。\n"
    "ゲンタマイシン、小児：7.5 mg/kgを1日1回注射する。小児にコデインを投与しない。",
    "sw": "Amoxicillin, mtoto: 40 mg/kg kwa mdomo mara mbili kwa siku kwa siku 5.\n"
    "Gentamicin, mtoto: 7.5 mg/kg kwa sindano mara moja kwa siku. Usimpe mtoto kodeini.",
}


class Checker:
    """`check` with the real embedder and its own threshold, for one sentence of an answer to the child's case."""

    def __init__(self, embedder: Embedder, thresholds: Thresholds) -> None:
        self._nearness = Nearness(embedder, thresholds.support, thresholds.across)

    def __call__(
        self, sentence: str, *passages: CitedPassage, cites: tuple[int, ...] | None = None, spoken: str = "en"
    ) -> Claim:
        numbers = tuple(p.number for p in passages) if cites is None else cites
        case = SPANISH if spoken == "es" else ENGLISH
        (claim,) = check([(sentence, numbers)], passages, self._nearness, case, spoken)
        return claim


@pytest.fixture(scope="module")
def checked(embedder: Embedder, thresholds: Thresholds) -> Checker:
    return Checker(embedder, thresholds)


def test_a_paraphrase_of_the_cited_passage_is_supported(checked: Checker) -> None:
    claim = checked("Treat her pneumonia with oral amoxicillin 40 mg/kg two times a day.", AMOXICILLIN)

    assert (claim.supported, claim.why, claim.passages) == (True, "", (1,))


@pytest.mark.parametrize(("dose", "wrong"), [("80 mg/kg", "80"), ("4 mg/kg", "4"), ("40.5 mg/kg", "40.5")])
def test_a_changed_number_is_refused(checked: Checker, dose: str, wrong: str) -> None:
    claim = checked(f"Treat her pneumonia with oral amoxicillin {dose} two times a day.", AMOXICILLIN)

    assert (claim.supported, claim.why) == (False, f"{wrong} is not in the cited passage")


@pytest.mark.parametrize("unit", ["g", "ml", "mcg", "µg"])
def test_the_right_number_in_another_dose_unit_is_refused(checked: Checker, unit: str) -> None:
    claim = checked(f"Treat her pneumonia with oral amoxicillin 40 {unit}/kg two times a day.", AMOXICILLIN)

    assert not claim.supported
    assert claim.why == f"40 {'μg' if unit in ('mcg', 'µg') else unit} is not in the cited passage"


def test_a_number_of_the_case_needs_no_passage(checked: Checker) -> None:
    assert checked("With 52 breaths per minute this child has pneumonia: give amoxicillin.", AMOXICILLIN).supported


@pytest.mark.parametrize("dose", ["52 mg/kg", "39 mg/kg", "3 mg/kg"])
def test_a_number_of_the_case_with_another_unit_is_refused(checked: Checker, dose: str) -> None:
    claim = checked(f"Treat her pneumonia with oral amoxicillin {dose} twice daily.", AMOXICILLIN)

    assert claim.why == f"{dose.split()[0]} is not in the cited passage"


def test_a_number_in_the_passages_heading_counts_as_in_the_passage(checked: Checker) -> None:
    passage = cited(1, "Give oral amoxicillin twice daily to a child with pneumonia.")
    headed = passage.model_copy(
        update={"passage": passage.passage.model_copy(update={"section": ("Children under 6 years",)})}
    )
    sentence = "Under 6 years of age, give a child with pneumonia oral amoxicillin."

    assert (checked(sentence, headed).supported, checked(sentence, passage).supported) == (True, False)


def test_a_citation_of_an_unknown_number_is_dropped(checked: Checker) -> None:
    sentence = "Treat her pneumonia with oral amoxicillin."

    kept = checked(sentence, AMOXICILLIN, cites=(7, 1, 1, -1))
    dropped = checked(sentence, AMOXICILLIN, cites=(7,))

    assert (kept.passages, kept.supported) == ((1,), True)
    assert (dropped.passages, dropped.supported, dropped.why) == ((), False, "cites no passage")


def test_without_passages_nothing_is_supported(checked: Checker) -> None:
    claim = checked("Treat her pneumonia with oral amoxicillin.", cites=(1,))

    assert (claim.passages, claim.supported, claim.why) == ((), False, "cites no passage")


def test_without_sentences_there_are_no_claims(embedder: Embedder) -> None:
    assert check([], [AMOXICILLIN], Nearness(embedder, 0.85), ENGLISH, "en") == ()


def test_a_sentence_about_something_else_is_too_far(checked: Checker) -> None:
    assert checked("The invoice is due on Friday.", AMOXICILLIN).why == "too far from the cited passage"


def test_a_sentence_is_judged_by_the_passages_that_it_cites(checked: Checker) -> None:
    malaria = cited(3, "Give artesunate by injection to every patient with severe malaria.")
    sentence = "Treat her pneumonia with oral amoxicillin 40 mg/kg two times a day."

    assert checked(sentence, AMOXICILLIN, malaria, cites=(1,)).supported
    assert not checked(sentence, AMOXICILLIN, malaria, cites=(3,)).supported


@pytest.mark.parametrize(
    ("spoken", "passage", "said", "invented"),
    [
        (
            "es",
            "Dar amoxicilina oral al niño con neumonía.",
            "Dar a la niña con neumonía amoxicilina oral.",
            "La niña con neumonía necesita drenaje quirúrgico, reposo absoluto y traqueotomía urgente.",
        ),
        (
            "hi",
            "निमोनिया और तेज़ साँस वाले बच्चे को मुँह से एमोक्सिसिलिन दिन में दो बार दें।",
            "निमोनिया वाले बच्चे को मुँह से एमोक्सिसिलिन दें।",
            "निमोनिया वाले बच्चे की तुरंत शल्यक्रिया करवाएँ और रक्त चढ़वाएँ।",
        ),
        (
            "ja",
            "頻呼吸のある肺炎の小児には、アモキシシリンを経口投与する。",
            "肺炎の小児にアモキシシリンを投与する。",
            "肺炎の女児には直ちに開胸手術と輸血が必要である。",
        ),
    ],
)
def test_a_near_sentence_of_other_words_is_refused(
    checked: Checker, spoken: str, passage: str, said: str, invented: str
) -> None:
    source = cited(1, passage, spoken)

    assert checked(said, source, spoken=spoken).supported
    assert checked(invented, source, spoken=spoken).why == "says what the cited passage does not"


def test_a_sentence_may_stand_in_a_passage_of_another_language(checked: Checker) -> None:
    sentence = "La niña debe recibir amoxicilina oral 40 mg/kg dos veces al día durante 5 días."

    assert checked(sentence, AMOXICILLIN, spoken="es").supported
    assert checked(sentence, AMOXICILLIN, AMOXICILINA, spoken="es").supported


def test_its_numbers_are_checked_across_languages_too(checked: Checker) -> None:
    sentence = "La niña debe recibir amoxicilina oral 60 mg/kg dos veces al día durante 5 días."

    assert checked(sentence, AMOXICILLIN, spoken="es").why == "60 is not in the cited passage"


@pytest.mark.parametrize(
    ("sentence", "why"),
    [
        ("Tratar la neumonía de la niña con un antibiótico oral dos veces al día durante 5 días.", ""),
        (
            "Tratar la neumonía de la niña con antibióticos o medicamentos antirretrovíricos durante 5 días.",
            "antiretroviral is not in the cited passage",
        ),
        (
            "Tratar la neumonía de la niña con corticosteroides orales dos veces al día durante 5 días.",
            "corticosteroid is not in the cited passage",
        ),
    ],
)
def test_its_classes_of_medicines_are_the_passages(checked: Checker, sentence: str, why: str) -> None:
    assert checked(sentence, AMOXICILLIN, spoken="es").why == why


@pytest.mark.parametrize(("dose", "supported"), [("٤٠", True), ("40", True), ("٨٠", False)])
def test_its_numbers_are_checked_across_scripts_too(checked: Checker, dose: str, supported: bool) -> None:
    passage = cited(1, "أعط أموكسيسيلين عن طريق الفم 40 ملغ/كغ مرتين يوميا للطفل المصاب بالالتهاب الرئوي.", "ar")

    assert checked(f"يعطى الطفل أموكسيسيلين عن طريق الفم {dose} ملغ/كغ.", passage, spoken="ar").supported == supported


def test_each_sentence_is_judged_by_itself_and_in_its_order(embedder: Embedder, thresholds: Thresholds) -> None:
    sentences = [
        ("Treat her pneumonia with oral amoxicillin.", (1,)),
        ("Treat her pneumonia with oral amoxicillin 90 mg/kg.", (1,)),
        ("Treat her pneumonia.", ()),
    ]

    claims = check(sentences, [AMOXICILLIN], Nearness(embedder, thresholds.support), ENGLISH, "en")

    assert [(c.text, c.passages) for c in claims] == sentences
    assert [c.supported for c in claims] == [True, False, False]


@pytest.mark.parametrize(
    ("spoken", "true", "wrong", "why"),
    [
        ("en", "Gentamicin 7.5 mg/kg once a day.", "Gentamicin 40 mg/kg once a day.", "40 mg of gentamicin"),
        ("es", "Amoxicilina 40 mg/kg dos veces al día.", "Gentamicina 40 mg/kg dos veces al día.", "40 mg of genta"),
        ("ja", "ゲンタマイシン7.5 mg/kgを注射する。", "アモキシシリン7.5 mg/kgを注射する。", "7.5 mg of amoxi"),
        ("en", "Amoxicillin 40 mg/kg twice a day.", "Amoxicillin 40 mg twice a day.", "40 mg is not"),
        (
            "ja",
            "アモキシシリン体重1kgあたり40 mgを経口投与する。",
            "アモキシシリン40 mgを経口投与する。",
            "40 mg is not",
        ),
        ("en", "Give amoxicillin by mouth for 5 days.", "Give amoxicillin by mouth for 5 weeks.", "5 week"),
        ("es", "Amoxicilina oral durante 5 días.", "Amoxicilina oral durante 5 semanas.", "5 week"),
        ("sw", "Mpe amoxicillin kwa mdomo kwa siku 5.", "Mpe amoxicillin kwa mdomo kwa wiki 5.", "5 week"),
        ("en", "Give the child gentamicin by injection.", "Give the child vancomycin by injection.", "vancomycin"),
        ("es", "Gentamicina inyectable al niño.", "Moxifloxacino inyectable al niño.", "moxifl"),
        ("ja", "小児にゲンタマイシンを注射する。", "小児にバンコマイシンを注射する。", "vancomycin"),
        ("en", "Do not give codeine to children.", "Give codeine to children.", "denies"),
        ("es", "No administrar codeína a niños.", "Administrar codeína a niños.", "denies"),
        ("ja", "小児にコデインを投与しない。", "小児にコデインを投与する。", "denies"),
        ("sw", "Usimpe mtoto kodeini.", "Mpe mtoto kodeini.", "denies"),
        ("en", "Amoxicillin by mouth twice a day.", "Do not give amoxicillin by mouth twice a day.", "denies"),
        ("es", "Gentamicina inyectable una vez al día.", "No administrar gentamicina inyectable.", "denies"),
    ],
)
def test_one_wrong_thing_is_refused(checked: Checker, spoken: str, true: str, wrong: str, why: str) -> None:
    passage = cited(1, DOSES[spoken], spoken)

    assert checked(true, passage, spoken=spoken).why == ""
    assert why in checked(wrong, passage, spoken=spoken).why


def test_a_medicine_of_the_patient_may_be_named(embedder: Embedder, thresholds: Thresholds) -> None:
    sentences = [("Give the child who takes warfarin gentamicin by injection.", (1,))]
    passages = [cited(1, DOSES["en"])]

    (taken,) = check(sentences, passages, Nearness(embedder, thresholds.support), "The child takes warfarin.", "en")
    (unknown,) = check(sentences, passages, Nearness(embedder, thresholds.support), "A child.", "en")

    assert (taken.supported, unknown.why) == (True, "warfarin is not in the cited passage")


def test_a_number_may_stand_in_the_passage_as_a_word(checked: Checker) -> None:
    assert checked("Give the child amoxicillin 2 times a day.", cited(1, DOSES["en"])).supported
    assert not checked("Give the child amoxicillin 3 times a day.", cited(1, DOSES["en"])).supported


def test_once_daily_is_one_time_a_day_in_another_language(checked: Checker) -> None:
    assert checked("ゲンタマイシン7.5 mg/kgを1日1回注射する。", cited(1, DOSES["en"]), spoken="ja").supported


def test_a_language_without_a_table_of_negations_is_not_judged_by_it(checked: Checker) -> None:
    passage = cited(1, "Nie podawać kodeiny dzieciom.", "pl")

    assert checked("Nie podawać kodeiny dzieciom.", passage, spoken="pl").supported


KOREAN = cited(
    1,
    "겐타마이신(gentamicin), 소아: 7.5 mg/kg IM 1일 1회, 최소 5일. 신장애에서 주의한다.\n"
    "설사 소아가 졸려 하면 혈당을 확인하고 의뢰한다.",
    "ko",
)


@pytest.mark.parametrize(
    "sentence",
    [
        "겐타마이신(gentamicin), 소아: 7.5 mg/kg IM 1주 1회, 최소 5일.",
        "겐타마이신(gentamicin), 소아: 7.5 mg/kg IM 1일 1회, 최소 5주.",
        "신장애에서 주의하지 않는다.",
        "설사 소아가 졸려 하면 혈당을 확인하지 않는다.",
        "설사 소아가 졸려 하면 의뢰하지 말고 기다린다.",
    ],
    ids=["weekly for daily", "weeks for days", "no caution", "not checked", "not referred"],
)
def test_korean_units_and_denials_are_told_apart_though_their_endings_differ(checked: Checker, sentence: str) -> None:
    assert not checked(sentence, KOREAN, spoken="ko").supported


@pytest.mark.parametrize(
    "sentence",
    [
        "겐타마이신(gentamicin), 소아: 7.5 mg/kg IM 1일 1회, 최소 5일.",
        "겐타마이신은 신장애에서 주의하여 투여한다.",
        "설사 소아가 졸려 하면 혈당을 확인한다.",
    ],
)
def test_what_a_korean_passage_says_is_supported(checked: Checker, sentence: str) -> None:
    assert checked(sentence, KOREAN, spoken="ko").supported


@pytest.mark.parametrize(
    ("sentence", "unfounded"),
    [
        ("Treat her pneumonia with oral amoxicillin 40 mg/kg twice daily.", False),
        ("Treat her pneumonia with oral amoxicillin 90 mg/kg twice daily.", True),
        ("Treat her pneumonia with oral amoxicillin 40 mg twice daily.", True),
        ("Treat her pneumonia with oral ceftriaxone 40 mg/kg twice daily.", True),
        ("Refer her when her saturation is below 85 %.", True),
        ("Do not give oral amoxicillin 40 mg/kg to a child with pneumonia.", False),
        ("Remove the appendix of this child tonight.", False),
        ("With 52 breaths per minute she needs an operation.", False),
    ],
    ids=["right", "number", "not per kilogram", "medicine", "threshold", "denied", "no figure", "the case's figure"],
)
def test_a_dose_or_threshold_that_nothing_cited_has_is_unfounded(
    checked: Checker, sentence: str, unfounded: bool
) -> None:
    assert checked(sentence, AMOXICILLIN).unfounded is unfounded


@pytest.fixture(scope="module")
def shipped() -> Callable[[str, str], list[CitedPassage]]:
    """The passages of a starter document in a language."""

    def read(language: str, file: str) -> list[CitedPassage]:
        pack = next(pack for pack in starter_packs() if pack.name == language)
        document = next(d for d in read_documents(pack).documents if d.entry.file == file)
        texts = enumerate(document.passages, 1)
        return [cited(n, passage.text, language).model_copy(update={"passage": passage}) for n, passage in texts]

    return read


@pytest.mark.parametrize(
    ("file", "sentence", "founded"),
    [
        ("anaphylaxis.md", "Adrenaline 0.5 mg IM for anaphylaxis in adults.", True),
        ("anaphylaxis.md", "Adrenaline 0.01 mg/kg IM for anaphylaxis, maximum 0.5 mg in adults.", True),
        ("anaphylaxis.md", "Adrenaline 1 mg/ml for anaphylaxis: 0.01 ml/kg IM.", True),
        ("anaphylaxis.md", "Adrenaline 0.5 mg/kg IM for anaphylaxis in adults.", False),
        ("anaphylaxis.md", "Adrenaline 0.01 mg IM for anaphylaxis.", False),
        ("anaphylaxis.md", "Adrenaline 1 mg IM for anaphylaxis in adults.", False),
        ("anaphylaxis.md", "Adrenaline 0.5 mg/ml IM for anaphylaxis in adults.", False),
        ("childhood-pneumonia.md", "Paracetamol 15 mg/kg by mouth every 6 hours.", True),
        ("childhood-pneumonia.md", "Paracetamol by mouth, at most 60 mg/kg per day.", True),
        ("childhood-pneumonia.md", "Paracetamol by mouth, a maximum daily dose of 60 mg/kg.", True),
        ("childhood-pneumonia.md", "Paracetamol 60 mg/kg by mouth every 6 hours.", False),
        ("childhood-pneumonia.md", "Paracetamol 60 mg/kg four times daily.", False),
        ("childhood-pneumonia.md", "Amoxicillin 40 mg/kg by mouth twice daily.", True),
        ("childhood-pneumonia.md", "Amoxicillin 80 mg/kg/day by mouth.", True),
        ("childhood-pneumonia.md", "Amoxicillin 80 mg/kg by mouth twice daily.", False),
        ("childhood-pneumonia.md", "Amoxicillin 40 mg/kg/day by mouth.", False),
        ("hypertension.md", "Amlodipine 5 mg per day by mouth.", True),
        ("hypertension.md", "Amlodipine 5 mg by mouth once daily, maximum 10 mg a day.", True),
        ("hypertension.md", "Enalapril 40 mg by mouth three times daily.", False),
    ],
)
def test_a_dose_is_for_each_of_what_the_passage_says(
    shipped: Callable[[str, str], list[CitedPassage]], file: str, sentence: str, founded: bool
) -> None:
    passages = shipped("en", file)
    doses = [p for p in passages if p.passage.section[-1] == "Doses" and drugs(sentence) & drugs(p.passage.text)][:1]

    (claim,) = check([(sentence, (doses[0].number,))], passages, None, "A patient.", "en")

    assert (claim.unfounded, claim.supported) == (not founded, founded)


@pytest.mark.parametrize(
    ("spoken", "founded", "unfounded"),
    [
        ("es", "Paracetamol, máximo 60 mg/kg al día.", "Paracetamol 60 mg/kg cada 6 horas."),
        ("ja", "アセトアミノフェンは1日最大60 mg/kg。", "アセトアミノフェン60 mg/kgを6時間ごとに経口。"),
        ("zh", "对乙酰氨基酚每日最大 60 mg/kg。", "对乙酰氨基酚 60 mg/kg，每 6 小时 1 次。"),
        ("ko", "파라세타몰(paracetamol) 1일 최대 60 mg/kg.", "파라세타몰(paracetamol) 60 mg/kg 6시간마다."),
        ("th", "Paracetamol สูงสุด 60 mg/kg ต่อวัน", "Paracetamol 60 mg/kg ทุก 6 ชั่วโมง"),
        (
            "ar",
            "الباراسيتامول (paracetamol) بحد أقصى 60 ملغ/كغ يوميًا.",
            "الباراسيتامول (paracetamol) 60 ملغ/كغ كل 6 ساعات.",
        ),
        ("sw", "Paracetamol, kiwango cha juu 60 mg/kg kwa siku.", "Paracetamol 60 mg/kg kila baada ya saa 6."),
    ],
)
def test_a_dose_for_each_day_is_told_from_a_single_one_across_languages(
    shipped: Callable[[str, str], list[CitedPassage]], spoken: str, founded: str, unfounded: str
) -> None:
    for language in ("en", spoken):
        passages = shipped(language, "childhood-pneumonia.md")
        number = next(p.number for p in passages if "60" in p.passage.text and "paracetamol" in drugs(p.passage.text))

        claims = check([(founded, (number,)), (unfounded, (number,))], passages, None, "", spoken)

        assert [claim.unfounded for claim in claims] == [False, True]


def test_a_dose_of_the_case_is_for_each_of_what_the_case_says() -> None:
    case = "The child takes paracetamol 60 mg/kg/day."
    passages = [cited(1, "Paracetamol is given for fever.")]
    sentences = [
        ("The child takes paracetamol 60 mg/kg/day.", (1,)),
        ("Give paracetamol 60 mg/kg every 6 hours.", (1,)),
    ]

    assert [claim.unfounded for claim in check(sentences, passages, None, case, "en")] == [False, True]


PARAGRAPH = cited(
    4,
    "Influenza spreads every year from October 10 to May 5 in the whole country. Children of 6 or 12 years receive the "
    "vaccine as a routine. From 6 months to 11 months of age children who travel abroad receive a dose before travel.",
)


@pytest.mark.parametrize(
    ("sentence", "wrong"),
    [
        ("Influenza spreads every year from October 10 to May 5 in the whole country.", ""),
        ("Influenza spreads every year from October 10 to May 11 in the whole country.", "11"),
        ("Children of 6 or 12 years receive the vaccine as a routine.", ""),
        ("Children of 12 or 12 years receive the vaccine as a routine.", "12"),
        ("Children of 6 years or 12 years receive the vaccine as a routine.", ""),
        ("From 6 months to 11 months of age children who travel abroad receive a dose before travel.", ""),
        ("From 6 years to 11 months of age children who travel abroad receive a dose before travel.", "6"),
    ],
)
def test_a_statement_said_again_has_its_own_numbers_and_not_those_beside_it(sentence: str, wrong: str) -> None:
    (claim,) = check([(sentence, (4,))], [PARAGRAPH], None, "", "en")

    assert (claim.supported, claim.why) == (not wrong, f"{wrong} is not in the cited passage" if wrong else "")


@pytest.mark.parametrize(
    "sentence",
    ["Give 1 l of IV fluid for shock in anaphylaxis.", "Give 1 g of IV fluid for shock in anaphylaxis."],
)
def test_a_word_of_a_passage_is_no_dose(shipped: Callable[[str, str], list[CitedPassage]], sentence: str) -> None:
    passages = shipped("en", "anaphylaxis.md")
    treat = next(p.number for p in passages if p.passage.section[-1] == "Treat")

    (claim,) = check([(sentence, (treat,))], passages, None, "A patient.", "en")

    assert claim.unfounded


def test_a_number_beside_something_else_is_no_dose() -> None:
    passages = [cited(1, "Give 1 to every adult with anaphylactic shock, as IV fluid.")]

    (claim,) = check([("Give 1 l of IV fluid for anaphylactic shock.", (1,))], passages, None, "", "en")

    assert claim.unfounded


@pytest.mark.parametrize(
    ("sentence", "founded"),
    [
        ("Ampicillin 50 mg/kg IM every 6 hours.", True),
        ("Benzylpenicillin 50 000 units/kg IM every 6 hours.", True),
        ("Ampicillin 50 000 units/kg IM every 6 hours.", False),
        ("Benzylpenicillin 50 mg/kg IM every 6 hours.", False),
    ],
)
def test_a_dose_of_another_medicine_in_the_same_line_is_unfounded(
    shipped: Callable[[str, str], list[CitedPassage]], sentence: str, founded: bool
) -> None:
    passages = shipped("en", "childhood-pneumonia.md")
    doses = next(p.number for p in passages if "50 000 units" in p.passage.text)

    (claim,) = check([(sentence, (doses,))], passages, None, "A child.", "en")

    assert (claim.unfounded, claim.supported) == (not founded, founded)


@pytest.mark.parametrize(
    ("case", "sentence", "why"),
    [
        (
            "My child has fever and cough.",
            "The child has fever and cough.",
            "says only what the case says",
        ),
        (
            "May I give this child ibuprofen by injection once a day?",
            "Give this child ibuprofen by injection once a day.",
            "ibuprofen is in the case, but not in the cited passage",
        ),
        (
            "May I give gentamicin 5 mg/kg by injection once a day?",
            "Give the child gentamicin 5 mg/kg by injection once a day.",
            "5 mg is in the case, but not in the cited passage",
        ),
    ],
)
def test_what_only_the_case_says_does_not_make_a_sentence_stand(case: str, sentence: str, why: str) -> None:
    (claim,) = check([(sentence, (1,))], [cited(1, DOSES["en"])], None, case, "en")

    assert (claim.supported, claim.why, claim.unfounded) == (False, why, False)


def test_the_case_said_again_does_not_stand_on_a_passage_in_another_language(checked: Checker) -> None:
    claim = checked(SPANISH.split(".")[0] + ".", AMOXICILLIN, spoken="es")

    assert (claim.supported, claim.why) == (False, "says only what the case says")


def test_an_option_said_again_does_not_stand_on_a_passage_in_another_language(
    embedder: Embedder, thresholds: Thresholds
) -> None:
    nearness = Nearness(embedder, thresholds.support, thresholds.across)
    option = "Amoxicilina oral en casa"

    (claim,) = check([(f"A. {option}.", (1,))], [AMOXICILLIN], nearness, SPANISH, "es", [option, "Ingreso"])

    assert (claim.supported, claim.why) == (False, "says only what the case says")


@pytest.mark.parametrize(
    ("sentence", "supported"),
    [
        ("La paciente tiene una enfermedad pulmonar obstructiva crónica leve en fase estable.", False),
        ("La afirmación correcta es B: están recomendadas las vacunas vivas atenuadas.", False),
        ("Dar amoxicilina oral 40 mg/kg dos veces al día durante 5 días al niño con neumonía.", True),
    ],
)
def test_a_word_more_than_the_case_makes_no_sentence_stand(
    embedder: Embedder, thresholds: Thresholds, sentence: str, supported: bool
) -> None:
    nearness = Nearness(embedder, thresholds.support, thresholds.across)
    of = "Mujer con enfermedad pulmonar obstructiva crónica leve en fase estable y neumonía. Señale la afirmación:"
    options = ["No se recomiendan vacunas", "Están recomendadas las vacunas vivas atenuadas"]

    (claim,) = check([(sentence, (1, 2))], [AMOXICILLIN, AMOXICILINA], nearness, of, "es", options)

    assert (claim.supported, claim.why) == (supported, "" if supported else "says only what the case says")


def test_what_was_measured_in_the_patient_may_be_repeated() -> None:
    passages = [cited(1, "A child with a low blood glucose is given glucose by vein at once.")]
    case = "A child with a blood glucose of 40 mg/dl."
    sentence = "With a blood glucose of 40 mg/dl the child is given glucose by vein at once."

    (claim,) = check([(sentence, (1,))], passages, None, case, "en")

    assert claim.supported


def test_a_sentence_of_a_long_passage_is_near_to_it_by_its_words(embedder: Embedder) -> None:
    sentence = "Give the child gentamicin by injection once a day."
    passage = cited(1, f"Clean the ward every morning. {sentence} Order syringes on Friday.")
    nowhere_near = Nearness(embedder, support=1.0)

    same, other = check(
        [(sentence, (1,)), ("Inject gentamicin, one dose each day, for this child.", (1,))],
        [passage],
        nowhere_near,
        "",
        "en",
    )

    assert (same.supported, other.why) == (True, "too far from the cited passage")
