"""The real program, as an operator runs it, between a Telegram and a supplier."""

import asyncio
import os
import shutil
import sqlite3
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer
from psycopg.rows import dict_row

from bot.bootstrap import now
from providers.simulators.control import add_simulators
from providers.simulators.zultopup import ZulTopupSimulator
from storage.address import Address, PostgresServer, SqliteFile
from storage.audit import audit
from tests.fakes import postgres
from tests.fakes.process import Process, answers, free_port, started
from tests.fakes.telegram import FakeTelegram
from tests.fakes.telegram_person import Person

TOKEN = "123456:canary-telegram-token-AAAA"
KEY = "canary-api-key-0123456789"
WEBHOOK_SECRET = "canary-webhook-secret-AAAA"
OWNER = 99
AT_LENGTH = os.environ.get("LAPAK_AT_LENGTH") == "1"


@dataclass
class World:
    """Telegram, a supplier, and the settings of a shop between them."""

    folder: Path
    telegram: FakeTelegram
    supplier: str
    address: Address
    port: int = field(default_factory=free_port)
    more: dict[str, str] = field(default_factory=dict)  # settings of this story
    people: dict[int, Person] = field(default_factory=dict)
    logs: list[str] = field(default_factory=list)

    @property
    def environment(self) -> dict[str, str]:
        return {
            "TELEGRAM_TOKEN": TOKEN,
            "TELEGRAM_API_URL": self.telegram.url,
            "ZULTOPUP_API_KEY": KEY,
            "ZULTOPUP_URL": f"{self.supplier}/zultopup",
            "ZULTOPUP_PHONE": "081200000000",
            "LAPAK_OWNERS": f"telegram:{OWNER}",
            "LAPAK_SUPPORT": "@toko",
            "LAPAK_PORT": str(self.port),
            "LAPAK_POLL_SECONDS": "1",
            "LAPAK_DATABASE_URL": _url(self.address),
            **self.more,
        }

    @asynccontextmanager
    async def shop(
        self, script: str = "", *, role: str = "", port: int = 0
    ) -> AsyncIterator[Process]:
        """Run the shop, or one role of it; killed at the end if it still runs."""
        arguments = ["run", *(["--role", role] if role else [])]
        environment = self.environment | ({"LAPAK_PORT": str(port)} if port else {})
        async with started(
            *arguments, folder=self.folder, environment=environment, script=script
        ) as process:
            try:
                yield process
            except BaseException as error:
                error.add_note(process.output)
                raise
            finally:
                if process.code is None:
                    await process.kill()
                self.logs.append(process.output)

    def person(self, number: int, first_name: str = "Budi") -> Person:
        """Somebody on Telegram, always the same for a number."""
        if number not in self.people:
            self.people[number] = self.telegram.person(number, first_name=first_name)
        return self.people[number]

    async def ready(self) -> None:
        await answers(f"http://127.0.0.1:{self.port}/readyz")

    async def listens(self) -> None:
        await answers(f"http://127.0.0.1:{self.port}/healthz")

    async def control(self, action: str, **body: Any) -> dict[str, Any]:
        async with (
            ClientSession() as session,
            session.post(f"{self.supplier}/control/zultopup/{action}", json=body) as answer,
        ):
            return dict(await answer.json())

    async def truth(self) -> dict[str, Any]:
        """What the supplier wrote down: ``orders``, and ``calls``."""
        async with (
            ClientSession() as session,
            session.get(f"{self.supplier}/control/zultopup/journal") as answer,
        ):
            return dict(await answer.json())

    async def journal(self) -> list[dict[str, Any]]:
        """Every order the supplier accepted, oldest first."""
        return list((await self.truth())["orders"])

    def rows(self, sql: str) -> list[dict[str, Any]]:
        """What a query finds, asked by somebody who only reads; nothing before the first start."""
        if isinstance(self.address, PostgresServer):
            with psycopg.connect(self.address.uri, row_factory=dict_row) as server:
                return server.execute(sql.encode()).fetchall()
        if not self.address.path.exists():
            return []
        with closing(sqlite3.connect(f"{self.address.path.as_uri()}?mode=ro", uri=True)) as file:
            file.row_factory = sqlite3.Row
            if not file.execute("PRAGMA user_version").fetchone()[0]:
                return []
            return [dict(row) for row in file.execute(sql)]

    def orders(self) -> list[dict[str, Any]]:
        return self.rows("SELECT * FROM orders ORDER BY created_at, id")

    def damage(self) -> list[str]:
        """What ``PRAGMA integrity_check`` says of the file as it was left, asked of a copy.

        To open the file itself would already mend it.
        """
        if not isinstance(self.address, SqliteFile) or not self.address.path.exists():
            return []
        with tempfile.TemporaryDirectory() as elsewhere:
            for part in self.address.path.parent.glob(f"{self.address.path.name}*"):
                if not part.name.endswith("-shm"):
                    shutil.copy(part, elsewhere)
            copy = Path(elsewhere, self.address.path.name)
            with closing(sqlite3.connect(copy)) as file:
                said = [row[0] for row in file.execute("PRAGMA integrity_check")]
        return [] if said == ["ok"] else said

    async def audit(self) -> int:
        """The exit code of ``lapak audit``."""
        async with started("audit", folder=self.folder, environment=self.environment) as process:
            return await process.ended()


