"""The long-running commands: ``run``, ``demo``, ``simulate``."""

import asyncio
import signal
import socket
import sys
import tempfile
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path

from aiohttp import web

from bot.bootstrap import Seams, now, opened_shop
from bot.front import parts_of
from bot.logs import configure_logs, get_logger
from bot.roles import EVERY_ROLE, Role, Running
from bot.settings import Settings, demo_settings
from bot.settings.table import DEMO_KEY
from bot.simulated import BALANCE, products_csv, simulators_of
from bot.web.pages import only_this_machine
from providers.simulators.control import add_simulators
from shop import entries, ledger
from shop.time import Millis
from storage.books import SqlBooks
from storage.opening import held, prepare
from webhook_server.app import build_app, serve

log = get_logger(__name__)

LOOPBACK = "127.0.0.1"
DEMO_PORT = 8080
_SENPAY = "demo:senpay"  # it tells no balance: the books open with what is simulated


def run(
    settings: Settings, roles: frozenset[Role] = EVERY_ROLE, seams: Seams | None = None
) -> None:
    """Run these roles of the shop until told to stop. Raises ``Unusable`` or ``CannotListen``."""
    for warning in settings.warnings:
        log.warning("settings.warning", says=warning)
    with held(settings.database):
        prepare(settings.database)
        asyncio.run(_run(settings, roles, seams or Seams()))


async def _run(settings: Settings, roles: frozenset[Role], seams: Seams) -> None:
    stop = _stop_on_signals()
    async with AsyncExitStack() as stack:
        shop = await stack.enter_async_context(opened_shop(settings, seams))
        running = Running(shop, roles)
        if Role.WEB in roles:
            app = build_app(checks=running.checks(), parts=parts_of(shop, settings))
            port = await stack.enter_async_context(serve(app, settings.host, settings.port))
            log.info("web.listens", host=settings.host, port=port)
        log.info("shop.started", roles=", ".join(sorted(roles)), database=str(settings.database))
        await running.until(stop)
    log.info("shop.stopped")


def demo(port: int | None, data: Path | None, seams: Seams | None = None) -> None:
    """Run the whole shop on simulated suppliers, with a chat page. Speaks to loopback only."""
    chosen = _free_port() if port == 0 or (port is None and _is_busy(DEMO_PORT)) else port
    with _folder(data) as folder:
        products = folder / "apigames.csv"
        if not products.exists():  # whoever runs the demo may edit it
            products.write_text(products_csv(), "utf-8")
        settings = demo_settings(folder, chosen or DEMO_PORT, products=products)
        configure_logs(settings.log_level, settings.log_format, settings.secrets())
        with held(settings.database):
            prepare(settings.database)
            asyncio.run(_demo(settings, folder, seams or Seams()))


@contextmanager
def _folder(data: Path | None) -> Iterator[Path]:
    if data is not None:
        data.mkdir(parents=True, exist_ok=True)
        yield data.resolve()
        return
    with tempfile.TemporaryDirectory(prefix="lapak-demo-") as fresh:
        yield Path(fresh)


async def _demo(settings: Settings, folder: Path, seams: Seams) -> None:
    stop = _stop_on_signals()
    simulators = simulators_of(seams.clock, folder, settings.callback_url("").rstrip("/"))
    async with opened_shop(settings, seams, with_web_chat=True) as shop:
        web_chat = shop.web_chat
        if web_chat is None:
            raise RuntimeError("the demo has a chat page")
        parts = [
            only_this_machine,
            *parts_of(shop, settings),
            web_chat.add_routes,
            lambda app: add_simulators(app, simulators),
        ]
        await shop.keeper.write(lambda books: _open_senpay(books, seams.clock()))
        running = Running(shop, EVERY_ROLE)
        app = build_app(checks=running.checks(), parts=parts)
        async with serve(app, LOOPBACK, settings.port) as port:
            _say(
                f"Lapak demo\n"
                f"  chat        http://{LOOPBACK}:{port}/chat\n"
                f"  simulators  http://{LOOPBACK}:{port}/<supplier>/  (control: "
                f"/control/<supplier>/): {', '.join(each.slug for each in simulators)}\n"
                f"  data        {folder}\n"
                f"Nothing here is real: no account, no key, no money. Stop with Ctrl+C."
            )
            await running.until(stop)


def _open_senpay(books: SqlBooks, now: Millis) -> None:
    if not books.ledger.has(_SENPAY):
        account = ledger.supplier("senpay")
        entries.post_own(books, account, BALANCE, _SENPAY, now, reason="opening")


def simulate(port: int) -> None:
    """Serve the supplier simulators until told to stop. Raises ``CannotListen``."""
    asyncio.run(_simulate(port))


async def _simulate(port: int) -> None:
    stop = _stop_on_signals()
    simulators = simulators_of(now)

    def part(app: web.Application) -> None:
        add_simulators(app, simulators)

    async with serve(build_app(checks={}, parts=[only_this_machine, part]), LOOPBACK, port) as real:
        addresses = "\n".join(
            f"  {each.slug.upper()}_URL=http://{LOOPBACK}:{real}/{each.slug}" for each in simulators
        )
        _say(
            f"Lapak simulators (SENPAY_SECRET_KEY and APIGAMES_SECRET_KEY are {DEMO_KEY})\n"
            f"{addresses}\n"
            f"  control  http://{LOOPBACK}:{real}/control/<supplier>/journal"
        )
        await stop.wait()


def _stop_on_signals() -> asyncio.Event:
    stop = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    return stop


def _is_busy(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return True
    return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
