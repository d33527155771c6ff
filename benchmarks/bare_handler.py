"""The baseline of P1: an aiohttp handler that checks a signature, and keeps nothing.

``python -m benchmarks.bare_handler <port> <key>``
"""

import asyncio
import hashlib
import hmac
import sys

from aiohttp import web

from benchmarks.callers import PATH


def app_with(key: bytes) -> web.Application:
    """Return the application: the path of the callbacks, and one that tells it is there."""

    async def receive(request: web.Request) -> web.Response:
        body = await request.read()
        given = request.headers.get("x-signature", "").encode()
        wanted = hmac.new(key, body, hashlib.sha256).hexdigest().encode()
        if not hmac.compare_digest(given, wanted):
            return web.Response(status=401)
        return web.Response(text='{"success":true}', content_type="application/json")

    async def alive(_: web.Request) -> web.Response:
        return web.Response(text="ok")

    app = web.Application()
    app.router.add_post(PATH, receive)
    app.router.add_get("/healthz", alive)
    return app


async def main(port: int, key: str) -> None:
    """Serve until told to stop."""
    runner = web.AppRunner(app_with(key.encode()), access_log=None, handle_signals=True)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), sys.argv[2]))
