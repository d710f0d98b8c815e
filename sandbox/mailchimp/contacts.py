"""One contact as Mailchimp keeps and shows it, and the addresses that were deleted for ever."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable, Iterator, MutableSet
from dataclasses import dataclass, field
from typing import Any

from sandbox.mailchimp import clock

_TAKEN = (
    "email_type",
    "language",
    "merge_fields",
    "interests",
    "vip",
    "location",
    "marketing_permissions",
    "ip_signup",
    "timestamp_signup",
    "ip_opt",
    "timestamp_opt",
    "tags",
)


def id_of(email: str) -> str:
    """A contact's id, the subscriber hash: MD5 of the lower-cased address."""
    return hashlib.md5(email.lower().encode(), usedforsecurity=False).hexdigest()


def unique_id_of(email: str) -> str:
    """The ten hex digits of data[id] in webhooks: the same for an address in every audience."""
    return hashlib.sha1(email.lower().encode(), usedforsecurity=False).hexdigest()[:10]


@dataclass
class Contact:
    """A contact; empty values are "" and never null."""

    email_address: str
    status: str
    language: str = ""
    timestamp_signup: str = ""
    ip_signup: str = ""
    timestamp_opt: str = ""
    ip_opt: str = ""
    unsubscribe_reason: str = ""
    last_changed: str = ""
    merge_fields: dict[str, Any] = field(default_factory=dict)
    interests: dict[str, bool] = field(default_factory=dict)
    marketing_permissions: list[dict[str, Any]] = field(default_factory=list)
    location: dict[str, Any] = field(default_factory=dict)
    email_type: str = "html"
    vip: bool = False
    source: str = "API - Generic"
    tags: list[str] = field(default_factory=list)

    @property
    def key(self) -> str:
        """The lower-cased address."""
        return self.email_address.lower()

    @property
    def id(self) -> str:
        """The subscriber hash."""
        return id_of(self.email_address)

    @property
    def unique_email_id(self) -> str:
        """data[id] in webhooks."""
        return unique_id_of(self.email_address)

    @property
    def web_id(self) -> int:
        """The number in URLs of the web interface."""
        return int(self.unique_email_id[:7], 16)

    @property
    def merges(self) -> dict[str, Any]:
        """The merge fields, with the two that every audience has."""
        return {"FNAME": "", "LNAME": "", **self.merge_fields}

    def take(self, body: dict[str, Any]) -> bool:
        """Take over the fields sent except status and address; return whether anything changed."""
        values = {name: body[name] for name in _TAKEN if name in body}
        for name in ("timestamp_signup", "timestamp_opt"):
            if name in values:
                values[name] = clock.written(clock.read(values[name]))
        if "merge_fields" in values:
            values["merge_fields"] = self.merge_fields | values["merge_fields"]
        changed = any(getattr(self, name) != value for name, value in values.items())
        for name, value in values.items():
            setattr(self, name, value)
        return changed

    def as_json(self, list_id: str) -> dict[str, Any]:
        """The contact as calls return it."""
        gone = (
            {"unsubscribe_reason": self.unsubscribe_reason} if self.status == "unsubscribed" else {}
        )
        return {
            "id": self.id,
            "email_address": self.email_address,
            "unique_email_id": self.unique_email_id,
            "contact_id": hashlib.md5(
                self.unique_email_id.encode(), usedforsecurity=False
            ).hexdigest(),
            "full_name": f"{self.merges['FNAME']} {self.merges['LNAME']}".strip(),
            "web_id": self.web_id,
            "email_type": self.email_type,
            "status": self.status,
            **gone,
            "consents_to_one_to_one_messaging": True,
            "merge_fields": self.merges,
            "interests": self.interests,
            "stats": {"avg_open_rate": 0, "avg_click_rate": 0},
            "ip_signup": self.ip_signup,
            "timestamp_signup": self.timestamp_signup,
            "ip_opt": self.ip_opt,
            "timestamp_opt": self.timestamp_opt,
            "member_rating": 2,
            "last_changed": self.last_changed,
            "language": self.language,
            "vip": self.vip,
            "email_client": "",
            "location": {"latitude": 0, "longitude": 0, "country_code": "", **self.location},
            "marketing_permissions": self.marketing_permissions,
            "source": self.source,
            "tags_count": len(self.tags),
            "tags": [{"id": number, "name": name} for number, name in enumerate(self.tags, 1)],
            "list_id": list_id,
        }


class Forgotten(MutableSet[str]):
    """The addresses deleted for ever: recognised by a keyed digest, not kept.

    Iterating gives the digests.
    """

    def __init__(self, key: str | None = None, digests: Iterable[str] = ()) -> None:
        self.key = key or secrets.token_hex(16)
        self._digests = set(digests)

    def _digest(self, email: object) -> str:
        return hashlib.blake2b(
            str(email).lower().encode(), key=self.key.encode(), digest_size=16
        ).hexdigest()

    def __contains__(self, email: object) -> bool:
        return self._digest(email) in self._digests

    def __iter__(self) -> Iterator[str]:
        return iter(self._digests)

    def __len__(self) -> int:
        return len(self._digests)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, set | frozenset) and self._digests == set(map(self._digest, other))

    __hash__ = None  # type: ignore[assignment]  # it changes

    def __repr__(self) -> str:
        return f"<{len(self)} forgotten>"

    def add(self, value: str) -> None:
        """Forget this address."""
        self._digests.add(self._digest(value))

    def discard(self, value: str) -> None:
        """Know this address again."""
        self._digests.discard(self._digest(value))
