"""MultiMed-X, inference: 150 abstracts of BioNLI with a conclusion that follows or contradicts, translated (Gao et al.
2026).

The files of languages other than Japanese were not published when this was written: their markers are not known, and a
hypothesis without one is taken to be the last paragraph.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import get_args

from evaluation.benchmark import Benchmark, digest, distinct
from evaluation.errors import MalformedFile
from evaluation.item import Item, Label
from evaluation.multimedx import Row, languages, rows, taken_apart, workbook_of

_STEM = "bionli_{}_150.xlsx"
_LABELS: dict[str, Label] = {label: label for label in get_args(Label)}


def _languages(root: Path) -> tuple[str, ...]:
    return languages(root, _STEM)


def _read(root: Path, language: str) -> Iterator[Item]:
    code = next(one for one in _languages(root)[1:] if language in ("en", one))
    path = workbook_of(root, _STEM, code)
    return distinct(_item(path, row, language) for row in rows(path, code)) if path else iter(())


def _item(path: Path, row: Row, language: str) -> Item:
    english = taken_apart(path, row, "en", "premise", "hypothesis")
    local = english if language == "en" else taken_apart(path, row, language, "premise", "hypothesis")
    label = _LABELS.get((row.label or "").strip().lower())
    if label is None:
        raise MalformedFile(f"{path.name}, line {row.number + 2}: {row.label!r} is no label; fetch it again.")
    own = () if language == "en" else local.faults
    return Item(
        benchmark="multimedx-nli",
        id=digest(row.english),
        language=language,
        task="entailment",
        text=local.first,
        hypothesis=local.second,
        label=label,
        english=english.first,
        english_hypothesis=english.second,
        faults=(*own, *(f"{fault}, in the English column" for fault in english.faults)),
    )


BENCHMARK = Benchmark(
    name="multimedx-nli",
    title="MultiMed-X, inference",
    source="https://github.com/astridesa/Med-CoReasoner",
    licence="CC BY 4.0",
    tasks=("entailment",),
    files="bionli_jp_150.xlsx or the same of another language",
    folders=("multimedx_ja", "MultiMed-X", "multimedx"),
    speaks=_languages,
    read=_read,
)
