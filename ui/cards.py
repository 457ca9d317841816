"""HTML of what the page shows, built from values. Everything that comes from people, guidelines or models is escaped.

Knows nothing of Gradio.
"""

from collections.abc import Callable, Sequence
from html import escape

from agents.conclusions import named
from agents.dispute import contradiction, stance
from agents.languages import languages, phrase
from agents.messages import (
    Alarm,
    Alignment,
    Answer,
    Argument,
    CitedPassage,
    Claim,
    Concept,
    Disagreement,
    Evidence,
    FusedChain,
    FusedConcept,
    Missing,
    Reasoning,
    Rebuttal,
    Side,
)
from agents.polarity import Polarity
from knowledge.passage import Passage
from ui.translation import Translation

DocumentText = Callable[[str], str]

_CONTEXT = 1500


def text_block(text: str, language: str | None, css: str = "") -> str:
    """A paragraph block in a language, laid out in its direction; without a language the browser decides."""
    known = languages().get(language or "")
    direction = known.direction if known else "auto"
    code = f' lang="{escape(known.code)}"' if known else ""
    return f'<div class="text {css}" dir="{direction}"{code}>{escape(text)}</div>'


def header(words: Translation, models: Sequence[str], *, demonstration: bool, lacking: Sequence[Missing] = ()) -> str:
    """What the program is and is not, which model is loaded, and what every case has to do without."""
    notice = f'<span class="demonstration">{escape(words["demonstration_model"])}</span>' if demonstration else ""
    names = ", ".join(dict.fromkeys(models))
    return (
        f'<div class="masthead"><h1>{escape(words["title"])}</h1><p>{escape(words["tagline"])}</p></div>'
        f'<p class="notice" role="note">{escape(words["decision_support"])} '
        f"<bdi>{escape(words['model'])}: {escape(names)}</bdi> {notice}</p>"
        f"{missing(words, lacking)}"
    )


def alarm(found: Alarm | None) -> str:
    """A red banner with the possible emergencies of a case, in its language; nothing where there are none."""
    if found is None:
        return ""
    known = languages()[found.language]
    flags = "".join(
        f"<li><h3>{escape(flag.name)}: <bdi>{escape(flag.words)}</bdi></h3>"
        f'<p>{escape(flag.action)}</p><p class="source"><bdi>{escape(flag.source)}</bdi></p></li>'
        for flag in found.flags
    )
    return (
        f'<section class="alarm" role="alert" dir="{known.direction}" lang="{known.code}">'
        f'<h2>{escape(found.title)}</h2><p class="call">{escape(found.call)}</p><ul>{flags}</ul>'
        f'<p class="source">{escape(found.note)}</p></section>'
    )


def note(text: str) -> str:
    """A sentence of the program in the language of the case, beside its red flags; nothing where there is none."""
    return f'<p class="source" role="note" dir="auto">{escape(text)}</p>' if text else ""


def lane(words: Translation, title: str, phase: str, text: str, language: str | None, extra: str = "") -> str:
    """One side's argument while it is made. `phase` is a key of the translation."""
    return (
        f'<section class="lane" data-phase="{escape(phase)}"><h2>{escape(words[title])}'
        f'<span class="phase">{escape(words[phase])}</span></h2>{text_block(text, language)}{extra}</section>'
    )


def argument_details(words: Translation, argument: Argument) -> str:
    """What stands under a finished argument: its conclusion and concepts, or why there is none."""
    reasoning, chain = argument.reasoning, argument.chain
    if reasoning.status == "unavailable":
        return f'<p class="fault">{escape(words["unavailable"])}: <bdi>{escape(reasoning.reason)}</bdi></p>'
    concepts = "".join(_listed(words, concept) for concept in chain.concepts)
    listed = f'<ol class="concepts">{concepts}</ol>' if concepts else f"<p>{escape(words['no_concepts'])}</p>"
    conclusion = (
        f"<h3>{escape(words['conclusion'])}</h3>"
        f"{text_block(named(reasoning.conclusion, reasoning.meaning), reasoning.language)}"
        if reasoning.conclusion
        else ""
    )
    wrong = f'<p class="fault"><bdi>{escape(reasoning.fault)}</bdi></p>' if reasoning.fault else ""
    return f"{rendering_faults(words, reasoning)}{wrong}{conclusion}{listed}"


