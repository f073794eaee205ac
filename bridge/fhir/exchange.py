"""One request to one address, outside a connection's FHIR traffic: its login's configuration and token endpoint."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping

import httpx

LARGEST = 256 * 1024
"""Bytes of an answer beyond which it is given up."""


class Unanswered(Exception):
    """No whole answer came; `late` says that the time was up."""

    def __init__(self, late: bool) -> None:
        super().__init__("late" if late else "unreachable")
        self.late = late


async def exchange(
    method: str,
    url: str,
    headers: Mapping[str, str],
    body: bytes,
    *,
    secure: ssl.SSLContext,
    timeout: float,
    transport: httpx.AsyncBaseTransport | None = None,
) -> tuple[int, dict[str, str], bytes]:
    """Status, headers (names in lower case) and body: exactly this address is asked, once.

    Nothing is followed, no cookie kept, no proxy and no netrc asked. Raises Unanswered, which holds
    nothing of the request.
    """
    given = {"Accept": "application/json", "Accept-Encoding": "identity", "Cache-Control": "no-cache", **headers}
    phases = httpx.Timeout(timeout, connect=min(timeout, 10.0)).as_dict()
    pool = transport or httpx.AsyncHTTPTransport(verify=secure, trust_env=False)
    try:
        request = httpx.Request(method, url, headers=given, content=body or None, extensions={"timeout": phases})
        async with asyncio.timeout(timeout):
            answer = await pool.handle_async_request(request)
            try:
                content = bytearray()
                async for chunk in answer.aiter_bytes() if answer.is_stream_consumed else answer.aiter_raw():
                    content += chunk
                    if len(content) > LARGEST:
                        raise Unanswered(late=False)
            finally:
                await answer.aclose()
    except (httpx.HTTPError, httpx.StreamError, httpx.InvalidURL, TimeoutError, OSError, ValueError) as error:
        raise Unanswered(isinstance(error, TimeoutError | httpx.TimeoutException)) from None
    finally:
        if transport is None:
            await pool.aclose()
    return answer.status_code, {name.lower(): value for name, value in answer.headers.items()}, bytes(content)
