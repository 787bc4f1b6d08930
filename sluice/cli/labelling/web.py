"""The same app in a browser: textual-serve behind a token, on this machine alone unless somebody insists.

Everything lies under `/TOKEN/`: page, files, websocket. Without the token, from a page of another site, or by another
name of this machine (DNS rebinding) everything is 403. Nothing is fetched from the internet.
"""

from __future__ import annotations

import ipaddress
import secrets
import shlex
import socket
from collections.abc import Callable, Sequence
from pathlib import Path

from sluice.core.errors import SurroundingsError, UsageError

LOOPBACK = "127.0.0.1"
POLICY = (
    "default-src 'none'; script-src 'self' 'nonce-{nonce}'; style-src 'self' 'unsafe-inline'; font-src 'self'; "
    "img-src 'self' data:; connect-src 'self' {websocket}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def check_host(host: str, *, open_to_others: bool) -> None:
    """Raise UsageError for an address that others can reach, unless it was said twice."""
    if host == "localhost":
        return
    try:
        loopback = ipaddress.ip_address(host).is_loopback
    except ValueError:
        loopback = False
    if not loopback and not open_to_others:
        raise UsageError(
            f"whoever can reach {host} could read the rows and decide, over a line that is not encrypted",
            where="--host",
            remedy=f"leave it out and use an SSH tunnel; or, if that is meant: --host {host} --yes-this-is-open",
        )


def serve(command: Sequence[str], *, title: str, host: str, port: int, ready: Callable[[str], None]) -> None:
    """Serve the app until Ctrl-C; each window that is opened runs the command.

    Args:
        command: words of the process behind one window (see `start.in_window`).
        title: of the page.
        host, port: where; port 0 is a free one.
        ready: called with the address to open once it can be opened.

    Raises UsageError where the extra is missing, SurroundingsError where the port is taken.
    """
    try:
        from aiohttp import web
        from textual_serve.server import Server
    except ImportError as problem:
        raise UsageError(
            "the browser form needs the extra web", remedy="pip install 'sluiceway[web]'; or leave out --web"
        ) from problem
    listening = _listen(host, port)
    port = listening.getsockname()[1]
    token = secrets.token_urlsafe(24)
    name = f"[{host}]" if ":" in host else host
    place = f"{name}:{port}/{token}"

    class Guarded(Server):
        """textual-serve under a token, with a page of our own."""

        async def _make_app(self) -> web.Application:
            app = web.Application(middlewares=[guard(token, hosts(host, port))])
            app.add_routes(
                [
                    web.get(f"/{token}/", self.handle_index),
                    web.get(f"/{token}/ws", self.handle_websocket),
                    web.static(f"/{token}/static", self.statics_path),
                ]
            )
            app.on_startup.append(_say_ready)
            return app

        async def handle_index(self, request: web.Request) -> web.Response:
            websocket = f"ws://{request.host}/{token}/ws"
            nonce = secrets.token_urlsafe(16)
            page = _page(title=self.title, websocket=websocket, nonce=nonce)
            policy = POLICY.format(websocket=f"ws://{request.host}", nonce=nonce)
            return web.Response(text=page, content_type="text/html", headers={"Content-Security-Policy": policy})

    async def _say_ready(_app: web.Application) -> None:
        ready(f"http://{place}/")

    server = Guarded(shlex.join(command), host=host, port=port, title=title)
    with listening:
        web.run_app(server._make_app(), sock=listening, print=None, access_log=None, shutdown_timeout=3)


def hosts(host: str, port: int) -> frozenset[str] | None:
    """Return the names under which a browser may ask; None: any, where the server listens on every address."""
    if host in ("0.0.0.0", "::"):
        return None
    names = {host, "localhost", LOOPBACK} if host in ("localhost", LOOPBACK) else {host}
    return frozenset(f"[{n}]:{port}" if ":" in n else f"{n}:{port}" for n in names)


def guard(token: str, allowed: frozenset[str] | None) -> Callable:
    """Return what stands before every request: the token in the path, the name asked for, the page that asks."""
    from aiohttp import web

    @web.middleware
    async def check(request: web.Request, handler: Callable) -> web.StreamResponse:
        first = request.path.split("/")[1]
        known = secrets.compare_digest(first.encode(), token.encode())
        by_name = allowed is None or request.host in allowed
        origin = request.headers.get("Origin")
        if not (known and by_name and origin in (None, f"http://{request.host}")):
            return web.Response(status=403, text="403: open the address that sluice has printed.\n")
        response = await handler(request)
        if not response.prepared:
            response.headers.update(
                {"Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}
            )
        return response

    return check


def _page(**values: str) -> str:
    from jinja2 import Environment

    text = (Path(__file__).parent / "page.html.j2").read_text(encoding="utf-8")
    return Environment(autoescape=True).from_string(text).render(values)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as problem:
        raise SurroundingsError(
            f"cannot listen: {problem.strerror or problem}", where=f"{host}:{port}", remedy="another --port, or none"
        ) from problem
