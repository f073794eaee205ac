"""A mail signed and encrypted for a Direct address, and what a notification that came back says.

Sources: Applicability Statement for Secure Health Transport (multipart/signed inside application/pkcs7-mime, SHA-256,
AES; MDN "processed"), Implementation Guide for Delivery Notification in Direct ("dispatched", asked for by
X-DIRECT-FINAL-DESTINATION-DELIVERY), RFC 8551, RFC 8098; seen 2026-11. The envelope shows to anyone only the
two addresses and the delivery reference.
"""

from __future__ import annotations

import email
import email.policy
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.message import EmailMessage, Message
from email.utils import format_datetime

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.ciphers import algorithms
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key, pkcs7

from bridge.documents.formats import file_name
from bridge.handoff.over import HandOver

WIRE = email.policy.SMTP.clone(max_line_length=76)
FINAL = "X-DIRECT-FINAL-DESTINATION-DELIVERY=optional,true"
CONTROL = re.compile(r"<?\s*(DB-[A-Z2-7]{12}(?:-C)?)@")
DISPOSITION = re.compile(r";\s*(processed|dispatched|displayed|failed|denied|error|deleted)", re.IGNORECASE)
FAILED = frozenset({"failed", "denied", "error", "deleted"})


@dataclass(frozen=True, slots=True)
class Identity:
    """An address, its certificate, and the key of our own."""

    address: str
    certificate: x509.Certificate = field(repr=False)
    key: rsa.RSAPrivateKey | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Notification:
    """What a notification says of one mail: processed, dispatched or failed."""

    control: str
    disposition: str

    @property
    def failed(self) -> bool:
        """Whether it says that the mail did not arrive."""
        return self.disposition in FAILED


def identity(address: str, certificate: bytes, key: bytes = b"") -> Identity:
    """The identity in these PEM texts. Raises ValueError where they are none, or the key is no RSA key or another's."""
    read = x509.load_pem_x509_certificate(certificate)
    if not isinstance(read.public_key(), rsa.RSAPublicKey):
        raise ValueError("the certificate is not of an RSA key")
    if not key:
        return Identity(address, read)
    private = load_pem_private_key(key, None)
    if not isinstance(private, rsa.RSAPrivateKey) or private.public_key() != read.public_key():
        raise ValueError("certificate and key are not a pair")
    return Identity(address, read, private)


def mail(over: HandOver, sender: Identity, recipient: Identity) -> bytes:
    """The mail, signed by `sender` and encrypted for `recipient`. Raises ValueError for a sender without a key."""
    if sender.key is None:
        raise ValueError("the sender has no key to sign with")
    inner = EmailMessage(policy=WIRE)
    inner.set_content(f"{over.title}\n\n{over.agency}\n", cte="quoted-printable")
    kind, _, subtype = over.mime.partition("/")
    name = file_name(over.control, over.mime)
    inner.add_attachment(over.body, maintype=kind, subtype=subtype, filename=name)
    signed = (
        pkcs7.PKCS7SignatureBuilder()
        .set_data(inner.as_bytes())
        .add_signer(sender.certificate, sender.key, SHA256())
        .sign(Encoding.SMIME, [pkcs7.PKCS7Options.DetachedSignature, pkcs7.PKCS7Options.Binary])
    )
    sealed = (
        pkcs7.PKCS7EnvelopeBuilder()
        .set_data(signed)
        .add_recipient(recipient.certificate)
        .set_content_encryption_algorithm(algorithms.AES256)
        .encrypt(Encoding.SMIME, [pkcs7.PKCS7Options.Binary])
    )
    header = {
        "From": sender.address,
        "To": recipient.address,
        "Subject": f"Document {over.control}",
        "Date": format_datetime(datetime.fromtimestamp(over.made // 1_000_000, UTC)),
        "Message-ID": f"<{over.control}@{sender.address.rpartition('@')[2]}>",
        "Disposition-Notification-To": sender.address,
        "Disposition-Notification-Options": FINAL,
    }
    lines = "".join(f"{key}: {value}\r\n" for key, value in header.items()).encode()
    return lines + sealed.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def notifications(content: bytes, own: Identity | None) -> Iterator[Notification]:
    """What a mail that came back says of ours; nothing where it is no notification, or cannot be decrypted by us.

    Whose signature it carries is not checked: what it says moves a state, and never brings anything into a chart.
    """
    try:
        message = email.message_from_bytes(content, policy=email.policy.default)
    except (ValueError, LookupError):
        return
    if message.get_content_type() in ("application/pkcs7-mime", "application/x-pkcs7-mime"):
        if own is None or own.key is None:
            return
        try:
            opened = pkcs7.pkcs7_decrypt_smime(content, own.certificate, own.key, [])
        except (ValueError, TypeError):
            return
        message = email.message_from_bytes(opened, policy=email.policy.default)
    for part in message.walk():
        if part.get_content_type() == "message/disposition-notification":
            yield from _said(part)
        elif part.get_content_type() == "message/delivery-status":
            yield from _bounced(message, part)


def _said(part: Message) -> Iterator[Notification]:
    text = _text(part)
    original = re.search(r"^Original-Message-ID:\s*(.+)$", text, re.IGNORECASE | re.MULTILINE)
    control = CONTROL.match(original[1].strip()) if original else None
    said = re.search(r"^Disposition:\s*(.+)$", text, re.IGNORECASE | re.MULTILINE)
    disposition = DISPOSITION.search(said[1]) if said else None
    if control and disposition:
        yield Notification(control[1], disposition[1].lower())


def _bounced(message: Message, part: Message) -> Iterator[Notification]:
    """A delivery status of a mail server (RFC 3464) that says `failed`; which mail, its headers say."""
    if not re.search(r"^Action:\s*failed", _text(part), re.IGNORECASE | re.MULTILINE):
        return
    named = CONTROL.search("\n".join(str(message.get(name, "")) for name in ("In-Reply-To", "References")))
    inside = CONTROL.search(message.as_string()) if named is None else named
    if inside is not None:
        yield Notification(inside[1], "failed")


def _text(part: Message) -> str:
    inner = part.get_payload()
    if isinstance(inner, list):
        return "\n".join(f"{key}: {value}" for one in inner if isinstance(one, Message) for key, value in one.items())
    decoded = part.get_payload(decode=True)
    return decoded.decode("utf-8", "replace") if isinstance(decoded, bytes) else ""
