"""The page itself, and who may open it: this machine, and no website that its browser shows."""

from collections.abc import Awaitable, Callable
from importlib.resources import files
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Handler

_PAGES: Final = (
    ("/chat", "chat.html", "text/html"),
    ("/chat/chat.css", "chat.css", "text/css"),
    ("/chat/chat.js", "chat.js", "text/javascript"),
    ("/chat/panel.js", "panel.js", "text/javascript"),
    ("/chat/supply.js", "supply.js", "text/javascript"),
    ("/chat/troubles.js", "troubles.js", "text/javascript"),
    ("/chat/ledger.js", "ledger.js", "text/javascript"),
    ("/chat/suppliers.js", "suppliers.js", "text/javascript"),
    ("/chat/drawing.js", "drawing.js", "text/javascript"),
)
_HEADERS: Final = {
    "Cache-Control": "no-cache",
    "Content-Security-Policy": (
        "default-src 'self'; img-src 'self' data:; connect-src 'self' ws:; style-src 'self'; "
        "script-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
    ),
}


def add_pages(app: web.Application) -> None:
    """Serve the page and its parts, read once, now."""
    folder = files("bot.web") / "static"
    for path, name, content_type in _PAGES:
        app.router.add_get(path, _page((folder / name).read_bytes(), content_type))


def _page(body: bytes, content_type: str) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def page(request: web.Request) -> web.Response:
        refuse_strangers(request)
        return web.Response(body=body, content_type=content_type, charset="utf-8", headers=_HEADERS)

    return page


def refuse_strangers(request: web.Request) -> None:
    """Raise 403 unless the browser thinks that it talks to this machine, on a page of ours.

    Any website can let a browser open a socket to 127.0.0.1, so the origin must be our own; and it
    can point a name of its own at 127.0.0.1, so the name must be this machine's.
    """
    host = request.headers.get("Host", "").lower()
    origin = request.headers.get("Origin")  # no browser leaves it out of a socket's request
    ours = origin is None or origin.lower() in {f"http://{host}", f"https://{host}"}
    if not (ours and _is_this_machine(host)):
        raise web.HTTPForbidden(text="Open this page as http://127.0.0.1 or http://localhost.\n")


@web.middleware
async def _for_this_machine(request: web.Request, handler: Handler) -> web.StreamResponse:
    refuse_strangers(request)
    return await handler(request)


def only_this_machine(app: web.Application) -> None:
    """Refuse every request that a foreign website could have made a browser send."""
    app.middlewares.append(_for_this_machine)


def _is_this_machine(host: str) -> bool:
    try:
        name = urlsplit(f"//{host}").hostname or ""
        return name == "localhost" or ip_address(name).is_loopback
    except ValueError:
        return False
