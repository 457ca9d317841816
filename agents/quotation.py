"""Quotations: what others wrote, put into a prompt so that it cannot pass for the program's own words.

Everything stands between lines that only this program could have written, each line with `> ` before it. Knows
nothing of what is asked about it.
"""

from collections.abc import Awaitable, Callable, Sequence

from agents.marks import marks
from agents.messages import CitedPassage
from knowledge.untrusted import neutralise, quote


def quoted(shown: Sequence[CitedPassage], besides: Sequence[str] = ()) -> tuple[str, str]:
    """The passages as a quotation, and the mark around it, which stands in none of them and nowhere in `besides`.

    The mark is the same as long as the program runs, so that a model which has read passages need not read them again
    for the next case, and nothing that an author could know; a passage that holds it all the same gets the next one.
    """
    passages = {p.number: p.passage for p in shown}
    known = "".join([*(p.model_dump_json() for p in passages.values()), *besides])
    mark = next(mark for mark in marks() if mark not in known)
    return (quote(passages, mark) if passages else "none"), mark


def quoted_lines(lines: Sequence[str], mark: str) -> str:
    """What a model wrote, a line each, without what could act in a prompt."""
    quotation = "\n".join(f"> {' '.join(neutralise(line).text.split())}" for line in lines)
    return f"<<{mark}\n{quotation}\n{mark}>>"


async def fitting(
    passages: Sequence[CitedPassage], room: int, tokens: Callable[[str], Awaitable[int]]
) -> tuple[CitedPassage, ...]:
    """The passages that fit into `room` tokens, the best of each language in turn, at least one."""
    chosen: list[CitedPassage] = []
    for passage in _alternating(passages):
        room -= await tokens(passage.passage.text)
        if room < 0 and chosen:
            break
        chosen.append(passage)
    return tuple(sorted(chosen, key=lambda p: p.number))


def _alternating(passages: Sequence[CitedPassage]) -> list[CitedPassage]:
    """Passages of each language in turn, so that neither crowds the other out of the budget."""
    lanes: dict[str, list[CitedPassage]] = {}
    for passage in passages:
        lanes.setdefault(passage.passage.language, []).append(passage)
    longest = max((len(lane) for lane in lanes.values()), default=0)
    return [lane[i] for i in range(longest) for lane in lanes.values() if i < len(lane)]
