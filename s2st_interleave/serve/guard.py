"""Who may ask: requests from other sites' pages are turned away, and pages hold to a policy.

A page of another site can send requests to loopback. Its POSTs say where they come from
(`Origin`, `Sec-Fetch-Site`). A site whose name is made to point to 127.0.0.1 (DNS
rebinding) sends its name as `Host`: only localhost, addresses and names that were given
pass.
"""

import ipaddress
from collections.abc import Collection
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# The page plays sounds that it makes itself of an answer (blob:), and loads nothing else.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "media-src 'self' blob:; img-src data:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "microphone=(self), camera=(), geolocation=()",
    "Cache-Control": "no-store",
}
READS = ("GET", "HEAD")


class Guard:
    """Checks requests before `app` sees them, and adds HEADERS to its responses."""

    def __init__(self, app: ASGIApp, hosts: Collection[str] = ()):
        self._app = app
        self._hosts = frozenset(host.lower() for host in hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        app = self._app
        if (
            refusal := self._refusal(scope["method"], Headers(scope=scope))
        ) is not None:
            app = refusal
        await app(scope, receive, guarded)

    def _refusal(self, method: str, headers: Headers) -> JSONResponse | None:
        host, origin = headers.get("host", ""), headers.get("origin")
        if not self._is_ours(host):
            sentence = (
                "This host name is not served: use 127.0.0.1 or localhost, or start "
                "serve with --allowed_hosts."
            )
            return _refused(421, "host", sentence)
        if method in READS:
            return None
        from_here = headers.get("sec-fetch-site", "none") in ("none", "same-origin")
        if origin is not None:
            from_here = from_here and self._is_same(origin, host)
        if from_here:
            return None
        return _refused(
            403, "origin", "Requests from pages of other sites are refused."
        )

    def _is_ours(self, host: str) -> bool:
        name = hostname(host)
        return name == "localhost" or name in self._hosts or _is_address(name)

    def _is_same(self, origin: str, host: str) -> bool:
        """A proxy may have put its own name for us in place of the one in `origin`."""
        _, _, place = origin.partition("://")
        return place.lower() == host.lower() or hostname(place) in self._hosts


def hostname(place: str) -> str:
    """The name in `name:port`, "" where there is none.

    >>> hostname("LocalHost:80"), hostname("[::1]:80"), hostname("a@b"), hostname("[x")
    ('localhost', '::1', '', '')
    """
    try:
        parts = urlsplit(f"//{place}")
        name = parts.hostname or ""
    except ValueError:
        return ""
    return "" if "@" in place or parts.path or parts.query else name


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _refused(status: int, kind: str, sentence: str) -> JSONResponse:
    return JSONResponse({"error": sentence, "kind": kind}, status_code=status)
