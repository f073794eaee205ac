"""Secrets: read from a file or the environment, shown nowhere."""

from __future__ import annotations

import hmac
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import NoReturn

from bridge.errors import Problem

CONTAINER_SECRETS = Path("/run/secrets")
"""Where container engines mount secrets for one container alone; they do so readable by all in it."""


class Secret:
    """A value that is never printed, logged, pickled or copied into a message; `reveal()` gives it to its one use."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The value itself."""
        return self._value

    def __repr__(self) -> str:
        return "Secret(…)"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and hmac.compare_digest(self._value.encode(), other._value.encode())

    def __hash__(self) -> int:
        return hash(self._value)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not serialised")


def read_secret(reference: Mapping[str, str], directory: Path, environ: Mapping[str, str]) -> Secret | Problem:
    """The secret behind `{env: NAME}` or `{file: PATH}`, or the problem that names every place searched.

    Files are relative to the project folder, must not be readable by everyone, and lose the line end editors add.
    """
    if "env" in reference:
        name = reference["env"]
        value = environ.get(name, "")
        if value:
            return Secret(value)
        state = "set but empty" if name in environ else "not set"
        return Problem("secret-missing", f"the environment variable {name} is {state}", next_step=f"export {name}=…")
    path = directory / reference["file"]
    try:
        mode = path.stat().st_mode
        text = path.read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        return Problem(
            "secret-missing",
            f"the secret's file cannot be read ({type(error).__name__})",
            next_step=f"searched: {path}; write it there, mode 0600, owned by the user that runs the bridge",
        )
    if mode & stat.S_IROTH and not path.is_relative_to(CONTAINER_SECRETS):
        return Problem("secret-readable", "the secret's file is readable by everyone", next_step=f"chmod 600 {path}")
    if not text:
        return Problem("secret-missing", "the secret's file is empty", next_step=f"searched: {path}")
    return Secret(text)
