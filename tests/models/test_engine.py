"""The engine with real weights: lanes, caches, stops, crashes, and what is refused before a process starts."""

import asyncio
import shutil
import sys
import time
from collections.abc import AsyncGenerator, Callable
from pathlib import Path

import psutil
import pytest

from models.chat_template import Segment
from models.engine import Engine
from models.errors import (
    ContextOverflow,
    EngineBusy,
    EngineCrashed,
    EngineError,
    MalformedWeights,
    ModelError,
    WeightsAltered,
    WeightsMissing,
)
from models.files import sha256
from models.protocol import Finished, Piece
from models.registry import Registry
from models.weights import CheckedWeights, WeightStore
from tests.models.conftest import OpenEngine
from tests.models.generations import FEVER, RASH, asked, greedy, hear, submitted
from tests.models.gguf_files import GGUF

SMOLLM2 = "smollm2-135m-instruct-q4_1"
LONG = "The child coughs. " * 60
ENDLESS = greedy(900)

Spoil = Callable[[Path, Path], None]


def talking(engine: Engine, prompt: tuple[Segment, ...], conversation: str) -> AsyncGenerator[Piece | Finished, None]:
    """A generation that no test waits for."""
    return engine.generate(conversation, prompt, ENDLESS)


def workers() -> set[int]:
    """The processes that this one has started and that still run."""
    return {child.pid for child in psutil.Process().children(recursive=True)}


async def test_two_generations_at_once_say_what_they_say_one_after_the_other(engine: Engine) -> None:
    together = await asyncio.gather(
        hear(engine, asked(FEVER), greedy(24), conversation="together/1"),
        hear(engine, asked(RASH), greedy(24), conversation="together/2"),
    )
    alone = [await hear(engine, asked(question), greedy(24), conversation="alone") for question in (FEVER, RASH)]
    assert [heard.text for heard in together] == [heard.text for heard in alone]


async def test_two_generations_at_once_overlap_in_two_lanes(engine: Engine) -> None:
    one, other = await asyncio.gather(hear(engine, asked(FEVER), greedy(24)), hear(engine, asked(RASH), greedy(24)))
    assert one.first < other.last
    assert other.first < one.last
    assert one.finished.lane != other.finished.lane


async def test_a_third_generation_waits_for_a_lane(engine: Engine) -> None:
    heard = await asyncio.gather(*(hear(engine, asked(FEVER), greedy(8)) for _ in range(3)))
    assert heard[2].first > min(heard[0].last, heard[1].last)
    assert heard[2].finished.queued_s > 0
    assert len({h.text for h in heard}) == 1


async def test_another_event_loop_hears_the_same(engine: Engine) -> None:
    here = await hear(engine, asked(FEVER), greedy(8))
    there = await asyncio.to_thread(lambda: asyncio.run(hear(engine, asked(FEVER), greedy(8))))
    assert there.text == here.text


async def test_figures_count_the_tokens(engine: Engine) -> None:
    finished = (await hear(engine, asked(FEVER), greedy(8), conversation="figures")).finished
    assert finished.prompt_tokens == engine.count(asked(FEVER))
    assert (finished.completion_tokens, finished.reason, finished.cached_tokens) == (8, "length", 0)
    assert finished.prefill_s > 0
    assert finished.decode_s > 0


async def test_a_stop_string_ends_the_text_before_it(engine: Engine) -> None:
    whole = (await hear(engine, asked(FEVER), greedy(24))).text
    word = whole.split()[4]
    heard = await hear(engine, asked(FEVER), greedy(24, stop=(word,)))
    assert (heard.text, heard.finished.reason) == (whole[: whole.index(word)], "stop")


async def test_a_conversation_prefills_only_what_is_new(engine: Engine) -> None:
    first = await hear(engine, asked(FEVER), greedy(8), conversation="reuse")
    second = await hear(engine, asked(FEVER, first.text, "And then?"), greedy(8), conversation="reuse")
    assert first.finished.cached_tokens == 0
    assert second.finished.cached_tokens >= first.finished.prompt_tokens


async def test_a_repeated_prompt_is_cached_but_for_its_last_token(engine: Engine) -> None:
    first = await hear(engine, asked(FEVER), greedy(8), conversation="repeat")
    again = await hear(engine, asked(FEVER), greedy(8), conversation="repeat")
    assert again.finished.cached_tokens == first.finished.prompt_tokens - 1
    assert again.text == first.text


