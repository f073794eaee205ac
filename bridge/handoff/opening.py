"""A practice's settings become the way in which it is handed documents."""

from __future__ import annotations

from pathlib import Path

from bridge.documents.formats import file_name
from bridge.errors import ConfigError, Problem
from bridge.fhir.tls import context
from bridge.handoff import mdm, plugin, smime
from bridge.handoff.direct import Correspondents, Direct, Submission
from bridge.handoff.folder import Folder, Form
from bridge.handoff.mllp import Endpoint, Mllp
from bridge.handoff.over import Hand, HandOver
from bridge.handoff.packet import Packet
from bridge.settings import Connection, Handoff, Practice
from bridge.settings.handoff import Mail

DOCUMENTS = Form(lambda over: file_name("", over.mime)[1:], lambda over: over.body)
NOWHERE = Path()


def opened(practice: Practice, wants: Handoff, connection: Connection) -> Hand:
    """The way, opened; nothing is reached for yet. Raises ConfigError where it cannot be."""
    seconds, names = connection.timeout_seconds, names_of(wants, connection)
    if wants.way == "folder":
        messages = Form(lambda over: "hl7", lambda over: mdm.message(over, names))
        form = messages if wants.mdm else DOCUMENTS
        return Folder(wants.folder or NOWHERE, form, seconds, wants.answers)
    if wants.way == "mllp":
        secure = context(wants.tls) if wants.tls is not None else None
        end = Endpoint(wants.host, wants.port, seconds, secure)
        return Mllp(end, names, wants.at_once, wants.silence == "again")
    if wants.way == "direct" and wants.mail is not None:
        return direct(practice, wants, wants.mail, seconds)
    if wants.way == "plugin":
        return plugin.Plugin(plugin.load(wants.plugin), seconds, wants.confirms == "answer")
    return Packet()


def names_of(wants: Handoff, connection: Connection) -> mdm.Names:
    """How the two sides call themselves; a test connection says that it is one."""
    processing = "P" if connection.kind == "production" else "T"
    return mdm.Names(wants.sending, wants.receiving, processing, wants.authority)


def direct(practice: Practice, wants: Handoff, mail: Mail, seconds: float) -> Direct:
    """A Direct address with its certificates read. Raises ConfigError where they are none."""
    try:
        sender = smime.identity(mail.sender, mail.certificate.read_bytes(), mail.key.reveal().encode())
        recipient = smime.identity(mail.address, mail.recipient.read_bytes())
    except (OSError, ValueError, TypeError):
        rule = "the certificates are not of RSA keys in PEM form, or our key is another's"
        field = f"practices.{practice.id}.handoff.mail"
        step = (
            "write our certificate and key and the practice's certificate, each in PEM form, the key without a password"
        )
        raise ConfigError(Problem("direct-certificate", rule, "bridge.yaml", field, step)) from None
    submission = None
    if mail.host:
        submission = Submission(mail.host, mail.port, context(wants.tls), mail.tls, mail.user, mail.password, seconds)
    confirms = {"dispatched"} if wants.confirms == "dispatched" else {"processed", "dispatched", "displayed"}
    who = Correspondents(sender, recipient, mail.notifications, frozenset(confirms))
    return Direct(who, submission, wants.folder, seconds)


def named(over: HandOver) -> str:
    """What a file of this hand-over is called: never a name of a person."""
    return file_name(over.control, over.mime)
