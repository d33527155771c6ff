"""``lapak sync``: fetches the lists now, or has the running shop do it, and says what changed."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer

from bot import syncing
from bot.__main__ import main
from bot.bootstrap import Seams, Shop, now, opened_shop
from bot.settings import Settings, SettingsError, read_settings
from bot.simulated import simulators_of
from bot.syncing import Synced, sync
from providers.simulators.control import add_simulators
from shop import calls
from shop.price_lists import Reading, Undescribed
from shop.shelf import Change, PriceChange
from storage.address import Address
from storage.opening import held
from storage.schema import Unusable
from tests.fakes.databases import KINDS, fresh, rows, transaction
from tests.fakes.logs_kept import logs_as_before
from tests.shop.samples import RULES

KEYS = {
    "ZULTOPUP_API_KEY": "canary-zultopup",
    "ZULTOPUP_PHONE": "081200000000",
    "KIOSGAME_API_KEY": "canary-kiosgame",
    "SENPAY_API_KEY": "canary-senpay",
    "SENPAY_SECRET_KEY": "demo-key",
}
NOBODY_DESCRIBED = "  nobody described: Telkomsel (3, not sold), Indosat (1, not sold)"


@dataclass
class Surroundings:
    """Suppliers that are simulated, and a database."""

    simulators: TestServer
    address: Address
    said: list[str] = field(default_factory=list)

    def settings(self, **more: str) -> Settings:
        urls = {
            f"{slug.upper()}_URL": str(self.simulators.make_url(f"/{slug}"))
            for slug in ("zultopup", "kiosgame", "senpay")
        }
        settings = read_settings(KEYS | urls | more, None)
        return settings.model_copy(update={"database": self.address})

    async def sync(self, **more: str) -> list[str]:
        """What went wrong; what was said is in ``said``."""
        self.said.clear()
        # It runs a loop of its own, as the command does.
        return await asyncio.to_thread(sync, self.settings(**more), self.said.append)

    def lines(self, title: str) -> list[str]:
        """What was said of one supplier."""
        about = [part for part in self.said[-1].split("\n\n") if part.startswith(f"{title}: ")]
        assert len(about) == 1, self.said
        return about[0].splitlines()

    async def control(self, slug: str, action: str, **wish: Any) -> None:
        url = self.simulators.make_url(f"/control/{slug}/{action}")
        async with ClientSession() as session, session.post(url, json=wish) as answer:
            assert answer.status == 200, await answer.text()

    @asynccontextmanager
    async def running_shop(self) -> AsyncIterator[Shop]:
        """A shop whose workers are at work on the same database."""
        with held(self.address):
            async with opened_shop(self.settings(), Seams()) as shop:
                work = [asyncio.create_task(each.run()) for each in shop.suppliers]
                try:
                    yield shop
                finally:
                    for task in work:
                        task.cancel()
                    await asyncio.gather(*work, return_exceptions=True)

    def calls(self) -> list[str]:
        found = rows(self.address, "SELECT supplier, purpose FROM supplier_calls ORDER BY at, nth")
        return [f"{row['supplier']} {row['purpose']}" for row in found]


@pytest.fixture(params=KINDS)
async def around(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Surroundings]:
    app = web.Application()
    add_simulators(app, simulators_of(now))
    with fresh(request.param, tmp_path) as address:
        async with TestServer(app) as simulators:
            yield Surroundings(simulators=simulators, address=address)


only_sqlite = pytest.mark.parametrize("around", ["sqlite"], indirect=True)


# --- without a shop -------------------------------------------------------------------------------


async def test_the_first_lists_are_fetched_and_say_what_they_hold(around: Surroundings) -> None:
    assert await around.sync() == []
    assert around.lines("ZulTopup") == [
        "ZulTopup: 72 rows, 65 sold, 0 dropped",
        f"{NOBODY_DESCRIBED}, Token PLN (1, not sold)",
        "  the first list: there is nothing to compare it with",
    ]
    stored = rows(around.address, "SELECT COUNT(*) AS n FROM offers WHERE supplier = 'zultopup'")
    assert stored == [{"n": 65}]
    assert around.calls() == ["zultopup list"]  # the others count no calls
    counted = rows(around.address, "SELECT supplier, purpose, outcome FROM call_outcomes")
    assert sorted(row["supplier"] for row in counted) == ["kiosgame", "senpay", "zultopup"]
    assert {(row["purpose"], row["outcome"]) for row in counted} == {("list", "answered")}


async def test_what_changed_since_the_last_list_is_said_kind_by_kind(around: Surroundings) -> None:
    await around.sync()
    await around.control("zultopup", "price", code="1", price=11_000)
    await around.control("zultopup", "price", code="45", price=19_000)
    await around.control("kiosgame", "product", code="S4_ML86", active=False)
    await around.control(
        "kiosgame",
        "product",
        code="S4_ML3",
        name="3 Diamonds",
        category="Mobile Legends",
        price=900,
    )
    assert await around.sync() == []
    assert around.lines("ZulTopup")[2:] == [
        "  DEARER  70 Diamond (Free Fire)                      Rp10.000 -> Rp11.000",
        "  CHEAPER 86 Diamond (Mobile Legends)                 Rp19.100 -> Rp19.000",
    ]
    assert around.lines("Kiosgame")[2:] == [
        "  NEW     3 Diamonds (Mobile Legends)                 Rp900",
        "  GONE    86 Diamonds (Mobile Legends)                was Rp18.624",
    ]
    assert around.lines("SenPay")[-1] == "  no price has changed"
    assert await around.sync() == []
    assert around.lines("ZulTopup")[-1] == "  no price has changed"


async def test_one_supplier_that_fails_is_named_and_the_others_are_done(
    around: Surroundings, unused_tcp_port: int
) -> None:
    await around.sync()
    nowhere = f"http://127.0.0.1:{unused_tcp_port}"
    await around.control("zultopup", "price", code="1", price=11_000)
    wrong = await around.sync(KIOSGAME_URL=nowhere, SENPAY_API_KEY="invalid-canary")
    assert wrong == [
        "Kiosgame: the list could not be read: kiosgame: ConnectError",
        "SenPay: it does not accept who we are: senpay: Invalid API Key",
    ]
    assert around.lines("Kiosgame")[1] == "  31 items stay on the shelf"
    assert "Rp11.000" in around.lines("ZulTopup")[-1]


@only_sqlite
async def test_less_than_half_a_list_is_named_as_kept_back(around: Surroundings) -> None:
    await around.sync()
    for nth in range(40):  # many more were on the shelf than there are now
        with transaction(around.address) as tx:
            tx.execute(
                "INSERT INTO offers (supplier, sku, position, game, item, listed, form, withheld)"
                " VALUES ('kiosgame', :sku, 0, 'free-fire', 'x', 1, '', 0)",
                {"sku": f"more{nth}"},
            )
    wrong = "the old list is kept, the new one has less than half of it (71 → 31 items)"
    assert await around.sync() == [f"Kiosgame: {wrong}"]
    assert around.lines("Kiosgame") == [f"Kiosgame: {wrong}", "  71 items stay on the shelf"]


@only_sqlite
async def test_a_budget_that_is_used_up_is_waited_for_and_never_exceeded(
    around: Surroundings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(syncing, "WAIT", 0.2)
    with transaction(around.address) as tx:
        for nth in range(calls.MOST_CALLS):
            tx.execute(
                "INSERT INTO supplier_calls (supplier, at, nth, purpose)"
                " VALUES ('zultopup', :now, :nth, 'watch')",
                {"now": now(), "nth": nth},
            )
    assert await around.sync() == ["ZulTopup: its call budget is used up; try again in a minute"]
    assert len(around.calls()) == calls.MOST_CALLS
    assert around.lines("Kiosgame")[0] == "Kiosgame: 35 rows, 31 sold, 0 dropped"


@only_sqlite
async def test_a_shop_that_starts_next_does_not_fetch_them_again(around: Surroundings) -> None:
    await around.sync()
    before = around.calls()
    async with opened_shop(around.settings(), Seams()) as shop:
        due = await shop.keeper.read(
            lambda books: [books.calls.list_due_at(each.slug) for each in shop.suppliers]
        )
    assert min(due) > now() + calls.LIST_EVERY // 2
    assert around.calls() == before


@only_sqlite
async def test_what_breaks_in_one_supplier_costs_the_others_nothing(
    around: Surroundings, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetch = syncing.price_lists.fetch_list

    async def breaks(line: Any, call: Any, games: Any) -> None:
        if line.slug == "kiosgame":
            raise ZeroDivisionError
        await fetch(line, call, games)

    monkeypatch.setattr(syncing.price_lists, "fetch_list", breaks)
    assert await around.sync() == ["Kiosgame: ZeroDivisionError"]
    assert around.lines("ZulTopup")[0] == "ZulTopup: 72 rows, 65 sold, 0 dropped"


def test_a_shop_without_a_supplier_is_told_which_setting_is_missing(tmp_path: Path) -> None:
    settings = read_settings({"LAPAK_DATABASE_URL": f"sqlite:///{tmp_path / 'lapak.db'}"}, None)
    with pytest.raises(SettingsError, match="ZULTOPUP_API_KEY: is not set") as caught:
        sync(settings, print)
    assert len(caught.value.problems) == 1
    assert not (tmp_path / "lapak.db").exists()


# --- beside a running shop ------------------------------------------------------------------------


async def test_a_running_shop_is_asked_and_what_it_found_is_said(around: Surroundings) -> None:
    await around.sync()
    await around.control("zultopup", "price", code="1", price=11_000)
    async with around.running_shop():
        assert await around.sync() == []
        assert around.said[0].startswith(
            "The running shop fetches the lists of Kiosgame, SenPay, ZulTopup; at most 90 s"
        )
        assert "Rp10.000 -> Rp11.000" in around.lines("ZulTopup")[-1]
        await around.control("zultopup", "price", code="1", price=9_000)
        assert await around.sync() == []
    assert "Rp11.000 -> Rp9.000" in around.lines("ZulTopup")[-1]


async def test_a_running_shop_that_fails_with_one_supplier_names_it(around: Surroundings) -> None:
    async with around.running_shop():
        assert await around.sync() == []
        await around.control("kiosgame", "fault", kind="500", path="/v1/category", count=9)
        wrong = await around.sync()
    assert wrong == ["Kiosgame: the list could not be read: kiosgame: HTTP 500, 80 bytes"]
    assert around.lines("ZulTopup")[-1] == "  no price has changed"


async def test_a_running_shop_that_fetches_nothing_is_waited_for_a_while(
    around: Surroundings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(syncing, "WAIT", 0.5)
    with held(around.address):
        async with opened_shop(around.settings(), Seams()):  # without workers
            wrong = await around.sync()
    assert [line.partition(":")[0] for line in wrong] == ["Kiosgame", "SenPay", "ZulTopup"]
    assert {line.partition(": ")[2] for line in wrong} == {
        "the running shop has not fetched the list within 0 s; its log says why"
    }
    assert around.calls() == []


@only_sqlite
async def test_a_command_that_looks_for_a_shop_as_we_do_is_not_taken_for_one(
    around: Surroundings, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[Address] = []

    @contextmanager
    def held_for_a_blink(address: Address) -> Iterator[None]:
        looks.append(address)
        if len(looks) == 1:
            raise Unusable("a shop already runs on this database")
        yield

    monkeypatch.setattr(syncing, "held", held_for_a_blink)
    assert await around.sync() == []
    assert len(around.said) == 1  # no shop was asked


@only_sqlite
async def test_a_list_that_was_under_way_when_we_asked_is_not_taken_for_ours(
    around: Surroundings,
) -> None:
    """Its answer may be older than what we want to know of."""
    async with opened_shop(around.settings(), Seams()) as shop:
        is_tried = syncing._is_tried

        def ends(slug: str, tried_at: int, due_at: int) -> bool:
            with transaction(around.address) as tx:
                tx.execute(
                    "INSERT INTO price_lists (supplier, due_at, tried_at) VALUES (:s, :d, :t)"
                    " ON CONFLICT (supplier) DO UPDATE SET due_at = :d, tried_at = :t",
                    {"s": slug, "d": due_at, "t": tried_at},
                )
                return True

        async def tried() -> bool:
            return await shop.keeper.read(
                lambda books: is_tried(books, "kiosgame", {"kiosgame": 5})
            )

        at = now()
        ends("kiosgame", 5, 0)
        assert not await tried()  # asked, and nobody has begun
        ends("kiosgame", at, 0)
        assert not await tried()  # one that was under way has ended
        ends("kiosgame", at, at + 1 + calls.LIST_EVERY)
        assert not await tried()  # ours has begun
        ends("kiosgame", at + 2, at + 1 + calls.LIST_EVERY)
        assert await tried()


# --- the command ----------------------------------------------------------------------------------


@pytest.fixture
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., int]]:
    """Runs ``lapak sync`` with an environment of its own."""
    monkeypatch.chdir(tmp_path)

    def run(**environment: str) -> int:
        monkeypatch.setattr("os.environ", environment)
        return main(["sync"])

    with logs_as_before():
        yield run


def test_without_a_supplier_the_command_ends_with_2(
    alone: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert alone() == 2
    assert "lapak: ZULTOPUP_API_KEY: is not set" in capsys.readouterr().err


def test_a_supplier_that_cannot_be_reached_ends_it_with_1_and_one_line(
    alone: Callable[..., int], capsys: pytest.CaptureFixture[str], unused_tcp_port: int
) -> None:
    nowhere = f"http://127.0.0.1:{unused_tcp_port}"
    assert alone(KIOSGAME_API_KEY="canary-kiosgame", KIOSGAME_URL=nowhere) == 1
    told = capsys.readouterr()
    wrong = "Kiosgame: the list could not be read: kiosgame: ConnectError"
    assert told.err.splitlines()[-1] == f"lapak: {wrong}"
    assert told.out.splitlines() == [wrong, "  0 items stay on the shelf"]
    assert "Traceback" not in told.err
    assert "canary" not in told.out + told.err


def test_a_database_that_cannot_be_opened_ends_it_with_1(
    alone: Callable[..., int], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "lapak.db").write_text("a shopping list")
    assert alone(KIOSGAME_API_KEY="canary-kiosgame") == 1
    assert "not a SQLite database" in capsys.readouterr().err


# --- what is said ---------------------------------------------------------------------------------


def of(changes: list[PriceChange], **more: Any) -> list[str]:
    before = Reading(supplier="zultopup", listed_at=1)
    after = replace(before, listed_at=2, rows=9, items=8, **more)
    return syncing._lines(
        Synced(title="ZulTopup", before=before, after=after, changes=changes), RULES
    )


def change(kind: Change, item: str = "70 Diamond", game: str = "free-fire") -> PriceChange:
    return PriceChange(
        supplier="zultopup", sku=item, game=game, item=item, change=kind, was=1, became=2
    )


def test_of_many_changes_twenty_of_each_kind_are_shown() -> None:
    many = [change(kind, f"{nth} UC") for kind in (Change.NEW, Change.DEARER) for nth in range(33)]
    lines = of(many)[1:]
    assert len(lines) == 42
    assert [line for line in lines if "more" in line] == [
        "  NEW     ... and 13 more",
        "  DEARER  ... and 13 more",
    ]


def test_of_many_strange_categories_ten_are_named() -> None:
    strange = tuple(
        Undescribed(category=f"Nowhere {nth:02}", rows=1, sold=bool(nth % 2)) for nth in range(13)
    )
    line = of([], undescribed=strange)[1]
    assert line.startswith("  nobody described: Nowhere 00 (1, not sold), Nowhere 01 (1, sold), ")
    assert line.endswith("Nowhere 09 (1, sold), and 3 more")


def test_nothing_that_a_supplier_writes_reaches_the_terminal_as_anything_but_text() -> None:
    evil = "a\x1b[31mb\u202e\r\nc"
    strange = (Undescribed(category=evil, rows=1, sold=False),)
    lines = of([change(Change.NEW, evil)], undescribed=strange)
    assert all(line.isprintable() for line in lines)
    assert "a[31mb c (Free Fire)" in lines[-1]


def test_a_game_that_nobody_described_is_called_as_its_supplier_calls_it() -> None:
    assert "70 Diamond (Nowhere Saga)" in of([change(Change.GONE, game="~nowhere-saga")])[-1]
