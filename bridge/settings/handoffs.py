"""What `handoff` of a practice may say."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from bridge.settings.forms import Email, NotLiteral, wrong
from bridge.settings.handoff import CONFIRMS, Confirms, Format, Handoff, Mail, Way
from bridge.settings.lines import Path as Place
from bridge.settings.login import Tls
from bridge.settings.logins import KeyFile, TlsIn
from bridge.settings.secret import Secret
from bridge.settings.section import SecretField, Section

Text = Annotated[str, Field(min_length=1)]
Host = Annotated[str, Field(min_length=1, pattern=r"^[A-Za-z0-9.:-]+$", description="a host's name or address")]
Port = Annotated[int, Field(ge=1, le=65_535)]
LOOPBACK = ("127.0.0.1", "localhost", "::1")
WAYS: dict[str, tuple[str, ...]] = {
    "folder": ("folder", "answers", "message"),
    "mllp": ("host", "port", "tls", "plain", "at_once", "silence"),
    "direct": ("folder", "mail", "tls"),
    "plugin": ("plugin",),
    "packet": (),
}
"""The settings that go with each way."""
NEEDS = {"folder": ("folder",), "mllp": ("host", "port"), "direct": ("mail",), "plugin": ("plugin",)}


class SubmissionIn(Section):
    """A HISP's submission port."""

    host: Host
    port: Port = 587
    tls: bool = Field(default=False, description="true where it encrypts at once (port 465), else STARTTLS")
    user: str = ""
    password: Annotated[SecretField | None, NotLiteral] = None


class MailIn(Section):
    """A Direct address and what it takes to write to it."""

    sender: Email = Field(description="our own Direct address")
    address: Email = Field(description="the practice's Direct address")
    certificate: Text = Field(description="our certificate, a PEM file relative to the project folder")
    key: SecretField = Field(description="our key in PEM: { file: secrets/NAME } or { env: NAME }")
    recipient: Text = Field(description="the practice's certificate, a PEM file relative to the project folder")
    notifications: str | None = Field(default=None, min_length=1, description="a folder into which the HISP puts MDNs")
    smtp: SubmissionIn | None = Field(default=None, description="{ host: …, user: …, password: { env: … } }")


class NamesIn(Section):
    """How one side of an interface calls itself."""

    application: str = Field(default="", max_length=227)
    facility: str = Field(default="", max_length=227)


class HandoffIn(Section):
    """`handoff` of a practice."""

    way: Way = Field(description="folder, mllp, direct, plugin or packet")
    format: Format | None = Field(default=None, description="c-cda, pdf or text")
    prefer: bool = False
    confirms: Confirms | None = Field(default=None, description="answer, file, processed, dispatched or person")
    confirm_days: int = Field(default=3, ge=1, le=365)
    folder: str | None = Field(default=None, min_length=1, description="a folder, relative to the project folder")
    answers: str | None = Field(default=None, min_length=1, description="a folder, relative to the project folder")
    message: Literal["document", "mdm"] = "document"
    host: Host | None = None
    port: Port | None = None
    tls: TlsIn | Literal[True] | None = Field(default=None, description="true, or { ca: FILE, … }")
    plain: bool = False
    at_once: int = Field(default=1, ge=1, le=16)
    silence: Literal["again", "person"] = "again"
    sending: NamesIn = NamesIn(application="DYADBRIDGE")
    receiving: NamesIn = NamesIn()
    authority: str = Field(default="", max_length=227)
    mail: MailIn | None = None
    plugin: str | None = Field(default=None, pattern=r"^[A-Za-z_][\w.]*:[A-Za-z_]\w*$", description="module:callable")

    @model_validator(mode="after")
    def _of_its_way(self) -> HandoffIn:
        for name in NEEDS.get(self.way, ()):
            if getattr(self, name) is None:
                raise wrong("handoff-form", f"the way {self.way} needs {name}", f"write {name}, or choose another way")
        own = WAYS[self.way]
        for name in (name for names in WAYS.values() for name in names):
            if name not in own and name in self.model_fields_set:
                step = f"leave {name} out; with {self.way} go {', '.join(own) or 'none of these'}"
                raise wrong("handoff-form", f"{name} does not go with the way {self.way}", step)
        if self.confirms is not None and self.confirms not in CONFIRMS[self.way]:
            step = f"write one of: {', '.join(CONFIRMS[self.way])}"
            raise wrong("handoff-form", f"{self.confirms} cannot confirm the way {self.way}", step)
        if self.mail is not None and (self.mail.smtp is None) == (self.folder is None):
            step = "write mail.smtp, or a folder from which the HISP sends"
            raise wrong("handoff-form", "mails go to a submission port or into a folder, one of them", step)
        if self.way == "mllp" and self.tls is None and not self.plain and self.host not in LOOPBACK:
            step = "write tls: true; or plain: true where a tunnel or a private line encrypts it"
            raise wrong("handoff-plain", "families' records would travel unencrypted", step)
        return self


MAIL_KEY, PASSWORD = ("handoff", "mail", "key"), ("handoff", "mail", "smtp", "password")
SECRETS = (MAIL_KEY, PASSWORD)
FILES = (("handoff", "mail", "certificate"), ("handoff", "mail", "recipient"))
TLS_FILES = tuple(("handoff", "tls", name) for name in ("ca", "certificate"))


def handoff(item: HandoffIn | None, directory: Path, secrets: dict[Place, Secret], at: Place) -> Handoff | None:
    """The hand-off as the other rooms read it; `at` is where the practice stands in the file."""
    if item is None:
        return None
    return Handoff(
        way=item.way,
        format=item.format or ("pdf" if item.way == "packet" else "c-cda"),
        prefer=item.prefer,
        confirms=item.confirms or CONFIRMS[item.way][0],
        confirm_days=item.confirm_days,
        folder=directory / item.folder if item.folder else None,
        answers=directory / item.answers if item.answers else None,
        mdm=item.way == "mllp" or item.message == "mdm",
        host=item.host or "",
        port=item.port or 0,
        tls=_tls(item.tls, directory),
        plain=item.plain,
        at_once=item.at_once,
        silence=item.silence,
        sending=(item.sending.application, item.sending.facility),
        receiving=(item.receiving.application, item.receiving.facility),
        authority=item.authority,
        mail=_mail(item.mail, directory, secrets, at) if item.mail is not None else None,
        plugin=item.plugin or "",
    )


def _tls(item: TlsIn | Literal[True] | None, directory: Path) -> Tls | None:
    if item is None:
        return None
    if item is True:
        return Tls()
    key: KeyFile | None = item.key
    names = item.ca, item.certificate, key.file if key else None
    return Tls(*(directory / name if name else None for name in names))


def _mail(item: MailIn, directory: Path, secrets: dict[Place, Secret], at: Place) -> Mail:
    smtp = item.smtp
    return Mail(
        sender=item.sender,
        address=item.address,
        certificate=directory / item.certificate,
        key=secrets[(*at, *MAIL_KEY)],
        recipient=directory / item.recipient,
        notifications=directory / item.notifications if item.notifications else None,
        host=smtp.host if smtp else "",
        port=smtp.port if smtp else 0,
        tls=smtp.tls if smtp else False,
        user=smtp.user if smtp else "",
        password=secrets.get((*at, *PASSWORD)),
    )
