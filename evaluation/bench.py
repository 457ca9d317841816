"""The engine against others and against itself, side by side in one run: `python -m evaluation.bench`.

Prints one Markdown table of medians, a row a measure, and a line about the machine. In each run the two sides of a
measure follow each other, so that the machine's moods strike both. Knows nothing of scores.
"""

import argparse
import asyncio
import importlib.metadata
import json
import platform
import shutil
import signal
import tempfile
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from autogen_core import CancellationToken
from autogen_core.models import ChatCompletionClient, CreateResult, LLMMessage, SystemMessage, UserMessage

from agents.consultation import Outcome, prepare
from agents.languages import language
from agents.reasoner import ListedConcepts, case_text
from agents.settings import load_settings
from agents.speaker import prompt
from agents.team import Role
from agents.workspace import Workspace
from evaluation.contenders import CONTEXT, AutoGenClients, BareLoop, Messages, OneLlama, Said, Server, cores
from knowledge.shipped import starter_packs
from models.chat_template import ChatMessage, Segment, chat_template, render, system_segments
from models.client import LlamaChatClient
from models.engine import Engine
from models.errors import ModelError
from models.protocol import EngineSettings, Finished, Piece, Sampling
from models.registry import ModelCard, Registry
from models.weights import WeightStore

_MODELS = ("smollm2-135m-instruct-q4_1", "qwen2.5-coder-1.5b-instruct-q4_k_m")
_TOKENS = 128
_MODE_TOKENS = 48
_CROWD = 8
_COMMON = 600  # tokens
_LENGTHS = (300, 1500, 3000)  # tokens of a prompt: an argument's, an answer's, the longest
_BUSY_S = 0.5  # in which even the test model has neither read the common tokens nor written its answer
_STOP_S = 0.2
_FORM = json.dumps(ListedConcepts.model_json_schema())
_ENGLISH_CASE = "Child of 3 with cough, fever and 48 breaths per minute, no chest indrawing. Which drug?"
_SPANISH_CASE = "Niño de 3 años con tos, fiebre y 48 respiraciones por minuto, sin tiraje. ¿Qué tratamiento?"
_TOPICS = (
    "malaria",
    "hypertension",
    "anaphylaxis",
    "tuberculosis",
    "diabetes",
    "pre-eclampsia",
    "dehydration",
    "sepsis",
)


class Sides(NamedTuple):
    """One run of a measure: seconds (or another figure) of ours and of the other, and whether both said the same."""

    ours: float
    other: float
    same: bool | None = None


class Measure(NamedTuple):
    """A row of the table; `bar` is the ratio that it must not exceed (or fall below, where `at_least`)."""

    name: str
    against: str
    bar: float
    run: Callable[[int], Awaitable[Sides]]
    unit: str = "s"
    at_least: bool = False


class Bench:
    """One model and the engines over it."""

    def __init__(self, card: ModelCard, path: Path, opened: ExitStack) -> None:
        self.card, self.path, self.opened = card, path, opened
        self.template = chat_template(card.chat_template)
        self.pair = reasoners_questions()
        self.crowd = tuple(_question(f"Explain {topic} to a student, in detail.") for topic in _TOPICS)

    def engine(self, **settings: object) -> Engine:
        """An engine of its own settings, opened."""
        chosen = EngineSettings.model_validate({"context_length": CONTEXT, "sequences": _CROWD, **settings})
        cache = Path(tempfile.mkdtemp(prefix="coreasoner-bench-"))
        self.opened.callback(shutil.rmtree, cache)
        return self.opened.enter_context(closing(Engine(lambda: self.path, chosen, lambda _: cache)))

    def tokens(self, messages: Messages) -> tuple[Segment, ...]:
        """The prompt as the model reads it."""
        return render(self.template, messages)

    async def ask(
        self, engine: Engine, questions: Sequence[Messages], max_tokens: int, run: str, *, static: bool = False
    ) -> Said:
        """All questions at once, each a conversation of its own; nothing is found in a cache, unless system prompts."""
        start = time.perf_counter()
        known = system_segments(self.template) if static else 0
        heard = await asyncio.gather(
            *(
                listen(engine, self.tokens(messages), max_tokens, f"{run}/{number}", static=known)
                for number, messages in enumerate(questions)
            )
        )
        seconds = time.perf_counter() - start
        return Said(tuple(h.text for h in heard), sum(h.finished.completion_tokens for h in heard), seconds)


