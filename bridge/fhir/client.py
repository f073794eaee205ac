"""One EHR over HTTP: a request leaves once, and what comes back is a value.

Nothing is repeated, followed or interpreted here: an answer's meaning is `ehr.answers`', trying again is a decision of
the ledger's. What leaves goes to the origin of the FHIR base and nowhere else, so that no token reaches another host.
"""

from __future__ import annotations

import asyncio
import re
import ssl
import zlib
from types import TracebackType
from typing import Any

import httpx

from bridge import __version__
from bridge.errors import ConfigError, Problem
from bridge.fhir import tls
from bridge.fhir.auth import REFUSED
from bridge.fhir.grant import NoLogin
from bridge.fhir.pace import NotNow, Pace
from bridge.model import Failure, Request, Response

FHIR_JSON = "application/fhir+json"
LARGEST = 10 * 1024 * 1024
"""Bytes of an answer, after decompression, beyond which it is given up (a page of documents is far below)."""

_NEVER_LEFT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)
_COOKIES = {"set-cookie", "set-cookie2"}
_TYPE = re.compile(r"[A-Z][A-Za-z]{0,63}(?:/_search)?")
"""The path of a create or a search: of so few kinds, and so often asked for, that their addresses are kept."""


TLS, TIMED_OUT = "tls", "timed-out"
"""What more is known of a failure: `Response.why`."""


class _Unreadable(Exception):
    """The answer is larger than allowed, or compressed otherwise than was asked for or said."""


class _Way:
    """How far a request came: `left` once it may have reached the EHR and been processed there."""

    __slots__ = ("left",)

    def __init__(self) -> None:
        self.left = False


