"""The statements beside the data: recipients by name, in both languages."""

from __future__ import annotations

import pytest

from newsletter.config import load
from newsletter.texts import legal, retention_words, third_countries
from newsletter.texts.bilingual import Text
from tests.conftest import COMPANY


@pytest.mark.parametrize("module", [legal, retention_words, third_countries])
def test_every_sentence_is_there_in_both_languages(module: object) -> None:
    texts = {name: value for name, value in vars(module).items() if isinstance(value, Text)}

    assert texts
    assert [name for name, text in texts.items() if not (text.de and text.en)] == []


def test_recipients_are_named() -> None:
    named = load({**COMPANY, "RECIPIENTS": "Host AG, Post AG", "SMTP_URL": "smtp://mx.example.net"})

    told = legal.recipients(named, "en")

    assert [each.partition(":")[0] for each in told] == [
        legal.MAILCHIMP,
        "Host AG",
        "Post AG",
        "mx.example.net",
    ]


def test_a_record_of_consent_names_the_same_recipients() -> None:
    named = load({**COMPANY, "RECIPIENTS": "Host AG", "SMTP_URL": "smtp://mx.example.net"})
    [purpose] = legal.consent_record(None, "en", named)["purposes"]

    names = [each["name"] for each in purpose["recipient_third_parties"]]
    assert names == [each.partition(":")[0] for each in legal.recipients(named, "en")]
