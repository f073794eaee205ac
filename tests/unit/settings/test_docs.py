"""docs/configuring.md knows every setting and every code."""

from __future__ import annotations

import re
from pathlib import Path

from bridge.settings import file, logins, shape, words

DOCS = (Path(__file__).parents[3] / "docs" / "configuring.md").read_text(encoding="utf-8")
LOGINS = [logins.LoginIn, logins.SmartIn, logins.ClientSecretIn, logins.BasicIn, logins.TlsIn]
SOURCES = Path(file.__file__).parent


def test_every_setting_is_described() -> None:
    models = [file.Root, file.ProgramIn, file.AgencyIn, file.PracticeIn, file.ConnectionIn, file.PersonIn, *LOGINS]
    shapes = [shape.Contact, shape.Coding, shape.DocumentSettings, shape.CadenceSettings, shape.Limits, shape.Server]
    shapes += [shape.PaceSettings, shape.AlertSettings]
    names = {name for model in [*models, *shapes] for name in words.fields_of(model)}
    assert not {name for name in names if f"`{name}`" not in DOCS}


def test_every_code_has_its_line() -> None:
    codes: set[str] = set()
    for path in SOURCES.glob("*.py"):
        text = path.read_text(encoding="utf-8")
        codes |= set(re.findall(r"(?:Problem|wrong|tree\.problem)\(\s*\"([a-z-]+)\"", text))
    assert len(codes) > 20
    assert not {code for code in codes if f"| `{code}` |" not in DOCS}
