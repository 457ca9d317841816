"""CasiMedicos: cases of the Spanish residency exam with doctors' comments, in four languages (Goenaga et al. 2023).

One file of JSON lines for all languages: `id`, `lang`, `case`, `options`, `answer` (from 1). The shared file was joined
from the token-level release of `antidote-casimedicos`; the ids align the languages. Exams with four options have "nan"
for a fifth, which is no option.
"""

from collections import defaultdict
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from pydantic import BaseModel, Field

from evaluation.benchmark import Benchmark, agreeing, fold, split_file, with_english
from evaluation.item import Item
from evaluation.records import json_lines

_FILE = "casimedicos_{}.jsonl"
_NO_OPTION = "nan"


class _Line(BaseModel):
    id: str
    lang: str
    case: str = Field(min_length=1)
    options: tuple[str, ...]
    answer: int


def _languages(root: Path) -> tuple[str, ...]:
    path = split_file(root, _FILE)
    return tuple(dict.fromkeys(line.lang for line in _lines(path))) if path else ()


@lru_cache(maxsize=2)
def _lines(path: Path) -> tuple[_Line, ...]:
    return tuple(json_lines(path, _Line))


def _read(root: Path, language: str) -> Iterator[Item]:
    path = split_file(root, _FILE)
    versions: defaultdict[str, dict[str, Item]] = defaultdict(dict)
    for line in _lines(path) if path else ():
        versions[line.id][line.lang] = _item(line)
    for languages in versions.values():
        if item := languages.get(language):
            others = (other for code, other in languages.items() if code != language)
            yield agreeing(with_english(item, languages.get("en")), others)


def _item(line: _Line) -> Item:
    there = [place for place, option in enumerate(line.options) if fold(option) != _NO_OPTION]
    return Item(
        benchmark="casimedicos",
        id=line.id,
        language=line.lang,
        task="choice",
        text=line.case.strip(),
        options=tuple(line.options[place].strip() for place in there),
        right=(there.index(line.answer - 1),) if line.answer - 1 in there else (),
        faults=() if len(there) == len(line.options) else ("option nan: left out",),
    )


BENCHMARK = Benchmark(
    name="casimedicos",
    title="CasiMedicos",
    source="https://github.com/ixa-ehu/antidote-casimedicos",
    licence="CC BY 4.0 (README; the LICENSE file says CC0 1.0)",
    tasks=("choice",),
    files="casimedicos_test.jsonl or casimedicos_dev.jsonl",
    folders=("casimedicos",),
    speaks=_languages,
    read=_read,
)
