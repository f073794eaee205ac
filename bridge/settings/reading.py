"""Reading one project file: checked sections, resolved secrets, and every problem gathered on the way."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from bridge.errors import Problem
from bridge.settings import handoffs, lines, words
from bridge.settings.lines import Document
from bridge.settings.secret import Secret, read_secret
from bridge.settings.section import Section

S = TypeVar("S", bound=Section)

LOGIN_SECRETS = (
    ("login", "bearer"),
    ("login", "client_secret", "secret"),
    ("login", "basic", "password"),
    ("tls", "key"),
)
TLS_FILES = ("ca", "certificate")


class Reading:
    """One pass over a document; `problems` grows, and nothing is raised."""

    def __init__(self, document: Document, directory: Path) -> None:
        self.document = document
        self.directory = directory
        self.problems: list[Problem] = list(document.problems)
        self.root: dict[str, Any] = document.value if isinstance(document.value, dict) else {}
        self.secrets: dict[lines.Path, Secret] = {}

    def validate(self, model: type[S], value: Any, at: lines.Path) -> S | None:
        """`value` as `model`; None when it is not one, and the problems say why."""
        try:
            return model.model_validate(value)
        except ValidationError as error:
            self.problems += words.problems(error, model, self.document, at)
            return None

    def items(self, section: str, model: type[S]) -> dict[str, S]:
        """The good items of a section, by id."""
        found: dict[str, S] = {}
        for name, value in self._raw(section).items():
            item = self.validate(model, value, (section, name)) if isinstance(value, dict) else None
            if item is not None:
                found[name] = item
        return found

    def read_secrets(self) -> None:
        """Every secret that is named rightly is in `secrets` or a problem; one named wrongly is a problem already."""
        for path, reference in self._references():
            found = read_secret(reference, self.directory, os.environ)
            if isinstance(found, Secret):
                self.secrets[path] = found
            else:
                self.problems.append(replace(found, where=self.document.where(path), field=".".join(map(str, path))))

    def check_files(self) -> None:
        """Every certificate that is named can be read, or is a problem."""
        of: dict[str, tuple[tuple[str, ...], ...]] = {"connections": tuple(("tls", name) for name in TLS_FILES)}
        of["practices"] = (*handoffs.TLS_FILES, *handoffs.FILES)
        for section, places in of.items():
            for name, item in self._raw(section).items():
                for steps in places:
                    target = _inside(item, *steps)
                    if isinstance(target, str) and target and not os.access(self.directory / target, os.R_OK):
                        path = (section, name, *steps)
                        step = f"searched: {self.directory / target}; write the certificates there in PEM form"
                        rule = "this file cannot be read"
                        self.problems.append(Problem("tls-file", rule, self.document.where(path), ".".join(path), step))

    def _raw(self, section: str) -> dict[str, Any]:
        found = self.root.get(section)
        return found if isinstance(found, dict) else {}

    def _references(self) -> Iterator[tuple[lines.Path, dict[str, str]]]:
        places: dict[lines.Path, Any] = {
            ("key",): self.root.get("key", {"file": "secrets/ledger.key"}),
            ("store",): self.root.get("store"),
        }
        for section in ("agencies", "practices"):
            for name, item in self._raw(section).items():
                places[section, name, "key"] = _inside(item, "key")
        for connection, item in self._raw("connections").items():
            for steps in LOGIN_SECRETS:
                places["connections", connection, *steps] = _inside(item, *steps)
        for practice, item in self._raw("practices").items():
            for inner in handoffs.SECRETS:
                places[("practices", practice, *inner)] = _inside(item, *inner)
        for path, reference in places.items():
            if isinstance(reference, dict) and len(reference) == 1:
                ((place, target),) = reference.items()
                if place in ("env", "file") and isinstance(target, str) and target:
                    yield path, {place: target}


def _inside(item: Any, *steps: str) -> Any:
    for step in steps:
        item = item.get(step) if isinstance(item, dict) else None
    return item
