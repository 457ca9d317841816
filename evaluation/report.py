"""The report of runs: their tables and figures as values, from which Markdown and a page are made.

Knows nothing of folders, and of what a page looks like.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from evaluation.answers import BASELINE, Answers, baseline, measure, overall, sorted_answers
from evaluation.errors import LibraryMissing
from evaluation.figures import Figure, figures
from evaluation.judge import Judgement, marked
from evaluation.metric import Metric, Row
from evaluation.metrics import metrics
from evaluation.run_folder import Run
from evaluation.versus import Versus, coupled, main_metric

_REASONS = 3


class Table(NamedTuple):
    """Cells as they are shown, and what is to be said of them."""

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""


class Section(NamedTuple):
    """A benchmark, or what the report begins with."""

    title: str
    tables: tuple[Table, ...]
    figures: tuple[Figure, ...] = ()
    notes: tuple[str, ...] = ()


def report(runs: Sequence[Run]) -> tuple[Section, ...]:
    """What the runs were, then a section a benchmark."""
    answers = sorted_answers(runs)
    benchmarks = dict.fromkeys(one.benchmark for one in answers)
    own = [_section(name, [one for one in answers if one.benchmark == name and one.pairs]) for name in benchmarks]
    return (_begun(runs), *own)


def _begun(runs: Sequence[Run]) -> Section:
    head = ("run", "day", "model", "items", "answers", "seed", "guidelines", "sequences in use", "joules an answer")
    rows = tuple(_run_row(run) for run in runs)
    models = dict.fromkeys((model.name, model.sha256) for run in runs for model in run.plan.models)
    weights = Table("Weights", ("model", "sha256"), tuple((name, digest or "elsewhere") for name, digest in models))
    return Section("Runs", (Table("What was run", head, rows), weights), notes=tuple(_missing(runs)))


def _run_row(run: Run) -> tuple[str, ...]:
    wanted = len(run.items) * len(run.plan.choice.systems)
    busy = "-" if run.busy is None else f"{run.busy:.1%}"
    joules = "-" if run.joules is None or not run.predictions else _number(run.joules / len(run.predictions))
    made = f"{len(run.predictions)} of {wanted}"
    return (
        *(run.folder.name, run.plan.day.isoformat(), run.plan.model, str(len(run.items)), made),
        *(str(run.plan.choice.seed), run.plan.guidelines or "none", busy, joules),
    )


def _missing(runs: Sequence[Run]) -> Iterator[str]:
    for run in runs:
        for part, reason in run.plan.without.items():
            yield f"{run.folder.name} ran without {part}: {reason}"


def _section(benchmark: str, answers: Sequence[Answers]) -> Section:
    tables = [_coverage(answers)]
    tables += [table for metric in metrics().values() if (table := _measured(metric, answers))]
    tables += _judged(answers)
    notes: list[str] = []
    couples = [(first, one) for one in answers if one.system != BASELINE and (first := baseline(one, answers))]
    try:
        tables.append(compared(coupled(couples)))
    except LibraryMissing as error:
        notes.append(str(error))
    tables += [_reasons(answers), _faults(answers)]
    drawn, missing = figures(answers)
    return Section(benchmark, tuple(table for table in tables if table.rows), drawn, (*notes, *missing))


def _coverage(answers: Sequence[Answers]) -> Table:
    """What decides, beside what it cost and what became of the items."""
    head = (
        "system",
        "asked",
        "answered",
        "abstained",
        "failed",
        "not yet",
        "score",
        "95 %",
        "tokens written",
        "seconds",
    )
    return Table("Scores and costs", head, tuple(_score_row(one) for one in answers), _scored_by(answers))


def _score_row(one: Answers) -> tuple[str, ...]:
    counts = one.coverage
    score = overall(main_metric(one), one)
    tokens, seconds = (overall(metrics()[name], one) for name in ("tokens-written", "seconds"))
    return (
        *(one.name, *(str(number) for number in counts)),
        *(_number(score.value) if score else "-", _reach(score), _number(tokens.value) if tokens else "-"),
        _number(seconds.value) if seconds else "-",
    )


def _scored_by(answers: Sequence[Answers]) -> str:
    names = dict.fromkeys(main_metric(one).title for one in answers)
    return (
        f"The score is {' or '.join(names)}; abstentions and failures count as wrong. Tokens and seconds are means an "
        "item; several items were at work at once, so seconds hold waiting for each other. Where all values are alike "
        "an interval has no width; that is no certainty."
    )


def _measured(metric: Metric, answers: Sequence[Answers]) -> Table | None:
    """A metric's lines, a column a system; nothing where no system has a value."""
    found = {one.name: measure(metric, one) for one in answers}
    lines = dict.fromkeys(row.name for measured in found.values() for row in measured.rows)
    if not any(measured.values for measured in found.values()):
        return None
    by_name = {name: {row.name: row for row in measured.rows} for name, measured in found.items()}
    rows = tuple((name, *(_cell(by_name[name].get(line)) for line in lines)) for name in found)
    note = f"In {metric.unit}, {metric.better} is better; 95 % bootstrap intervals over items, n in brackets."
    return Table(metric.title, ("system", *lines), rows, note)


