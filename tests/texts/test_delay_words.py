"""Every code that a worker records for a delay has words of its own."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import newsletter
from newsletter.texts import delay_words
from newsletter.texts.delay_words import delay_of

WORKER = Path(newsletter.__file__).parent / "worker"


def codes() -> set[str]:
    """The constant reasons with which a DeliveryFailure is made, and those of Mailchimp's table of errors."""
    found = set()
    for path in WORKER.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            is_failure = isinstance(node, ast.Call) and ast.unparse(node.func) == "DeliveryFailure"
            is_row = isinstance(node, ast.Tuple) and "Meaning." in ast.unparse(node)
            parts = (
                node.args
                if isinstance(node, ast.Call) and is_failure
                else (node.elts[-1:] if isinstance(node, ast.Tuple) and is_row else [])
            )
            found |= {
                part.value
                for part in parts
                if isinstance(part, ast.Constant) and isinstance(part.value, str)
            }
    return found


def test_no_code_is_left_without_words() -> None:
    found = codes()

    assert len(found) > 15
    assert [code for code in sorted(found) if delay_of(code) is delay_words._OTHER] == []


@pytest.mark.parametrize(
    ("code", "why"),
    [
        (None, "Not tried"),
        ("rcpt 550 5.1.1", "no such mailbox"),
        ("data 552 5.2.2", "full or closed"),
        ("rcpt 451", "later"),
        ("rcpt 554 5.7.1", "refuses this e-mail"),
        ("auth 535 5.7.8", "sign-in"),
        ("http 503", "busy"),
        ("rejected 400", "refuses this very call"),
        ("KeyError", "unexpected"),
    ],
)
def test_a_code_is_explained(code: str | None, why: str) -> None:
    delay = delay_of(code)

    assert why in delay.why.en
    assert not re.search(r"\d", delay.why.de)
    assert delay.why.de != delay.why.en
