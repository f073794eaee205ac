"""Direct: mails that openssl verifies and decrypts, notifications that come back, a submission port."""

from __future__ import annotations

import asyncio
import email
import email.policy
import shutil
import smtplib
import ssl
import subprocess
from pathlib import Path

import pytest

from bridge.handoff import direct, smime
from bridge.handoff.over import Fate, Look
from bridge.model import Action
from tests.unit.handoff.making import REFERENCE, over, pem

OURS, THEIRS = "bridge@direct.harbor.example", "office@direct.maple.example"


def identity(address: str, key: bool = True) -> smime.Identity:
    certificate, private = pem(address)
    return smime.identity(address, certificate, private if key else b"")


def sent(action: Action = Action.CREATE) -> bytes:
    return smime.mail(over(action), identity(OURS), identity(THEIRS, key=False))


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is another implementation of S/MIME")
def test_openssl_decrypts_and_verifies_what_is_sent(tmp_path: Path) -> None:
    files = {"their.pem": pem(THEIRS)[0], "their.key": pem(THEIRS)[1], "our.pem": pem(OURS)[0], "mail.eml": sent()}
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)

    def openssl(*arguments: str) -> bytes:
        done = subprocess.run(["openssl", *arguments], cwd=tmp_path, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    opened = openssl("cms", "-decrypt", "-in", "mail.eml", "-recip", "their.pem", "-inkey", "their.key")
    (tmp_path / "signed.eml").write_bytes(opened)
    assert b"multipart/signed" in opened.split(b"\n\n", 1)[0]
    inner = openssl("cms", "-verify", "-in", "signed.eml", "-CAfile", "our.pem", "-purpose", "any")
    message = email.message_from_bytes(inner, policy=email.policy.default)
    (attachment,) = message.iter_attachments()
    assert attachment.get_payload(decode=True) == over().body
    assert attachment.get_filename() == f"{REFERENCE}.xml"


def test_the_envelope_shows_addresses_and_a_reference_and_no_more() -> None:
    message = email.message_from_bytes(sent(), policy=email.policy.default)
    assert message["Subject"] == f"Document {REFERENCE}"
    assert message["Message-ID"] == f"<{REFERENCE}@direct.harbor.example>"
    assert message["Disposition-Notification-Options"] == "X-DIRECT-FINAL-DESTINATION-DELIVERY=optional,true"
    assert message.get_content_type() in ("application/pkcs7-mime", "application/x-pkcs7-mime")
    assert b"ClinicalDocument" not in sent()


def notification(disposition: str, control: str = REFERENCE) -> bytes:
    """A notification as a HISP gives it out, decrypted."""
    return (
        f"From: {THEIRS}\r\nTo: {OURS}\r\nSubject: Dispatched\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/report; report-type=disposition-notification; boundary="b"\r\n\r\n'
        "--b\r\nContent-Type: text/plain\r\n\r\nYour message arrived.\r\n"
        "--b\r\nContent-Type: message/disposition-notification\r\n\r\n"
        f"Reporting-UA: hisp.example; agent\r\nFinal-Recipient: rfc822;{THEIRS}\r\n"
        f"Original-Message-ID: <{control}@direct.harbor.example>\r\n"
        f"Disposition: automatic-action/MDN-sent-automatically;{disposition}\r\n\r\n--b--\r\n"
    ).encode()


BOUNCE = (
    f"From: mailer@hisp.example\r\nTo: {OURS}\r\nIn-Reply-To: <{REFERENCE}@direct.harbor.example>\r\n"
    "MIME-Version: 1.0\r\n"
    'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
    "--b\r\nContent-Type: text/plain\r\n\r\nIt did not arrive.\r\n"
    "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; hisp.example\r\n\r\n"
    f"Final-Recipient: rfc822;{THEIRS}\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n--b--\r\n"
).encode()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (notification("dispatched"), [(REFERENCE, "dispatched")]),
        (notification("processed", f"{REFERENCE}-C"), [(f"{REFERENCE}-C", "processed")]),
        (notification("failed"), [(REFERENCE, "failed")]),
        (BOUNCE, [(REFERENCE, "failed")]),
        (notification("dispatched", "somebody-else"), []),
        (b"Subject: hello\r\n\r\nDB-ABCDEFGHIJKL", []),
        (b"\xff\xfe\x00", []),
        (b"", []),
    ],
)
def test_what_came_back_is_read(content: bytes, said: list[tuple[str, str]]) -> None:
    found = [(one.control, one.disposition) for one in smime.notifications(content, identity(OURS))]
    assert found == said


