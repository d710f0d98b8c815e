"""Each requirement of docs/law.md is named by a test that fails where the requirement is broken."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

TESTS = Path(__file__).parent
LAW = (TESTS.parent / "docs" / "law.md").read_text("utf-8")
REQUIREMENTS, _, BEYOND = LAW.partition("\n## What nobody can hold here\n")


def numbers_in(chapters: str) -> list[str]:
    """The numbers at the beginning of the tables' rows."""
    return re.findall(r"^\| (R\d+) \|", chapters, re.MULTILINE)


def marks_in(path: Path) -> Iterator[tuple[str, str]]:
    """Each requirement that a test file names, and the test that does."""
    text = path.read_text("utf-8")
    if "pytest.mark.requires(" not in text:
        return
    for node in ast.walk(ast.parse(text)):
        for mark in getattr(node, "decorator_list", []):
            if isinstance(mark, ast.Call) and ast.unparse(mark.func) == "pytest.mark.requires":
                assert isinstance(node, ast.FunctionDef), f"{path.name}: a test alone is marked"
                yield from ((ast.literal_eval(number), node.name) for number in mark.args)


def holders() -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for path in sorted(TESTS.rglob("*.py")):
        for number, test in marks_in(path):
            assert test.startswith("test_"), f"{path.name}: {test} is no test"
            found[number].append(f"{path.relative_to(TESTS)}::{test}")
    return found


def test_every_requirement_is_held_by_a_test() -> None:
    held = holders()

    assert [number for number in numbers_in(REQUIREMENTS) if number not in held] == []


def test_every_test_names_requirements_that_there_are() -> None:
    known = set(numbers_in(REQUIREMENTS))

    assert {number for number in holders() if number not in known} == set()
    assert set(numbers_in(BEYOND)) <= known


def test_the_requirements_are_as_many_as_the_page_says() -> None:
    numbers = numbers_in(REQUIREMENTS)

    assert len(numbers) == len(set(numbers))
    assert f"\n{len(numbers)} requirements," in LAW
