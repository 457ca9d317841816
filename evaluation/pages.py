"""A report as Markdown and as a page that needs nothing beside itself.

What models and benchmarks wrote is escaped in both. Knows nothing of what is reported.
"""

import re
from collections.abc import Sequence
from importlib.resources import files

from jinja2 import Environment, StrictUndefined, Template

from evaluation.report import Section

_MARKUP = re.compile(r"([\\`*_{}\[\]<>#|~!&])")
_CONTROL = dict.fromkeys([*range(32), *range(127, 160), *range(0x202A, 0x202F), *range(0x2066, 0x206A)], " ")


def plain(text: str) -> str:
    """Text that Markdown shows as it is, on one line, without what turns its direction."""
    return _MARKUP.sub(r"\\\1", " ".join(text.translate(_CONTROL).split()))


def markdown(title: str, sections: Sequence[Section]) -> str:
    """The tables as GitHub-flavoured Markdown; figures are on the page only."""
    shown = _template("report.md", escaped=False).render(title=title, sections=sections)
    return re.sub(r"\n{3,}", "\n\n", shown)


def page(title: str, sections: Sequence[Section]) -> str:
    """One HTML file with tables and figures, which loads nothing and runs nothing."""
    return _template("report.html", escaped=True).render(title=title, sections=sections)


def _template(name: str, *, escaped: bool) -> Template:
    environment = Environment(
        autoescape=escaped, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True
    )
    environment.filters["plain"] = plain
    return environment.from_string(files("evaluation").joinpath(f"templates/{name}").read_text("utf-8"))