def _judged(answers: Sequence[Answers]) -> Iterator[Table]:
    """A table a judge: the marks on each axis, and how many answers it gave none to."""
    judges = dict.fromkeys(judgement.judge for one in answers for judgement in one.judgements)
    for judge in judges:
        said = {one: [judgement for judgement in one.judgements if judgement.judge == judge] for one in answers}
        axes = dict.fromkeys(mark.axis for listed in said.values() for given in listed for mark in given.marks)
        rows = tuple(_judged_row(one, listed, tuple(axes)) for one, listed in said.items() if listed)
        note = (
            "Means of the judge's marks, higher is better; 95 % bootstrap intervals over items, n in brackets. Where "
            "there is no answer it has the lowest mark. A model that judges answers of its own kind favours them."
        )
        yield Table(f"Judged by {judge}", ("system", *axes, "without marks"), rows, note)


def _judged_row(one: Answers, judgements: Sequence[Judgement], axes: Sequence[str]) -> tuple[str, ...]:
    found = [marked(one.pairs, judgements, axis) for axis in axes]
    cells = (_cell(measured.rows[0] if measured.values else None) for measured in found)
    return (one.name, *cells, str(sum(not judgement.marks for judgement in judgements)))


def compared(found: Sequence[Versus]) -> Table:
    """Differences with their intervals and tests."""
    head = ("system", "language", "n", "difference", "95 %", "differ", "McNemar p", "Holm p", "is n enough?")
    against = found[0].first if len({one.first for one in found}) == 1 else f"{BASELINE}, each of its own run"
    note = (
        f"Each system less {BASELINE} on the same items; paired bootstrap, exact McNemar test, Holm over this table. "
        "Over several languages a question is one cluster, and there is no test."
    )
    return Table(f"Against {against}", head, tuple(_versus_row(one) for one in found), note)


def _versus_row(one: Versus) -> tuple[str, ...]:
    interval = f"[{one.interval.low:+.3f}, {one.interval.high:+.3f}]" if one.interval else "-"
    tests = ("-" if p is None else f"{p:.3f}" for p in (one.p, one.adjusted))
    differ = str(len(one.changed))
    return (one.second, one.language, str(len(one.pairs)), f"{one.difference:+.3f}", interval, differ, *tests, one.told)


def _reasons(answers: Sequence[Answers]) -> Table:
    """Why items were not answered, the most frequent reasons of each system."""
    rows = []
    for one in answers:
        told = Counter((p.prediction.status, p.prediction.reason) for p in one.pairs if p.prediction.reason)
        rows += [(one.name, status, str(n), reason) for (status, reason), n in told.most_common(_REASONS)]
    return Table("Why there is no answer", ("system", "status", "n", "reason"), tuple(rows))


def _faults(answers: Sequence[Answers]) -> Table:
    """What the benchmark's files had wrong with the items that were asked."""
    items = {pair.item.key: pair.item for one in answers for pair in one.pairs}
    rows = tuple((key, fault) for key, item in items.items() for fault in item.faults)
    return Table("Faults of the items asked", ("item", "what was wrong, and what was done"), rows)


def _cell(row: Row | None) -> str:
    return f"{_number(row.value)} {_reach(row)} ({row.n})".replace("  ", " ") if row else "-"


def _reach(row: Row | None) -> str:
    return f"[{_number(row.interval.low)}, {_number(row.interval.high)}]" if row and row.interval else ""


def _number(value: float) -> str:
    return f"{value:.3f}" if abs(value) < 10 else f"{value:.1f}"
