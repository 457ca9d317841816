"""From what a person chose to the items that are asked: the benchmarks' files read, the languages settled, drawn.

Knows nothing of systems.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

from agents.languages import language, languages
from evaluation.benchmark import Benchmark
from evaluation.benchmarks import benchmark, benchmarks
from evaluation.draw import draw
from evaluation.errors import FilesMissing, LanguageMissing, NothingToAsk
from evaluation.item import Item
from evaluation.plan import Choice


def drawn(choice: Choice, data: Path) -> tuple[Item, ...]:
    """The items of all benchmarks and languages of the choice, each drawn by its seed.

    Raises UnknownBenchmark, FilesMissing, LanguageMissing, MalformedFile, UnknownLanguage, NothingToAsk.
    """
    found: list[Item] = []
    for one in _benchmarks(choice.benchmarks, data):
        spoken = _spoken(one, data, choice)
        listed = [item for code in spoken for item in one.load(data, code)]
        found += draw(listed, choice.limit, choice.seed)
    if found:
        return tuple(found)
    wanted = ", ".join(choice.languages) or "a language that the program speaks"
    raise NothingToAsk(f"No benchmark in {data} has items in {wanted}; choose another language or folder.")


def _benchmarks(names: Sequence[str], data: Path) -> Iterator[Benchmark]:
    """Those that are named, else all whose files are there."""
    if names:
        yield from (benchmark(name) for name in dict.fromkeys(names))
        return
    for one in benchmarks().values():
        try:
            one.languages(data)
        except FilesMissing:
            continue
        yield one


def _spoken(one: Benchmark, data: Path, choice: Choice) -> tuple[str, ...]:
    """The languages that are wanted and there; of a benchmark that is named, at least one must be."""
    there = one.languages(data)
    wanted = tuple(language(code).code for code in choice.languages) or tuple(languages())
    both = tuple(code for code in wanted if code in there)
    if not both and choice.benchmarks:
        raise LanguageMissing(f"{one.title} is here in {', '.join(there)}, not in {', '.join(wanted)}; choose another.")
    return both