def rendering_faults(words: Translation, reasoning: Reasoning) -> str:
    """One line that says what the English rendering may have wrong; nothing where it may be right."""
    found = " · ".join(fault.words for fault in reasoning.rendering_faults)
    said = f"{escape(words['rendering_faults'])}: <bdi>{escape(found)}</bdi>"
    return f'<p class="fault rendering">{said}</p>' if found else ""


def rebuttal(words: Translation, said: Rebuttal) -> str:
    """What a side said to the other: whether it holds or changed its conclusion, from what to what, and why."""
    title = words["held"] if said.decision == "hold" else words["revised"]
    reason = text_block(said.reason, said.language) if said.reason else f'<p class="fault">{escape(said.fault)}</p>'
    changed = _change(words, said) if said.decision == "revise" else ""
    return f'<div class="rebuttal {said.decision}"><h3>{escape(title)}</h3>{reason}{changed}</div>'


def _change(words: Translation, said: Rebuttal) -> str:
    items = "".join(_listed(words, concept) for concept in said.concepts.concepts) if said.concepts else ""
    listed = f'<ol class="concepts">{items}</ol>' if items else ""
    if said.before == said.conclusion:
        return listed
    return (
        f"<h3>{escape(words['before'])}</h3>{text_block(said.before, said.language, 'former')}"
        f"<h3>{escape(words['conclusion'])}</h3>{text_block(said.conclusion, said.language)}{listed}"
    )


def answering(words: Translation, text: str, language: str | None) -> str:
    """A rebuttal as far as it is written."""
    return f'<div class="rebuttal"><h3>{escape(words["rebuttal"])}</h3>{text_block(text, language)}</div>'


def _listed(words: Translation, concept: Concept) -> str:
    kind = f' title="{escape(words[concept.kind])}"' if concept.kind else ""
    return f'<li dir="auto"{kind}>{escape(concept.name)}{_polarity(words, concept.polarity)}</li>'


def _polarity(words: Translation, polarity: Polarity) -> str:
    """A mark on what is denied or forbidden; what is asserted bears none."""
    return "" if polarity == "present" else f' <span class="polarity {polarity}">{escape(words[polarity])}</span>'


def fused_chain(words: Translation, alignment: Alignment) -> str:
    """The fused chain with each concept's status; what stayed aside comes after it, then what contradicts what."""
    fused = alignment.fused
    if not fused.concepts and not fused.aside:
        nothing = escape(words["no_concepts"])
        return f'<section class="chain"><h2>{escape(words["fused_chain"])}</h2><p>{nothing}</p></section>'
    shown = dict.fromkeys(c.status for c in (*fused.concepts, *fused.aside))
    legend = "".join(f'<li class="{status}">{escape(words[status])}</li>' for status in shown)
    inside = "".join(_concept(words, c) for c in fused.concepts)
    aside = "".join(_concept(words, c) for c in fused.aside)
    return (
        f'<section class="chain"><h2>{escape(words["fused_chain"])}</h2><ol>{inside}</ol>'
        f"{f'<ul class=aside>{aside}</ul>' if aside else ''}{_contradictions(words, fused)}"
        f'<ul class="legend">{legend}</ul></section>'
    )


def _contradictions(words: Translation, fused: FusedChain) -> str:
    if not fused.contradictions:
        return ""
    rows = "".join(
        f"<dt>{escape(words[side])}</dt>"
        f'<dd dir="auto">{escape(name)} <span class="polarity {polarity}">{escape(words[polarity])}</span></dd>'
        for found in fused.contradictions
        for side, name, polarity in (
            ("english_reasoner", found.english, found.english_polarity),
            ("local_clinician", found.local, found.local_polarity),
        )
    )
    return f'<div class="contradictions" role="note"><h3>{escape(words["contradictions"])}</h3><dl>{rows}</dl></div>'


