"""Has Mailchimp call us: `newsletter webhook install` registers the webhook, or mends the one that is there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from urllib.parse import urlsplit

from newsletter.config import Settings, is_local
from newsletter.domain.errors import DeliveryFailure, SettingsError
from newsletter.worker.mailchimp.client import REFUSALS
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
    """What became of it, in sentences without the URL's secret; the signing secret where one was made."""

    sentences: tuple[str, ...]
    signing_secret: str | None


def install(settings: Settings) -> Installed:
    """Register the webhook unless it is there; raise SettingsError, which says what keeps Mailchimp from it.

    Another one of ours, at an earlier PUBLIC_URL or with an earlier secret, is named and left alone.
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
    """The URL that Mailchimp calls, a secret at its end; None without MAILCHIMP_WEBHOOK_SECRET."""
    secret = settings.mailchimp_webhook_secret
    return f"{settings.public_url}{HOOK_PATH}{secret.get_secret_value()}" if secret else None


def is_same(url: str, other: str) -> bool:
    """Whether two webhooks' URLs are one: upper case before the path of ours, or a slash at the end, is nothing."""
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
    return Installed((*_mended(mailchimp, present), *others), None)


def _after_refusal(failure: DeliveryFailure, mailchimp: MailchimpHooks, url: str) -> Webhook:
    """Find the webhook that somebody else was quicker to register: each URL is taken once."""
    if failure.meaning not in REFUSALS:
        raise failure
    if (present := _at(url, mailchimp.webhooks())) is None:
        raise SettingsError([str(_REFUSED)])
    return present


def _mended(mailchimp: MailchimpHooks, present: Webhook) -> Iterator[str]:
    if present.tells_all:
        yield "The webhook is registered already."
    elif mailchimp.mend(present).tells_all:
        yield "The webhook was registered already, and tells from now on what it should, and no more."
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
    """Speak of others of our kind, without the secrets in their URLs."""
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
