"""Random lives: afterwards all that is left tells one story, and nothing is left of the erased."""

from __future__ import annotations

import pytest

from tests.conftest import IS_LONG, both_databases
from tests.journeys.lives import Town, live, tell_one_story


@pytest.mark.requires("R37")
@both_databases
def test_after_many_lives_all_tell_one_story_and_nothing_is_left_of_the_erased(town: Town) -> None:
    if IS_LONG:
        live(town, lives=1000, examples=28)
    else:
        live(town, lives=50, examples=2)

    tell_one_story(town)
