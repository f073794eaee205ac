"""`handoff` of a practice: read with its way's own settings, and every mistake told with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge.errors import ConfigError
from bridge.settings import load
from tests.flow.pilot import Site, write_project
from tests.unit.handoff.making import pem

MAIL = (
    "way: direct, mail: {{ sender: a@d.example, address: b@d.example, certificate: c.pem, recipient: c.pem,"
    " key: {{ file: secrets/k.pem }}{more} }}"
)


def project(folder: Path, way: str, base: str = "", vendor: str = "none") -> Path:
    write_project(folder, [Site("maple", base, vendor, extra=f", handoff: {{ {way} }}" if way else "")])
    (folder / "c.pem").write_bytes(pem("a@d.example")[0])
    (folder / "secrets" / "k.pem").write_bytes(pem("a@d.example")[1])
    (folder / "secrets" / "k.pem").chmod(0o600)
    return folder


def test_each_way_is_read_with_what_it_needs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HISP", "short")
    wants = load(project(tmp_path / "a", "way: folder, folder: out, message: mdm")).practices["maple"].handoff
    assert wants is not None
    assert (wants.folder, wants.mdm, wants.confirms, wants.format) == (tmp_path / "a" / "out", True, "file", "c-cda")
    wants = load(project(tmp_path / "b", "way: packet")).practices["maple"].handoff
    assert wants is not None
    assert (wants.format, wants.confirms) == ("pdf", "person")
    smtp = ", smtp: {{ host: h.example, user: u, password: {{ env: HISP }} }}"
    wants = load(project(tmp_path / "c", MAIL.format(more=smtp.format()))).practices["maple"].handoff
    assert wants is not None
    assert wants.mail is not None
    assert (wants.mail.host, wants.mail.port, wants.confirms) == ("h.example", 587, "dispatched")
    assert wants.mail.key.reveal().startswith("-----BEGIN")
    assert "BEGIN" not in repr(wants)


@pytest.mark.parametrize(
    ("way", "base", "vendor", "code"),
    [
        ("way: folder", "", "none", "handoff-form"),
        ("way: mllp, host: h.example, port: 2575", "", "none", "handoff-plain"),
        ("way: mllp, host: 127.0.0.1, port: 0", "", "none", "out-of-range"),
        ("way: folder, folder: out, host: h.example", "", "none", "handoff-form"),
        ("way: packet, confirms: file", "", "none", "handoff-form"),
        ("way: pigeon", "", "none", "not-a-choice"),
        ("way: plugin, plugin: nonsense", "", "none", "wrong-form"),
        (MAIL.format(more=""), "", "none", "handoff-form"),
        (MAIL.format(more=", smtp: {{ host: h, password: hush }}".format()), "", "none", "secret-literal"),
        ("", "", "none", "handoff-missing"),
        ("", "", "open", "missing"),
        ("way: packet", "http://127.0.0.1:1/fhir", "none", "handoff-base"),
    ],
)
def test_a_mistake_is_told_with_its_line(tmp_path: Path, way: str, base: str, vendor: str, code: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(project(tmp_path, way, base, vendor))
    told = str(caught.value)
    assert f"[{code}]" in told, told
    assert "bridge.yaml:" in told
    assert "hush" not in told
