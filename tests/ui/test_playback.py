"""A consultation played again: the board shows at every moment what it showed, in whatever order it is looked at."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ui.recorded import record
from transcripts.event import Event
from transcripts.store import TranscriptStore
from ui.board import PANELS, Board
from ui.playback import Playback
from ui.translation import translation


@pytest.fixture
def store(tmp_path: Path) -> Iterator[TranscriptStore]:
    with TranscriptStore.open(tmp_path / "transcripts.db") as opened:
        yield opened


def board() -> Board:
    return Board(translation("ja"), "ja", lambda digest: "")


def playback(store: TranscriptStore) -> Playback:
    consultation, _ = record(store)
    return Playback(list(store.events(consultation)), board)


async def to_the_end(played: Playback, speed: float = 0.0) -> int:
    return len([None async for _ in played.play(speed, 0.12)])


async def test_the_page_ends_byte_for_byte_as_it_was(store: TranscriptStore) -> None:
    consultation, shown = record(store)
    live, played = board(), Playback(list(store.events(consultation)), board)
    for progress in shown:
        live.take(progress)

    await to_the_end(played)

    assert {name: html.encode() for name, html in played.board.panels().items()} == {
        name: html.encode() for name, html in live.panels().items()
    }


async def test_step_by_step_ends_as_playing_does(store: TranscriptStore) -> None:
    played, stepped = playback(store), playback(store)
    await to_the_end(played)

    seen = []
    while not stepped.ended:
        stepped.step()
        seen.append(stepped.event)

    assert [event.seq for event in seen if event] == sorted({event.seq for event in seen if event})
    assert set(stepped.board.panels()) == set(PANELS)
    assert stepped.board.panels()["english"] == played.board.panels()["english"]


def test_a_jump_backwards_shows_what_was_shown_then(store: TranscriptStore) -> None:
    played = playback(store)
    played.jump(4)
    early = played.board.panels()

    played.jump(len(played.events) - 1)
    late = played.board.panels()
    played.jump(4)

    assert late != early
    assert played.board.panels() == early
    assert isinstance(played.event, Event)
    assert played.event.seq == 4


def test_only_panels_that_are_otherwise_are_drawn_again(store: TranscriptStore) -> None:
    played = playback(store)
    played.jump(3)
    first = played.board.changes()

    played.jump(4)

    assert set(first) == set(PANELS)
    assert "evidence" not in played.board.changes()


async def test_a_pause_stops_where_it_is(store: TranscriptStore) -> None:
    played = playback(store)
    playing = played.play(0.0, 0.0)
    await anext(playing)
    await anext(playing)
    at = played.event

    played.pause()
    left = [None async for _ in playing]

    assert left == []
    assert played.event == at


async def test_what_was_played_to_its_end_begins_anew(store: TranscriptStore) -> None:
    played = playback(store)
    await to_the_end(played)
    ended = played.board.panels()

    assert await to_the_end(played) > 0
    assert played.board.panels() == ended


async def test_speed_divides_the_time_between(store: TranscriptStore) -> None:
    played = playback(store)

    drawn = await to_the_end(played, speed=1000.0)

    assert drawn > 0
    assert played.ended
