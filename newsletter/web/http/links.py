"""Opening a link: reads its token and chooses the person's language."""

from __future__ import annotations

from newsletter.domain.errors import UnknownDataLink, UnknownLink
from newsletter.subscriptions import leave, links
from newsletter.subscriptions.links import Link, Purpose
from newsletter.web.http import language


def follow(purpose: Purpose, token: str) -> Link:
    """Read a token and choose the language of its recipient; raise UnknownLink or UnknownDataLink."""
    try:
        link = links.read(purpose, token)
    except UnknownLink:
        if purpose is Purpose.MY_DATA:
            raise UnknownDataLink from None
        raise
    language.use(leave.language_of(link))
    return link
