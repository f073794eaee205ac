"""Private authorities and our own certificate, over real connections."""

from __future__ import annotations

import asyncio
import datetime
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from bridge.errors import ConfigError
from bridge.fhir import tls
from bridge.fhir.client import Client
from bridge.fhir.exchange import Unanswered, exchange
from bridge.model import Failure, Request, Response
from bridge.settings import Tls


@dataclass(frozen=True)
class Made:
    """A certificate with its key, in files."""

    certificate: Path
    key: Path
    signer: ec.EllipticCurvePrivateKey
    name: x509.Name


def make(folder: Path, name: str, by: Made | None = None) -> Made:
    key, subject = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    day = datetime.timedelta(days=1)
    built = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(by.name if by else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - day)
        .not_valid_after(now + day)
        .add_extension(x509.BasicConstraints(ca=by is None, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False)
        .sign(by.signer if by else key, hashes.SHA256())
    )
    made = Made(folder / f"{name}.pem", folder / f"{name}.key", key, subject)
    made.certificate.write_bytes(built.public_bytes(serialization.Encoding.PEM))
    plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    made.key.write_bytes(key.private_bytes(serialization.Encoding.PEM, *plain))
    return made


class Ehr(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.send_response_only(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing."""


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that is not trusted is no error of the server's."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("certificates")


@pytest.fixture(scope="module")
def ca(folder: Path) -> Made:
    return make(folder, "ca")


@pytest.fixture(scope="module")
def base(folder: Path, ca: Made) -> Iterator[str]:
    """An EHR with a certificate of a private authority, that wants one of the same from its clients."""
    ours = make(folder, "ehr", ca)
    server = Server(("127.0.0.1", 0), Ehr)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(ours.certificate, ours.key)
    context.load_verify_locations(ca.certificate)
    context.verify_mode = ssl.CERT_REQUIRED
    context.maximum_version = ssl.TLSVersion.TLSv1_2  # in 1.3 a client hears only later that it was not trusted
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield f"https://127.0.0.1:{server.server_address[1]}/fhir"
    server.shutdown()
    server.server_close()
    thread.join()


def asked(base: str, settings: Tls | None) -> Response:
    async def work() -> Response:
        async with Client(base, timeout=5, secure=tls.context(settings)) as client:
            return await client.send(Request("GET", "metadata"))

    return asyncio.run(work())


def test_a_private_authority_and_our_certificate_open_the_door(base: str, folder: Path, ca: Made) -> None:
    client = make(folder, "client", ca)
    both = Tls(ca.certificate, client.certificate, client.key)
    assert asked(base, both).status == 200
    status, _, body = asyncio.run(exchange("GET", f"{base}/token", {}, b"", secure=tls.context(both), timeout=5))
    assert (status, body) == (200, b"{}")


def test_without_them_nothing_is_sent(base: str, ca: Made) -> None:
    assert asked(base, None).failure is Failure.NOT_CONNECTED
    assert asked(base, Tls(ca.certificate)).failure is not None
    with pytest.raises(Unanswered):
        asyncio.run(exchange("POST", f"{base}/token", {}, b"x", secure=tls.context(), timeout=5))


@pytest.mark.parametrize("part", ["ca", "certificate"])
def test_a_file_that_is_no_certificate_is_told_without_what_is_in_it(folder: Path, ca: Made, part: str) -> None:
    wrong = folder / "wrong.pem"
    wrong.write_text("canary-key-material", encoding="utf-8")
    settings = Tls(wrong) if part == "ca" else Tls(None, ca.certificate, wrong)
    with pytest.raises(ConfigError) as caught:
        tls.context(settings)
    problem = caught.value.problems[0]
    assert (problem.code, problem.field) == ("tls-file", f"tls.{part}")
    assert "canary" not in str(caught.value)


def test_a_key_with_a_password_is_refused_and_not_asked_for(folder: Path, ca: Made) -> None:
    locked = folder / "locked.key"
    form = serialization.PrivateFormat.PKCS8, serialization.BestAvailableEncryption(b"hush")
    locked.write_bytes(ca.signer.private_bytes(serialization.Encoding.PEM, *form))
    with pytest.raises(ConfigError):
        tls.context(Tls(None, ca.certificate, locked))
