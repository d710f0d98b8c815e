"""A link that was clicked: its token read, and its person spoken to in their language."""

from __future__ import annotations

from newsletter.domain.errors import UnknownDataLink, UnknownLink
from newsletter.subscriptions import leave, links
from newsletter.subscriptions.links import Link, Purpose
from newsletter.web.http import language


def follow(purpose: Purpose, token: str) -> Link:
    """Read a token, and speak the language of whoever it was sent to; raise UnknownLink or UnknownDataLink."""
    try:
        link = links.read(purpose, token)
    except UnknownLink:
        if purpose is Purpose.MY_DATA:
            raise UnknownDataLink from None
        raise
    language.use(leave.language_of(link))
    return link
