"""Settings: environment + project folder → one frozen Project; every problem at once.

`load(directory)` is the way in. Secrets are `Secret`s: `reveal()` where they are used and nowhere else.
"""

from bridge.settings.handoff import Handoff
from bridge.settings.load import load
from bridge.settings.login import Algorithm, Basic, Bearer, ClientSecret, Granted, Login, Smart, Tls
from bridge.settings.secret import Secret
from bridge.settings.shape import (
    Agency,
    AlertSettings,
    CadenceSettings,
    Coding,
    Connection,
    Contact,
    DocumentSettings,
    GuardSettings,
    Limits,
    PaceSettings,
    Person,
    Practice,
    Program,
    Project,
    Server,
)

__all__ = [
    "Agency",
    "AlertSettings",
    "Algorithm",
    "Basic",
    "Bearer",
    "CadenceSettings",
    "ClientSecret",
    "Coding",
    "Connection",
    "Contact",
    "DocumentSettings",
    "Granted",
    "GuardSettings",
    "Handoff",
    "Limits",
    "Login",
    "PaceSettings",
    "Person",
    "Practice",
    "Program",
    "Project",
    "Secret",
    "Server",
    "Smart",
    "Tls",
    "load",
]