def _concept(words: Translation, concept: FusedConcept) -> str:
    both = f' <bdi class="local">{escape(concept.local_name)}</bdi>' if concept.local_name else ""
    kind = f"{words[concept.kind]} · " if concept.kind else ""
    cosine = "" if concept.similarity is None else f" · {words['similarity']} {concept.similarity:.2f}"
    near = f" · {concept.anchor}" if concept.anchor else ""
    title = escape(f"{kind}{words[concept.status]}{cosine}{near}")
    said = _polarity(words, concept.polarity)
    # Who hears the page, or has no pointer to hold over it, is told the status too.
    status = f'<span class="unseen">{escape(words[concept.status])}: </span>'
    return f'<li class="{concept.status}" title="{title}">{status}<bdi>{escape(concept.name)}</bdi>{both}{said}</li>'


def evidence(words: Translation, alignment: Alignment, document_text: DocumentText) -> str:
    """The passages as cards that open in their document; those too far from the case stand apart."""
    found = alignment.evidence
    cards = "".join(_card(words, p, document_text) for p in found.passages if p.relevant)
    far = "".join(_card(words, p, document_text) for p in found.passages if not p.relevant)
    head = f'<section class="evidence"><h2>{escape(words["evidence"])}</h2>'
    body = cards or f"<p>{escape(words['no_evidence'])}</p>"
    held = f'<p class="withheld">{escape(words["withheld"])}: {len(found.withheld)}</p>' if found.withheld else ""
    reason = f'<p class="fault"><bdi>{escape(found.reason)}</bdi></p>' if found.reason else ""
    aside = f"<details class=far><summary>{escape(words['not_relevant'])}</summary>{far}</details>" if far else ""
    return f"{head}{reason}{body}{held}{aside}</section>"


def _card(words: Translation, cited: CitedPassage, document_text: DocumentText) -> str:
    passage = cited.passage
    flags = [words["expired"]] if cited.expired else []
    flags += [words["demonstration_material"]] if passage.demonstration else []
    where = [f"{words['page']} {passage.page}"] if passage.page else []
    source = " · ".join((passage.publisher, passage.jurisdiction, f"{words['edition']} {passage.edition}", *where))
    marks = "".join(f'<span class="flag">{escape(flag)}</span>' for flag in flags)
    section = " / ".join(passage.section)
    return (
        f'<article class="card" id="passage-{cited.number}" tabindex="-1">'
        f'<h3><span class="number">{cited.number}</span> '
        f'<bdi lang="{escape(passage.language)}">{escape(passage.document_title)}</bdi></h3>'
        f'<p class="source"><bdi>{escape(section)}</bdi> · <bdi>{escape(source)}</bdi> {marks}</p>'
        f"{text_block(passage.text, passage.language)}"
        f"<details><summary>{escape(words['open_passage'])}</summary>"
        f"{_in_context(words, passage, document_text(passage.document))}"
        f'<p class="source"><code>{escape(passage.id)}</code> <code>{escape(passage.sha256[:23])}…</code></p>'
        f"</details></article>"
    )


def _in_context(words: Translation, passage: Passage, text: str) -> str:
    if not text:
        return f'<p class="fault">{escape(words["unavailable"])}</p>'
    start, end, known = passage.start, passage.end, languages().get(passage.language)
    before, after = text[max(0, start - _CONTEXT) : start], text[end : end + _CONTEXT]
    return (
        f'<div class="text document" dir="{known.direction if known else "auto"}" lang="{escape(passage.language)}">'
        f"{'…' if start > _CONTEXT else ''}{escape(before)}<mark>{escape(text[start:end])}</mark>{escape(after)}"
        f"{'…' if len(text) > end + _CONTEXT else ''}</div>"
    )


def answer(words: Translation, given: Answer, found: Evidence | None, transcript: str = "") -> str:
    """The answer with citations; unsupported sentences are marked; what is in dispute or missing stands above.

    Without a usable text of the model it names the passages of `found`, which stand below it in full.
    """
    title = words["answer"] if given.mode == "synthesized" else words[given.mode]
    body = _synthesized(words, given) if given.mode == "synthesized" else _unsynthesized(given, found)
    code = escape(transcript)
    record = f'<p class="record">{escape(words["transcript"])} <code>{code}</code></p>' if transcript else ""
    return (
        f"{disagreement(given)}{missing(words, given.missing)}"
        f'<section class="answer" data-mode="{given.mode}"><h2>{escape(title)}</h2>'
        f"{body}{_conclusion(words, given)}{record}</section>"
    )