def _url(address: Address) -> str:
    return (
        address.uri
        if isinstance(address, PostgresServer)
        else f"sqlite:///{address.path.resolve()}"
    )


@contextmanager
def _database(kind: str, folder: Path) -> Iterator[Address]:
    """A new file is the shop's own business; a server's schema is the operator's."""
    if kind == "sqlite":
        yield SqliteFile(path=folder / "lapak.db")
        return
    server = postgres.new_database()
    try:
        yield server
    finally:
        postgres.drop(server)


@asynccontextmanager
async def simulated(folder: Path) -> AsyncIterator[str]:
    """``lapak simulate``; gives its address."""
    port = free_port()
    async with started("simulate", "--port", str(port), folder=folder) as simulators:
        await simulators.says("control")
        yield f"http://127.0.0.1:{port}"


@asynccontextmanager
async def simulated_here(folder: Path) -> AsyncIterator[str]:
    """The same suppliers without a process of their own: quicker to start, and to deliver."""
    app = web.Application()
    add_simulators(app, [ZulTopupSimulator(clock=now, delivery_ms=2000)])
    async with TestServer(app) as server:
        yield str(server.make_url("")).rstrip("/")


@asynccontextmanager
async def opened_world(
    folder: Path,
    kind: str,
    suppliers: Callable[[Path], AbstractAsyncContextManager[str]] = simulated_here,
    **more: str,
) -> AsyncIterator[World]:
    """A world whose shop keeps its books in this kind of database; at the end they are in order.

    ``more``: settings besides the usual ones.
    """
    async with suppliers(folder) as supplier, FakeTelegram(token=TOKEN) as telegram:
        with _database(kind, folder) as address:
            world = World(
                folder=folder, telegram=telegram, supplier=supplier, address=address, more=more
            )
            world.person(OWNER, "Sari")
            yield world
            assert audit(address) == []
        for log in world.logs:
            assert not [secret for secret in (KEY, TOKEN, WEBHOOK_SECRET) if secret in log]


async def reaches_the_confirmation(
    budi: Person, account: str = "123456789", within: float = 6
) -> None:
    """Say everything up to the question whether it is right."""
    for act, said, seen in (
        (budi.says, "/start", "Mau top up game apa"),
        (budi.taps, "Free Fire", "Mau yang mana?"),
        (budi.taps, "70 Diamond", "Kirim User ID"),
        (budi.says, account, "Cek dulu"),
    ):
        await gets(budi, act, said, seen, within)


async def gets(budi: Person, act: Any, said: str, seen: str, within: float) -> None:
    """Do it until the answer is there: a tap may meet a question that was just asked once more."""
    for tries in range(3):
        last = next(reversed(budi.chat.messages), None)
        await act(said)
        try:
            await budi.sees(seen, within / 2 if tries < 2 else within, after=last)
        except AssertionError:
            newest = next(reversed(budi.chat.messages), None)  # none: nobody has answered yet
            if tries == 2 or newest is None or "sudah lewat" not in newest.text:
                raise
        else:
            return


async def confirms(budi: Person, within: float = 6, method: str = "Bayar") -> None:
    """Tap that button, until it does not come too soon after the last order any more."""
    for _ in range(6):
        last = budi.chat.messages[-1]
        await budi.taps(method)
        shown = await budi.sees("", within, after=last)
        if "Tunggu 10 detik" not in shown.text:
            return
        await asyncio.sleep(3)
