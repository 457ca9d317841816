"""What may be shown as an answer, which numbers two texts share, and whether a sentence stands in its passages."""

import pytest

from agents.checker import check, echoes, fault, measures, numbers
from agents.messages import CitedPassage, Claim
from agents.team import Thresholds
from models.embedder import Embedder
from tests.agents.cases import AMOXICILINA, AMOXICILLIN, ENGLISH, SPANISH, cited

ADVICE = {
    "en": "Give the child amoxicillin by mouth and review her after three days.",
    "zh": "给患儿口服阿莫西林，三天后复诊，如病情加重应立即转诊。",
    "ja": "小児にアモキシシリンを経口投与し、三日後に再診する。",
    "ko": "아이에게 아목시실린을 경구로 투여하고 사흘 뒤에 다시 진료한다.",
    "th": "ให้ยาอะม็อกซีซิลลินชนิดรับประทานและนัดตรวจซ้ำในสามวัน",
    "sw": "Mpe mtoto amoksilini kwa mdomo na umwone tena baada ya siku tatu.",
    "es": "Dé amoxicilina oral a la niña y revísela a los tres días.",
    "ar": "أعط الطفلة أموكسيسيلين عن طريق الفم وراجعها بعد ثلاثة أيام.",
    "hi": "बच्ची को मुँह से एमोक्सिसिलिन दें और तीन दिन बाद फिर देखें।",
    "pt": "Dê amoxicilina oral à menina e reavalie em três dias.",
}


@pytest.mark.parametrize("text", ["", "  \n\t", "...", "12 / 40 — 39,5 !", "[1][2]", "OK."])
def test_a_text_without_words_is_empty(text: str) -> None:
    assert fault(text, "en", ENGLISH) == "empty"


@pytest.mark.parametrize("language", ADVICE)
def test_a_text_in_the_asked_language_is_usable(language: str) -> None:
    assert fault(ADVICE[language], language, SPANISH) is None


@pytest.mark.parametrize("language", ADVICE)
def test_a_text_in_any_other_language_is_not(language: str) -> None:
    others = [code for code in ADVICE if code != language]

    assert {fault(ADVICE[other], language, SPANISH) for other in others} == {"wrong_language"}


def test_numbers_and_drug_names_do_not_make_a_text_foreign() -> None:
    assert fault("小児の体重が12 kgなら amoxicillin 480 mg を1日2回、5日間投与する。", "ja", ENGLISH) is None


@pytest.mark.parametrize("language", ADVICE)
def test_a_text_that_goes_round_in_circles_is_repetition(language: str) -> None:
    assert fault(f"{ADVICE[language]} " * 6, language, SPANISH) == "repetition"


@pytest.mark.parametrize(("language", "text"), [("en", ENGLISH), ("es", SPANISH), ("ja", ADVICE["ja"])])
def test_a_text_that_only_says_the_case_again_is_an_echo(language: str, text: str) -> None:
    assert fault(f"{text}\n", language, text) == "echo"