class Client:
    """Sends to one FHIR base. Use as `async with`, or call `aclose`.

    Requests go to httpx's transport and not through its client: cookies, redirects, logging of addresses and what else
    that does for a browser are unwanted here, and cost more than half of its time (bench/line.py, "raw client"). Each
    connection has a pool of its own: one pool looks through all its connections at every request (CPU a create with 64
    of them: 2.7 ms, so 0.9 ms).
    """

    def __init__(
        self,
        base: str,
        auth: httpx.Auth | None = None,
        timeout: float = 30.0,
        *,
        connections: int = 8,
        largest: int = LARGEST,
        transport: httpx.AsyncBaseTransport | None = None,
        secure: ssl.SSLContext | None = None,
        pace: Pace | None = None,
    ) -> None:
        """`timeout` is seconds for the whole exchange, connecting (10 at most), signing in and reading included.
        `pace` lets each request leave, and hears of each answer.

        Raises `ConfigError` where `base` is no absolute http(s) URL, or carries a login, query or fragment.
        """
        self._base = _base(base)
        self._timeout = timeout
        self._largest = largest
        self._auth = auth
        self._pace = pace
        self._closed = False
        self._headers = {
            "Accept": FHIR_JSON, "Accept-Encoding": "gzip", "Connection": "keep-alive",
            "User-Agent": f"dyad-bridge/{__version__}",
        }  # fmt: skip
        self._places = asyncio.Semaphore(connections)
        self._given = transport
        self._secure = secure or tls.context()
        self._pools: list[httpx.AsyncBaseTransport] = []
        self._free: list[httpx.AsyncBaseTransport] = []
        phases = httpx.Timeout(timeout, connect=min(timeout, 10.0), pool=timeout)
        self._extensions = {"timeout": phases.as_dict()}
        self._urls: dict[str, httpx.URL] = {}

    async def __aenter__(self) -> Client:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """The connections are closed; nothing can be sent any more."""
        self._closed = True
        for pool in self._pools:
            await pool.aclose()

    async def send(self, request: Request) -> Response:
        """What the EHR answered, or why there is no answer; raises for nothing an EHR or network does.

        `Failure.NOT_CONNECTED` says that the request provably never left, `Failure.NO_LOGIN` the same for want of a
        token, `Failure.NOT_NOW` the same for want of a budget or because the connection is down, `Failure.UNSENDABLE`
        that no request can be made of it, `Failure.LOST` that it did leave or may have, `Failure.UNREAD` that it was
        answered with success in a way that is not read. Of a refusal that is not read the status is enough.
        RuntimeError after `aclose`.
        """
        if self._closed:
            raise RuntimeError("this client was closed")
        try:
            outgoing = self._build(request)
        except (httpx.InvalidURL, ValueError):
            return Response(failure=Failure.UNSENDABLE)
        response = await self._sent(request, outgoing)
        if self._pace is not None:
            await self._pace.heard(request, response)
        return response

    async def _sent(self, request: Request, outgoing: httpx.Request) -> Response:
        way = _Way()
        try:
            async with asyncio.timeout(self._timeout), self._places:
                return await self._answer(request, outgoing, way)
        except NotNow as error:
            return Response(headers={"retry-after": str(error.seconds)}, failure=Failure.NOT_NOW, why=error.why)
        except NoLogin as error:
            headers = {"retry-after": error.after} if error.after else {}
            return Response(headers=headers, failure=Failure.NO_LOGIN, why=error.why)
        except _NEVER_LEFT as error:
            return Response(failure=Failure.NOT_CONNECTED, why=TLS if _is_tls(error) else "")
        except (httpx.HTTPError, httpx.StreamError, TimeoutError, OSError) as error:
            late = TIMED_OUT if isinstance(error, TimeoutError | httpx.TimeoutException) else ""
            return Response(failure=Failure.LOST if way.left else Failure.NOT_CONNECTED, why=late)

    async def _answer(self, request: Request, outgoing: httpx.Request, way: _Way) -> Response:
        pool = self._free.pop() if self._free else self._pool()  # the one used last is the one most likely connected
        try:
            answer = await self._exchange(pool, request, outgoing, way)
            try:
                body = await self._body(answer)
            except (_Unreadable, zlib.error):
                if answer.status_code < 300:
                    return Response(failure=Failure.UNREAD)
                body = b""
            finally:
                await answer.aclose()
            if _more_behind(pool):
                await pool.aclose()  # what connects anew reads nothing old
        finally:
            self._free.append(pool)
        return Response(answer.status_code, _headers(answer), body, host=self._base.host)

    def _pool(self) -> httpx.AsyncBaseTransport:
        one = httpx.Limits(max_connections=1, max_keepalive_connections=1)
        # trust_env: neither proxies nor a netrc login from the machine's environment
        pool = self._given or httpx.AsyncHTTPTransport(verify=self._secure, limits=one, trust_env=False)
        self._pools.append(pool)
        return pool

    async def _exchange(
        self, pool: httpx.AsyncBaseTransport, asked: Request, outgoing: httpx.Request, way: _Way
    ) -> httpx.Response:
        """The answer to the request, signed in as this connection's login says."""
        if self._auth is None:
            await self._enter(asked)
            way.left = True
            return await pool.handle_async_request(outgoing)
        if self._pace is not None:
            await self._pace.ready(asked)  # else a token would be asked for, for a request that may not leave
        flow = self._auth.async_auth_flow(outgoing)
        try:
            request = await anext(flow)
            while True:
                await self._enter(asked)
                way.left = True
                answer = await pool.handle_async_request(request)
                way.left = answer.status_code != REFUSED  # what was refused for its login was not processed
                try:
                    request = await flow.asend(answer)
                except StopAsyncIteration:
                    return answer
                except BaseException:
                    await answer.aclose()
                    raise
                await answer.aclose()
        finally:
            await flow.aclose()

    async def _enter(self, request: Request) -> None:
        if self._pace is not None:
            await self._pace.enter(request)

    def _build(self, request: Request) -> httpx.Request:
        """Raises ValueError where the path leads out of the base and is no page of the same origin."""
        headers = {**self._headers, **request.headers}
        if request.body and not any(name.lower() == "content-type" for name in request.headers):
            headers["Content-Type"] = FHIR_JSON
        return httpx.Request(
            request.method, self._url(request.path), params=request.query or None, headers=headers,
            content=request.body or None, extensions=self._extensions,
        )  # fmt: skip

    def _url(self, path: str) -> httpx.URL:
        found = self._urls.get(path)
        if found is not None:
            return found
        url = self._base.join(path)
        if "://" not in path and not (url.path.startswith(self._base.path) and path[:1] != "/"):
            raise ValueError("a path is relative to the FHIR base")
        if not same_origin(str(self._base), str(url)) or url.userinfo:
            raise ValueError("a path stays at the origin of the FHIR base")
        if _TYPE.fullmatch(path):
            self._urls[path] = url
        return url

    async def _body(self, answer: httpx.Response) -> bytes:
        if answer.is_stream_consumed:  # a transport that hands over a whole, decoded body
            self._check(len(answer.content))
            return answer.content
        coding = answer.headers.get("Content-Encoding", "identity").strip().lower()
        if coding not in ("identity", "", "gzip"):
            raise _Unreadable
        unzip = zlib.decompressobj(wbits=31) if coding == "gzip" else None
        body, seen = bytearray(), False
        async for chunk in answer.aiter_raw():
            seen = seen or bool(chunk)
            body += chunk if unzip is None else unzip.decompress(chunk, self._largest + 1 - len(body))
            self._check(len(body))
        if unzip is not None and seen and not unzip.eof:
            raise httpx.RemoteProtocolError("half a compressed body")
        return bytes(body)

    def _check(self, size: int) -> None:
        if size > self._largest:
            raise _Unreadable


