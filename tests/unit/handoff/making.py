"""Hand-overs to test with, and identities made for the purpose."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from bridge.handoff.over import HandOver, Person, control_of
from bridge.model import Action

REFERENCE, EARLIER = "DB-ABCDEFGHIJKL", "DB-MNOPQRSTUVWX"
LUZ = Person("urn:oid:2.16.840.1.113883.19.5.1", "m|1", "Ñandú & O'Hara", ("Luz", "del Mar"), "2021-03-04", "female")
MADE = 1_772_463_600_000_000  # 2026-03-02 15:00 UTC


def over(action: Action = Action.CREATE, **more: Any) -> HandOver:
    """A contact's document."""
    made = HandOver(
        reference=REFERENCE,
        control=control_of(REFERENCE, action),
        practice="maple",
        kind="ma-soc/contact",
        action=action,
        title="Home visit [DB-ABCDEFGHIJKL]",
        mime="application/cda+xml",
        body="<ClinicalDocument>¿Qué? «sí» | ^ ~ \\ &</ClinicalDocument>".encode(),
        patient=LUZ,
        agency="Harbor Family Partners",
        authors=("Rosa Vega", "Ana Ruiz^MD"),
        type=("34109-9", "Note", "http://loinc.org"),
        when="2026-03-01T10:00:00-05:00",
        made=MADE,
    )
    return replace(made, **more)


@cache
def pem(name: str) -> tuple[bytes, bytes]:
    """A self-signed certificate for an address, and its key, in PEM."""
    key = rsa.generate_private_key(public_exponent=65_537, key_size=2048)
    named = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    start = datetime.now(UTC) - timedelta(days=1)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(named)
        .issuer_name(named)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=30))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.RFC822Name(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return certificate.public_bytes(serialization.Encoding.PEM), private
