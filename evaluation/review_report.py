"""The report of a review, and its ratings to take away: the only places where a system's name meets a rating.

Knows nothing of folders.
"""

import csv
import io
import json
from collections import Counter
from collections.abc import Sequence

from evaluation.agreement import (
    Rated,
    axis_alpha,
    difference,
    mean,
    preference_alpha,
    preferred,
    rows,
    unblinded,
)
from evaluation.report import Section, Table
from evaluation.review import AXES, Review
from evaluation.statistics import Interval

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def sections(review: Review) -> tuple[Section, ...]:
    """What was rated, by whom, and what came of it. Raises LibraryMissing, RunDamaged."""
    rated, assignments = unblinded(review), review.assignments
    tables = [_raters(review, rated)]
    if rated:
        tables += [_scores(rated, assignments.systems), _preferences(rated, assignments.systems)]
    left_out = [f"{count} items left out: {reason}." for reason, count in sorted(assignments.left_out.items())]
    return (Section(f"{assignments.systems[0]} and {assignments.systems[1]}", tuple(tables), notes=tuple(left_out)),)


def _raters(review: Review, rated: Sequence[Rated]) -> Table:
    given = Counter(task.rater for task in review.assignments.tasks)
    done = Counter(one.rating.rater for one in rated)
    listed = tuple((name, str(done[name]), str(count)) for name, count in given.items())
    return Table("Raters", ("rater", "rated", "assigned"), listed)


def _scores(rated: Sequence[Rated], systems: tuple[str, str]) -> Table:
    head = ("axis", *systems, f"{systems[1]} less {systems[0]}", "alpha")
    found = tuple(
        (
            axis,
            *(_told(mean(rated, system, axis)) for system in systems),
            _told(difference(rated, systems, axis)),
            _alpha(axis_alpha(rated, axis)),
        )
        for axis in AXES
    )
    items = len({one.item for one in rated})
    note = (
        f"{len(rated)} ratings of {items} items, 1 to 5. Intervals are bootstraps over items, 95 %; one item has none."
    )
    return Table("Scores", head, found, note)


def _preferences(rated: Sequence[Rated], systems: tuple[str, str]) -> Table:
    counted = Counter(one.preferred for one in rated)
    found = tuple((name or "neither", str(counted[name]), _told(preferred(rated, name))) for name in (*systems, ""))
    return Table(
        "Preferred", ("answer of", "ratings", "share"), found, f"Alpha: {_alpha(preference_alpha(rated, systems))}."
    )


def _told(found: tuple[float, Interval | None]) -> str:
    value, interval = found
    return str(interval) if interval else f"{value:.3f}"


def _alpha(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def json_lines(review: Review) -> list[str]:
    """One JSON object a rated answer."""
    return [json.dumps(row, ensure_ascii=False) for row in rows(unblinded(review))]


def csv_lines(review: Review) -> list[str]:
    """The same with a header, as a table that no spreadsheet takes for formulas."""
    found = list(rows(unblinded(review)))
    written = io.StringIO()
    writer = csv.DictWriter(written, fieldnames=list(found[0]) if found else ["rater"], lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: _harmless(value) for name, value in row.items()} for row in found)
    return written.getvalue().removesuffix("\n").split("\n")


def _harmless(value: str | int) -> str | int:
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
