"""Chat templates: how a list of messages becomes the text that a model was trained on.

Templates are pinned in `templates.toml`. What people, guidelines or models wrote is kept apart from the
template's own control tokens, so that a `<|im_start|>` typed into a case stays plain text. Knows nothing of
tokenization or of engines.
"""

import tomllib
from functools import cache
from importlib.resources import files
from typing import Literal

from pydantic import BaseModel, ConfigDict

from models.errors import UnknownModel

Role = Literal["system", "user", "assistant"]


class Segment(BaseModel):
    """A piece of a prompt; `control` says whether special tokens in it are the template's own."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    text: str
    control: bool = False


class ChatMessage(BaseModel):
    """One message of a conversation, in its author's words."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    role: Role
    content: str


class Turn(BaseModel):
    """The control text around a message of one role."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    open: str
    close: str


class ChatTemplate(BaseModel):
    """The control text of one model family."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    begin: str
    user: Turn
    assistant: Turn
    system: Turn | None = None


@cache
def _templates() -> dict[str, ChatTemplate]:
    raw = tomllib.loads(files("models").joinpath("templates.toml").read_text("utf-8"))
    return {name: ChatTemplate.model_validate(entry) for name, entry in raw.items()}


def chat_template(name: str) -> ChatTemplate:
    """The pinned template `name`. Raises UnknownModel where there is none."""
    try:
        return _templates()[name]
    except KeyError:
        known = ", ".join(sorted(_templates()))
        raise UnknownModel(f"There is no chat template named {name!r}; the registry may name one of {known}.") from None


def render(template: ChatTemplate, messages: tuple[ChatMessage, ...]) -> tuple[Segment, ...]:
    """The prompt for `messages`, ending where the assistant begins to speak.

    Where a family knows no system messages, theirs stand before the next message's own text.
    """
    segments = [Segment(text=template.begin, control=True)] if template.begin else []
    held: list[Segment] = []
    for message in messages:
        turn = {"system": template.system, "user": template.user, "assistant": template.assistant}[message.role]
        if turn is None:
            held.append(Segment(text=f"{message.content}\n\n"))
            continue
        segments += [
            Segment(text=turn.open, control=True),
            *held,
            Segment(text=message.content),
            Segment(text=turn.close, control=True),
        ]
        held = []
    if held:
        opened, closed = (Segment(text=text, control=True) for text in (template.user.open, template.user.close))
        segments += [opened, *held, closed]
    segments.append(Segment(text=template.assistant.open, control=True))
    return tuple(segments)


def system_segments(template: ChatTemplate) -> int:
    """How many of a prompt's first segments a system message takes that opens it: a turn, or the user's until there."""
    return bool(template.begin) + (3 if template.system else 2)


def divided(prompt: tuple[Segment, ...], beginning: str) -> tuple[tuple[Segment, ...], int]:
    """The prompt with the first text that begins so cut in two there, and how many segments that makes until the cut.

    The prompt as it was, and 0, where no text begins so.
    """
    for n, segment in enumerate(prompt):
        if beginning and not segment.control and segment.text.startswith(beginning):
            rest = Segment(text=segment.text.removeprefix(beginning))
            return (*prompt[:n], Segment(text=beginning), rest, *prompt[n + 1 :]), n + 1
    return prompt, 0