class Turn(NamedTuple):
    """One generation: its text, the seconds to its first piece, and the engine's figures."""

    text: str
    first_s: float
    finished: Finished


async def listen(
    engine: Engine,
    asked: tuple[Segment, ...],
    max_tokens: int,
    conversation: str,
    form: str | None = None,
    static: int = 0,
) -> Turn:
    """Generate greedily and measure. Raises ModelError."""
    sampling = Sampling(temperature=0.0, repeat_penalty=1.0, max_tokens=max_tokens)
    start, first, text = time.perf_counter(), 0.0, ""
    async for event in engine.generate(conversation, asked, sampling, form, static=static):
        if isinstance(event, Piece):
            first = first or time.perf_counter() - start
            text += event.text
        else:
            finished = event
    return Turn(text, first or time.perf_counter() - start, finished)


def _question(text: str) -> Messages:
    return (ChatMessage(role="user", content=text),)


def reasoners_questions() -> tuple[Messages, Messages]:
    """The first questions of both reasoners."""
    spanish = language("es")
    local = prompt(
        "reasoner_local", language=spanish.name, jurisdiction=spanish.jurisdiction, instruction=spanish.instruction
    )
    return (
        (
            ChatMessage(role="system", content=prompt("reasoner_english")),
            ChatMessage(role="user", content=case_text(_ENGLISH_CASE, ())),
        ),
        (
            ChatMessage(role="system", content=local),
            ChatMessage(role="user", content=case_text(_SPANISH_CASE, ())),
        ),
    )


def _sides(ours: Said, other: Said) -> Sides:
    """Seconds a token, times the tokens of ours: who says less has not been faster."""
    return Sides(ours.seconds, other.seconds / max(1, other.tokens) * ours.tokens, ours.texts == other.texts)


def against_others(bench: Bench, llama_server: str | None) -> Iterator[Measure]:
    """Two agents and a crowd against other people's interfaces over the same weights."""
    small = "135m" in bench.card.name
    opened, engine, forgetful = bench.opened, bench.engine(), bench.engine(prefix_memory=0)
    one = opened.enter_context(closing(OneLlama(bench.path)))

    def versus(
        questions: Sequence[Messages],
        other: Callable[[Sequence[Messages], int], Awaitable[Said]],
        name: str,
        *,
        static: bool = False,
    ) -> Callable[[int], Awaitable[Sides]]:
        async def run(number: int) -> Sides:
            theirs = await other(questions, _TOKENS)
            asked = engine if static else forgetful
            return _sides(await bench.ask(asked, questions, _TOKENS, f"{name}{number}", static=static), theirs)

        return run

    def rows(
        against: str, bar: float, other: Callable[[Sequence[Messages], int], Awaitable[Said]]
    ) -> Iterator[Measure]:
        yield Measure("two agents", against, bar, versus(bench.pair, other, against))
        told = versus(bench.pair, other, f"{against}, told before", static=True)
        yield Measure("two agents, system prompts known", against, bar, told)

    yield from rows("one Llama, one after the other", 0.66 if small else 0.95, one.ask)
    clients = opened.enter_context(closing(AutoGenClients(bench.path, 2)))
    yield from rows("AutoGen's llama.cpp client", 0.7 if small else 0.97, clients.ask)
    server = opened.enter_context(closing(Server(bench.path, 2)))
    yield from rows("llama_cpp.server", 0.7 if small else 0.97, server.ask)
    if llama_server:
        binary = opened.enter_context(closing(Server(bench.path, 2, llama_server)))
        yield from rows("llama-server, two slots", 1.0, binary.ask)
    bar = 0.66 if small else 0.88
    yield Measure(f"{_CROWD} texts", "one Llama, one after the other", bar, versus(bench.crowd, one.ask, "crowd"))


