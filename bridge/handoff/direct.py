"""A Direct address, reached through a HISP: its submission port (SMTP over TLS), or a folder it reads."""

from __future__ import annotations

import asyncio
import smtplib
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from bridge.handoff import smime
from bridge.handoff.folder import Folder, Form
from bridge.handoff.over import Fate, Given, HandOver, Look
from bridge.settings import Secret

LARGEST = 35 * 2**20  # bytes of one notification that are looked at
MAILS = (".eml", ".mdn", ".msg", ".txt")


@dataclass(frozen=True, slots=True)
class Submission:
    """Where a HISP takes mail. `tls` at once (port 465), else by STARTTLS (587)."""

    host: str
    port: int
    secure: ssl.SSLContext
    tls: bool = False
    user: str = ""
    password: Secret | None = None
    seconds: float = 30.0


@dataclass(frozen=True, slots=True)
class Correspondents:
    """Who writes to whom, and which disposition confirms."""

    sender: smime.Identity
    recipient: smime.Identity
    notifications: Path | None
    confirms: frozenset[str] = frozenset({"dispatched"})


class Direct:
    """One practice's Direct address. Mails go to `submission`, or as files into `folder`."""

    def __init__(self, who: Correspondents, submission: Submission | None, folder: Path | None, takes: float) -> None:
        self.who = who
        self.submission = submission
        self.turns = asyncio.Semaphore(2)
        self._known: dict[tuple[str, int, int], tuple[smime.Notification, ...]] = {}
        self.files = Folder(folder, Form(lambda over: "eml", self._mail), takes) if folder is not None else None
        self.takes = takes

    async def give(self, over: HandOver) -> Given:
        """The mail is with the HISP."""
        if self.files is not None:
            return await self.files.give(over)
        if self.submission is None:
            return Given(Fate.LATER, "no-submission")
        content = await asyncio.to_thread(self._mail, over)
        try:
            async with asyncio.timeout(self.takes):
                return await asyncio.to_thread(self._submit, self.submission, content)
        except TimeoutError:
            return Given(Fate.LOST, "no-answer")

    async def look(self, over: HandOver) -> Look:
        """A notification says it; else the journal of the folder, or a person."""
        if (await self.heard(frozenset({over.control}))).get(over.control) is Fate.CONFIRMED:
            return Look.CONFIRMED
        return await self.files.look(over) if self.files is not None else Look.PERSON

    async def said(self, over: HandOver) -> str:
        """What the journal of the folder remembers; a submission port remembers nothing."""
        return await self.files.said(over) if self.files is not None else ""

    async def heard(self, controls: frozenset[str]) -> Mapping[str, Fate]:
        """What notifications said of the mails with these control ids."""
        return await asyncio.to_thread(lambda: dict(self._heard(controls)))

    async def reach(self) -> str:
        """ "" where mails can be given; nothing is sent."""
        if self.who.notifications is not None and not self.who.notifications.is_dir():
            return "the folder of notifications is not there"
        if self.files is not None:
            return await self.files.reach()
        if self.submission is None:
            return "neither a folder nor a submission port is named"
        try:
            await asyncio.to_thread(self._greet, self.submission)
        except (OSError, smtplib.SMTPException) as error:
            return f"the submission port does not take us ({type(error).__name__})"
        return ""

    def _mail(self, over: HandOver) -> bytes:
        return smime.mail(over, self.who.sender, self.who.recipient)

    def _connect(self, to: Submission) -> smtplib.SMTP:
        """Connected, encrypted and signed in. Raises OSError, SMTPException."""
        if to.tls:
            smtp: smtplib.SMTP = smtplib.SMTP_SSL(to.host, to.port, timeout=to.seconds, context=to.secure)
        else:
            smtp = smtplib.SMTP(to.host, to.port, timeout=to.seconds)
            smtp.starttls(context=to.secure)
        if to.user and to.password is not None:
            smtp.login(to.user, to.password.reveal())
        return smtp

    def _greet(self, to: Submission) -> None:
        with self._connect(to):
            pass

    def _submit(self, to: Submission, content: bytes) -> Given:
        """What became of the mail: until its words leave nothing is lost, after that only an answer tells."""
        smtp, left = None, False
        try:
            smtp = self._connect(to)
            smtp.ehlo_or_helo_if_needed()
            for code, _ in (smtp.mail(self.who.sender.address), smtp.rcpt(self.who.recipient.address)):
                if code >= 400:
                    return by_code(code)
            left = True
            code, _ = smtp.data(content)
            return by_code(code)
        except smtplib.SMTPDataError as error:  # DATA itself was not taken: the mail did not leave
            return by_code(error.smtp_code)
        except (OSError, smtplib.SMTPException) as error:
            return Given(Fate.LOST, "no-answer") if left else Given(Fate.LATER, why(error))
        finally:
            if smtp is not None:
                smtp.close()

    def _heard(self, controls: frozenset[str]) -> Iterator[tuple[str, Fate]]:
        folder = self.who.notifications
        paths = sorted(folder.iterdir()) if folder is not None and folder.is_dir() else []
        for path in paths:
            for said in self._read(path):
                if said.control in controls and said.failed:
                    yield said.control, Fate.REFUSED
                elif said.control in controls and said.disposition in self.who.confirms:
                    yield said.control, Fate.CONFIRMED

    def _read(self, path: Path) -> tuple[smime.Notification, ...]:
        """What one file says, read once as long as it stays as it is."""
        found = path.stat()
        if not path.name.lower().endswith(MAILS) or found.st_size > LARGEST:
            return ()
        known = (path.name, found.st_size, found.st_mtime_ns)
        if known not in self._known:
            self._known[known] = tuple(smime.notifications(path.read_bytes(), self.who.sender))
        return self._known[known]


CLOSED = 421
"""The server closes for everybody (RFC 5321 §3.8)."""

LOGIN = frozenset({454, 530, 534, 535, 538})
"""About who we are and not about the mail (RFC 4954 §6)."""


def by_code(code: int) -> Given:
    """What a reply code of SMTP means for the mail (RFC 5321 §4.2.1)."""
    if code in LOGIN or code == CLOSED:
        return Given(Fate.LATER, "closed" if code == CLOSED else "login")
    if code < 400:
        return Given(Fate.GIVEN, f"smtp {code}")
    return Given(Fate.REFUSED if code >= 500 else Fate.LATER, f"smtp {code}")


def why(error: Exception) -> str:
    """The code of a failure before any word of a mail left."""
    if isinstance(error, smtplib.SMTPResponseException) and error.smtp_code == CLOSED:
        return "closed"
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return "login"
    return "certificate" if isinstance(error, ssl.SSLError) else "not-connected"
