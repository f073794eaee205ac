"""Coming in by a link that works once, staying for a day, going out; and what every answer carries."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from bridge.console import signing
from bridge.settings import load
from bridge.store import tables
from tests.unit.api.asking import Client
from tests.unit.api.opened import NOW, YAML, Opened, write
from tests.unit.console.visiting import Reader, trail, visit
from tests.unit.store.making import rows


def link(doors: Opened, person: str = "ana") -> str:
    return signing.new_link(doors.line, doors.project.people[person], "test", doors.clock())


def enter(client: Client, path: str) -> int:
    return client.post("/console/sign-in", data={"token": path.rpartition("/")[2]}).status_code


def test_a_link_shows_a_button_and_is_used_up_by_it_alone(doors: Opened) -> None:
    path = link(doors)
    scanner = Client(doors.client.app)
    for _ in range(3):
        answer = scanner.get(path)
        assert answer.status_code == 200
        assert "set-cookie" not in answer.headers
    assert enter(Client(doors.client.app), path) == 303
    again = Client(doors.client.app)
    assert enter(again, path) == 403
    assert again.get("/console/").headers["location"] == "/console/sign-in"


def test_the_cookie_is_kept_from_scripts_and_from_other_sites(doors: Opened) -> None:
    answer = doors.client.post("/console/sign-in", data={"token": link(doors).rpartition("/")[2]})
    cookie = answer.headers["set-cookie"]
    assert re.match(r"bridge_session=[\w-]{43}; HttpOnly; Max-Age=43200; Path=/console; SameSite=lax$", cookie)


def test_over_https_the_cookie_stays_there(doors: Opened) -> None:
    server = replace(doors.project.server, url="https://bridge.example")
    doors.line.project = replace(doors.project, server=server)
    answer = doors.client.post("/console/sign-in", data={"token": link(doors).rpartition("/")[2]})
    assert "Secure" in answer.headers["set-cookie"]


def test_the_ledger_has_no_token_that_could_be_used(doors: Opened) -> None:
    path = link(doors)
    enter(doors.client, link(doors))
    token = path.rpartition("/")[2]
    session = doors.client.cookies["bridge_session"]
    kept = str([list(row.values()) for row in rows(doors.ledger, tables.session)])
    assert token not in kept
    assert session not in kept
    hashes = [row["token_hash"] for row in rows(doors.ledger, tables.session)]
    assert sorted(hashes) == sorted([signing.digest(token), signing.digest(session)])


def test_a_link_ends_after_a_day_and_a_session_after_twelve_hours(doors: Opened) -> None:
    late = link(doors)
    doors.clock.now = NOW + signing.LINK_LASTS
    assert enter(doors.client, late) == 403
    ana = visit(doors, "ana")
    doors.clock.now += signing.SESSION_LASTS - 1
    assert ana.get("/").status_code == 200
    doors.clock.now += 1
    assert ana.get("/").headers["location"] == "/console/sign-in"


@pytest.mark.parametrize("edit", ["role: engineer }", "role: agency-staff, agency: cedar }", "gone"])
def test_whose_rights_changed_is_out(doors: Opened, edit: str) -> None:
    ana = visit(doors, "ana")
    assert ana.get("/").status_code == 200
    line = "  ana: { name: Ana Ortiz, email: ana@harbor.example, role: agency-staff, agency: harbor }\n"
    assert line in YAML
    changed = "" if edit == "gone" else line.replace("role: agency-staff, agency: harbor }", edit)
    doors.line.project = load(write(doors.project.directory, YAML.replace(line, changed)))
    assert ana.get("/").headers["location"] == "/console/sign-in"


def test_who_goes_out_is_out_everywhere(doors: Opened) -> None:
    ana = visit(doors, "ana")
    copy = Client(doors.client.app)
    copy.cookies = ana.client.cookies
    answer = ana.send("/", "/sign-out")
    assert answer.headers["location"] == "/console/sign-in"
    assert copy.get("/console/").headers["location"] == "/console/sign-in"
    assert [line[2] for line in trail(doors)] == ["sign-in-link", "sign-in", "sign-out"]


PAGES = ("/", "/records", "/practices", "/practices/elm", "/sharing", "/holds/1", "/needs/1", "/records/1", "/people/1")
FORMS = ("/people", "/holds/1/consent", "/holds/1/entry", "/needs/1/keep", "/sharing/links", "/people/1/end")


@pytest.mark.parametrize("path", PAGES)
def test_without_a_session_every_page_leads_to_the_entrance(doors: Opened, path: str) -> None:
    answer = doors.client.get(f"/console{path}")
    assert (answer.status_code, answer.headers["location"]) == (303, "/console/sign-in")


@pytest.mark.parametrize("path", FORMS)
def test_without_a_session_no_form_is_taken(doors: Opened, path: str) -> None:
    answer = doors.client.post(f"/console{path}", data={"csrf": "x"}, files={"file": ("a.csv", b"a")})
    assert (answer.status_code, answer.headers["location"]) == (303, "/console/sign-in")


@pytest.mark.parametrize("path", [*FORMS, "/sign-out"])
@pytest.mark.parametrize("word", ["", "of another session"])
def test_a_form_from_elsewhere_is_not_taken(doors: Opened, path: str, word: str) -> None:
    ana, other = visit(doors, "ana"), visit(doors, "ana")
    csrf = other.form("/", "/sign-out")["csrf"] if word else ""
    answer = ana.client.post(f"/console{path}", data={"csrf": csrf}, files={"file": ("a.csv", b"a")})
    assert answer.status_code == 403
    assert "not from the page you are looking at" in Reader(answer.text).text
    assert ana.get("/").status_code == 200


def test_every_answer_keeps_others_out(doors: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    ana = visit(doors, "ana")
    answers = [ana.get(path) for path in ("/", "/sign-in", "/nowhere", "/style.css", "/holds/x")]
    monkeypatch.setattr("bridge.store.needs.piles", lambda *_: 1 / 0)
    answers.append(ana.get("/"))
    assert [answer.status_code for answer in answers] == [200, 200, 404, 200, 422, 500]
    for answer in answers:
        policy = answer.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; style-src 'self'")
        assert "script-src" not in policy
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["x-content-type-options"] == "nosniff"
    assert [answer.headers["cache-control"] for answer in answers[:3]] == ["no-store"] * 3
    assert "immutable" in answers[3].headers["cache-control"]


@pytest.mark.parametrize("path", ["/records/", "/sign-in/", "/practices/elm/"])
def test_an_address_with_a_slash_too_many_leads_nowhere(doors: Opened, path: str) -> None:
    answer = visit(doors, "ana").client.get(f"/console{path}?said=x", headers={"Host": "elsewhere.example"})
    assert (answer.status_code, answer.headers.get("location")) == (404, None)
    assert "elsewhere" not in answer.text


def test_a_body_without_its_length_or_too_large_is_not_read(doors: Opened) -> None:
    ana = visit(doors, "ana")
    large = ana.client.post("/console/people", content=b"x", headers={"Content-Length": str(5 * 2**20)})
    assert large.status_code == 413

    async def forever() -> AsyncIterator[bytes]:
        yield b"x"

    chunked = ana.client.ask("POST", "/console/people", content=forever(), headers={"Transfer-Encoding": "chunked"})
    assert chunked.status_code == 411


@pytest.mark.parametrize("person", ["ana", "pat", "lee"])
@pytest.mark.parametrize("path", ["/", "/practices", "/sign-in"])
def test_pages_stand_alone_and_name_what_can_be_operated(doors: Opened, person: str, path: str) -> None:
    html = visit(doors, person).get(path).text
    assert "<script" not in html
    assert not re.search(r'(?:href|src|action)="(?!/console/|\?|#)[^"]', html)
    assert not re.search(r'\son\w+="|style="', html)
    assert '<html lang="en">' in html
    assert Reader(html).unlabelled == []