def modes(bench: Bench) -> Iterator[Measure]:
    """The lanes that calibration chose against every fixed way, for 1, 2, 4 and 8 texts."""
    chosen = bench.engine()
    fixed = {
        "sequential": bench.engine(lanes=1, sequences=1),
        "lanes": bench.engine(lanes=_CROWD, sequences=_CROWD),
        "batch": bench.engine(lanes=1),
    }

    def versus(texts: int, name: str) -> Callable[[int], Awaitable[Sides]]:
        questions = bench.crowd[:texts]

        async def run(number: int) -> Sides:
            ours = await bench.ask(chosen, questions, _MODE_TOKENS, f"m{name}{number}")
            return _sides(ours, await bench.ask(fixed[name], questions, _MODE_TOKENS, f"m{number}"))

        return run

    for texts in (1, 2, 4, 8):
        for name in fixed:
            yield Measure(f"chosen mode, {texts} texts", name, 1.05, versus(texts, name))


def _filler(engine: Engine, tokens: int = _COMMON) -> str:
    sentence = "The guideline says that every child with cough is examined for fast breathing. "
    return sentence * (tokens // engine.count((Segment(text=sentence),)))


def prefixes(bench: Bench) -> Iterator[Measure]:
    """What shared beginnings save until the first token."""
    engine = bench.engine()
    common = _filler(engine)
    questions = [
        (ChatMessage(role="user", content=common + question),) for question in ("Which drug?", "When to refer?")
    ]

    async def both(conversations: Sequence[str]) -> float:
        turns = await asyncio.gather(
            *(listen(engine, bench.tokens(q), 1, c) for q, c in zip(questions, conversations, strict=True))
        )
        return max(turn.first_s for turn in turns)

    async def shared(number: int) -> Sides:
        apart = await both([f"p{number}/a", f"p{number}/b"])
        return Sides(await both([f"p{number}", f"p{number}"]), apart)

    async def follow_up(number: int) -> Sides:
        first = await listen(engine, bench.tokens(questions[0]), 16, f"f{number}")
        answer = ChatMessage(role="assistant", content=first.text)
        more = (*questions[0], answer, ChatMessage(role="user", content="And in a child under two months?"))
        second = await listen(engine, bench.tokens(more), 16, f"f{number}")
        return Sides(second.first_s, first.first_s)

    yield Measure(f"first token of two prompts with {_COMMON} tokens in common", "read twice", 0.6, shared)
    yield Measure("first token of a second question", "the first question", 0.4, follow_up)


def costs(bench: Bench) -> Iterator[Measure]:
    """What a grammar costs, and what the engine costs over llama.cpp's bare calls."""
    engine = bench.engine(lanes=1, sequences=1)
    bare = bench.opened.enter_context(closing(BareLoop(bench.path)))
    client = LlamaChatClient(engine, bench.template, Sampling(repeat_penalty=1.0, max_tokens=_TOKENS))
    messages = bench.pair[0]

    def speed(turn: Turn) -> float:
        return turn.finished.completion_tokens / turn.finished.decode_s

    async def grammar(number: int) -> Sides:
        free = await listen(engine, bench.tokens(messages), _TOKENS, f"g{number}")
        forced = await listen(engine, bench.tokens(messages), _TOKENS, f"h{number}", _FORM)
        return Sides(speed(forced), speed(free))

    async def overhead(number: int) -> Sides:
        theirs = await asyncio.to_thread(bare.ask, bench.tokens(messages), _TOKENS)
        start = time.perf_counter()
        asked: list[LLMMessage] = [
            SystemMessage(content=messages[0].content),
            UserMessage(content=messages[1].content, source="clinician"),
        ]
        said = [item async for item in client.create_stream(asked, extra_create_args={"conversation": f"o{number}"})]
        seconds = time.perf_counter() - start
        result = said[-1]
        assert isinstance(result, CreateResult)
        return _sides(Said((str(result.content),), result.usage.completion_tokens, seconds), theirs)

    yield Measure("constrained tokens a second", "free", 0.9, grammar, "tokens/s", at_least=True)
    yield Measure("worker, messages and client", "the bare calls", 1.03, overhead)


def attention(bench: Bench) -> Iterator[Measure]:
    """What a processor loses without flash attention, whose last bits depend on how many threads were free."""
    one: dict[str, object] = {"context_length": 4096, "lanes": 1, "sequences": 1, "prefix_memory": 0}
    without, usual = (bench.engine(**one, flash_attention=how) for how in ("off", "on"))
    heard: dict[tuple[int, int], tuple[Turn, Turn]] = {}

    def versus(tokens: int, figure: Callable[[Turn], float]) -> Callable[[int], Awaitable[Sides]]:
        asked = bench.tokens(_question(f"{_filler(usual, tokens)} Explain it to a student, in detail."))

        async def run(number: int) -> Sides:
            # Reading takes most of it, so both rows are of the same turns.
            if (tokens, number) not in heard:
                plain = await listen(without, asked, _MODE_TOKENS, f"a{number}")
                heard[tokens, number] = plain, await listen(usual, asked, _MODE_TOKENS, f"a{number}")
            ours, other = heard[tokens, number]
            return Sides(figure(ours), figure(other))

        return run

    for tokens in _LENGTHS:
        written = versus(tokens, lambda turn: turn.finished.completion_tokens / turn.finished.decode_s)
        yield Measure(
            f"tokens a second behind {tokens}, plain attention", "flash attention", 0.95, written, "/s", at_least=True
        )
        read = versus(tokens, lambda turn: turn.first_s)
        yield Measure(f"reading {tokens} tokens, plain attention", "flash attention", 1.05, read)


def stops(bench: Bench) -> Iterator[Measure]:
    """How long the only lane stays taken after its text was stopped."""
    engine = bench.engine(lanes=1, sequences=1)
    doing = {"reads": _question(_filler(engine) + "Which drug?"), "writes": bench.crowd[0]}

    def freed(what: str) -> Callable[[int], Awaitable[Sides]]:
        async def run(number: int) -> Sides:
            stopped = asyncio.ensure_future(listen(engine, bench.tokens(doing[what]), _TOKENS, f"{what}{number}"))
            await asyncio.sleep(_BUSY_S)
            if not stopped.cancel():
                raise RuntimeError("the text came to its end before it was stopped")
            following = await listen(engine, bench.tokens(_question("Which drug?")), 1, f"{what}{number}/next")
            return Sides(following.finished.queued_s, _STOP_S)

        return run

    for what in doing:
        yield Measure(f"a lane's stop while it {what}", "the limit", 1.0, freed(what))


class Forgetful(Workspace):
    """An installation that reads every prompt from its first token."""

    def client(self, role: Role) -> ChatCompletionClient:
        """A client that names no conversation and no static text."""
        name = self.model(role)
        return _Fresh(self.engine(name), chat_template(self.registry.card(name).chat_template), Sampling(), name)


class _Fresh(LlamaChatClient):
    def create_stream(
        self, messages: Sequence[LLMMessage], *, extra_create_args: Mapping[str, Any] = {}, **rest: Any
    ) -> AsyncGenerator[str | CreateResult, None]:
        """The same without what could find a cache."""
        args = {
            key: value for key, value in extra_create_args.items() if key not in ("conversation", "static", "public")
        }
        return super().create_stream(messages, extra_create_args=args, **rest)


def whole_case(bench: Bench) -> Iterator[Measure]:
    """Both arguments, chains and synthesis on the starter guidelines, with shared prefixes and without."""
    home = Path(tempfile.mkdtemp(prefix="coreasoner-bench-"))
    bench.opened.callback(shutil.rmtree, home)
    models = {"folder": bench.path.parent, **dict.fromkeys(("english", "local", "synthesizer"), bench.card.name)}
    # The same lanes on both sides: each would calibrate for itself, and with another outcome on a busy machine.
    settings = load_settings(home=home, models=models, engine={"lanes": min(2, cores())})
    sharing = bench.opened.enter_context(Workspace(settings))
    forgetful = bench.opened.enter_context(Forgetful(settings.model_copy(update={"home": home / "forgetful"})))
    for pack in starter_packs():
        if pack.name in ("en", "es"):
            sharing.store.add(pack)
    forgetful.__dict__["store"], forgetful.__dict__["embedder"] = sharing.store, sharing.embedder

    async def argue(workspace: Workspace, number: int) -> float:
        case = _SPANISH_CASE.replace("48", str(44 + number))  # no two cases are alike
        async for progress in workspace.consult(prepare(case, spoken="es"), CancellationToken()):
            last = progress
        assert isinstance(last, Outcome)
        return last.seconds

    async def run(number: int) -> Sides:
        without = await argue(forgetful, number)
        return Sides(await argue(sharing, number), without)

    yield Measure("a whole case", "without shared prefixes", 0.75, run)


async def table(measures: Iterator[Measure], model: str, runs: int) -> AsyncGenerator[str, None]:
    """A line a measure, after one run that does not count."""
    for measure in measures:
        await measure.run(0)
        sides = [await measure.run(number) for number in range(1, runs + 1)]
        ratio = median(side.ours / side.other for side in sides)
        met = ratio >= measure.bar if measure.at_least else ratio <= measure.bar
        same = [side.same for side in sides if side.same is not None]
        cells = (
            model,
            measure.name,
            measure.against,
            f"{median(side.ours for side in sides):.2f}",
            f"{median(side.other for side in sides):.2f} {measure.unit}",
            f"{ratio:.2f}",
            f"{'≥' if measure.at_least else '≤'} {measure.bar}",
            "met" if met else "missed",
            f"{sum(same)} of {len(same)}" if same else "",
        )
        yield f"| {' | '.join(cells)} |"


def header() -> str:
    """The first two lines of the table."""
    titles = ("model", "measure", "against", "ours", "other", "ratio", "bar", "", "same text")
    return f"| {' | '.join(titles)} |\n|{'---|' * len(titles)}"


def machine() -> str:
    """The processor, its cores and the versions that matter."""
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in ("llama-cpp-python", "numpy"))
    return f"{_processor()}, {cores()} cores, Python {platform.python_version()}, {versions}."