def _more_behind(pool: Any) -> bool:
    """Whether bytes came behind the whole answer just read, which the connection's next request would take for its own.

    Neither httpx nor httpcore has a public way to ask (1.0.9 keeps them in h11's buffer, seen 2026-11-22).
    """
    kept = getattr(pool, "_pool", None)  # a transport that was given has none
    if kept is None:
        return False
    connections = [one._connection for one in kept.connections]
    return any(one is not None and one._h11_state.trailing_data[0] for one in connections)


def _is_tls(error: BaseException) -> bool:
    """Whether a connection failed because one side did not accept the other's certificate or protocol."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, ssl.SSLError):
            return True
        seen = seen.__cause__ or seen.__context__
    return False


def _headers(answer: httpx.Response) -> dict[str, str]:
    """Names in lower case; of a name that comes again the values follow each other (RFC 9110 §5.3)."""
    found: dict[str, str] = {}
    for raw, value in answer.headers.raw:
        name, text = raw.decode("latin-1").lower(), value.decode("latin-1")
        if name not in _COOKIES:
            found[name] = f"{found[name]}, {text}" if name in found else text
    return found


def same_origin(base: str, url: str) -> bool:
    """Whether an absolute `url` has scheme, host and port of `base`: only then a link may be followed."""
    try:
        one, other = httpx.URL(base), httpx.URL(url)
    except (httpx.InvalidURL, ValueError):
        return False
    return bool(other.host) and (one.scheme, one.host, one.port) == (other.scheme, other.host, other.port)


def _base(base: str) -> httpx.URL:
    try:
        url = httpx.URL(base)
    except (httpx.InvalidURL, ValueError):
        url = httpx.URL("")
    if url.scheme not in ("http", "https") or not url.host or url.userinfo or url.query or url.fragment:
        raise ConfigError(
            Problem(
                "connection-base",
                "a FHIR base is an absolute http(s) URL without login, query or fragment",
                field="base",
                next_step="write it as the practice's EHR team gave it, for example https://ehr.example/fhir/r4",
            )
        )
    return url.copy_with(path=url.path.rstrip("/") + "/")