def test_a_part_of_the_case_is_an_echo_and_an_answer_to_it_is_not() -> None:
    assert echoes("A 3-year-old girl with cough, fever of 39 °C", ENGLISH)
    assert not echoes("A 3-year-old girl with cough and fast breathing has pneumonia and needs amoxicillin.", ENGLISH)
    assert not echoes("", ENGLISH)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("40 mg/kg twice daily for 5 days", ("40", "5")),
        ("٤٠ ملغ/كغ لمدة ٥ أيام", ("40", "5")),
        ("۴۰ میلی‌گرم", ("40",)),
        ("४० मि.ग्रा. ५ दिन", ("40", "5")),
        ("๔๐ มก. ๕ วัน", ("40", "5")),
        ("体温３８．５℃、４０ｍｇ", ("38.5", "40")),
        ("38,5 °C", ("38.5",)),
        ("٣٨٫٥", ("38.5",)),
        ("0,125 mg and 0.125 mg", ("0.125", "0.125")),
        ("2.50, 2.5 and 2,5", ("2.5", "2.5", "2.5")),
        ("1,000 mg or 12,500 IU or 1,000,000 IU", ("1000", "12500", "1000000")),
        ("1 000 mg, 1'000 mg and 1\u00a0000 mg", ("1000", "1000", "1000")),
        ("١٬٠٠٠", ("1000",)),
        ("1.000.000 UI", ("1000000",)),
        ("1,50,000 per µL", ("150000",)),
        ("1,234.5 and 1.234,5", ("1234.5", "1234.5")),
        ("007 and 0", ("7", "0")),
        ("5-10 mg", ("5", "10")),
        ("no number at all", ()),
    ],
)
def test_a_number_reads_the_same_in_every_script_and_spelling(text: str, expected: tuple[str, ...]) -> None:
    assert numbers(text) == expected


def test_one_point_and_three_digits_may_be_a_thousand_and_equal_nothing_else() -> None:
    assert not {numbers("1.000 mg"), numbers("2.500 mg")} & {numbers(n) for n in ("1", "1000", "2.5", "2500")}
    assert numbers("1.000 mg") == numbers("1.000 UI")


def test_a_number_of_any_length_is_read() -> None:
    assert numbers("9" * 6000) == ("9" * 6000,)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("40 mg/kg", (("40", "mg/"),)),
        ("40MG", (("40", "mg"),)),
        ("４０ｍｇ", (("40", "mg"),)),
        ("52 breaths and 5 days.", (("52", "bre"), ("5", "day"))),
        ("39℃ (92%)", (("39", "°c"), ("92", "%"))),
        ("1日2回", (("1", "日"), ("2", "回"))),
        ("aged 3.", (("3", ""),)),
    ],
)
def test_a_measure_is_a_number_with_the_beginning_of_its_unit(text: str, expected: tuple[tuple[str, str], ...]) -> None:
    assert measures(text) == expected


class Checker:
    """`check` with the real embedder and its own threshold, for one sentence of an answer to the child's case."""

    def __init__(self, embedder: Embedder, thresholds: Thresholds) -> None:
        self._embedder, self._support = embedder, thresholds.support

    def __call__(
        self, sentence: str, *passages: CitedPassage, cites: tuple[int, ...] | None = None, spoken: str = "en"
    ) -> Claim:
        numbers = tuple(p.number for p in passages) if cites is None else cites
        case = SPANISH if spoken == "es" else ENGLISH
        (claim,) = check([(sentence, numbers)], passages, self._embedder, self._support, case, spoken)
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
    assert claim.why == f"40 {unit.replace('µ', 'μ')} is not in the cited passage"


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
    assert check([], [AMOXICILLIN], embedder, 0.85, ENGLISH, "en") == ()


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
            "La niña con neumonía necesita drenaje quirúrgico, morfina intravenosa y traqueotomía urgente.",
        ),
        (
            "hi",
            "निमोनिया और तेज़ साँस वाले बच्चे को मुँह से एमोक्सिसिलिन दिन में दो बार दें।",
            "निमोनिया वाले बच्चे को मुँह से एमोक्सिसिलिन दें।",
            "निमोनिया वाले बच्चे की तुरंत शल्यक्रिया करवाएँ और मॉर्फिन लगाएँ।",
        ),
        (
            "ja",
            "頻呼吸のある肺炎の小児には、アモキシシリンを経口投与する。",
            "肺炎の小児にアモキシシリンを投与する。",
            "肺炎の女児には直ちに開胸手術とモルヒネが必要である。",
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

    claims = check(sentences, [AMOXICILLIN], embedder, thresholds.support, ENGLISH, "en")

    assert [(c.text, c.passages) for c in claims] == sentences
    assert [c.supported for c in claims] == [True, False, False]