def _synthesized(words: Translation, given: Answer) -> str:
    return "".join(_claim(words, claim, given.language) for claim in given.claims)


def _conclusion(words: Translation, given: Answer) -> str:
    if not given.conclusion:
        return ""
    sure = given.conclusion not in given.unsupported
    concluded = Claim(text=named(given.conclusion, given.meaning), passages=(), supported=sure)
    return f"<h3>{escape(words['conclusion'])}</h3>{_claim(words, concluded, given.language)}"


def _unsynthesized(given: Answer, found: Evidence | None) -> str:
    if given.mode == "no_answer" or found is None:
        return text_block(given.text, given.language)
    items = "".join(
        f'<li><a class="citation" href="#passage-{p.number}">[{p.number}]</a> '
        f'<bdi lang="{escape(p.passage.language)}">{escape(" / ".join((p.passage.document_title, *p.passage.section)))}'
        "</bdi></li>"
        for p in found.relevant
    )
    said = [given.reason, phrase("agreed", given.language) if given.conclusion else ""]
    intro = " ".join([*filter(None, said), phrase("evidence_only", given.language)])
    return f'{text_block(intro, given.language)}<ul class="passages">{items}</ul>'


def disagreement(given: Answer) -> str:
    """A banner with both conclusions where they differ, who holds which and why, in the language of the answer.

    Where both sides conclude one thing and the answer another, that stands first.
    """
    if given.disagreement is None and not given.against:
        return ""
    known = languages()[given.language]
    against = f"<h2>{escape(given.against)}</h2>" if given.against else ""
    differing = _differing(given.disagreement, known.code) if given.disagreement else ""
    return (
        f'<section class="disagreement" role="alert" dir="{known.direction}" lang="{known.code}">'
        f"{against}{differing}</section>"
    )


def _differing(found: Disagreement, say: str) -> str:
    contradictions = "".join(f"<p>{escape(contradiction(c, say))}</p>" for c in found.contradictions)
    return (
        f"<h2>{escape(phrase('disagreement', say))}</h2><p>{escape(phrase('weigh', say))}</p><dl>"
        f"{_stand(found, 'english', found.english, say)}{_stand(found, 'local', found.local, say)}</dl>"
        f"{contradictions}"
    )


def _stand(found: Disagreement, side: Side, conclusion: str, say: str) -> str:
    stances = "".join(_stance(r, say) for r in found.rebuttals if r.side == side)
    return f"<dt>{escape(phrase(f'{side}_side', say))}</dt><dd dir=auto>{escape(conclusion or '-')}</dd>{stances}"


def _stance(said: Rebuttal, say: str) -> str:
    # A reason in another script must not carry the sentence around it along.
    reason = escape(said.reason or said.fault)
    return f'<dd class="stance" dir="auto">{escape(stance(said, say)).replace(reason, f"<bdi>{reason}</bdi>")}</dd>'


def missing(words: Translation, parts: Sequence[Missing]) -> str:
    """What there was to do without, and why; nothing where all was there."""
    if not parts:
        return ""
    items = "".join(
        f'<li dir="auto">{escape(part.text)} <span class="source"><bdi>{escape(part.reason)}</bdi></span></li>'
        for part in parts
    )
    return f'<section class="missing" role="note"><h2>{escape(words["missing"])}</h2><ul>{items}</ul></section>'


def _claim(words: Translation, claim: Claim, language: str) -> str:
    known = languages()[language]
    links = "".join(_link(number) for number in claim.passages)
    mark = "" if claim.supported else f' <span class="flag">{escape(words["unsupported"])}</span>'
    css = "claim" if claim.supported else "claim unsupported"
    return f'<p class="{css}" dir="{known.direction}" lang="{known.code}">{escape(claim.text)} {links}{mark}</p>'


def _link(number: int) -> str:
    return f'<a class="citation" href="#passage-{number}">[{number}]</a>'


def status(text: str, css: str = "") -> str:
    """The line that says what is going on."""
    return f'<p class="status {css}" role="status"><bdi>{escape(text)}</bdi></p>' if text else ""
