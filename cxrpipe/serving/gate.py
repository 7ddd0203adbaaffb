"""Who may ask: the page itself, and no other site that a browser on this machine has open."""

from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADERS = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' blob:; object-src 'none'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class Gate:
    """An application behind a gate, each of whose answers carries ``HEADERS``.

    A site whose name was made to point here sends that name as ``Host`` (DNS rebinding); an address
    or localhost cannot be made to. Another site that sends a request sends its own ``Origin``.

    Parameters
    ----------
    app
        Behind the gate.
    host
        That the server is bound to, by name or address.
    """

    def __init__(self, app: ASGIApp, host: str) -> None:
        self.app = app
        self.host = host

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""

        async def answer(message: Message) -> None:
            """Add the headers."""
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        refusal = self._refuse(Headers(scope=scope))
        await (PlainTextResponse(refusal, 403) if refusal else self.app)(scope, receive, answer)

    def _refuse(self, headers: Headers) -> str:
        host, origin = headers.get("host", ""), headers.get("origin")
        if not self._is_here(host):
            return "This page has no such name; open it by its machine's numeric address instead."
        if origin and origin.partition("://")[2] != host:
            return "Another site sent this request; only the page itself may."
        return ""

    def _is_here(self, host: str) -> bool:
        try:
            name = urlsplit(f"//{host}").hostname or ""
            return name in ("localhost", self.host.lower()) or bool(ip_address(name))
        except ValueError:
            return False