def test_a_notification_encrypted_for_us_is_opened_and_another_s_is_not() -> None:
    from cryptography.hazmat.primitives.serialization import Encoding, pkcs7

    def sealed(certificate: bytes) -> bytes:
        of = smime.identity(OURS, certificate).certificate
        return (
            pkcs7.PKCS7EnvelopeBuilder().set_data(notification("dispatched")).add_recipient(of)
            .encrypt(Encoding.SMIME, [pkcs7.PKCS7Options.Binary])
        )  # fmt: skip

    assert [one.disposition for one in smime.notifications(sealed(pem(OURS)[0]), identity(OURS))] == ["dispatched"]
    assert list(smime.notifications(sealed(pem(THEIRS)[0]), identity(OURS))) == []


def test_a_folder_s_mail_is_confirmed_by_the_disposition_the_site_asks_for(tmp_path: Path) -> None:
    out, back = tmp_path / "out", tmp_path / "back"
    out.mkdir()
    back.mkdir()
    who = direct.Correspondents(identity(OURS), identity(THEIRS, key=False), back)
    way = direct.Direct(who, None, out, 5)
    assert asyncio.run(way.reach()) == ""
    assert asyncio.run(way.give(over())).fate is Fate.GIVEN
    assert [path.name for path in out.glob("*.eml")] == [f"{REFERENCE}.eml"]
    (back / "1.eml").write_bytes(notification("processed"))
    assert asyncio.run(way.heard(frozenset({REFERENCE}))) == {}
    assert asyncio.run(way.look(over())) is Look.GIVEN
    (back / "2.eml").write_bytes(notification("dispatched"))
    assert asyncio.run(way.heard(frozenset({REFERENCE}))) == {REFERENCE: Fate.CONFIRMED}
    assert asyncio.run(way.look(over())) is Look.CONFIRMED


class Hisp:
    """A submission port that fails at one point."""

    def __init__(self, at: str, failure: object) -> None:
        self.at, self.failure = at, failure
        self.mails: list[bytes] = []

    def __call__(self, host: str, port: int, timeout: float) -> Hisp:
        self._maybe("connect")
        return self

    def _maybe(self, at: str, good: int = 250) -> tuple[int, bytes]:
        if at == self.at:
            if isinstance(self.failure, Exception):
                raise self.failure
            assert isinstance(self.failure, int)
            return self.failure, b"words of the server"
        return good, b""

    def starttls(self, context: ssl.SSLContext) -> None:
        self._maybe("starttls")

    def ehlo_or_helo_if_needed(self) -> None:
        self._maybe("ehlo")

    def mail(self, address: str) -> tuple[int, bytes]:
        return self._maybe("mail")

    def rcpt(self, address: str) -> tuple[int, bytes]:
        return self._maybe("rcpt")

    def data(self, content: bytes) -> tuple[int, bytes]:
        self.mails.append(content)
        return self._maybe("data")

    def close(self) -> None:
        """Closed."""


@pytest.mark.parametrize(
    ("at", "failure", "fate", "code"),
    [
        ("", 0, Fate.GIVEN, "smtp 250"),
        ("connect", OSError(), Fate.LATER, "not-connected"),
        ("starttls", smtplib.SMTPNotSupportedError(), Fate.LATER, "not-connected"),
        ("mail", 550, Fate.REFUSED, "smtp 550"),
        ("rcpt", 451, Fate.LATER, "smtp 451"),
        ("data", 554, Fate.REFUSED, "smtp 554"),
        ("data", smtplib.SMTPDataError(452, b""), Fate.LATER, "smtp 452"),
        ("data", smtplib.SMTPServerDisconnected(), Fate.LOST, "no-answer"),
        ("data", TimeoutError(), Fate.LOST, "no-answer"),
    ],
)
def test_until_its_words_leave_a_mail_is_not_lost(
    monkeypatch: pytest.MonkeyPatch, at: str, failure: object, fate: Fate, code: str
) -> None:
    monkeypatch.setattr(smtplib, "SMTP", Hisp(at, failure))
    port = direct.Submission("hisp.example", 587, ssl.create_default_context(), seconds=1)
    who = direct.Correspondents(identity(OURS), identity(THEIRS, key=False), None)
    answer = asyncio.run(direct.Direct(who, port, None, 5).give(over()))
    assert (answer.fate, answer.code) == (fate, code)
    assert asyncio.run(direct.Direct(who, port, None, 5).look(over())) is Look.PERSON


def test_a_key_of_another_certificate_is_refused() -> None:
    with pytest.raises(ValueError, match="not a pair"):
        smime.identity(OURS, pem(OURS)[0], pem(THEIRS)[1])