@pytest.mark.parametrize("names", [("mine", "yours", "theirs"), ("", "", "")], ids=["named", "unnamed"])
async def test_nothing_is_reused_across_conversations(engine: Engine, names: tuple[str, ...]) -> None:
    cached = [(await hear(engine, asked(FEVER), greedy(2), conversation=name)).finished.cached_tokens for name in names]
    assert cached == [0, 0, 0]


async def test_a_stop_in_decode_ends_the_work_and_frees_the_lane(open_engine: OpenEngine) -> None:
    engine = open_engine(lanes=1)
    whole = (await hear(engine, asked(FEVER), greedy(48), conversation="whole")).text
    continued = asked(FEVER, whole, "Go on.")
    everything = (await hear(engine, continued, greedy(1), conversation="whole")).finished.cached_tokens
    events = engine.generate("stopped", asked(FEVER), greedy(48))
    await anext(events)
    await events.aclose()
    after = await hear(engine, continued, greedy(1), conversation="stopped")
    assert after.finished.cached_tokens < everything


async def test_a_stop_in_prefill_ends_the_work_and_frees_the_lane(open_engine: OpenEngine) -> None:
    engine = open_engine(lanes=1, prefill_slice=16)
    prompt = asked(LONG + FEVER)
    prefilling = asyncio.ensure_future(hear(engine, prompt, greedy(1), conversation="long"))
    await submitted(engine)
    prefilling.cancel()
    await asyncio.gather(prefilling, return_exceptions=True)
    after = await hear(engine, prompt, greedy(1), conversation="long")
    again = await hear(engine, prompt, greedy(1), conversation="long")
    assert prefilling.cancelled()
    assert after.finished.cached_tokens < again.finished.cached_tokens == again.finished.prompt_tokens - 1


async def test_a_stop_while_waiting_leaves_every_cache_alone(open_engine: OpenEngine) -> None:
    engine = open_engine(lanes=2)
    beside = talking(engine, asked(RASH), "beside")
    await anext(beside)
    first = asyncio.ensure_future(hear(engine, asked(FEVER), greedy(48), conversation="kept"))
    await submitted(engine)
    waiting = asyncio.ensure_future(hear(engine, asked(RASH), greedy(1), conversation="waiting"))
    await submitted(engine)
    waiting.cancel()
    await asyncio.gather(first, waiting, return_exceptions=True)
    again = await hear(engine, asked(FEVER), greedy(1), conversation="kept")
    await beside.aclose()
    assert waiting.cancelled()
    assert again.finished.cached_tokens == first.result().finished.prompt_tokens - 1


async def test_a_killed_worker_is_an_error_of_the_running_generation(open_engine: OpenEngine) -> None:
    engine = open_engine()
    running = talking(engine, asked(FEVER), "killed")
    await anext(running)
    engine.kill()
    with pytest.raises(EngineCrashed, match="can be asked again"):
        [event async for event in running]
    assert engine.pid is None


async def test_after_a_crash_the_next_generation_has_a_new_worker(open_engine: OpenEngine) -> None:
    engine = open_engine()
    before = await hear(engine, asked(FEVER), greedy(8))
    first_pid = engine.pid
    running = talking(engine, asked(FEVER), "killed")
    await anext(running)
    engine.kill()
    with pytest.raises(EngineCrashed):
        [event async for event in running]
    after = await hear(engine, asked(FEVER), greedy(8))
    assert after.text == before.text
    assert engine.pid not in (None, first_pid)


def event_pipe(pid: int) -> Path:
    """Where a worker writes its events."""
    fds = (fd for fd in Path(f"/proc/{pid}/fd").iterdir() if fd.name != "0")
    return next(fd for fd in fds if fd.readlink().name.startswith("pipe:"))


async def test_half_a_line_ends_the_worker_and_everybody_who_waits_hears_of_it(open_engine: OpenEngine) -> None:
    engine = open_engine()
    running = talking(engine, asked(FEVER), "half")
    await anext(running)
    pid = engine.pid
    assert pid is not None
    event_pipe(pid).write_bytes(b'{"event": "piece", "id"\n')
    with pytest.raises(EngineCrashed, match="can be asked again"):
        [event async for event in running]
    assert pid not in workers()
    assert (await hear(engine, asked(FEVER), greedy(2))).finished.completion_tokens == 2


