"""Where words part in Thai, Chinese and Japanese, which write no spaces between them; by BudouX's small models.

It looks at a stretch of text at a time and knows nothing of chunks.
"""

import re
from collections.abc import Callable
from functools import cache
from itertools import accumulate

import budoux

_SCRIPTS: tuple[tuple[re.Pattern[str], Callable[[], budoux.Parser]], ...] = (
    (re.compile("[\u0e01-\u0e5b]"), budoux.load_default_thai_parser),
    (re.compile("[\u3041-\u30ff]"), budoux.load_default_japanese_parser),  # before the next: Japanese has both
    (re.compile("[\u4e00-\u9fff]"), budoux.load_default_simplified_chinese_parser),
)
_AHEAD = 8  # characters after the end that the models look at


def last_border(text: str, start: int, end: int) -> int | None:
    """The last place in `text[start:end]` where a word ends, as an offset in `text`; None in other scripts."""
    window = text[start : end + _AHEAD]
    load = next((load for letters, load in _SCRIPTS if letters.search(window)), None)
    if load is None:
        return None
    borders = accumulate(map(len, _loaded(load).parse(window)), initial=start)
    return max((border for border in borders if start < border <= end), default=None)


@cache
def _loaded(load: Callable[[], budoux.Parser]) -> budoux.Parser:
    return load()
