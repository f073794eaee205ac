"""Tokens: asked for once for all, renewed early, dropped when refused, never for another origin."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest

from bridge.fhir import keyset, tls
from bridge.fhir.auth import Asked
from bridge.fhir.client import Client
from bridge.fhir.grant import NoLogin
from bridge.fhir.keyset import Signer
from bridge.fhir.tokens import Asking, Cache, Scopes, Tokens, Told
from bridge.model import Failure, Request, Response
from bridge.settings import ClientSecret, Secret, Smart

BASE = "https://ehr.example/fhir"
PAIR = keyset.make("ES384")
SECURE = tls.context()


@dataclass
class Ehr:
    """An EHR in a function: its token endpoint, its FHIR side, and what it was asked."""

    lasts: int = 300
    status: int = 200
    configuration: dict[str, Any] = field(default_factory=lambda: {"token_endpoint": "token"})
    good: Callable[[str], bool] = lambda token: True
    scope: str | None = None
    hang: asyncio.Event | None = None
    asked: list[httpx.Request] = field(default_factory=list)
    given: int = 0

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        if request.url.path.endswith("smart-configuration"):
            return httpx.Response(200, json=self.configuration)
        if request.url.path.endswith("token"):
            if self.hang is not None:
                await self.hang.wait()
            await asyncio.sleep(0.01)
            if self.status != 200:
                return httpx.Response(self.status, headers={"Location": "https://evil.example/token"})
            self.given += 1
            told = {"scope": self.scope} if self.scope is not None else {}
            token = {"access_token": f"token-{self.given}", "token_type": "bearer", "expires_in": self.lasts}
            return httpx.Response(200, json=token | told)
        sent = request.headers["Authorization"].removeprefix("Bearer ")
        return httpx.Response(200 if self.good(sent) else 401, json={"resourceType": "Patient", "id": sent})

    def calls(self, end: str) -> int:
        return sum(request.url.path.endswith(end) for request in self.asked)


@dataclass
class Desk:
    """Everything around the tokens of one connection."""

    ehr: Ehr
    login: Smart | ClientSecret = field(default_factory=lambda: Smart("client"))
    base: str = BASE
    now: float = 0.0
    signs: bool = True
    told: list[Told] = field(default_factory=list)
    foreign: frozenset[str] = frozenset()
    cache: Cache = field(default_factory=Cache)

    def tokens(self) -> Tokens:
        async def sign(algorithms: Sequence[str]) -> Signer | None:
            return Signer(PAIR.kid, "ES384", PAIR.private) if self.signs and "ES384" in algorithms else None

        async def told(what: Told) -> None:
            self.told.append(what)

        asking = Asking(
            self.base, self.login, Scopes("system/Patient.read", "system/Patient.rs"), SECURE, sign, told,
            foreign=self.foreign, timeout=0.3, transport=httpx.MockTransport(self.ehr), ticks=lambda: self.now,
        )  # fmt: skip
        return Tokens(asking, self.cache)

    def client(self) -> Client:
        return Client(self.base, Asked(self.tokens()), 1.0, transport=httpx.MockTransport(self.ehr))


def run(work: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(work)


async def failing(tokens: Tokens) -> NoLogin:
    with pytest.raises(NoLogin) as caught:
        await tokens.current()
    return caught.value


def form(request: httpx.Request) -> dict[str, list[str]]:
    return parse_qs(request.content.decode())


def test_many_who_wait_ask_once() -> None:
    async def work() -> None:
        desk = Desk(Ehr())
        tokens = desk.tokens()
        assert set(await asyncio.gather(*(tokens.current() for _ in range(50)))) == {"token-1"}
        assert (desk.ehr.calls("token"), desk.ehr.calls("smart-configuration")) == (1, 1)
        assert form(desk.ehr.asked[-1])["scope"] == ["system/Patient.rs"]
        assert desk.told == [Told(status=200, called=True)]

    run(work())


def test_who_gives_up_waiting_does_not_end_it_for_the_others() -> None:
    async def work() -> None:
        desk = Desk(Ehr(hang=asyncio.Event()))
        tokens = desk.tokens()
        waiting = [asyncio.create_task(tokens.current()) for _ in range(3)]
        await asyncio.sleep(0.05)
        waiting[0].cancel()
        assert desk.ehr.hang is not None
        desk.ehr.hang.set()
        assert await asyncio.gather(*waiting[1:]) == ["token-1", "token-1"]

    run(work())


def test_a_token_is_renewed_early_and_nobody_waits_for_it() -> None:
    async def work() -> None:
        desk = Desk(Ehr())
        tokens = desk.tokens()
        await tokens.current()
        desk.now = 269
        assert await tokens.current() == "token-1"
        desk.now = 271
        assert await tokens.current() == "token-1"
        await asyncio.sleep(0.05)
        assert await tokens.current() == "token-2"
        assert desk.ehr.calls("token") == 2

    run(work())


def test_a_token_endpoint_that_is_down_costs_nothing_while_the_token_lasts() -> None:
    async def work() -> None:
        desk = Desk(Ehr())
        tokens = desk.tokens()
        await tokens.current()
        desk.ehr.status, desk.now = 503, 280
        for _ in range(20):
            assert await tokens.current() == "token-1"
        await asyncio.sleep(0.05)
        assert desk.ehr.calls("token") == 2, "a failure is not repeated at once"
        desk.now = 301
        assert (await failing(tokens)).problem.code == "login-refused"
        desk.ehr.status, desk.now = 200, 303
        assert await tokens.current() == "token-2"

    run(work())


def test_many_who_fail_ask_once() -> None:
    async def work() -> None:
        desk = Desk(Ehr(status=500))
        tokens = desk.tokens()
        await asyncio.gather(*(failing(tokens) for _ in range(50)))
        await failing(tokens)
        assert desk.ehr.calls("token") == 1
        assert [told.code for told in desk.told] == ["login-refused"]

    run(work())


def test_a_refused_token_is_renewed_once_and_the_same_request_sent_again() -> None:
    async def work() -> None:
        desk = Desk(Ehr(good=lambda token: token != "token-1"))
        async with desk.client() as client:
            answer = await client.send(Request("POST", "Patient", body=b'{"a":1}'))
        assert (answer.status, json.loads(answer.body)["id"]) == (200, "token-2")
        posts = [request for request in desk.ehr.asked if request.url.path.endswith("Patient")]
        assert [request.content for request in posts] == [b'{"a":1}', b'{"a":1}']

    run(work())


def test_a_storm_of_refusals_asks_for_few_tokens() -> None:
    async def work() -> None:
        desk = Desk(Ehr(good=lambda token: False))
        async with desk.client() as client:
            await client.send(Request("GET", "Patient/1"))
            desk.now = 10
            before = desk.ehr.calls("token")
            answers = await asyncio.gather(*(client.send(Request("GET", "Patient/1")) for _ in range(100)))
        assert {answer.status for answer in answers} == {401}
        assert desk.ehr.calls("token") - before == 1

    run(work())


def test_without_a_token_nothing_leaves() -> None:
    async def work() -> None:
        desk = Desk(Ehr(status=400))
        async with desk.client() as client:
            answer = await client.send(Request("POST", "Patient", body=b"{}"))
            assert answer == Response(failure=Failure.NO_LOGIN, why="login-refused")
        assert desk.ehr.calls("Patient") == 0

    run(work())


def test_a_token_endpoint_that_hangs_is_no_lost_request() -> None:
    async def work() -> None:
        desk = Desk(Ehr(hang=asyncio.Event()))
        async with desk.client() as client:
            answer = await client.send(Request("POST", "Patient", body=b"{}"))
            assert answer == Response(failure=Failure.NO_LOGIN, why="login-unreachable")
        await desk.cache.aclose()

    run(work())


def test_a_redirect_of_the_token_endpoint_is_not_followed() -> None:
    async def work() -> None:
        desk = Desk(Ehr(status=307))
        assert (await failing(desk.tokens())).problem.code == "login-redirect"
        assert {request.url.host for request in desk.ehr.asked} == {"ehr.example"}

    run(work())


def test_a_token_serves_one_origin_alone() -> None:
    """Two EHRs that name the same token endpoint, client and scopes: each has its own token."""

    async def work() -> None:
        ehr = Ehr(configuration={"token_endpoint": "https://login.example/token"})
        cache = Cache()
        one, other = Desk(ehr, cache=cache), Desk(ehr, base="https://evil.example/fhir", cache=cache)
        same = Desk(ehr, base="https://ehr.example/other", cache=cache)
        assert await one.tokens().current() == "token-1"
        assert await other.tokens().current() == "token-2"
        assert await same.tokens().current() == "token-1"

    run(work())


def test_no_token_is_fetched_at_the_host_of_another_connection() -> None:
    async def work() -> None:
        ehr = Ehr(configuration={"token_endpoint": "https://good.example/token"})
        desk = Desk(ehr, base="https://evil.example/fhir", foreign=frozenset({"good.example"}))
        assert (await failing(desk.tokens())).problem.code == "login-elsewhere"
        assert {request.url.host for request in ehr.asked} == {"evil.example"}

    run(work())


def test_a_client_secret_stays_at_the_origin_unless_the_settings_say_otherwise() -> None:
    async def work() -> None:
        ehr = Ehr(configuration={"token_endpoint": "https://login.example/token"})
        secret = ClientSecret("client", secret=Secret("canary-secret"), method="post")
        assert (await failing(Desk(ehr, secret).tokens())).problem.code == "login-elsewhere"
        assert not any(b"canary-secret" in request.content for request in ehr.asked)
        meant = replace(secret, token_url="https://login.example/token")
        assert await Desk(ehr, meant).tokens().current() == "token-1"
        assert form(ehr.asked[-1])["client_secret"] == ["canary-secret"]

    run(work())


def test_a_token_endpoint_of_the_settings_needs_no_configuration() -> None:
    async def work() -> None:
        desk = Desk(Ehr(configuration={}), Smart("client", token_url="https://ehr.example/my/token"))
        assert await desk.tokens().current() == "token-1"
        assert str(desk.ehr.asked[-1].url) == "https://ehr.example/my/token"

    run(work())


def test_without_a_key_the_answer_is_how_to_make_one() -> None:
    async def work() -> None:
        desk = Desk(Ehr(), signs=False)
        error = await failing(desk.tokens())
        assert desk.told == [Told("login-no-key")]
        assert desk.ehr.calls("token") == 0
        assert error.problem.code == "login-no-key"
        assert "bridge keys new --algorithm ES384" in error.problem.next_step

    run(work())


@pytest.mark.parametrize(
    ("login", "configuration", "sent"),
    [
        (Smart("c"), {}, "system/Patient.rs"),
        (Smart("c"), {"capabilities": ["permission-v1"]}, "system/Patient.read"),
        (Smart("c", "system/Task.c"), {}, "system/Task.c"),
        (Smart("c", ""), {}, None),
    ],
)
def test_scopes_are_written_as_the_server_reads_them(login: Smart, configuration: Any, sent: str | None) -> None:
    async def work() -> None:
        desk = Desk(Ehr(configuration={"token_endpoint": "token", **configuration}), login)
        await desk.tokens().current()
        assert form(desk.ehr.asked[-1]).get("scope") == ([sent] if sent else None)

    run(work())


def test_less_granted_than_asked_is_told() -> None:
    async def work() -> None:
        desk = Desk(Ehr(scope="system/Patient.r"))
        await desk.tokens().current()
        assert desk.told == [Told(status=200, missing=("system/Patient.rs",), called=True)]

    run(work())


def test_a_configuration_that_cannot_be_read_any_more_is_used_on() -> None:
    async def work() -> None:
        desk = Desk(Ehr(lasts=10_000))
        tokens = desk.tokens()
        await tokens.current()
        desk.ehr.configuration, desk.now = {}, 4000
        assert await tokens.current() == "token-1"
        assert desk.told[-1].code == "discovery-endpoint"

    run(work())
