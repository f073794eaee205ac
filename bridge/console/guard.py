"""What holds for every page: headers that keep it ours, and a bound on what may be sent."""

from __future__ import annotations

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

POLICY = "; ".join(
    (
        "default-src 'none'",
        "style-src 'self'",
        "img-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
}
PRIVATE = "no-store"


class Guard:
    """Around the pages' app. A body must say how long it is, and not be longer than `largest` bytes."""

    def __init__(self, app: ASGIApp, largest: int) -> None:
        self.app = app
        self.largest = largest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
                headers.setdefault("Cache-Control", PRIVATE)
            await send(message)

        refused = self.refused(scope)
        await (refused or self.app)(scope, receive, guarded)

    def refused(self, scope: Scope) -> PlainTextResponse | None:
        """Why this request's body is not read at all. (The server itself holds a body to the length it states.)"""
        headers = Headers(scope=scope)
        if "transfer-encoding" in headers:
            return PlainTextResponse("A form must say how long it is.", 411)
        length = headers.get("content-length", "0")
        if not length.isdigit() or int(length) > self.largest:
            return PlainTextResponse("This is too large. Send the file in several parts.", 413)
        return None
