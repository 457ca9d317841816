"""What the record says of a question to a model and of its answer, by the names of OpenTelemetry's conventions for
generative AI (semantic conventions 1.37, `gen_ai.*` and `error.type`).

These fields stand beside the product's own, which older transcripts have alone. Knows nothing of how they are stored.
"""

from collections.abc import Mapping
from typing import Any

from autogen_core.models import ChatCompletionClient, CreateResult
from pydantic import JsonValue

from models.client import LlamaChatClient
from models.text_client import TextClient

Fields = dict[str, JsonValue]

_NAMED = ("seed", "max_tokens", "temperature", "top_k", "top_p")


def requested(client: ChatCompletionClient, agent: str, options: Mapping[str, Any], *, form: bool) -> Fields:
    """What is asked of a model: its name, every sampling parameter, and whether it is held to a form."""
    fields: Fields = {
        "gen_ai.operation.name": "chat",
        "gen_ai.agent.name": agent,
        "gen_ai.conversation.id": str(options.get("conversation", "")),
        "gen_ai.output.type": "json" if form else "text",
        **_model(client),
    }
    if isinstance(client, TextClient):
        sampling = client.sampling(options).model_dump(mode="json")
        fields["sampling"] = sampling
        fields |= {f"gen_ai.request.{name}": sampling[name] for name in _NAMED}
        fields["gen_ai.request.stop_sequences"] = sampling["stop"]
    return fields


def answered(client: ChatCompletionClient, agent: str, result: CreateResult) -> Fields:
    """What came back: why it ended, and its tokens."""
    return {
        "gen_ai.agent.name": agent,
        "gen_ai.response.finish_reasons": [result.finish_reason],
        "gen_ai.usage.input_tokens": result.usage.prompt_tokens,
        "gen_ai.usage.output_tokens": result.usage.completion_tokens,
        **_model(client),
    }


def failed(error: Exception) -> Fields:
    """What went wrong: the kind of error and its sentence."""
    kind = type(error).__name__
    return {"type": kind, "message": str(error), "error.type": kind}


def _model(client: ChatCompletionClient) -> Fields:
    where = "llama.cpp" if isinstance(client, LlamaChatClient) else "remote"
    return {"gen_ai.provider.name": where, "gen_ai.request.model": client.model_info["family"]}
