"""What people and programs are told when something goes wrong, and what developers can do about it, by slug.

`{form}` is the sign-up form, `{my_data}` the one that asks for data, `{contact}` is CONTACT_EMAIL. A slug is part of
the public contract. The German texts are in the catalogue with those of the pages.
"""

from __future__ import annotations

from typing import NamedTuple

from flask_babel import LazyString
from flask_babel import lazy_gettext as _


class ErrorText(NamedTuple):
    """One kind of problem: `title` and `text` for whoever meets it, `cause` and `remedy` for developers."""

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
        _("Let the person correct it. The same call gets the same answer."),
    ),
    "invalid-request": ErrorText(
        _("Invalid request"),
        _("At least one field is missing or has no valid value."),
        _(
            "The JSON body is no object, or a field is missing, has another type or a value that is "
            "not offered. The endpoints for staff refuse fields they do not know as well."
        ),
        _(
            "`errors` names each field and says why; compare with the endpoint’s fields in the API’s description."
        ),
    ),
    "unknown-wording": ErrorText(
        _("Consent text no longer valid"),
        _(
            "The consent text you agreed to is not known or was withdrawn. "
            "Please sign up with the present text: {form}"
        ),
        _("`wording` is not the hash of a text that was published here, or that was withdrawn."),
        _(
            "Ask `GET /` for the present text and its hash, and show the person that text: "
            "people agree to what they have seen."
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
            "another kind of link, or was signed with a key that SECRET_KEY no longer lists."
        ),
        _(
            "Take the whole link from the letter. Operators keep old keys in SECRET_KEY as long as "
            "links made with them are to work."
        ),
    ),
    "unknown-data-link": ErrorText(
        _("Link not found"),
        _(
            "Please check that you copied the whole link. It may also have expired; "
            "here you can have a new one sent to you: {my_data}"
        ),
        _(
            "The token was not signed here as a link to somebody's own data: it was cut off or changed, "
            "belongs to another kind of link, or was signed with a key that SECRET_KEY no longer lists."
        ),
        _("Take the whole link from the letter, or ask for a new one with `POST /my-data`."),
    ),
    "outdated-link": ErrorText(
        _("This link is no longer valid"),
        _(
            "Perhaps its time limit has passed, a newer link has replaced it, or the sign-up it belongs to "
            "no longer stands. If you would like to receive the newsletter, please sign up again: {form}"
        ),
        _(
            "The link was signed here, but its time limit has passed, the person has left since, "
            "or the request was deleted."
        ),
        _("Have the person sign up again: only a new letter brings a new link."),
    ),
    "expired-link": ErrorText(
        _("This link is no longer valid"),
        _(
            "It was valid for one hour, or nothing is stored any more that it led to. "
            "Here you can have a new one sent to you: {my_data}"
        ),
        _(
            "The link to somebody's own data was signed here, but its hour has passed, or they were "
            "erased since."
        ),
        _("Have the person ask for a new one with `POST /my-data`."),
    ),
    "nobody-known": ErrorText(
        _("Nobody known"),
        _("Nothing is held here about this address."),
        _("Nobody is held here by this address, and what was asked needs somebody."),
        _(
            "Check the address. Erasing works for unknown addresses as well, "
            "and so does blocking with the reason `staff`."
        ),
    ),
    "unknown-reference": ErrorText(
        _("Reference number unknown"),
        _("No record under this reference number."),
        _("Nothing ever happened here under this reference number, or it is not written as one."),
        _("Compare it with the letter: it has 32 digits and letters from a to f, in lower case."),
    ),
    "blocked-hard": ErrorText(
        _("Address blocked"),
        _("This address is blocked, and only we can lift that. Please write to {contact}."),
        _(
            "The address is blocked for good: after a complaint or a bounce, by its owner or by staff. "
            "Or its data is on hold (Art. 18 GDPR)."
        ),
        _(
            "If its owner agrees, lift the block with `POST /admin/lifts`, or release the hold with "
            "`POST /admin/holds`, then send the same call again."
        ),
    ),
    "written-too-often": ErrorText(
        _("Written to too often"),
        _(
            "This address was written to only just now, or three times today. Nothing was changed. "
            "Please try again later."
        ),
        _(
            "The new address's owner has to be asked, and an address gets one letter in ten minutes "
            "and three in a day, whoever asks for them."
        ),
        _("Send the same call again after ten minutes, or else tomorrow."),
    ),
    "cannot-correct": ErrorText(
        _("The address cannot be corrected"),
        _(
            "This address does not get the newsletter, so there is nothing to correct. Nothing was "
            "changed. Please sign up with the new address, or write to {contact}."
        ),
        _("The subscription stands neither pending nor confirmed."),
        _(
            "Sign the new address up. Whether that one can be asked makes no difference to the answer, "
            "since strangers are not told."
        ),
    ),
    "unavailable": ErrorText(
        _("Unavailable at the moment"),
        _(
            "The service cannot be reached just now, and what you asked for was not done. "
            "Please try again in a few minutes."
        ),
        _("The database cannot be reached, or has not been brought to the schema that is needed."),
        _(
            "Send the same call again after as many seconds as `Retry-After` says. For operators, "
            "`GET /ready` and the log say more."
        ),
    ),
    "bad-request": ErrorText(
        _("Unreadable request"),
        _("The request could not be read."),
        _("What was sent as JSON is no JSON in UTF-8, or is nested beyond reason."),
        _("Send a JSON object in UTF-8."),
    ),
    "wrong-signature": ErrorText(
        _("Wrong signature"),
        _("The call's signature is missing or does not match."),
        _(
            "MAILCHIMP_SIGNING_SECRET is set, and `X-Mailchimp-Signature` is missing or was not made "
            "with it over the body as it came."
        ),
        _(
            "Set the secret that Mailchimp shows for this webhook, and let no proxy change the body."
        ),
    ),
    "unauthorized": ErrorText(
        _("Unauthorized"),
        _("This needs a valid token in the Authorization header."),
        _("The header is missing, or its token is none of ADMIN_TOKENS."),
        _("Send `Authorization: Bearer …`, and never a token in the URL."),
    ),
    "not-found": ErrorText(
        _("Not found"),
        _("There is no such page here."),
        _(
            "There is no such path, erasure, reference number or secret; or it is an endpoint for staff or for "
            "Mailchimp, and no token or secret is set for it."
        ),
        _(
            "Compare the path with the API’s description, and check ADMIN_TOKENS or MAILCHIMP_WEBHOOK_SECRET."
        ),
    ),
    "method-not-allowed": ErrorText(
        _("Method not allowed"),
        _("This address does not know the HTTP method that was used."),
        _("The path is right, the method is not."),
        _("`Allow` names the methods that there are."),
    ),
    "too-large": ErrorText(
        _("Too much data"),
        _("The request is larger than it may be here."),
        _(
            "The body has more than 16 KiB (from Mailchimp: 1 MiB), or a form more than 1,000 parts."
        ),
        _("Send only the fields that the endpoint knows."),
    ),
    "unsupported-media-type": ErrorText(
        _("Unsupported media type"),
        _("This Content-Type is not taken here."),
        _("The Content-Type of the body is missing, or is none that the endpoint takes."),
        _("Send `application/json` or, where the endpoint takes forms, the type of a form."),
    ),
    "too-many-requests": ErrorText(
        _("Too many requests"),
        _("Very many requests came from here in a short time. Please try again a little later."),
        _(
            "One client has sent more sign-ups, or asked for data more often, than CLIENT_LIMIT lets it."
        ),
        _(
            "Wait as many seconds as `Retry-After` says. If all visitors count as one client, "
            "operators have to set TRUSTED_PROXIES."
        ),
    ),
    "internal-error": ErrorText(
        _("Error in the service"),
        _("Something went wrong on our side. Please try again later or write to {contact}."),
        _("Something happened in the service that it does not expect."),
        _("Try again later. For operators, the log has the trace, without personal data."),
    ),
    "http-error": ErrorText(
        _("Request not possible"),
        _("This request could not be answered."),
        _("Something in the request does not fit, such as a range that a file does not have."),
        _("The status says what it is (RFC 9110 § 15)."),
    ),
}