def _processor() -> str:
    known = Path("/proc/cpuinfo")
    lines = known.read_text("utf-8").splitlines() if known.exists() else []
    names = sorted({line.partition(":")[2].strip() for line in lines if line.startswith("model name")})
    return " / ".join(names) or platform.processor() or platform.machine()


def _at_least_one(text: str) -> int:
    if not text.isdecimal() or (number := int(text)) < 1:
        raise argparse.ArgumentTypeError("must be a number from 1 on")
    return number


_PARTS: dict[str, Callable[[Bench], Iterator[Measure]]] = {
    "modes": modes,
    "prefixes": prefixes,
    "costs": costs,
    "attention": attention,
    "stops": stops,
    "case": whole_case,
}


def _arguments(given: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m evaluation.bench", description=str(__doc__).partition("\n")[0])
    parser.add_argument(
        "--models-folder", type=Path, default=load_settings().models_folder, help="where the weights are"
    )
    parser.add_argument("--model", action="append", help="a language model of the registry; may be repeated")
    parser.add_argument("--runs", type=_at_least_one, default=5, help="how many runs the medians are of")
    parser.add_argument("--part", action="append", choices=("others", *_PARTS), help="measure this part only")
    parser.add_argument("--llama-server", help="a llama-server binary to measure against")
    return parser.parse_args(given)


async def _measure(bench: Callable[[ExitStack], Bench], parts: Sequence[str], server: str | None, runs: int) -> None:
    _PARTS["others"] = partial(against_others, llama_server=server)
    for part in parts:
        with ExitStack() as opened:
            made = bench(opened)
            async for line in table(_PARTS[part](made), made.card.name.partition("-")[0], runs):
                print(line, flush=True)


def main(given: Sequence[str] | None = None) -> None:
    """Measure the named models, or the test and the starter model."""
    arguments = _arguments(given)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # or the servers that it started would outlive it
    weights = WeightStore(arguments.models_folder, Registry.load())
    print(f"{machine()}\n\n{header()}", flush=True)
    try:
        for name in arguments.model or _MODELS:
            make = partial(Bench, weights.registry.card(name), weights.checked_path(name))
            asyncio.run(_measure(make, arguments.part or ("others", *_PARTS), arguments.llama_server, arguments.runs))
    except ModelError as error:
        raise SystemExit(str(error)) from None


if __name__ == "__main__":
    main()
