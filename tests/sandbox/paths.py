"""Where the API's things are."""

from __future__ import annotations

from sandbox.mailchimp import id_of

LIST = "/lists/a1b2c3d4e5"
MEMBERS = f"{LIST}/members"
WEBHOOKS = f"{LIST}/webhooks"


def path_of(email: str) -> str:
    """The member's path."""
    return f"{MEMBERS}/{id_of(email)}"
