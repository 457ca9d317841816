"""A rubric: the axes on which a judge marks an answer, the words that it is asked with, and the form of its reply.

Read from `rubrics/`, or from a file of one's own. Knows nothing of models.
"""

import hashlib
import tomllib
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError, create_model

from evaluation.errors import MalformedRubric

DEFAULT = "five_axes"
_REASON = 240  # characters


class Axis(BaseModel):
    """One axis, and what its lowest and highest mark mean."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    name: str = Field(pattern=r"^[a-z][a-z_]*$")
    question: str
    worst: str
    best: str


class Rubric(BaseModel):
    """`prompt` has $question, $references, $answer, $axes, $mark, $lowest and $highest."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    name: str
    version: int
    lowest: int
    highest: int
    system: str
    prompt: str
    axes: tuple[Axis, ...] = Field(min_length=1)

    @property
    def digest(self) -> str:
        """Eight hexadecimal digits that other words do not have."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:8]

    def asked(self, question: str, references: str, answer: str, mark: str) -> str:
        """The prompt for one answer; the texts are quotations already. Raises MalformedRubric."""
        axes = "\n".join(
            f"- {a.name}: {a.question} {self.lowest}: {a.worst}; {self.highest}: {a.best}." for a in self.axes
        )
        names = {"lowest": self.lowest, "highest": self.highest, "axes": axes, "mark": mark}
        try:
            told = Template(self.prompt).substitute(names, question=question, references=references, answer=answer)
        except (KeyError, ValueError) as error:
            raise MalformedRubric(
                f"The prompt of the rubric {self.name!r} has a wrong name: {error}; see $names."
            ) from error
        return told.strip()

    def form(self) -> type[BaseModel]:
        """The form of a reply: for each axis a reason, then a mark within the scale."""
        strict = ConfigDict(extra="forbid")
        # Listed too: a grammar made of the form keeps to a list, but knows no bounds.
        listed: dict[str, JsonValue] = {"enum": [*range(self.lowest, self.highest + 1)]}
        scale = Field(ge=self.lowest, le=self.highest, strict=True, json_schema_extra=listed)
        # Only asked for: a reason that is longer is no fault.
        brief = Field(json_schema_extra={"maxLength": _REASON})
        mark = create_model("Mark", __config__=strict, reason=(str, brief), mark=(int, scale))
        fields: dict[str, Any] = {axis.name: (mark, ...) for axis in self.axes}
        form: type[BaseModel] = create_model("Marks", __config__=strict, **fields)
        return form


def rubric(name: str = DEFAULT) -> Rubric:
    """The rubric of that name among `rubrics/`, or in the file of that path. Raises MalformedRubric."""
    own = Path(name)
    try:
        text = own.read_text("utf-8") if own.suffix else _shipped(name)
        return Rubric.model_validate(tomllib.loads(text))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise MalformedRubric(f"The rubric {name!r} can't be read: {error}.") from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise MalformedRubric(f"The rubric {name!r} is not one: {place}: {first['msg']}.") from error


def _shipped(name: str) -> str:
    return files("evaluation").joinpath(f"rubrics/{name}.toml").read_text("utf-8")