async def test_half_a_character_is_refused_and_the_worker_lives_on(engine: Engine) -> None:
    await engine.start()
    pid, prompt = engine.pid, asked(f"{FEVER}\ud83d")
    with pytest.raises(EngineError, match="half characters"):
        await hear(engine, prompt, greedy(2))
    with pytest.raises(EngineError, match="half characters"):
        engine.count(prompt)
    assert engine.pid == pid


async def test_closing_ends_the_process_and_what_it_was_saying(open_engine: OpenEngine) -> None:
    engine = open_engine()
    running = talking(engine, asked(FEVER), "closed")
    await anext(running)
    pid = engine.pid
    assert pid in workers()
    await asyncio.to_thread(engine.close)
    with pytest.raises(EngineCrashed):
        [event async for event in running]
    assert engine.pid is None
    assert pid not in workers()


def test_an_engine_that_was_never_used_starts_no_process_and_closes(open_engine: OpenEngine) -> None:
    before = workers()
    engine = open_engine()
    engine.close()
    assert engine.pid is None
    assert workers() == before


@pytest.mark.parametrize("foreign", ["models/weights.gguf", "models/__init__.py", "numpy/__init__.py"])
async def test_no_code_of_the_current_directory_is_run(
    open_engine: OpenEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, foreign: str
) -> None:
    file = tmp_path / foreign
    file.parent.mkdir()
    file.write_text("raise SystemExit")
    monkeypatch.chdir(tmp_path)
    assert (await open_engine().start()).lanes == 2


