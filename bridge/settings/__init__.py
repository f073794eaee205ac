"""Settings: environment + project folder → one frozen Project; every problem at once.

`load(directory)` is the way in. Secrets are `Secret`s: `reveal()` where they are used and nowhere else.
"""

from bridge.settings.load import load
from bridge.settings.secret import Secret
from bridge.settings.shape import (
    Agency,
    Coding,
    Connection,
    Contact,
    DocumentSettings,
    GuardSettings,
    Limits,
    Person,
    Practice,
    Program,
    Project,
    Server,
)

__all__ = [
    "Agency",
    "Coding",
    "Connection",
    "Contact",
    "DocumentSettings",
    "GuardSettings",
    "Limits",
    "Person",
    "Practice",
    "Program",
    "Project",
    "Secret",
    "Server",
    "load",
]
