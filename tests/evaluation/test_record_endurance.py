"""A few of the kills and alterations of which `python -m evaluation.record_endurance` makes thousands."""

from evaluation.record_endurance import INTRUDERS, alterations, kills


def test_kills_in_the_middle_of_writing_lose_nothing_that_was_acknowledged() -> None:
    killed = kills(6)

    assert killed.acknowledged > 0
    assert (killed.lost, killed.unsound, killed.running) == (0, 0, 0)


def test_every_alteration_is_found_and_named_and_nothing_else() -> None:
    altered = alterations(200, transcripts=12, untouched=24)

    assert set(altered.kinds) == {intruder.__name__ for intruder in INTRUDERS}
    assert (altered.found, altered.named, altered.alarms) == (200, 200, 0)
