"""A link that was clicked: its token read, and its person spoken to in their language."""

from __future__ import annotations

from newsletter import subscriptions, tokens
from newsletter.errors import UnknownDataLink, UnknownLink
from newsletter.tokens import Link, Purpose
from newsletter.web import language


def follow(purpose: Purpose, token: str) -> Link:
    """Read a token, and speak the language of whoever it was sent to; raise UnknownLink or UnknownDataLink."""
    try:
        link = tokens.read(purpose, token)
    except UnknownLink:
        if purpose is Purpose.MY_DATA:
            raise UnknownDataLink from None
        raise
    language.use(subscriptions.language_of(link))
    return link
