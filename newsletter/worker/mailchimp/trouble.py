"""Explains to operators why Mailchimp cannot be used: the setting, what is wrong, and what to do."""

from __future__ import annotations

from dataclasses import dataclass

from newsletter.domain.errors import DeliveryFailure


@dataclass(frozen=True)
class Trouble:
    """`about`: the name of a setting, or Mailchimp; no field contains a secret."""

    about: str
    wrong: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.about}: {self.wrong}; {self.remedy}."


_SET_URL = "set it to https://<data centre>.api.mailchimp.com/3.0, or take it away"
_CHECK_NETWORK = "see that this host may reach it, and that MAILCHIMP_API_URL, or the key's end such as -us1, is right"
#: By a failure's reason.
_TROUBLES = {
    "list_unknown": Trouble(
        "MAILCHIMP_LIST_ID",
        "Mailchimp knows no such audience",
        "set the Audience ID from the audience's settings, of the account that made the key",
    ),
    "api_key": Trouble(
        "MAILCHIMP_API_KEY",
        "Mailchimp refuses it",
        "make a new key in the account, and see that its end, such as -us1, is the account's data centre",
    ),
    "forbidden": Trouble(
        "MAILCHIMP_API_KEY",
        "Mailchimp forbids what it asks for",
        "use a key of a user who manages the audience, and see that the account is not closed",
    ),
    "tls": Trouble(
        "MAILCHIMP_API_URL",
        "the certificate there is not to be trusted",
        "see what stands between this host and Mailchimp",
    ),
    "redirect": Trouble("MAILCHIMP_API_URL", "redirects to another URL", _SET_URL),
    "api_url": Trouble("MAILCHIMP_API_URL", "Mailchimp knows nothing under it", _SET_URL),
    "merge_fields": Trouble(
        "MAILCHIMP_LIST_ID",
        "the audience asks for merge fields, which a sign-up here never fills, and refuses whoever has none",
        "make these fields optional in the audience's settings",
    ),
    "not_json": Trouble(
        "MAILCHIMP_API_URL", "something else than Mailchimp answers there", _SET_URL
    ),
}


def trouble_of(failure: DeliveryFailure) -> Trouble:
    """The trouble behind a failed call that is not about one person."""
    return trouble_behind(failure.reason)


def trouble_behind(reason: str) -> Trouble:
    """The trouble behind a failure's reason, such as that of a hold."""
    if reason == "throttled" or reason.startswith("http 5"):
        return Trouble("Mailchimp", f"is in trouble itself ({reason})", "run it again later")
    wrong = f"Mailchimp does not answer as it should ({reason})"
    return _TROUBLES.get(reason, Trouble("MAILCHIMP_API_KEY", wrong, _CHECK_NETWORK))
