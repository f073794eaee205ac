"""The client: what left, what may have left, and what never goes anywhere."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import httpx
import pytest

from bridge.errors import ConfigError
from bridge.fhir.auth import Given
from bridge.fhir.client import FHIR_JSON, Client, same_origin
from bridge.model import Failure, Request, Response

BASE = "http://ehr.example/fhir"
Handler = Callable[[httpx.Request], httpx.Response]


def answered(handler: Handler, request: Request, base: str = BASE, auth: httpx.Auth | None = None) -> Response:
    async def run() -> Response:
        async with Client(base, auth, 5.0, transport=httpx.MockTransport(handler)) as client:
            return await client.send(request)

    return asyncio.run(run())


def failing(error: Exception) -> Handler:
    def handler(request: httpx.Request) -> httpx.Response:
        raise error

    return handler


def test_what_was_sent_and_what_came_back() -> None:
    seen: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(201, headers={"Location": f"{BASE}/Task/1", "ETag": 'W/"1"'}, content=b"{}")

    response = answered(handler, Request("POST", "Task", {"If-Match": 'W/"0"'}, body=b'{"a":1}'))
    (sent,) = seen
    assert str(sent.url) == f"{BASE}/Task"
    assert sent.headers["accept"] == FHIR_JSON
    assert sent.headers["content-type"] == FHIR_JSON
    assert sent.headers["if-match"] == 'W/"0"'
    assert sent.content == b'{"a":1}'
    assert (response.status, response.headers["location"], response.body) == (201, f"{BASE}/Task/1", b"{}")
    assert response.failure is None


def test_a_search_by_post_keeps_its_form_and_its_url_says_nothing() -> None:
    seen: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, content=b"{}")

    form = {"Content-Type": "application/x-www-form-urlencoded", "Cache-Control": "no-cache"}
    answered(handler, Request("POST", "Patient/_search", form, body=b"identifier=urn%3Ax%7C1"))
    assert str(seen[0].url) == f"{BASE}/Patient/_search"
    assert seen[0].headers["content-type"] == form["Content-Type"]
    assert seen[0].headers["cache-control"] == "no-cache"


def test_query_parameters_are_encoded() -> None:
    seen: list[str] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(str(request.url))
        return httpx.Response(200)

    answered(handler, Request("GET", "Patient", query=(("identifier", "urn:x|1 2"),)))
    assert seen == [f"{BASE}/Patient?identifier=urn%3Ax%7C1+2"]


@pytest.mark.parametrize("status", [200, 301, 400, 401, 404, 429, 500, 503])
def test_no_status_is_an_exception(status: int) -> None:
    assert answered(lambda _: httpx.Response(status), Request("GET", "metadata")).status == status


NEVER_LEFT = [
    httpx.ConnectError("x"),
    httpx.ConnectTimeout("x"),
    httpx.PoolTimeout("x"),
    httpx.UnsupportedProtocol("x"),
]
MAY_HAVE_LEFT = [
    httpx.ReadTimeout("x"),
    httpx.WriteTimeout("x"),
    httpx.ReadError("x"),
    httpx.WriteError("x"),
    httpx.CloseError("x"),
    httpx.RemoteProtocolError("x"),
    httpx.LocalProtocolError("x"),
    httpx.ProxyError("x"),
    httpx.DecodingError("x"),
    httpx.TooManyRedirects("x"),
    ConnectionResetError(),
]


@pytest.mark.parametrize("error", NEVER_LEFT, ids=lambda error: type(error).__name__)
def test_what_never_left_says_so(error: Exception) -> None:
    response = answered(failing(error), Request("POST", "Task", body=b"{}"))
    assert response.failure is Failure.NOT_CONNECTED


@pytest.mark.parametrize("error", MAY_HAVE_LEFT, ids=lambda error: type(error).__name__)
def test_what_may_have_left_is_lost(error: Exception) -> None:
    response = answered(failing(error), Request("POST", "Task", body=b"{}"))
    assert response.failure is Failure.LOST


def test_every_transport_error_of_httpx_was_thought_of() -> None:
    """A new error in the layer below must be sorted here before it can be misread."""

    def below(kind: type[Exception]) -> set[type[Exception]]:
        return {kind, *(found for child in kind.__subclasses__() for found in below(child))}

    parents = {httpx.TransportError, httpx.TimeoutException, httpx.NetworkError, httpx.ProtocolError}
    known = {type(error) for error in NEVER_LEFT + MAY_HAVE_LEFT}
    assert below(httpx.TransportError) - parents <= known


@pytest.mark.parametrize(
    "path",
    [
        "https://elsewhere.example/fhir/Patient",
        "http://ehr.example:8080/fhir/Patient",
        "http://user:word@ehr.example/fhir/Patient",
        "//elsewhere.example/Patient",
        "/admin",
        "../../admin",
        "ftp://ehr.example/fhir",
        "http://[bad/fhir",
    ],
)
def test_nothing_leaves_for_another_place(path: str) -> None:
    asked: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200)

    response = answered(handler, Request("GET", path), auth=Given("Bearer", "canary-token"))
    assert (response.failure, asked) == (Failure.UNSENDABLE, [])


def test_the_next_page_of_the_same_origin_is_asked_as_it_is() -> None:
    asked: list[str] = []

    def handler(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        return httpx.Response(200)

    answered(handler, Request("GET", "http://ehr.example/fhir?_getpages=a%7Cb&_count=2"))
    assert asked == ["http://ehr.example/fhir?_getpages=a%7Cb&_count=2"]


def test_a_redirect_is_an_answer_and_not_followed() -> None:
    asked: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(302, headers={"Location": "https://elsewhere.example/"})

    response = answered(handler, Request("GET", "Patient/1"), auth=Given("Bearer", "canary-token"))
    assert response.status == 302
    assert len(asked) == 1


def test_cookies_are_neither_kept_nor_returned() -> None:
    seen: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, headers={"Set-Cookie": "session=1"})

    async def run() -> Response:
        async with Client(BASE, transport=httpx.MockTransport(handler)) as client:
            await client.send(Request("GET", "Patient/1"))
            return await client.send(Request("GET", "Patient/2"))

    assert "set-cookie" not in asyncio.run(run()).headers
    assert "cookie" not in seen[1].headers


def test_a_header_no_request_can_carry_does_not_leave() -> None:
    response = answered(lambda _: httpx.Response(200), Request("GET", "Patient/1", {"If-Match": "ñ"}))
    assert response.failure is Failure.UNSENDABLE


@pytest.mark.parametrize(
    "base", ["", "ehr.example/fhir", "ftp://ehr.example", "http://u:p@ehr.example", "http://e?x=1"]
)
def test_a_base_that_is_none_is_a_config_error(base: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Client(base)
    assert caught.value.problems[0].code == "connection-base"


def test_origins() -> None:
    assert same_origin("https://ehr.example/fhir", "https://EHR.example:443/other?x=1")
    assert not same_origin("https://ehr.example/fhir", "http://ehr.example/fhir")
    assert not same_origin("https://ehr.example/fhir", "https://ehr.example.evil.example/fhir")
    assert not same_origin("https://ehr.example/fhir", "Patient?page=2")
    assert not same_origin("https://ehr.example/fhir", "https://[")


# ── against a real socket ─────────────────────────────────────────────────────────────────────────────────────────
@asynccontextmanager
async def server(answer: bytes, hang: float = 0.0) -> AsyncIterator[str]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(answer)
            await writer.drain()
            await asyncio.sleep(hang)
        finally:
            writer.close()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/fhir"
    finally:
        listening.close()
        await listening.wait_closed()


def real(answer: bytes, hang: float = 0.0, timeout: float = 5.0, largest: int = 10_000) -> Response:
    async def run() -> Response:
        async with server(answer, hang) as base, Client(base, timeout=timeout, largest=largest) as client:
            return await client.send(Request("GET", "metadata"))

    return asyncio.run(run())


def head(body: bytes, *headers: bytes) -> bytes:
    return b"\r\n".join(
        (b"HTTP/1.1 200 OK", b"Content-Length: %d" % len(body), b"Connection: close", *headers, b"", body)
    )


@pytest.mark.parametrize("body", [b"", b"{}"])
def test_what_comes_behind_a_whole_answer_answers_no_other_request(body: bytes) -> None:
    """A server or proxy out of step must not confirm a write that it never saw."""
    connections: list[int] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(0)
        try:
            while True:
                await reader.readuntil(b"\r\n\r\n")
                connections[-1] += 1
                first = b"HTTP/1.1 412 No\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
                writer.write(first + b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n" * (len(connections) == 1))
                await writer.drain()
        except asyncio.IncompleteReadError:
            pass
        finally:
            writer.close()

    async def run() -> list[int]:
        listening = await asyncio.start_server(serve, "127.0.0.1", 0)
        base = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/fhir"
        async with listening, Client(base) as client:
            return [(await client.send(Request("GET", f"Patient/{number}"))).status for number in range(3)]

    assert asyncio.run(run()) == [412, 412, 412]
    assert connections == [1, 2]  # the first is not used again, the second is


def test_a_whole_body_arrives() -> None:
    assert real(head(b'{"a":1}')).body == b'{"a":1}'


def test_a_compressed_body_is_unpacked() -> None:
    assert real(head(gzip.compress(b'{"a":1}'), b"Content-Encoding: gzip")).body == b'{"a":1}'


def test_an_empty_body_said_to_be_compressed_is_empty() -> None:
    assert real(head(b"", b"Content-Encoding: gzip")).body == b""


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(head(b'{"a":1}').replace(b"Content-Length: 7", b"Content-Length: 70"), id="half a body"),
        pytest.param(head(gzip.compress(b"x" * 5_000)[:-9], b"Content-Encoding: gzip"), id="half a compressed body"),
        pytest.param(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\nabc", id="half a chunk"),
        pytest.param(b"SSH-2.0-OpenSSH\r\n\r\n", id="no HTTP"),
        pytest.param(b"", id="nothing"),
    ],
)
def test_an_answer_that_cannot_be_read_is_lost(answer: bytes) -> None:
    assert real(answer).failure is Failure.LOST


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(head(b"not gzip", b"Content-Encoding: gzip"), id="not what it says"),
        pytest.param(head(b"xx", b"Content-Encoding: br"), id="a compression nobody asked for"),
        pytest.param(head(b"x" * 10_001), id="too large"),
        pytest.param(head(gzip.compress(b"0" * 50_000_000), b"Content-Encoding: gzip"), id="too large once unpacked"),
    ],
)
def test_what_is_too_large_or_packed_otherwise_is_unread_and_of_a_refusal_the_status_says_enough(answer: bytes) -> None:
    assert real(answer) == Response(failure=Failure.UNREAD)
    refused = real(answer.replace(b"200 OK", b"503 X"))
    assert (refused.failure, refused.status, refused.body) == (None, 503, b"")


def test_an_answer_that_trickles_is_lost_when_the_whole_time_is_over() -> None:
    assert real(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{", hang=5, timeout=0.2).failure is Failure.LOST


def test_nobody_there_is_not_connected() -> None:
    async def closed_port() -> str:
        async with server(b"") as base:
            return base

    async def run() -> Response:
        async with Client(await closed_port(), timeout=2.0) as client:
            return await client.send(Request("POST", "Task", body=b"{}"))

    assert asyncio.run(run()).failure is Failure.NOT_CONNECTED


def test_a_stop_is_not_swallowed() -> None:
    async def forever(request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(60)
        return httpx.Response(200)

    async def run() -> None:
        async with Client(BASE, transport=httpx.MockTransport(forever)) as client:
            sending = asyncio.create_task(client.send(Request("GET", "metadata")))
            await asyncio.sleep(0.05)
            sending.cancel()
            with pytest.raises(asyncio.CancelledError):
                await sending

    asyncio.run(run())


def test_a_request_that_waits_for_a_connection_never_left() -> None:
    asked: list[str] = []

    async def slow(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        await asyncio.sleep(60)
        return httpx.Response(200)

    async def run() -> Response:
        async with (
            Client(BASE, timeout=0.2, connections=1, transport=httpx.MockTransport(slow)) as client,
            client._places,
        ):
            return await client.send(Request("POST", "Task", body=b"{}"))

    assert asyncio.run(run()).failure is Failure.NOT_CONNECTED
    assert asked == []


def test_there_are_never_more_requests_at_a_time_than_connections() -> None:
    now, most = 0, 0

    async def count(request: httpx.Request) -> httpx.Response:
        nonlocal now, most
        now += 1
        most = max(most, now)
        await asyncio.sleep(0.01)
        now -= 1
        return httpx.Response(201)

    async def run() -> set[int]:
        async with Client(BASE, connections=3, transport=httpx.MockTransport(count)) as client:
            sent = await asyncio.gather(*(client.send(Request("POST", "Task", body=b"{}")) for _ in range(12)))
            return {one.status for one in sent}

    assert asyncio.run(run()) == {201}
    assert most == 3
