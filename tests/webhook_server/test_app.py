import asyncio
import errno
import socket

import pytest
from aiohttp import ClientConnectorError, ClientSession, web
from aiohttp.test_utils import TestClient, TestServer

from webhook_server import health
from webhook_server.app import CannotListen, build_app, serve


async def fine():
    return None


async def broken():
    return "cannot be written: disk full"


async def exploding():
    raise RuntimeError("password=hunter2")


async def hanging():
    await asyncio.Event().wait()


@pytest.fixture
async def ask():
    clients = []

    async def ask(method, path, *, checks=None, parts=(), **more):
        app = build_app(checks=checks or {"database": fine}, parts=parts)
        client = TestClient(TestServer(app))
        clients.append(client)
        await client.start_server()
        return await client.request(method, path, **more)

    yield ask
    for client in clients:
        await client.close()


# --- health ---------------------------------------------------------------------------------------


async def test_it_lives(ask):
    answer = await ask("GET", "/healthz", checks={"database": exploding})
    assert (answer.status, await answer.text()) == (200, "ok")


async def test_it_is_ready_when_every_check_passes(ask):
    answer = await ask("GET", "/readyz", checks={"database": fine, "worker outbox": fine})
    assert answer.status == 200
    assert await answer.json() == {
        "ready": True,
        "checks": {"database": "ok", "worker outbox": "ok"},
    }


async def test_it_says_what_is_not_ready(ask):
    answer = await ask("GET", "/readyz", checks={"database": broken, "worker outbox": fine})
    assert answer.status == 503
    assert await answer.json() == {
        "ready": False,
        "checks": {"database": "cannot be written: disk full", "worker outbox": "ok"},
    }


async def test_a_check_that_raises_is_not_ready_and_tells_strangers_nothing(ask, caplog):
    answer = await ask("GET", "/readyz", checks={"database": exploding})
    assert answer.status == 503
    body = await answer.text()
    assert "hunter2" not in body
    assert "Traceback" not in body
    assert "readiness.check_failed" in caplog.text


async def test_checks_that_hang_are_given_up_together(ask, monkeypatch):
    monkeypatch.setattr(health, "PATIENCE", 0.05)
    async with asyncio.timeout(1):
        checks = {f"worker {n}": hanging for n in range(30)} | {"database": fine}
        answer = await ask("GET", "/readyz", checks=checks)
    found = (await answer.json())["checks"]
    assert answer.status == 503
    assert found["worker 7"] == "no answer within 0.05 seconds"
    assert found["database"] == "ok"


async def test_what_a_check_says_stays_one_short_line(ask):
    async def talkative():
        return "line\nline\x1b[31m" + "x" * 1000

    answer = await ask("GET", "/readyz", checks={"database": talkative})
    said = (await answer.json())["checks"]["database"]
    assert "\n" not in said
    assert "\x1b" not in said
    assert len(said) <= 200


# --- what every answer has in common --------------------------------------------------------------


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
async def test_health_is_only_asked_for(ask, method, path):
    assert (await ask(method, path)).status == 405


@pytest.mark.parametrize(
    "path", ["/", "/nothing", "/callbacks/zonegame", "/callbacks/", "/healthz/", "/%00", "/.env"]
)
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_what_is_not_there_is_a_plain_404(ask, method, path):
    answer = await ask(method, path)
    assert (answer.status, await answer.text()) == (404, "404: Not Found")
    assert answer.content_type == "text/plain"


@pytest.mark.parametrize("path", ["/healthz", "/nothing", "/boom", "/part"])
async def test_every_answer_is_careful_and_names_no_software(ask, path):
    answer = await ask("GET", path, parts=[part])
    assert "Server" not in answer.headers
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


async def test_a_part_keeps_a_policy_of_its_own(ask):
    answer = await ask("GET", "/own-policy", parts=[part])
    assert answer.headers["Content-Security-Policy"] == "default-src 'self'"