async def test_code_that_only_an_import_hook_finds_is_found_from_the_folder_above_the_weights(
    open_engine: OpenEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = Path(__file__).parents[2]
    (tmp_path / "models").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.path", [folder for folder in sys.path if Path(folder or code).resolve() != code])
    assert (await open_engine().start()).lanes == 2


async def test_ready_says_what_was_opened(engine: Engine) -> None:
    ready = await engine.start()
    assert (ready.description, ready.context_length, ready.lanes) == ("llama 256M Q4_1", 1024, 2)
    assert ready.threads >= 1


async def test_a_prompt_too_long_is_refused_with_both_numbers(engine: Engine) -> None:
    prompt = asked(LONG * 5)
    tokens = engine.count(prompt)
    with pytest.raises(ContextOverflow, match=rf"has {tokens} tokens .* holds 1024;"):
        await hear(engine, prompt, greedy(8))


async def test_a_lane_survives_a_prompt_too_long(engine: Engine) -> None:
    before = (await hear(engine, asked(FEVER), greedy(4))).text
    for _ in range(2):
        with pytest.raises(ContextOverflow):
            await hear(engine, asked(LONG * 5), greedy(8))
    assert (await hear(engine, asked(FEVER), greedy(4))).text == before


async def test_a_form_that_is_no_schema_is_an_error_and_the_lane_lives_on(engine: Engine) -> None:
    before = (await hear(engine, asked(FEVER), greedy(4))).text
    with pytest.raises(EngineError):
        [event async for event in engine.generate("", asked(FEVER), greedy(4), '{"type": ')]
    assert (await hear(engine, asked(FEVER), greedy(4))).text == before


async def test_a_full_queue_is_refused_at_once_with_the_expected_wait(open_engine: OpenEngine) -> None:
    engine = open_engine(lanes=1, queue_length=1)
    start = time.perf_counter()
    await hear(engine, asked(RASH), greedy(1))
    took = time.perf_counter() - start
    running = talking(engine, asked(FEVER), "running")
    await anext(running)
    waiting = asyncio.ensure_future(hear(engine, asked(RASH), greedy(1)))
    await submitted(engine)
    with pytest.raises(EngineBusy, match=r"1 requests are waiting .* about \d+ seconds") as busy:
        await hear(engine, asked(RASH), greedy(1))
    assert 0 < busy.value.wait_s <= 2 * took  # the one that runs and the one that waits, each as long as the first
    await running.aclose()
    assert (await waiting).finished.completion_tokens == 1
    assert (await hear(engine, asked(RASH), greedy(1))).finished.completion_tokens == 1


def altered(source: Path, folder: Path) -> None:
    """The weights with one bit changed in the last tensor."""
    content = bytearray(source.read_bytes())
    content[-1000] ^= 1
    (folder / source.name).write_bytes(content)


def cut(source: Path, folder: Path) -> None:
    """The first half of the weights."""
    shutil.copyfile(source, folder / source.name)
    with (folder / source.name).open("rb+") as file:
        file.truncate(source.stat().st_size // 2)


def missing(source: Path, folder: Path) -> None:
    """No weights at all."""


@pytest.mark.parametrize(
    ("spoil", "error"), [(missing, WeightsMissing), (altered, WeightsAltered), (cut, WeightsAltered)]
)
async def test_weights_that_are_not_the_pinned_ones_start_no_process(
    open_engine: OpenEngine, smollm2: Path, tmp_path: Path, spoil: Spoil, error: type[ModelError]
) -> None:
    spoil(smollm2, tmp_path)
    store, before = WeightStore(tmp_path, Registry.load()), workers()
    engine = open_engine(lambda: store.checked_path(SMOLLM2))
    with pytest.raises(error, match=f"models pull {SMOLLM2}"):
        await engine.start()
    assert engine.pid is None
    assert workers() == before


async def test_weights_altered_after_a_crash_are_not_opened_again(
    open_engine: OpenEngine, smollm2: Path, tmp_path: Path
) -> None:
    shutil.copyfile(smollm2, tmp_path / smollm2.name)
    store = WeightStore(tmp_path, Registry.load())
    engine = open_engine(lambda: store.checked_path(SMOLLM2))
    running = talking(engine, asked(FEVER), "killed")
    await anext(running)
    engine.kill()
    with pytest.raises(EngineCrashed):
        [event async for event in running]
    altered(smollm2, tmp_path)
    with pytest.raises(WeightsAltered):
        await hear(engine, asked(FEVER), greedy(1))


def registered(folder: Path, weights: Path) -> WeightStore:
    """A store in which the administrator has allowed these weights under the name `ward`."""
    folder.mkdir()
    entry = folder / "registry.toml"
    entry.write_text(
        '[models.ward]\nrole = "llm"\nformat = "gguf"\ntitle = "Ward"\nfile = "ward.gguf"\nlicence = "none"\n'
        'languages = []\nparameters = 1\ncontext_length = 512\nchat_template = "chatml"\n'
    )
    store = WeightStore(folder, Registry.load(entry))
    store.import_file(weights, "ward", allow=True)
    return store


async def test_the_hash_is_of_the_weights_that_speak_and_not_of_what_lies_at_their_path(
    open_engine: OpenEngine, smollm2: Path, tmp_path: Path
) -> None:
    store = registered(tmp_path / "models", smollm2)
    engine = open_engine(lambda: store.checked("ward"))
    assert engine.sha256 == ""
    await engine.start()
    altered(smollm2, tmp_path)
    store.import_file(tmp_path / smollm2.name, "ward", allow=True)
    assert engine.sha256 == sha256(smollm2) != store.digest("ward")
    engine.close()
    await engine.start()
    assert engine.sha256 == store.digest("ward")


async def test_weights_that_are_replaced_between_check_and_load_do_not_speak(
    open_engine: OpenEngine, smollm2: Path, tmp_path: Path
) -> None:
    store, before = registered(tmp_path / "models", smollm2), workers()
    altered(smollm2, tmp_path)

    def checked() -> CheckedWeights:
        known = store.checked("ward")
        (tmp_path / smollm2.name).replace(known.path)
        return known

    engine = open_engine(checked)
    with pytest.raises(WeightsAltered, match="while it was opened"):
        await engine.start()
    assert engine.sha256 == ""
    assert workers() == before


async def test_a_malformed_header_starts_no_process(open_engine: OpenEngine, tmp_path: Path) -> None:
    path = GGUF(magic=b"GGML").write(tmp_path / "broken.gguf")
    entry = tmp_path / "registry.toml"
    entry.write_text(
        f'[models.broken]\nrole = "llm"\nformat = "gguf"\ntitle = "Broken"\nfile = "broken.gguf"\nlicence = "none"\n'
        f'sha256 = "{sha256(path)}"\nlanguages = []\nparameters = 1\ncontext_length = 512\nchat_template = "chatml"\n'
    )
    store, before = WeightStore(tmp_path, Registry.load(entry)), workers()
    engine = open_engine(lambda: store.checked_path("broken"))
    with pytest.raises(MalformedWeights):
        await engine.start()
    assert workers() == before


async def test_weights_that_llama_cpp_refuses_are_malformed(open_engine: OpenEngine, tmp_path: Path) -> None:
    path, before = GGUF().write(tmp_path / "tiny.gguf"), workers()
    engine = open_engine(lambda: path)
    with pytest.raises(MalformedWeights, match="pull or import the model again"):
        await engine.start()
    assert engine.pid is None
    assert workers() == before
