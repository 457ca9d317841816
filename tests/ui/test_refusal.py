"""A case that cannot be argued: what the page says of it."""

import pytest

from agents.errors import CaseError, CaseTooLong
from agents.messages import MAX_CASE_CHARACTERS
from ui.refusal import refusal
from ui.translation import translations


@pytest.mark.parametrize("code", sorted(translations()))
def test_every_refusal_is_another_sentence_in_every_language(code: str) -> None:
    kinds = CaseError.__subclasses__()

    assert len({refusal(translations()[code], kind("in English")) for kind in kinds}) == len(kinds)


def test_a_case_that_is_too_long_is_told_how_long_it_may_be() -> None:
    assert str(MAX_CASE_CHARACTERS) in refusal(translations()["th"], CaseTooLong("in English"))
