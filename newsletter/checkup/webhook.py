"""The hook: whether Mailchimp tells us who leaves there, at the URL that is ours, and nothing of our own doing."""

from __future__ import annotations

from collections.abc import Iterator

from newsletter.checkup.finding import Finding
from newsletter.config import Settings, is_local
from newsletter.delivery.mailchimp_setup import Webhook, setup_for
from newsletter.errors import DeliveryFailure

_PATH = "/webhooks/mailchimp/"
#: What newsletter.web.webhooks understands.
_EVENTS = frozenset({"cleaned", "profile", "subscribe", "unsubscribe", "upemail"})
_SOURCES = frozenset({"admin", "user"})
_REGISTER = (
    "register PUBLIC_URL/webhooks/mailchimp/<MAILCHIMP_WEBHOOK_SECRET> in the audience's settings"
)


def findings(settings: Settings) -> Iterator[Finding]:
    """What keeps withdrawals at Mailchimp from us; localhost, which it cannot call, has no hook."""
    mailchimp = None if is_local(settings.public_url) else setup_for(settings)
    if mailchimp is None:
        return
    if settings.mailchimp_webhook_secret is None:
        yield Finding(
            "MAILCHIMP_WEBHOOK_SECRET",
            "is not set, so that who leaves at Mailchimp is not blocked here",
            f"set any hard-to-guess text, and {_REGISTER} at Mailchimp",
        )
        return
    try:
        yield from _judged(settings, mailchimp.webhooks())
    except DeliveryFailure:
        return  # that Mailchimp does not answer is told once, with the key
    finally:
        mailchimp.close()


def _judged(settings: Settings, hooks: list[Webhook]) -> Iterator[Finding]:
    secret = settings.mailchimp_webhook_secret
    path = f"{_PATH}{secret.get_secret_value() if secret else ''}"
    ours = [hook for hook in hooks if hook.url == f"{settings.public_url}{path}"]
    if ours:
        yield from _hears(ours[0])
        yield from _signs(settings, ours[0])
    elif any(hook.url.endswith(path) for hook in hooks):
        yield Finding(
            "PUBLIC_URL",
            "is not the URL that Mailchimp's webhook calls",
            f"set it to what people reach, or {_REGISTER} instead of the old URL",
        )
    elif any(hook.url.startswith(f"{settings.public_url}{_PATH}") for hook in hooks):
        yield Finding(
            "MAILCHIMP_WEBHOOK_SECRET",
            "is another than in the webhook's URL at Mailchimp, whose calls are answered 404",
            f"set that one, or {_REGISTER} instead of the old URL",
        )
    else:
        yield Finding(
            "MAILCHIMP_WEBHOOK_SECRET",
            "no webhook is registered for it, so that who leaves at Mailchimp is not blocked here",
            f"{_REGISTER} at Mailchimp",
        )


def _hears(hook: Webhook) -> Iterator[Finding]:
    missing = sorted(_EVENTS - hook.events) + sorted(_SOURCES - hook.sources)
    if missing:
        yield Finding(
            "MAILCHIMP_WEBHOOK_SECRET",
            f"its webhook does not tell us of: {', '.join(missing)}",
            "switch them on at the webhook in the audience's settings",
        )
    if "api" in hook.sources:
        yield Finding(
            "MAILCHIMP_WEBHOOK_SECRET",
            "its webhook also tells what was changed through the API, which is our own doing",
            "switch that source off at the webhook in the audience's settings",
        )


def _signs(settings: Settings, hook: Webhook) -> Iterator[Finding]:
    if settings.mailchimp_signing_secret is not None and hook.is_signed is False:
        yield Finding(
            "MAILCHIMP_SIGNING_SECRET",
            "is set, but the webhook's calls are not signed, and each is refused",
            "switch signing on at the webhook, or take the setting away",
        )
