"""Cases that wait for others: in their order, told how long, and refused where no place is left."""

import asyncio
from contextlib import ExitStack

import pytest
from autogen_core import CancellationToken

from ui.board import Board
from ui.errors import RoomFull
from ui.refusal import full, queued
from ui.translation import translation, translations
from ui.waiting_room import Turn, Wait, WaitingRoom


async def cases_before(turn: Turn, token: CancellationToken | None = None) -> list[int]:
    """How many cases came first, each time that it was told, until the turn came."""
    return [wait.cases async for wait in turn.wait(token or CancellationToken())]


async def test_the_first_begin_at_once_and_the_others_in_the_order_they_came() -> None:
    room = WaitingRoom(at_once=2, places=8)
    begun: list[int] = []

    async def case(number: int) -> list[int]:
        with room.line_up() as turn:
            told = await cases_before(turn)
            begun.append(number)
            await asyncio.sleep(0.01)
            return told

    told = await asyncio.gather(*(case(number) for number in range(5)))

    assert begun == [0, 1, 2, 3, 4]
    assert told[0] == told[1] == [0]
    assert (told[4][0], told[4][-1]) == (4, 0)
    assert told[4] == sorted(told[4], reverse=True)


async def test_where_all_places_are_taken_one_is_refused_and_told_how_long() -> None:
    room = WaitingRoom(at_once=1, places=2)
    with ExitStack() as stack:
        first, *_ = [stack.enter_context(room.line_up()) for _ in range(3)]
        with pytest.raises(RoomFull) as refused:
            room.line_up()

        assert refused.value.waiting == 2
        assert refused.value.wait_s > 0
        assert room.before(first) == Wait(0, 0.0)
    assert await cases_before(room.line_up()) == [0]


async def test_who_stops_waiting_leaves_the_place_to_the_next() -> None:
    room, token, turns = WaitingRoom(at_once=1, places=8), CancellationToken(), list[Turn]()
    with room.line_up():

        async def given_up() -> None:
            with room.line_up() as turn:
                await cases_before(turn, token)

        async def patient() -> list[int]:
            with room.line_up() as turn:
                turns.append(turn)
                return await cases_before(turn)

        former, later = asyncio.create_task(given_up()), asyncio.create_task(patient())
        await asyncio.sleep(0)
        token.cancel()
        with pytest.raises(asyncio.CancelledError):
            await former
        while room.before(turns[0]).cases > 1:
            await asyncio.sleep(0.001)
        assert not later.done()
    assert (await later)[-1] == 0


async def test_the_wait_is_what_cases_took_until_now() -> None:
    room = WaitingRoom(at_once=2, places=8)
    for taken_s in (10.0, 30.0, 50.0):
        room.leave(room.line_up(), taken_s)
    turns = [room.line_up() for _ in range(6)]

    assert [room.before(turn) for turn in turns] == [
        Wait(0, 0.0),
        Wait(0, 0.0),
        Wait(2, 30.0),
        Wait(3, 30.0),
        Wait(4, 60.0),
        Wait(5, 60.0),
    ]


@pytest.mark.parametrize("code", sorted(translations()))
def test_both_sentences_say_how_many_and_how_long(code: str) -> None:
    words = translation(code)

    for said in (queued(words, Wait(17, 241.0)), full(words, RoomFull(17, 241.0))):
        assert "17" in said
        assert "5" in said


def test_the_board_says_it_until_the_case_begins() -> None:
    board = Board(translation("en"), "en", lambda digest: "")

    board.line_up(Wait(3, 90.0))
    assert "Cases before this one: 3. Its turn comes in about 2 min." in board.panels()["status"]
    board.line_up(Wait(0, 0.0))
    assert "Cases before" not in board.panels()["status"]
