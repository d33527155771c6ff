"""``lapak check``: what works, what does not, what to do about it."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import httpx

from bot.bootstrap import Seams, curated_games, rules_of, suppliers_of
from bot.settings import Settings
from providers.base import http_client
from shop import calls, catalogue
from shop.money import rupiah
from shop.suppliers import Misconfigured, Supplier, SupplierError
from shop.text import visible
from storage.books import BookKeeper, SqlBooks
from storage.opening import open_database, prepare_beside
from storage.schema import Unusable


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One line of the table. ``needed``: without it nothing can be sold."""

    what: str
    works: bool
    says: str
    do: str = ""
    needed: bool = True


def check(settings: Settings) -> list[Finding]:
    """Look at everything a sale needs: database, suppliers, channels."""
    try:
        prepare_beside(settings.database)
    except Unusable as error:
        return [Finding(what="database", works=False, says=str(error))]
    return asyncio.run(_check(settings))


def could_sell(findings: Sequence[Finding]) -> bool:
    """Tell whether a sale could be made."""
    return all(finding.works for finding in findings if finding.needed)


def table(findings: Sequence[Finding]) -> str:
    """Write the findings as a table for a terminal."""
    width = max(len(finding.what) for finding in findings)
    lines = []
    for finding in findings:
        mark = "ok  " if finding.works else ("BAD " if finding.needed else "note")
        lines.append(f"{mark}  {finding.what.ljust(width)}  {finding.says}")
        if finding.do:
            lines.append(f"      {' ' * width}  -> {finding.do}")
    ready = "A sale could be made." if could_sell(findings) else "No sale could be made."
    return "\n".join([*lines, ready])


async def _check(settings: Settings) -> list[Finding]:
    findings = [Finding(what="database", works=True, says=str(settings.database))]
    findings += [
        Finding(what="settings", works=False, says=says, needed=False) for says in settings.warnings
    ]
    findings.append(await _telegram(settings))
    seams = Seams()
    suppliers = suppliers_of(settings, seams)
    if not suppliers:
        findings.append(
            Finding(
                what="suppliers",
                works=False,
                says="none is configured",
                do="set ZULTOPUP_API_KEY and ZULTOPUP_PHONE",
            )
        )
    database = await open_database(settings.database)
    try:
        keeper = BookKeeper(database, rules_of(settings), ())
        for supplier in suppliers:
            findings += await _supplier(supplier, settings, keeper, seams.clock)
    finally:
        await database.close()
    return findings


async def _telegram(settings: Settings) -> Finding:
    """Ask Telegram who we are (Bot API, getMe)."""
    if settings.telegram_token is None:
        return Finding(
            what="telegram",
            works=False,
            says="no channel is switched on",
            do="make a bot with @BotFather and set TELEGRAM_TOKEN",
        )
    url = f"{settings.telegram_api_url}/bot{settings.telegram_token.reveal()}/getMe"
    try:
        async with http_client() as client:
            answer = (await client.get(url)).json()
        name = visible(str(answer["result"]["username"]), 60)
    except httpx.HTTPError as error:
        return Finding(
            what="telegram",
            works=False,
            says=f"not reachable ({type(error).__name__})",
            do="check the network, and TELEGRAM_API_URL if you set it",
        )
    except (ValueError, KeyError, TypeError):
        return Finding(
            what="telegram",
            works=False,
            says="the token is not accepted",
            do="copy TELEGRAM_TOKEN from @BotFather once more",
        )
    return Finding(what="telegram", works=True, says=f"we are @{name}")


async def _supplier(
    supplier: Supplier, settings: Settings, keeper: BookKeeper, clock: Callable[[], int]
) -> list[Finding]:
    """Ask a supplier for our balance and its list, within the same budget as the shop."""
    if not await _may_call(keeper, supplier.slug, clock()):
        says = "its call budget is used up by the running shop"
        return [Finding(what=supplier.title, works=False, says=says, do="try again in a minute")]
    try:
        balance = await supplier.balance()
        prices = await supplier.price_list()
    except Misconfigured as error:
        do = f"check {supplier.slug.upper()}_API_KEY"
        return [Finding(what=supplier.title, works=False, says=str(error), do=do)]
    except SupplierError as error:
        do = f"check the network, and {supplier.slug.upper()}_URL if you set it"
        return [Finding(what=supplier.title, works=False, says=str(error), do=do)]
    games = curated_games()
    known = [
        game
        for listing in prices.listings
        if listing.available and (game := catalogue.game_of(listing.category, games)) is not None
    ]
    sold = [game for game in known if settings.zultopup_target_format or not game.has_server]
    findings = [
        Finding(what=supplier.title, works=True, says=f"we are known; balance {rupiah(balance)}"),
        Finding(
            what=f"{supplier.title} goods",
            works=bool(sold),
            says=f"{len(sold)} items of {len({game.slug for game in sold})} games can be sold",
            do="" if sold else "ask the supplier why the list is empty",
        ),
    ]
    if len(sold) < len(known):
        findings.append(
            Finding(
                what=f"{supplier.title} goods",
                works=False,
                needed=False,
                says=f"{len(known) - len(sold)} items of games with a server are not sold",
                do="set ZULTOPUP_TARGET_FORMAT, then confirm it with one test order",
            )
        )
    return findings


async def _may_call(keeper: BookKeeper, supplier: str, now: int) -> bool:
    """Take two calls out of the supplier's budget, if it has them."""

    def take(books: SqlBooks) -> bool:
        made = books.calls.made_between(supplier, now - calls.WINDOW, now + calls.WINDOW)
        if len(made) + 2 > calls.MOST_CALLS or now < books.calls.paused_until(supplier):
            return False
        for purpose in (calls.Purpose.BALANCE, calls.Purpose.LIST):
            books.calls.record(supplier, purpose, now)
        return True

    return await keeper.write(take)
