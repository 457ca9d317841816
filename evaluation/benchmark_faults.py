"""What is wrong with the files of the benchmarks, counted by kind.

`python -m evaluation.benchmark_faults --data FOLDER` prints one Markdown table; `--list` prints every fault instead,
with the item that has it. Knows nothing of what a fault does to a score.
"""

import argparse
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from evaluation.benchmark import Benchmark, Fault, faults
from evaluation.benchmarks import benchmarks
from evaluation.draw import draw
from evaluation.errors import FilesMissing
from evaluation.item import Item


def table(data: Path) -> Iterator[str]:
    """A row for each benchmark and language whose files are in the folder, or lie in a folder in it."""
    yield f"| benchmark | language | items | drawn at most | faults |\n|{'---|' * 5}"
    for one, language, items in _loaded(data):
        kinds = Counter(fault.kind for fault in faults(items))
        told = ", ".join(f"{kind} {times}" for kind, times in kinds.most_common()) or "none found"
        yield f"| `{one.name}` | {language} | {len(items)} | {len(draw(items))} | {told} |"


def listed(data: Path) -> Iterator[Fault]:
    """Every fault of every file."""
    for _, _, items in _loaded(data):
        yield from faults(items)


def _loaded(data: Path) -> Iterator[tuple[Benchmark, str, tuple[Item, ...]]]:
    for one in benchmarks().values():
        try:
            languages = one.languages(data)
        except FilesMissing:
            continue
        yield from ((one, language, one.load(data, language)) for language in languages)


def main(given: Sequence[str] | None = None) -> None:
    """Print the table, or the list."""
    parser = argparse.ArgumentParser(prog="python -m evaluation.benchmark_faults", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="the folder of benchmark files")
    parser.add_argument("--list", action="store_true", help="every fault, not their number")
    arguments = parser.parse_args(given)
    if arguments.list:
        for fault in listed(arguments.data):
            print(f"{fault.item}: {fault.kind}: {fault.what!a}")
    else:
        for line in table(arguments.data):
            print(line)


if __name__ == "__main__":
    main()
