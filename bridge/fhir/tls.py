"""What a connection trusts, and what it shows of itself, in TLS."""

from __future__ import annotations

import ssl

import httpx

from bridge.errors import ConfigError, Problem
from bridge.settings import Tls


def context(tls: Tls | None = None) -> ssl.SSLContext:
    """The machine's authorities and those of `tls`, with its certificate shown to whoever asks for one.

    Raises ConfigError where a file is none of that; the message says which and not what is in it.
    """
    made = httpx.create_ssl_context(trust_env=False)
    if tls is None:
        return made
    try:
        if tls.ca is not None:
            made.load_verify_locations(cafile=tls.ca)
    except (OSError, ssl.SSLError):
        raise ConfigError(_wrong("tls.ca", "holds no certificate in PEM form", str(tls.ca))) from None
    try:
        if tls.certificate is not None:
            # a key with a password would be asked for at the terminal: an empty one refuses it instead
            made.load_cert_chain(tls.certificate, tls.key, password=lambda: "")
    except (OSError, ssl.SSLError):
        rule = "certificate and key are not a pair in PEM form, the key without a password"
        raise ConfigError(_wrong("tls.certificate", rule, f"{tls.certificate}, {tls.key}")) from None
    return made


def _wrong(field: str, rule: str, searched: str) -> Problem:
    return Problem("tls-file", rule, "bridge.yaml", field, f"searched: {searched}")
