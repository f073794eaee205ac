"""A good project folder becomes one frozen Project."""

from __future__ import annotations

from dataclasses import FrozenInstanceError
from datetime import date
from pathlib import Path

import pytest

from bridge.errors import ConfigError
from bridge.settings import Basic, Bearer, ClientSecret, Contact, Project, Secret, Smart, Tls, load, overrides
from bridge.settings.starter import start
from bridge.store.keys import make_key_file, parse_key
from tests.unit.settings.project import API_KEY, LEDGER_KEY, edited, secret, write


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return load(write(tmp_path))


def test_everything_named_is_there(project: Project) -> None:
    harbor, elm, oak = project.agencies["harbor"], project.practices["elm"], project.practices["oak"]
    assert (harbor.id, harbor.source, harbor.practices) == ("harbor", "synthetic", ("elm", "oak"))
    assert harbor.contact == Contact("Sam", "sam@harbor.example")
    assert harbor.key is not None
    assert harbor.key.reveal() == API_KEY
    assert elm.send_from == date(2026, 9, 1)
    assert (elm.pilot, elm.enable) == (frozenset({"harbor/1001"}), frozenset({"Encounter"}))
    assert oak.pilot is None
    assert (oak.document.mime, oak.document.types["konote/note"].code) == ("application/xhtml+xml", "34109-9")
    assert project.connections["one"].base == "http://127.0.0.1:8090/fhir"
    assert project.connections["one"].login is None
    assert project.connections["two"].login == Bearer(Secret("a-token-of-the-test-ehr"))
    assert project.people["ana"].agency == "harbor"
    assert project.programs["first"].name == "First program"


def test_defaults_carry_their_units_and_are_in_force(project: Project) -> None:
    assert (project.limits.lease_seconds, project.limits.body_mib, project.limits.item_kib) == (90, 16, 512)
    assert (project.server.host, project.server.port, project.workers) == ("127.0.0.1", 8080, 2)
    assert project.connections["one"].timeout_seconds == 30.0
    assert project.connections["one"].visibility_delay_seconds is None


def test_the_key_defaults_to_the_file_that_init_makes(project: Project) -> None:
    assert project.key.reveal() == LEDGER_KEY
    assert len(parse_key(project.key.reveal())) == 32


def test_a_project_is_frozen(project: Project) -> None:
    with pytest.raises(FrozenInstanceError):
        project.workers = 9  # type: ignore[misc]
    with pytest.raises(TypeError):
        project.agencies["other"] = project.agencies["harbor"]  # type: ignore[index]


def test_no_secret_shows_in_the_project(project: Project) -> None:
    assert API_KEY not in repr(project)
    assert LEDGER_KEY not in repr(project)
    assert "Secret(…)" in repr(project)


def test_a_relative_ledger_lies_in_the_project_folder(project: Project) -> None:
    assert project.store.reveal() == f"sqlite:///{project.directory}/ledger.sqlite"


def test_a_ledger_address_with_a_password_comes_from_a_file(tmp_path: Path) -> None:
    write(tmp_path, edited(("store: sqlite:///ledger.sqlite", "store: { file: secrets/store }")))
    secret(tmp_path / "secrets" / "store", "postgresql://bridge:word@db/ledger")
    assert load(tmp_path).store.reveal() == "postgresql://bridge:word@db/ledger"


def test_a_secret_comes_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HARBOR_KEY", "k" * 32)
    found = load(write(tmp_path, edited(("{ file: secrets/harbor }", "{ env: HARBOR_KEY }")))).agencies["harbor"].key
    assert found is not None
    assert found.reveal() == "k" * 32


def test_the_environment_overrides_operational_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"STORE": "postgresql://me:word@db/x", "HOST": "0.0.0.0", "PORT": "0", "WORKERS": "7"}.items():
        monkeypatch.setenv(f"BRIDGE_{name}", value)
    project = load(write(tmp_path))
    assert project.store.reveal() == "postgresql://me:word@db/x"
    assert (project.server.host, project.server.port, project.workers) == ("0.0.0.0", 0, 7)


def test_a_container_s_secrets_override_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mounted = tmp_path / "run"
    mounted.mkdir()
    (mounted / "bridge_store").write_text("postgresql://me:word@db/y\n", encoding="utf-8")
    monkeypatch.setattr(overrides, "CONTAINER_SECRETS", mounted)
    monkeypatch.setitem(overrides.ContainerOverrides.model_config, "secrets_dir", mounted)
    assert load(write(tmp_path / "project")).store.reveal() == "postgresql://me:word@db/y"


