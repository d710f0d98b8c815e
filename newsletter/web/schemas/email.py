"""The form of an e-mail address in JSON Schema; only `Address` decides whether it is valid."""

from __future__ import annotations

from typing import Annotated

from pydantic import StrictStr, WithJsonSchema

from newsletter.domain.address import LONGEST

_ASCII_LABEL = "[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
#: Short enough for its ASCII form, which is longer, to fit into 63 octets.
_UMLAUT_LABEL = "[A-Za-z0-9à-öø-ÿ](?:[A-Za-z0-9à-öø-ÿ-]{0,22}[A-Za-z0-9à-öø-ÿ])?"
#: `Address.parse`, but for domains in other scripts: these fit in their ASCII form (`xn--…`).
STRICT = (
    r"^(?!\.)(?!.*\.[.@])(?!.*=\?.*\?.*@)[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}"
    r"@(?!(?:.*\.)?(?![Xx][Nn])[^.]{2}--)(?!.*\.(?:arpa|invalid|local|localhost|onion|test)$)"
    rf"(?:{_ASCII_LABEL}\.)*(?:{_ASCII_LABEL}|{_UMLAUT_LABEL})"
    r"\.[A-Za-z](?:[A-Za-z0-9-]{0,61}[A-Za-z])?$"
)
#: `Address.parse_leniently`, but for scripts beyond Latin: anything printable that ends no path of SMTP, at a host.
LENIENT = (
    r"^(?!.*=\?.*\?.*@)"
    r'(?:"[ !#-;=?-\[\]-~¡-¬®-˿]*"|[!#-;=?A-~¡-¬®-˿]+)'
    r"@(?=.{1,200}$)(?!(?:.*\.)?(?![Xx][Nn])[^.]{2}--)"
    rf"(?:{_ASCII_LABEL}\.)*(?:{_UMLAUT_LABEL}\.)?"
    r"[A-Za-z](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?$"
)

_EXAMPLE = "ada@example.com"

#: An address that an e-mail can be sent to.
Email = Annotated[
    StrictStr,
    WithJsonSchema(
        {"type": "string", "pattern": STRICT, "maxLength": LONGEST, "examples": [_EXAMPLE]}
    ),
]
#: An address that may be stored here or at Mailchimp, in any form.
HeldEmail = Annotated[
    StrictStr,
    WithJsonSchema(
        {"type": "string", "pattern": LENIENT, "maxLength": 4 * LONGEST, "examples": [_EXAMPLE]}
    ),
]
