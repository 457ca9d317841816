"""Six real cases from beginning to end: how long, how soon, how much memory, and what kind of answer.

`python -m evaluation.cases --data FOLDER` reads the shared benchmark files, argues each case on the installation that
the settings name, and prints one Markdown table. Knows nothing of scores.
"""

import argparse
import asyncio
import json
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import psutil
from autogen_core import CancellationToken
from pydantic import BaseModel, ConfigDict

from agents.consultation import Chunk, Outcome, prepare
from agents.messages import Usage
from agents.settings import load_settings
from agents.workspace import Workspace
from evaluation import workbook

_SAMPLE_S = 0.2
_HEAD = (
    "| case | first text s | whole case s | peak MB | answer | passages (languages) | completion tokens | rebuttal |"
)


class Sample(BaseModel):
    """A case to argue. `english` is the benchmark's own rendering, where it has one."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    name: str
    language: str
    text: str
    english: str | None = None


class Measured(BaseModel):
    """One case, measured. Memory is the largest sum of resident sets of this process and its workers."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    sample: Sample
    first_s: float
    peak_bytes: int
    outcome: Outcome


def samples(data: Path) -> tuple[Sample, ...]:
    """Two Japanese cases from MultiMed-X, one each in Spanish, Chinese and English from LiveQA, one in Swahili."""
    return (*_japanese(data), *_liveqa(data), _swahili(data))


def _japanese(data: Path) -> Iterator[Sample]:
    for number, row in enumerate(workbook.rows(data / "bench/multimedx_ja/liveqa_jp_200.xlsx")):
        if number in (21, 149):
            texts = [str(cell) for cell in row if isinstance(cell, str)]
            asked = next(t for t in texts if any("\u3040" <= c <= "\u30ff" for c in t))
            yield Sample(
                name=f"MultiMed-X ja {number}",
                language="ja",
                text=asked.split("回答")[0].removeprefix("質問:").strip()[:2000],
            )


def _liveqa(data: Path) -> Iterator[Sample]:
    lines = (data / "retrieval/liveqa_5lang/liveqa_en_ja_zh_es_hi.jsonl").read_text("utf-8").splitlines()
    wanted = {"lq5-012": "es", "lq5-046": "zh", "lq5-048": "en"}
    for item in map(json.loads, lines):
        if language := wanted.get(item["id"]):
            yield Sample(name=f"LiveQA {item['id']}", language=language, text=item["question"][language][:2000])


def _swahili(data: Path) -> Sample:
    item = json.loads((data / "bench/multimedx_ja/sw_example.jsonl").read_text("utf-8").splitlines()[0])
    return Sample(
        name="MultiMed-X sw",
        language="sw",
        text=item["sw"].partition("Jibu:")[0].replace("Swali:", "").strip(),
        english=item["en"].partition("Answer:")[0].replace("Question:", "").strip(),
    )


class _Memory:
    """Watches the resident sets of this process and its children until stopped."""

    def __init__(self) -> None:
        self.peak = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def _watch(self) -> None:
        me = psutil.Process()
        while not self._stop.wait(_SAMPLE_S):
            total = 0
            for process in (me, *me.children(recursive=True)):
                try:
                    total += process.memory_info().rss
                except psutil.NoSuchProcess:
                    continue
            self.peak = max(self.peak, total)

    def stop(self) -> int:
        self._stop.set()
        self._thread.join()
        return self.peak


async def argue(workspace: Workspace, sample: Sample) -> Measured:
    """Argue one case and measure it."""
    case = prepare(sample.text, spoken=sample.language, english=sample.english)
    memory, start, first = _Memory(), time.perf_counter(), 0.0
    async for progress in workspace.consult(case, CancellationToken()):
        if isinstance(progress, Chunk) and not first:
            first = time.perf_counter() - start
    assert isinstance(progress, Outcome)
    return Measured(sample=sample, first_s=first, peak_bytes=memory.stop(), outcome=progress)


def row(measured: Measured) -> str:
    """The case as a row of the table."""
    outcome, found = measured.outcome, measured.outcome.alignment.evidence
    spoken = [p.passage.language for p in found.relevant]
    passages = f"{len(found.relevant)} of {len(found.passages)} relevant ({' '.join(dict.fromkeys(spoken)) or '-'})"
    cells = (
        f"{measured.sample.name} ({measured.sample.language})",
        f"{measured.first_s:.1f}",
        f"{outcome.seconds:.1f}",
        f"{measured.peak_bytes / 1e6:.0f}",
        f"{outcome.answer.mode} ({outcome.answer.language})",
        passages,
        str(outcome.usage.completion_tokens),
        rebuttal(outcome),
    )
    return f"| {' | '.join(cells)} |"


def rebuttal(outcome: Outcome) -> str:
    """What each side did when it read the other, how long that took and what it cost; `-` where they did not differ."""
    said = outcome.alignment.rebuttals
    if not said:
        return "-"
    spans = [span for r in said for span in r.spans]
    seconds = max((s.end for s in spans), default=0.0) - min((s.start for s in spans), default=0.0)
    cost = sum((r.usage for r in said), Usage())
    words = ", ".join(f"{r.side} {r.decision}{' (nothing usable)' if r.fault else ''}" for r in said)
    left = "in dispute" if outcome.answer.disagreement else "settled"
    read = cost.prompt_tokens - cost.cached_tokens
    return f"{words}; {left}; {seconds:.1f} s, {read} of {cost.prompt_tokens} read, {cost.completion_tokens} written"


def main(arguments: Sequence[str] | None = None) -> None:
    """Argue all samples, print the table; with --keep also write every report there."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="the folder of shared benchmark files")
    parser.add_argument("--model", help="play all three roles with this model")
    parser.add_argument("--keep", type=Path, help="a folder for one JSON file a case")
    given = parser.parse_args(arguments)
    flags = {"models": dict.fromkeys(("english", "local", "synthesizer"), given.model)} if given.model else {}
    print(f"{_HEAD}\n|{'---|' * 8}", flush=True)
    with Workspace(load_settings(None, **flags)) as workspace:
        if lacking := workspace.ready():
            parser.error(" ".join(lacking.values()))
        for sample in samples(given.data):
            measured = asyncio.run(argue(workspace, sample))
            print(row(measured), flush=True)
            if given.keep:
                given.keep.mkdir(parents=True, exist_ok=True)
                name = measured.sample.name.replace(" ", "-")
                (given.keep / f"{name}.json").write_text(measured.outcome.model_dump_json(indent=1), "utf-8")


if __name__ == "__main__":
    main()
