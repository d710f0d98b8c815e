"""Random lives on PostgreSQL, in a module of their own, since they take long and may run beside the others."""

from __future__ import annotations

import pytest

from tests.conftest import on_postgresql
from tests.journeys.lives import Town, live, tell_one_story


@on_postgresql
@pytest.mark.no_cover  # each line of it is covered elsewhere, and watching takes minutes
def test_after_many_lives_all_tell_one_story_and_nothing_is_left_of_the_erased(
    town: Town,
) -> None:
    live(town, lives=250, examples=7)

    tell_one_story(town)
