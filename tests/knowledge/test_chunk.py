from itertools import pairwise

import pytest

from knowledge.chunk import TARGET, chunk
from knowledge.document import Document, Section
from knowledge.parse import parse

SENTENCES = {
    "en": "Give 0.5 mg of the drug to the child now. ",
    "zh": "给患儿口服阿莫西林，每日两次。",
    "ja": "アモキシシリンを経口投与する。",
    "th": "ให้ยาแก่เด็กทันที ",
    "ar": "هل يستطيع الطفل الشرب؟ ",
    "hi": "बच्चे को तुरंत दवा दें। ",
    "km": "ត្រូវព្យាបាលកុមារភ្លាម។",
    "am": "ሕፃኑን ወዲያውኑ ያክሙ።",
}


def sections_of(*bodies: str) -> str:
    return "# T\n\n" + "\n\n".join(f"## S{n}\n\n{body}" for n, body in enumerate(bodies))


@pytest.mark.parametrize("language", SENTENCES)
def test_long_text_is_cut_after_sentences_in_every_script(language: str) -> None:
    sentence = SENTENCES[language]
    document = parse(sections_of(sentence * 80), "guide.md")

    chunks = chunk(document)

    assert len(chunks) > 1
    assert {c.text[-3:] for c in chunks} == {sentence.strip()[-3:]}
    assert max(len(c.text) for c in chunks) <= TARGET


@pytest.mark.parametrize("language", SENTENCES)
@pytest.mark.parametrize("target", [40, 150, 700])
def test_chunks_are_exact_spans_in_order_that_lose_nothing(language: str, target: int) -> None:
    body = f"{SENTENCES[language] * 9}\n\n- {SENTENCES[language]}\n- {SENTENCES[language] * 30}\n\n{'ก' * 900}"
    document = parse(sections_of(body, body), "guide.md")

    chunks = chunk(document, target)

    assert all(document.text[c.start : c.end] == c.text and len(c.text) <= target for c in chunks)
    assert all(a.end <= b.start for a, b in pairwise(chunks))
    kept = "".join("".join(c.text.split()) for c in chunks)
    whole = "".join("".join(document.text[s.start : s.end].split()) for s in document.sections)
    assert kept == whole


def test_no_chunk_crosses_a_section() -> None:
    chunks = chunk(parse(sections_of("short", "short too"), "guide.md"))

    assert [(c.section, c.text) for c in chunks] == [(("T", "S0"), "short"), (("T", "S1"), "short too")]


def test_a_section_that_fits_is_one_chunk() -> None:
    body = "Intro:\n\n- one\n- two\n\nEnd."

    assert [c.text for c in chunk(parse(sections_of(body), "guide.md"))] == [body]


def test_paragraphs_are_kept_whole_before_they_are_filled_up() -> None:
    paragraph = "word " * 80
    chunks = chunk(parse(sections_of(f"{paragraph}\n\n{paragraph}"), "guide.md"))

    assert [c.text for c in chunks] == [paragraph.strip()] * 2


def test_list_items_are_not_torn() -> None:
    item = "- " + "word " * 50
    chunks = chunk(parse(sections_of("\n".join([item] * 5)), "guide.md"))

    assert all(c.text.startswith("- ") for c in chunks)


def test_a_letter_keeps_its_marks_where_there_is_nowhere_to_cut() -> None:
    unbroken = "ក្ស្ត្រី" * 200

    chunks = chunk(parse(unbroken, "guide.txt"), 101)

    assert {c.text[0] for c in chunks} == {"ក"}


def test_rules_and_other_ornaments_are_no_chunks() -> None:
    assert chunk(parse("# T\n\n* * *\n", "guide.md")) == ()


def test_a_chunk_knows_the_page_on_which_it_starts() -> None:
    text = "First page.\n\nSecond page.\n\nThird."
    starts = (0, text.index("Second"), text.index("Third"))
    document = Document(text=text, sections=(Section(path=(), start=0, end=len(text)),), pages=starts)

    assert [(c.page, c.text) for c in chunk(document, 15)] == [(1, "First page."), (2, "Second page."), (3, "Third.")]


def test_without_pages_it_knows_none() -> None:
    assert [c.page for c in chunk(parse("text", "guide.md"))] == [None]


@pytest.mark.parametrize(
    ("sentence", "word"),
    [("ผู้ป่วยต้องได้รับยาอะม็อกซีซิลลินทันที", "ผู้ป่วย"), ("患者应立即接受治疗", "患者"), ("こどもに薬を飲ませる", "こども")],
)
def test_where_no_mark_tells_words_apart_they_are_not_torn(sentence: str, word: str) -> None:
    chunks = chunk(parse(sentence * 120, "guide.txt"), 100)

    assert len(chunks) > 10
    assert not any(c.text.startswith(word[1:]) for c in chunks)
