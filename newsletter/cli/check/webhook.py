"""The webhook: whether Mailchimp reports to our URL who leaves there, and nothing that we changed ourselves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from newsletter.cli.check.finding import Finding
from newsletter.config import Settings, is_local
from newsletter.domain.errors import DeliveryFailure
from newsletter.worker.mailchimp.setup import EVENTS, HOOK_PATH, SOURCES, Webhook, setup_for
from newsletter.worker.mailchimp.webhook import is_same, url_of

_INSTALL = "run `newsletter webhook install`"
_DELETE_OLD = "delete the old webhook in the audience's settings"


def findings(settings: Settings) -> Iterator[Finding]:
    """Why we would not learn who leaves at Mailchimp; nothing on localhost, which it cannot call."""
    mailchimp = None if is_local(settings.public_url) else setup_for(settings)
    if mailchimp is None:
        return
    if settings.mailchimp_webhook_secret is None:
        yield Finding(
            "MAILCHIMP_WEBHOOK_SECRET",
            "is not set, so people who leave at Mailchimp are not blocked here",
            f"set a random text, and {_INSTALL}",
        )
        return
    try:
        yield from _judged(settings, mailchimp.webhooks())
    except DeliveryFailure:
        return  # the check of the key reports it
    finally:
        mailchimp.close()


def _judged(settings: Settings, hooks: list[Webhook]) -> Iterator[Finding]:
    url = url_of(settings) or ""
    base, path, secret = url.rpartition(HOOK_PATH)
    ours = [hook for hook in hooks if is_same(hook.url, url)]
    if ours:
        yield from _events(ours[0])
        yield from _signature(settings, ours[0])
    elif any(hook.url.endswith(f"{path}{secret}") for hook in hooks):
        yield Finding(
            "PUBLIC_URL",
            "is not the URL that Mailchimp's webhook calls",
            f"set it to what people reach, or {_INSTALL} and {_DELETE_OLD}",
        )
    elif any(hook.url.startswith(f"{base}{path}") for hook in hooks):
        yield Finding(
            "MAILCHIMP_WEBHOOK_SECRET",
            "is not the secret in the webhook's URL at Mailchimp, whose calls are answered 404",
            f"set that one, or {_INSTALL} and {_DELETE_OLD}",
        )
    else:
        yield Finding(
            "MAILCHIMP_WEBHOOK_SECRET",
            "no webhook is registered for it, so people who leave at Mailchimp are not blocked here",
            f"start `web`, and {_INSTALL}",
        )


def _events(hook: Webhook) -> Iterator[Finding]:
    missing = sorted(_wanted(EVENTS) - hook.events) + sorted(_wanted(SOURCES) - hook.sources)
    if missing:
        yield Finding(
            "MAILCHIMP_WEBHOOK_SECRET",
            f"its webhook does not report: {', '.join(missing)}",
            f"{_INSTALL}, which switches them on",
        )
    if "api" in hook.sources:
        yield Finding(
            "MAILCHIMP_WEBHOOK_SECRET",
            "its webhook also reports changes through the API, which are our own",
            f"{_INSTALL}, which switches that source off",
        )


def _wanted(switches: Mapping[str, bool]) -> set[str]:
    return {name for name, is_wanted in switches.items() if is_wanted}


def _signature(settings: Settings, hook: Webhook) -> Iterator[Finding]:
    is_checked = settings.mailchimp_signing_secret is not None
    if is_checked and hook.is_signed is False:
        yield Finding(
            "MAILCHIMP_SIGNING_SECRET",
            "is set, but the webhook's calls are not signed, and each is refused",
            f"remove the setting, or {_DELETE_OLD}, {_INSTALL} and set the secret that it shows",
        )
    if hook.is_signed and not is_checked:
        yield Finding(
            "MAILCHIMP_SIGNING_SECRET",
            "is not set, though the webhook's calls are signed, so the signature is not checked",
            f"set the secret that `newsletter webhook install` showed, or {_DELETE_OLD} and {_INSTALL} again",
            is_hint=True,
        )