async def test_an_error_inside_is_a_500_without_details(ask):
    answer = await ask("GET", "/boom", parts=[part])
    assert answer.status == 500
    assert "secret" not in await answer.text()


async def test_a_body_may_have_64_kib_and_no_more(ask):
    assert (await ask("POST", "/part", parts=[part], data=b"x" * 65_536)).status == 200
    assert (await ask("POST", "/part", parts=[part], data=b"x" * 65_537)).status == 413


def part(app):
    async def read(request):
        return web.Response(text=str(len(await request.read())))

    async def boom(_):
        raise RuntimeError("secret")

    async def own_policy(_):
        return web.Response(headers={"Content-Security-Policy": "default-src 'self'"})

    app.router.add_route("*", "/part", read)
    app.router.add_get("/boom", boom)
    app.router.add_get("/own-policy", own_policy)


# --- listening and stopping -----------------------------------------------------------------------


async def test_it_listens_on_the_port_it_names_and_only_while_the_block_runs():
    async with ClientSession() as http:
        async with serve(build_app(checks={}), "127.0.0.1", 0) as port:
            answer = await http.get(f"http://127.0.0.1:{port}/healthz")
            assert (answer.status, await answer.text()) == (200, "ok")
        with pytest.raises(ClientConnectorError):
            await http.get(f"http://127.0.0.1:{port}/healthz")


async def test_a_busy_port_is_one_plain_line():
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(CannotListen) as failed:
            await listen("127.0.0.1", port)
    assert str(failed.value) == (
        f"cannot listen on 127.0.0.1:{port}: another program uses this port;"
        " stop that one, or choose another port (LAPAK_PORT, or --port)"
    )


@pytest.mark.parametrize(
    ("host", "port", "said"),
    [
        ("192.0.2.1", 0, "the address is not one of this machine"),
        ("no-such-host.invalid", 0, "check LAPAK_HOST and LAPAK_PORT"),
        ("127.0.0.1", 70_000, "check LAPAK_HOST and LAPAK_PORT"),
    ],
)
async def test_an_address_that_cannot_be_is_one_plain_line(host, port, said):
    with pytest.raises(CannotListen, match=said) as failed:
        await listen(host, port)
    assert "\n" not in str(failed.value)


async def test_a_forbidden_port_is_one_plain_line(monkeypatch):
    def forbidden(*_, **__):
        raise PermissionError(errno.EACCES, "permission denied")

    monkeypatch.setattr(asyncio.get_running_loop(), "create_server", forbidden)
    with pytest.raises(CannotListen, match="this user may not open this port"):
        await listen("127.0.0.1", 80)


async def listen(host, port):
    async with serve(build_app(checks={}), host, port):
        pass


async def test_a_request_under_way_is_finished_when_the_server_stops():
    began, go_on = asyncio.Event(), asyncio.Event()

    def slow(app):
        async def handler(_):
            began.set()
            await go_on.wait()
            return web.Response(text="stored")

        app.router.add_post("/slow", handler)

    async with ClientSession() as http:
        async with serve(build_app(checks={}, parts=[slow]), "127.0.0.1", 0) as port:
            asking = asyncio.create_task(http.post(f"http://127.0.0.1:{port}/slow"))
            await began.wait()
            asyncio.get_running_loop().call_later(0.05, go_on.set)
        answer = await asking
        assert (answer.status, await answer.text()) == (200, "stored")


async def test_what_is_not_http_is_refused_and_does_not_fill_the_log(caplog):
    async with serve(build_app(checks={}, parts=[part]), "127.0.0.1", 0) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTTP/1.1\r\nno header\r\n\r\n")
        assert (await reader.read()).startswith(b"HTTP/1.0 400 ")
        writer.close()
        await writer.wait_closed()
        assert caplog.records == []
        async with ClientSession() as http:
            answer = await http.get(f"http://127.0.0.1:{port}/boom")
            assert answer.status == 500
        assert [record.exc_text is None for record in caplog.records] == [False]
