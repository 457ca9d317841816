import json
from pathlib import Path

import pytest
from llama_cpp.llama_grammar import json_schema_to_gbnf
from pydantic import ValidationError

from evaluation.errors import MalformedRubric
from evaluation.rubric import rubric

REPLY = {name: {"reason": "it does", "mark": 4} for name in ("quality", "correctness", "completeness")}
REPLY |= {name: {"reason": "it does", "mark": 5} for name in ("safety", "hallucination")}


def test_the_shipped_rubric_has_the_five_axes() -> None:
    assert [axis.name for axis in rubric().axes] == [*REPLY]


def test_a_prompt_holds_everything_that_is_to_be_marked() -> None:
    asked = rubric().asked("<question>", "<references>", "<answer>", "mark-7")

    assert all(part in asked for part in ("<question>", "<references>", "<answer>", "mark-7", "- safety:", "5: "))
    assert "$" not in asked


def test_dollars_in_an_answer_are_left_as_they_are() -> None:
    assert "costs $mark" in rubric().asked("q", "r", "costs $mark", "m")


def test_a_reply_of_the_form_is_read() -> None:
    assert rubric().form().model_validate(REPLY).model_dump() == REPLY


@pytest.mark.parametrize("mark", [0, 6, "4", 4.5, True])
def test_a_mark_off_the_scale_is_no_mark(mark: object) -> None:
    with pytest.raises(ValidationError):
        rubric().form().model_validate(REPLY | {"safety": {"reason": "", "mark": mark}})


def test_a_grammar_of_the_form_allows_no_mark_off_the_scale() -> None:
    grammar = json_schema_to_gbnf(json.dumps(rubric().form().model_json_schema()))

    (marks,) = [line for line in grammar.splitlines() if line.startswith("Mark-mark ::=")]
    assert marks == 'Mark-mark ::= "1" | "2" | "3" | "4" | "5"'


def test_a_reply_without_an_axis_is_refused() -> None:
    with pytest.raises(ValidationError, match="hallucination"):
        rubric().form().model_validate({name: entry for name, entry in REPLY.items() if name != "hallucination"})


def test_a_rubric_of_ones_own_is_read_from_its_file(tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text(
        'name="own"\nversion=2\nlowest=0\nhighest=1\nsystem="s"\nprompt="$question $axes"\n'
        '[[axes]]\nname="kind"\nquestion="?"\nworst="no"\nbest="yes"\n'
    )

    assert rubric(str(own)).asked("q", "r", "a", "m") == "q - kind: ? 0: no; 1: yes."


@pytest.mark.parametrize(
    ("text", "said"),
    [("name = ", "can't be read"), ('name = "x"', "version: Field required"), (None, "can't be read")],
)
def test_a_file_that_is_no_rubric_is_refused(text: str | None, said: str, tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    if text is not None:
        own.write_text(text)

    with pytest.raises(MalformedRubric, match=said):
        rubric(str(own))


def test_a_prompt_with_an_unknown_name_is_refused() -> None:
    with pytest.raises(MalformedRubric, match="wrong name"):
        rubric().model_copy(update={"prompt": "$patient"}).asked("q", "r", "a", "m")
