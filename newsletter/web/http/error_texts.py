"""The texts of all problems, for people and for developers, by slug.

`{form}` is the URL of the sign-up form, `{my_data}` that of the form for one's own data, `{contact}` is CONTACT_EMAIL.
Slugs are part of the public contract. The German texts are in the catalogue.
"""

from __future__ import annotations

from typing import NamedTuple

from flask_babel import LazyString
from flask_babel import lazy_gettext as _


class ErrorText(NamedTuple):
    """One kind of problem: `title` and `text` are for the person or program, `cause` and `remedy` for developers."""

    title: LazyString
    text: LazyString
    cause: LazyString
    remedy: LazyString


TEXTS: dict[str, ErrorText] = {
    "invalid-address": ErrorText(
        _("Not a valid e-mail address"),
        _(
            "Please enter a valid e-mail address, such as name@example.com. "
            "Accented and special letters before the @ are not possible."
        ),
        _(
            "The address has no @, something other than ASCII or more than 64 characters before it, "
            "a domain that cannot exist on the internet, or more than 254 characters in all."
        ),
        _("Let the person correct it. Repeating the call does not help."),
    ),
    "reserved-address": ErrorText(
        _("No e-mail reaches this domain"),
        _(
            "The ending of this address, such as .test or .local, is reserved: no e-mail can be sent there. "
            "Please enter another address."
        ),
        _(
            "The domain is or ends with arpa, invalid, local, localhost, onion or test (RFC 6761). For trying things "
            "out there is example.com."
        ),
        _("Let the person correct it. Repeating the call does not help."),
    ),
    "invalid-request": ErrorText(
        _("Invalid request"),
        _("At least one field is missing or has no valid value."),
        _(
            "The JSON body is not an object, or a field is missing or has the wrong type or value. "
            "The endpoints for staff also refuse unknown fields."
        ),
        _(
            "`errors` names each field and the reason; compare with the endpoint’s fields in the API description."
        ),
    ),
    "unknown-wording": ErrorText(
        _("Consent text no longer valid"),
        _(
            "The consent text you agreed to is not known or was withdrawn. "
            "Please sign up with the current text: {form}"
        ),
        _("`wording` is not the hash of a text published here, or the text was withdrawn."),
        _(
            "Get the current text and its hash with `GET /`, and show that text: "
            "people agree to what they see."
        ),
    ),
    "unknown-link": ErrorText(
        _("Link not found"),
        _(
            "Please check that you copied the whole link. It may also have expired; "
            "in that case please sign up again: {form}"
        ),
        _(
            "The token was not signed here for this purpose: it was cut off or changed, belongs to "
            "another kind of link, or was signed with a key that is no longer in SECRET_KEY."
        ),
        _(
            "Copy the whole link from the e-mail. Operators: keep old keys in SECRET_KEY, since unsubscribe "
            "links signed with them never expire."
        ),
    ),
    "unknown-data-link": ErrorText(
        _("Link not found"),
        _(
            "Please check that you copied the whole link. It may also have expired; "
            "here you can request a new one: {my_data}"
        ),
        _(
            "The token was not signed here as a link to a person’s data: it was cut off or changed, "
            "belongs to another kind of link, or was signed with a key that is no longer in SECRET_KEY."
        ),
        _("Copy the whole link from the e-mail, or request a new one with `POST /my-data`."),
    ),
    "outdated-link": ErrorText(
        _("This link is no longer valid"),
        _(
            "It may have expired, been replaced by a newer link, or belong to a sign-up that is no longer "
            "valid. If you would like to receive the newsletter, please sign up again: {form}"
        ),
        _(
            "The link was signed here, but it has expired, the person has unsubscribed since, or the "
            "request was deleted."
        ),
        _("Have the person sign up again: a new link comes only with a new e-mail."),
    ),
    "expired-link": ErrorText(
        _("This link is no longer valid"),
        _(
            "The link was valid for one hour, or the data is no longer stored. "
            "Here you can request a new one: {my_data}"
        ),
        _(
            "The link to a person’s data or receipt was signed here, but it is more than an hour old, or the person "
            "was deleted since."
        ),
        _("Have the person request a new one with `POST /my-data`."),
    ),
    "nobody-known": ErrorText(
        _("Nobody known"),
        _("Nothing is stored about this address."),
        _("No person is stored under this address, and the call needs one."),
        _(
            "Check the address. Deleting works for unknown addresses as well, "
            "and so does blocking with the reason `staff`."
        ),
    ),
    "unknown-reference": ErrorText(
        _("Reference number unknown"),
        _("No record under this reference number."),
        _("There is no event under this reference number, or it has the wrong form."),
        _("Compare it with the e-mail: it has 32 digits and letters from a to f, in lower case."),
    ),
    "blocked-hard": ErrorText(
        _("Address blocked"),
        _("This address is blocked, and only we can unblock it. Please write to {contact}."),
        _(
            "The address is permanently blocked: after a complaint or a bounce, by its owner or by staff. "
            "Or processing of its data is restricted (Art. 18 GDPR)."
        ),
        _(
            "If its owner agrees, unblock it with `POST /admin/lifts`, or end the restriction with "
            "`POST /admin/holds`, then repeat the call."
        ),
    ),
    "written-too-often": ErrorText(
        _("Too many e-mails to this address"),
        _(
            "An e-mail to this address was sent just now, or three were sent today. Nothing was changed. "
            "Please try again later."
        ),
        _(
            "The owner of the new address has to confirm, and a mailbox gets at most one e-mail in ten "
            "minutes and three a day, no matter who requests them."
        ),
        _("Repeat the call after ten minutes, or else tomorrow."),
    ),
    "cannot-correct": ErrorText(
        _("The address cannot be corrected"),
        _(
            "This address does not get the newsletter, so there is nothing to correct. Nothing was "
            "changed. Please sign up with the new address, or write to {contact}."
        ),
        _("The subscription is neither pending nor confirmed."),
        _(
            "Sign the new address up. The answer never depends on the status of the new address, so that "
            "strangers do not learn it."
        ),
    ),
    "unavailable": ErrorText(
        _("Unavailable at the moment"),
        _(
            "The service is not available at the moment, and your request was not carried out. "
            "Please try again in a few minutes."
        ),
        _("The database cannot be reached, or its schema is not current."),
        _(
            "Repeat the call after the seconds in `Retry-After`. Operators: see "
            "`GET /ready` and the log."
        ),
    ),
    "bad-request": ErrorText(
        _("Unreadable request"),
        _("The request could not be read."),
        _("The body is not JSON in UTF-8, or is nested too deeply."),
        _("Send a JSON object in UTF-8."),
    ),
    "wrong-signature": ErrorText(
        _("Wrong signature"),
        _("The signature of the call is missing or does not match."),
        _(
            "MAILCHIMP_SIGNING_SECRET is set, and `X-Mailchimp-Signature` is missing or does not match "
            "the body."
        ),
        _(
            "Set the secret that Mailchimp shows for this webhook, and make sure that no proxy changes the body."
        ),
    ),
    "unauthorized": ErrorText(
        _("Unauthorized"),
        _("This needs a valid token in the Authorization header."),
        _("The header is missing, or its token is not in ADMIN_TOKENS."),
        _("Send `Authorization: Bearer …`; never put a token in the URL."),
    ),
    "forbidden": ErrorText(
        _("Only for looking"),
        _("This token may look, but not change anything."),
        _("The token ends in `:read` in ADMIN_TOKENS."),
        _("Use a token that may act."),
    ),
    "not-found": ErrorText(
        _("Not found"),
        _("This page does not exist."),
        _(
            "The path, deletion, reference number or secret does not exist; or the endpoint is for staff or "
            "Mailchimp, and no token or secret is set for it."
        ),
        _(
            "Compare the path with the API description, and check ADMIN_TOKENS or MAILCHIMP_WEBHOOK_SECRET."
        ),
    ),
    "method-not-allowed": ErrorText(
        _("Method not allowed"),
        _("This page does not support the HTTP method that was used."),
        _("The path is correct, the method is not."),
        _("`Allow` lists the supported methods."),
    ),
    "too-large": ErrorText(
        _("Too much data"),
        _("The request is too large."),
        _("The body is larger than 16 KiB (from Mailchimp: 1 MiB)."),
        _("Send only the fields of the endpoint."),
    ),
    "unsupported-media-type": ErrorText(
        _("Unsupported media type"),
        _("This Content-Type is not supported."),
        _("The Content-Type of the body is missing or not supported by the endpoint."),
        _("Send `application/json` or, if the endpoint accepts forms, a form’s type."),
    ),
    "too-many-requests": ErrorText(
        _("Too many requests"),
        _("Too many attempts. Try again in ten minutes."),
        _(
            "One client has sent more sign-ups or requests for data than CLIENT_LIMIT allows, or ten wrong admin "
            "tokens within ten minutes."
        ),
        _(
            "Wait for the seconds in `Retry-After`. Operators: if all visitors count as one client, set "
            "TRUSTED_PROXIES."
        ),
    ),
    "internal-error": ErrorText(
        _("Error in the service"),
        _("Something went wrong on our side. Please try again later or write to {contact}."),
        _("An unexpected error happened in the service."),
        _("Try again later. Operators: the log has the trace, without personal data."),
    ),
    "http-error": ErrorText(
        _("Request not possible"),
        _("This request could not be answered."),
        _("Part of the request cannot be fulfilled, such as a range that a file does not have."),
        _("See the status code (RFC 9110 § 15)."),
    ),
}
