"""Why a server's certificate is not to be trusted: OpenSSL knows, and each cause is mended elsewhere."""

from __future__ import annotations

import ssl

#: By OpenSSL's number of the cause (x509_vfy.h): what is wrong with the certificate, and what to do.
_CAUSES = {
    9: ("is not valid yet", "see that this host's clock is right, or wait"),
    10: ("has run out", "have it renewed, and the server started again with it"),
    18: ("is signed by nobody but itself", "have it signed by an authority, {or_trust}"),
    19: ("is signed by an authority that this host does not know", "{trust}"),
    20: (
        "is signed by an authority that this host does not know, or comes without its chain",
        "have the server present the whole chain, {or_trust}",
    ),
    21: (
        "comes without the certificates between it and its authority",
        "have the server present the whole chain",
    ),
    62: ("is made out to another name", "name the host as the certificate does"),
    64: ("is made out to another name", "name the host as the certificate does, not by its IP"),
}
_TRUST = "name a file with the authority's certificate in SSL_CERT_FILE, if it is your own"
_OTHER = ("is not to be trusted", "have the server present a valid certificate")


def why(error: ssl.SSLCertVerificationError) -> tuple[str, str]:
    """What is wrong with the certificate, to follow its name; and what to do."""
    wrong, remedy = _CAUSES.get(error.verify_code, _OTHER)
    return wrong, remedy.format(trust=_TRUST, or_trust=f"or {_TRUST}")
