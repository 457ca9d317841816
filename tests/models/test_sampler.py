"""Sampling: seeds that reproduce, and forms that are obeyed whatever the token budget is."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import closing

import numpy as np
import pytest
from pydantic import BaseModel, Field, ValidationError, create_model

from agents.conclusions import conclusion_type
from agents.draft import answer_form
from agents.languages import phrase
from agents.reasoner import ListedConcepts
from agents.rebuttal import rebuttal_form
from models.engine import Engine
from models.errors import EngineError
from models.llama import Weights
from models.protocol import Sampling
from models.sampler import Grammar, grammar_for
from tests.models.generations import FEVER, Heard, asked, greedy, hear

SEEDS = range(20)
ANSWER = answer_form((1, 2, 3), 4, concludes=True)
CHOICE = create_model(
    "WrittenChoice", __base__=answer_form((7,), 2, concludes=False), conclusion=(conclusion_type("ABCD"), ...)
)
BLANK_ANSWER = answer_form((), 1, concludes=True)
QUESTIONS = (
    "所見を列挙してください。生後11か月の子どもが三日前から高熱と速い呼吸を示している。",
    "اذكر العلامات السريرية. طفل عمره أحد عشر شهرا يعاني من حمى شديدة وتنفس سريع منذ ثلاثة أيام.",
)


class Measured(BaseModel):
    """A form with numbers, truth values and records."""

    class Sign(BaseModel):
        """One sign."""

        name: str
        present: bool
        degrees: float | None

    signs: list[Sign]
    age: int = Field(ge=0)


REBUTTALS = tuple(
    (create_model(f"Rebuttal{code}", __base__=rebuttal_form(letters, phrase("because", code))), sample)
    for code, letters, sample in (
        ("ja", "AB", '{"reason":"なぜなら、生後11か月で呼吸が速いから","decision":"hold","conclusion":"B"}'),
        ("th", "กข", '{"reason":"เพราะหายใจเร็ว 60 ครั้ง","decision":"revise","conclusion":"ข"}'),
        ("ar", "أب", '{"reason":"لأن التنفس سريع","decision":"hold","conclusion":"أ"}'),
    )
)

SAMPLES: list[tuple[type[BaseModel], str]] = [
    *REBUTTALS,
    (ListedConcepts, '{"conclusion": "肺炎", "concepts": ["fièvre \\"39\\u00b0\\"", "熱[2]{", "سعال"]}'),
    (
        ANSWER,
        '{"sentences":[{"text":"Give amoxicillin.","passages":[1, 3]},{"text":"高熱が続いている。","passages":[]}],'
        '"conclusion":"🫁"}',
    ),
    (CHOICE, '{"sentences":[{"text":"Count breaths","passages":[7]}],"conclusion":"C"}'),
    (BLANK_ANSWER, '{"sentences":[{"text":"Count breaths"}],"conclusion":""}'),
    (
        Measured,
        '{"signs":[{"name":"fever","present":true,"degrees":39.2},{"name":"","present":false,"degrees":null}],"age":11}',
    ),
]


@pytest.fixture
def grammar(weights: Weights, form: type[BaseModel]) -> Iterator[Grammar]:
    with closing(Grammar.begin(weights, grammar_for(json.dumps(form.model_json_schema())))) as grammar:
        yield grammar


def says(weights: Weights, tokens: list[int]) -> bytes:
    """The bytes of the tokens."""
    return b"".join(weights.piece(token) for token in tokens)


def refused(grammar: Grammar, weights: Weights, text: str) -> bool:
    """Whether the first token of `text` may not come next."""
    return not grammar.allowed(np.array(weights.tokenize_plain(text)[:1], np.int32)).size


def write(grammar: Grammar, weights: Weights, text: str) -> None:
    """Move the grammar on by `text`."""
    for token in weights.tokenize_plain(text):
        grammar.accept(token)


async def all_seeds(engine: Engine, form: type[BaseModel], max_tokens: int) -> list[Heard]:
    """One generation a seed; the questions take turns."""
    return await asyncio.gather(
        *(
            hear(engine, asked(QUESTIONS[seed % 2]), hot(seed, max_tokens), conversation=f"{seed % 2}", form=form)
            for seed in SEEDS
        )
    )


def hot(seed: int, max_tokens: int) -> Sampling:
    """Sampling that leaves much to chance."""
    return Sampling(temperature=0.8, seed=seed, max_tokens=max_tokens)


@pytest.mark.parametrize(("form", "max_tokens"), [(ListedConcepts, 24), (ANSWER, 32), (REBUTTALS[0][0], 64)])
async def test_a_form_is_whole_under_a_tight_budget(engine: Engine, form: type[BaseModel], max_tokens: int) -> None:
    heard = await all_seeds(engine, form, max_tokens)
    for generation in heard:
        form.model_validate_json(generation.text)
    assert "length" in {generation.finished.reason for generation in heard}


async def test_only_passages_that_were_shown_are_cited(engine: Engine) -> None:
    heard = await hear(engine, asked(FEVER), greedy(64), form=answer_form((3, 14), 2, concludes=True))
    cited = [number for sentence in json.loads(heard.text)["sentences"] for number in sentence["passages"]]
    assert set(cited) <= {3, 14}


async def test_a_conclusion_is_one_of_the_options(engine: Engine) -> None:
    heard = await asyncio.gather(*(hear(engine, asked(FEVER), hot(seed, 30), form=CHOICE) for seed in range(4)))
    assert {json.loads(generation.text)["conclusion"] for generation in heard} <= set("ABCD")


@pytest.mark.parametrize("form", [None, ListedConcepts], ids=["free", "form"])
async def test_a_seed_reproduces_its_text(engine: Engine, form: type[BaseModel] | None) -> None:
    one, other = await asyncio.gather(*(hear(engine, asked(FEVER), hot(7, 16), form=form) for _ in range(2)))
    assert one.finished.lane != other.finished.lane
    assert one.text == other.text


async def test_seeds_differ(engine: Engine) -> None:
    heard = await asyncio.gather(*(hear(engine, asked(FEVER), hot(seed, 16)) for seed in range(4)))
    assert len({generation.text for generation in heard}) == 4


async def test_greedy_text_does_not_depend_on_the_seed(engine: Engine) -> None:
    heard = await asyncio.gather(*(hear(engine, asked(FEVER), greedy(8, seed=seed)) for seed in range(2)))
    assert heard[0].text == heard[1].text


def test_a_seed_that_llama_cpp_takes_for_none_is_refused() -> None:
    with pytest.raises(ValidationError, match="seed"):
        Sampling(seed=0xFFFFFFFF)


@pytest.mark.parametrize(("form", "sample"), SAMPLES, ids=[form.__name__ for form, _ in SAMPLES])
def test_a_form_cut_at_any_byte_can_be_ended(
    grammar: Grammar, weights: Weights, form: type[BaseModel], sample: str
) -> None:
    written = sample.encode()
    for n in range(len(written) + 1):
        ending = grammar.ending()
        whole = (written[:n] + says(weights, ending)).decode("utf-8", "replace")
        form.model_validate_json(whole)
        assert grammar.leads_to_end(ending)
        if n < len(written):
            grammar.accept(weights.byte_tokens[written[n]])


@pytest.mark.parametrize(
    ("form", "begun", "ending"),
    [
        (ListedConcepts, '{"conclusion":"pneumonia","concepts":["fever","cou', '"]}'),
        (ListedConcepts, '{"conclusion":"pneumonia","concepts":["fever","cough"]', "}"),
        (ANSWER, '{"sentences":[{"text":"Give fluids.","passages":[1', ']}],"conclusion":""}'),
        (ANSWER, '{"sentences":[{"text":"Give', '    ","passages":[]}],"conclusion":""}'),
        (ANSWER, '{"sentences":[{"text":"Give fluids.","passages":[]}],"conclusion":""}', ""),
    ],
)
def test_the_ending_is_the_shortest(
    grammar: Grammar, weights: Weights, form: type[BaseModel], begun: str, ending: str
) -> None:
    write(grammar, weights, begun)
    assert says(weights, grammar.ending()).decode() == ending


@pytest.mark.parametrize("form", [ANSWER])
def test_an_ending_is_written_in_few_tokens(grammar: Grammar, form: type[BaseModel]) -> None:
    assert len(grammar.ending()) < 24


@pytest.mark.parametrize("form", [ListedConcepts])
def test_looking_for_the_end_does_not_move_the_grammar(grammar: Grammar, weights: Weights) -> None:
    write(grammar, weights, '{"conclusion":"","concepts":["fev')
    first = grammar.ending()
    assert grammar.ending() == first
    assert not refused(grammar, weights, "er")


@pytest.mark.parametrize("form", [ListedConcepts])
@pytest.mark.parametrize("text", ["\n", "\t", "\x7f"])
def test_a_string_holds_no_control_character(grammar: Grammar, weights: Weights, text: str) -> None:
    write(grammar, weights, '{"conclusion":"","concepts":["fever')
    assert refused(grammar, weights, text)


@pytest.mark.parametrize("form", [ListedConcepts])
def test_a_string_holds_no_control_token(grammar: Grammar, weights: Weights) -> None:
    write(grammar, weights, '{"conclusion":"","concepts":["fever')
    unspoken = np.flatnonzero(~weights.spoken).astype(np.int32)
    assert unspoken.size > 0
    assert grammar.allowed(unspoken).size == 0


@pytest.mark.parametrize("form", [ListedConcepts])
def test_the_turn_ends_only_with_the_form(grammar: Grammar, weights: Weights) -> None:
    end = np.array([weights.end_token], np.int32)
    before = grammar.allowed(end).size
    write(grammar, weights, '{"conclusion":"","concepts":["fever","cough"]}')
    assert (before, grammar.allowed(end).size) == (0, 1)


def test_a_grammar_that_llama_cpp_refuses_is_an_error(weights: Weights) -> None:
    with pytest.raises(EngineError, match="could not be turned into a grammar"):
        Grammar.begin(weights, "root ::= (")
