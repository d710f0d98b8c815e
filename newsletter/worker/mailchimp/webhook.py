"""`newsletter webhook install`: registers the webhook at Mailchimp, or updates the one that is there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from urllib.parse import urlsplit

from newsletter.config import Settings, is_local
from newsletter.domain.errors import DeliveryFailure, SettingsError
from newsletter.worker.mailchimp.failures import REFUSALS
from newsletter.worker.mailchimp.setup import HOOK_PATH, MailchimpHooks, Webhook, hooks_for
from newsletter.worker.mailchimp.trouble import Trouble, trouble_of

_NO_KEY = Trouble(
    "MAILCHIMP_API_KEY", "is not set", "make a key at Mailchimp and set it, with MAILCHIMP_LIST_ID"
)
_NO_SECRET = Trouble(
    "MAILCHIMP_WEBHOOK_SECRET",
    "is not set",
    "make one, such as with `openssl rand -hex 16`, set it for `web`, too, and start that anew",
)
_LOCAL = Trouble(
    "PUBLIC_URL", "names this machine, which Mailchimp cannot call", "set it to what people reach"
)
_REFUSED = Trouble(
    "PUBLIC_URL",
    "Mailchimp registers a webhook only once a GET of its URL was answered by 200, and refuses this one",
    "see that `web` runs with this MAILCHIMP_WEBHOOK_SECRET, and answers there from outside",
)
_UNCHANGED = Trouble(
    "MAILCHIMP_WEBHOOK_SECRET",
    "its webhook is as it was, though Mailchimp took the change",
    "switch on what `newsletter check` misses, at the webhook in the audience's settings",
)


@dataclass(frozen=True)
class Installed:
    """The result of an installation."""

    sentences: tuple[str, ...]  #: without the secret in the URL
    signing_secret: str | None  #: None: none was made now


def install(settings: Settings) -> Installed:
    """Register the webhook, or update it; raise SettingsError, which says why that is not possible.

    Another webhook of ours, at an earlier PUBLIC_URL or with an earlier secret, is named and not changed.
    """
    mailchimp, url = hooks_for(settings), url_of(settings)
    missing = [str(trouble) for trouble in _missing(settings)]
    if mailchimp is None or url is None or missing:
        raise SettingsError(missing)
    with closing(mailchimp):
        try:
            return _installed(mailchimp, url)
        except DeliveryFailure as failure:
            raise SettingsError([_in_words(failure)]) from None


def _missing(settings: Settings) -> Iterator[Trouble]:
    if settings.mailchimp_api_key is None:
        yield _NO_KEY
    if settings.mailchimp_webhook_secret is None:
        yield _NO_SECRET
    if is_local(settings.public_url):
        yield _LOCAL


def url_of(settings: Settings) -> str | None:
    """The URL that Mailchimp calls, which ends in the secret; None without MAILCHIMP_WEBHOOK_SECRET."""
    secret = settings.mailchimp_webhook_secret
    return f"{settings.public_url}{HOOK_PATH}{secret.get_secret_value()}" if secret else None


def is_same(url: str, other: str) -> bool:
    """Tell whether two URLs are the same webhook: case before our path and a slash at the end do not matter."""
    return _parts(url) == _parts(other)


def _parts(url: str) -> tuple[str, str, str]:
    base, path, secret = url.rpartition(HOOK_PATH)
    return base.lower(), path, secret.rstrip("/")


def _installed(mailchimp: MailchimpHooks, url: str) -> Installed:
    hooks = mailchimp.webhooks()
    others = tuple(_others(url, hooks))
    if (present := _at(url, hooks)) is None:
        try:
            signing_secret = mailchimp.register(url)
        except DeliveryFailure as failure:
            present = _after_refusal(failure, mailchimp, url)
        else:
            return Installed(("The webhook is registered.", *others), signing_secret)
    return Installed((*_updated(mailchimp, present), *others), None)


def _after_refusal(failure: DeliveryFailure, mailchimp: MailchimpHooks, url: str) -> Webhook:
    """Find the webhook that another process has just registered, since Mailchimp accepts each URL once."""
    if failure.meaning not in REFUSALS:
        raise failure
    if (present := _at(url, mailchimp.webhooks())) is None:
        raise SettingsError([str(_REFUSED)])
    return present


def _updated(mailchimp: MailchimpHooks, present: Webhook) -> Iterator[str]:
    if present.is_complete:
        yield "The webhook is registered already."
    elif mailchimp.update(present).is_complete:
        yield "The webhook was registered already; its events and sources are corrected."
    else:
        raise SettingsError([str(_UNCHANGED)])
    anew = "delete the webhook in the audience's settings, and install it anew."
    if present.is_signed:
        yield (
            "Its calls are signed, with a secret that Mailchimp told only when it was registered: if that is"
            f" lost, {anew}"
        )
    else:
        yield f"Its calls are not signed: to have them signed, {anew}"


def _at(url: str, hooks: list[Webhook]) -> Webhook | None:
    return next((hook for hook in hooks if is_same(hook.url, url)), None)


def _others(url: str, hooks: list[Webhook]) -> Iterator[str]:
    """Name other webhooks with our path, without the secrets in their URLs."""
    base, path, secret = _parts(url)
    for hook in hooks:
        its_base, its_path, its_secret = _parts(hook.url)
        if its_path != path or (its_base, its_secret) == (base, secret):
            continue
        with_ = "this secret" if its_secret == secret else "another secret"
        where = (
            "this PUBLIC_URL"
            if its_base == base
            else f"another URL ({urlsplit(its_base).hostname})"
        )
        yield (
            f"Another webhook calls {where} with {with_}: delete it in the audience's settings, unless another"
            " service needs it."
        )


def _in_words(failure: DeliveryFailure) -> str:
    told = str(trouble_of(failure))
    if failure.outcome_unknown:
        return f"{told} It may have been done all the same: `newsletter check` tells."
    return told
