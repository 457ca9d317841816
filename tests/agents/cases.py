"""A child with pneumonia, passages that speak to her, and the models of the test set."""

from agents.messages import Alignment, Case, CitedPassage, Disagreement, Evidence, FusedChain
from knowledge.passage import Passage, passage_id, text_hash
from models.chat_template import chat_template
from models.client import LlamaChatClient
from models.engine import Engine
from models.protocol import Sampling
from models.registry import Registry

MODEL = Registry.load().card("smollm2-135m-instruct-q4_1")
EMBEDDER = Registry.load().card("multilingual-e5-small")

SPANISH = "Niña de 3 años con tos, fiebre de 39 °C y 52 respiraciones por minuto. ¿Qué antibiótico?"
ENGLISH = "A 3-year-old girl with cough, fever of 39 °C and 52 breaths per minute. Which antibiotic?"


def client(engine: Engine) -> LlamaChatClient:
    return LlamaChatClient(engine, chat_template(MODEL.chat_template), Sampling(), MODEL.name)


def case(text: str = SPANISH, language: str = "es", options: tuple[str, ...] = ()) -> Case:
    return Case(text=text, language=language, language_found="given", options=options)


def cited(number: int, text: str, language: str = "en", *, relevant: bool = True) -> CitedPassage:
    """Passage [number] of a guideline that consists of it."""
    passage = Passage(
        id=passage_id("0" * 64, number, number + len(text)),
        document="0" * 64,
        document_title="Neumonía infantil" if language == "es" else "Childhood pneumonia",
        pack=f"test-{language}",
        publisher="Ministry of tests",
        jurisdiction="INT",
        language=language,
        edition="2026.11",
        effective=None,
        expires=None,
        section=("Tratamiento" if language == "es" else "Treatment",),
        page=None,
        start=number,
        end=number + len(text),
        text=text,
        sha256=text_hash(text),
        demonstration=True,
    )
    return CitedPassage(number=number, passage=passage, similarity=0.9, score=0.03, relevant=relevant, expired=False)


AMOXICILLIN = cited(1, "Give oral amoxicillin 40 mg/kg twice daily for 5 days to a child with pneumonia.")
AMOXICILINA = cited(2, "Dar amoxicilina oral 40 mg/kg dos veces al día durante 5 días al niño con neumonía.", "es")


def alignment(*passages: CitedPassage, disagreement: Disagreement | None = None) -> Alignment:
    """What the aligner hands on where it found these passages."""
    return Alignment(
        fused=FusedChain(strategy="grounded", threshold=0.86, concepts=()),
        evidence=Evidence(
            status="found" if any(p.relevant for p in passages) else "none_relevant",
            query_mode="chain",
            queries=(SPANISH,),
            version="1",
            passages=passages,
        ),
        disagreement=disagreement,
        spans=(),
    )