def test_the_hash_changes_with_what_changes_the_bridge_and_with_nothing_else(tmp_path: Path) -> None:
    first = load(write(tmp_path)).hash
    (tmp_path / "notes.txt").write_text("nothing", encoding="utf-8")
    assert load(write(tmp_path, edited(("packs: [konote]", "packs: [konote]   # a comment")))).hash == first
    seen = {first, load(write(tmp_path, edited(("lease_seconds: 90", "lease_seconds: 91")))).hash}
    secret(write(tmp_path) / "secrets" / "token", "another")
    seen.add(load(tmp_path).hash)
    (tmp_path / "tables").mkdir()
    (tmp_path / "tables" / "place.csv").write_text("code\n", encoding="utf-8")
    seen.add(load(tmp_path).hash)
    assert len(seen) == 4


def test_what_init_makes_loads_without_problems(tmp_path: Path) -> None:
    directory = tmp_path / "pilot"
    made = start(directory, ["ma-soc", "konote"], make_key_file)
    project = load(directory)
    assert project.packs == ("ma-soc", "konote")
    assert {agency.source for agency in project.agencies.values()} == {"synthetic"}
    assert {connection.kind for connection in project.connections.values()} == {"test"}
    assert project.agencies["harbor"].watch == directory / "inbox" / "harbor"
    for name in ("secrets/ledger.key", "secrets/harbor.api-key"):
        assert name in made
        assert (directory / name).stat().st_mode & 0o777 == 0o600
    assert "secrets/" in (directory / ".gitignore").read_text(encoding="utf-8").splitlines()
    assert all((directory / folder).is_dir() for folder in ("mappings", "tables", "cases", "inbox"))


@pytest.mark.parametrize("content", ["bridge.yaml", "anything"])
def test_init_overwrites_nothing(content: str, tmp_path: Path) -> None:
    (tmp_path / content).write_text("mine", encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        start(tmp_path, ["konote"], make_key_file)
    assert caught.value.problems[0].code == "init-occupied"
    assert [path.name for path in tmp_path.iterdir()] == [content]
    assert (tmp_path / content).read_text(encoding="utf-8") == "mine"


def test_init_refuses_an_unknown_pack_before_it_makes_anything(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        start(tmp_path / "pilot", ["konotes"], make_key_file)
    assert caught.value.problems[0].next_step == "did you mean `konote`?"
    assert not (tmp_path / "pilot").exists()


def login_of(directory: Path, form: str) -> object:
    return load(write(directory, edited(("bearer: { file: secrets/token }", form)))).connections["two"].login


def test_each_kind_of_login_is_read(tmp_path: Path) -> None:
    token = Secret("a-token-of-the-test-ehr")
    assert login_of(tmp_path, "smart: { client_id: '42' }") == Smart("42")
    scope = "scope: system/Patient.rs  system/Task.c"
    full = f"smart: {{ client_id: me, {scope}, algorithm: RS384, token_url: 'https://a.example/t/' }}"
    assert login_of(tmp_path, full) == Smart("me", "system/Patient.rs system/Task.c", "https://a.example/t/", "RS384")
    assert login_of(tmp_path, "smart: { client_id: me, scope: omit }") == Smart("me", "")
    secret = "client_secret: { client_id: me, secret: { file: secrets/token }, method: post }"
    assert login_of(tmp_path, secret) == ClientSecret("me", secret=token, method="post")
    assert login_of(tmp_path, "basic: { user: me, password: { file: secrets/token } }") == Basic("me", token)


def test_certificates_are_paths_of_the_project(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("-", encoding="utf-8")
    tls = "vendor: epic\n    tls: { ca: ca.pem, certificate: ca.pem, key: { file: secrets/token } }"
    project = load(write(tmp_path, edited(("vendor: epic", tls))))
    assert project.connections["two"].tls == Tls(tmp_path / "ca.pem", tmp_path / "ca.pem", tmp_path / "secrets/token")


def test_what_is_new_may_wait_by_practice_and_kind(tmp_path: Path) -> None:
    one = edited(("    pilot: [", "    hold_back: 10m\n    pilot: ["))
    two = edited(("    pilot: [", "    hold_back: { other: 45s, ma-soc/contact: 2h, ma-soc/team: 0m }\n    pilot: ["))
    kinds = ("ma-soc/contact", "ma-soc/team", "konote/note")
    found = [load(write(tmp_path / name, text)).practices for name, text in (("one", one), ("two", two))]
    assert [found[0]["elm"].held_back(kind) // 1_000_000 for kind in kinds] == [600, 600, 600]
    assert [found[1]["elm"].held_back(kind) // 1_000_000 for kind in kinds] == [7200, 0, 45]
    assert found[0]["oak"].held_back("ma-soc/contact") == 0
