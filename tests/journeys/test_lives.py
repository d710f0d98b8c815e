"""A thousand random lives: afterwards all that is left tells one story, and nothing is left of the erased."""

from __future__ import annotations

import pytest

from tests.conftest import on_sqlite
from tests.journeys.lives import Town, live, tell_one_story


@on_sqlite
@pytest.mark.no_cover  # each line of it is covered elsewhere, and watching takes minutes
def test_after_a_thousand_lives_all_tell_one_story_and_nothing_is_left_of_the_erased(
    town: Town,
) -> None:
    live(town, lives=1000, examples=28)

    tell_one_story(town)
