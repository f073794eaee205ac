"""How a practice is handed documents that its EHR does not take by FHIR, as the other rooms read it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from bridge.settings.login import Tls
from bridge.settings.secret import Secret

Way = Literal["folder", "mllp", "direct", "plugin", "packet"]
Format = Literal["c-cda", "pdf", "text"]
Confirms = Literal["answer", "file", "processed", "dispatched", "person"]
CONFIRMS: dict[str, tuple[Confirms, ...]] = {
    "folder": ("file", "person"),
    "mllp": ("answer", "person"),
    "direct": ("dispatched", "processed", "person"),
    "plugin": ("answer", "person"),
    "packet": ("person",),
}
"""What can confirm each way, the default first."""


@dataclass(frozen=True, slots=True)
class Mail:
    """Two Direct addresses, their certificates (PEM files), our key, and the HISP's submission port."""

    sender: str
    address: str
    certificate: Path
    key: Secret
    recipient: Path
    notifications: Path | None = None
    host: str = ""
    port: int = 587
    tls: bool = False  # at once, as on port 465; else by STARTTLS
    user: str = ""
    password: Secret | None = None


@dataclass(frozen=True, slots=True)
class Handoff:
    """One practice's hand-off. `mdm`: a folder's files are HL7 v2 messages and not the documents themselves."""

    way: Way
    format: Format = "c-cda"
    prefer: bool = False  # also where the EHR takes documents by FHIR
    confirms: Confirms = "person"
    confirm_days: int = 3  # after which somebody is told that nothing confirmed it
    folder: Path | None = None
    answers: Path | None = None  # where acknowledgements come, if not beside the files
    mdm: bool = False
    host: str = ""
    port: int = 0
    tls: Tls | None = None
    plain: bool = False  # an engine beyond this machine is reached unencrypted (a tunnel or a private line)
    at_once: int = 1
    silence: Literal["again", "person"] = "again"  # what follows where an engine did not answer
    sending: tuple[str, str] = field(default=("DYADBRIDGE", ""))  # application, facility
    receiving: tuple[str, str] = field(default=("", ""))
    authority: str = ""  # assigning authority of the practice's numbers
    mail: Mail | None = None
    plugin: str = ""
