"""``lapak check``: what works, what does not, what to do about it."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import httpx

from bot.bootstrap import Seams, rules_of, suppliers_of
from bot.settings import Settings
from bot.settings.table import NEEDED_BY
from providers.base import http_client
from shop import stocking, targets
from shop.calls import Purpose
from shop.money import rupiah
from shop.payments import PaymentMethod
from shop.price_lists import Undescribed, sort_out
from shop.qris import qris_fields
from shop.rules import Rules
from shop.shelf import Offer
from shop.suppliers import (
    ChecksConnections,
    Dropships,
    Listing,
    Misconfigured,
    PriceList,
    Supplier,
    SupplierError,
    TakesDeposits,
    TellsBalance,
)
from shop.text import visible
from storage.books import BookKeeper
from storage.opening import open_database, prepare_beside
from storage.schema import Unusable

_NAMED = 10  # of the categories that nobody described


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One line of the table. ``needed``: without it nothing can be sold."""

    what: str
    works: bool
    says: str
    do: str = ""
    needed: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A supplier that knows us, and our balance there in whole rupiah; ``None``: it tells none."""

    supplier: Supplier
    balance: int | None


def check(settings: Settings) -> list[Finding]:
    """Look at everything a sale needs: database, suppliers, channels, ways to pay."""
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
                do="set ZULTOPUP_API_KEY and ZULTOPUP_PHONE, or the key of another supplier",
            )
        )
    database = await open_database(settings.database)
    known: list[Known] = []
    of_suppliers: list[list[Finding]] = []
    try:
        rules = rules_of(settings, suppliers)
        keeper = BookKeeper(database, rules, ())
        for supplier in suppliers:
            answered, found = await _supplier(supplier, rules, keeper, seams.clock)
            of_suppliers.append(found)
            known += [answered] if answered is not None and could_sell(found) else []
    finally:
        await database.close()
    return [*findings, *_one_is_enough(of_suppliers), *payment_findings(settings, known)]


def _one_is_enough(of_suppliers: Sequence[Sequence[Finding]]) -> list[Finding]:
    """Join what was found of each supplier: where one can be sold from, none of them is needed."""
    found = [finding for each in of_suppliers for finding in each]
    if any(could_sell(each) for each in of_suppliers):
        return [replace(finding, needed=False) for finding in found]
    return found


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
    supplier: Supplier, rules: Rules, keeper: BookKeeper, clock: Callable[[], int]
) -> tuple[Known | None, list[Finding]]:
    """Ask a supplier for our balance and its list, within the same budget as the shop.

    ``None`` if it did not answer both.
    """
    if supplier.counts_calls and not await _may_call(keeper, supplier.slug, clock()):
        says = "its call budget is used up by the running shop"
        do = "try again in a minute"
        return None, [Finding(what=supplier.title, works=False, says=says, do=do)]
    try:
        balance = await supplier.balance() if isinstance(supplier, TellsBalance) else None
        prices = await supplier.price_list()
        engines = await _engines(supplier)
    except Misconfigured as error:
        do = f"check {' and '.join(NEEDED_BY[supplier.slug])}"
        return None, [_does_not_work(supplier, error, do)]
    except SupplierError as error:
        do = f"check the network, and {supplier.slug.upper()}_URL if you set it"
        return None, [_does_not_work(supplier, error, do)]
    ours = "it tells no balance" if balance is None else f"balance {rupiah(balance)}"
    findings = [Finding(what=supplier.title, works=True, says=f"we are known; {ours}")]
    findings += [*_goods(supplier, prices, rules), *engines]
    if balance is None:
        findings.append(_balance_by_hand(supplier))
    return Known(supplier=supplier, balance=balance), findings


def _does_not_work(supplier: Supplier, error: SupplierError, do: str) -> Finding:
    return Finding(what=supplier.title, works=False, says=str(error), do=do)


def _balance_by_hand(supplier: Supplier) -> Finding:
    return Finding(
        what=f"{supplier.title} balance",
        works=False,
        needed=False,
        says="it cannot be asked for: the shop sells up to what its own books say",
        do=f"enter in the chat what you have there: /catat {supplier.slug} +500rb",
    )


def _goods(supplier: Supplier, prices: PriceList, rules: Rules) -> list[Finding]:
    """Say how much of a price list can be sold, and which categories nobody described."""
    found = sort_out(prices, rules.games.values())
    sold = [
        game
        for game, row in found.sold
        if targets.can_be_written(rules, _offer(supplier, game, row))
    ]
    findings = [
        Finding(
            what=f"{supplier.title} goods",
            works=bool(sold),
            says=f"{len(sold)} items of {len(set(sold))} games can be sold",
            do="" if sold else "ask the supplier why the list is empty",
        ),
    ]
    if len(sold) < len(found.sold):
        findings.append(
            Finding(
                what=f"{supplier.title} goods",
                works=False,
                needed=False,
                says=f"{len(found.sold) - len(sold)} items of games with a server are not sold",
                do=f"set {supplier.slug.upper()}_TARGET_FORMAT, then confirm it with a test order",
            )
        )
    return findings + _unknown(supplier, found.undescribed)


def _offer(supplier: Supplier, game: str, row: Listing) -> Offer:
    return Offer(
        supplier=supplier.slug,
        sku=row.sku,
        game=game,
        item=row.name,
        listed=row.price,
        form=row.form,
        has_server=row.has_server,
    )


def _unknown(supplier: Supplier, found: Sequence[Undescribed]) -> list[Finding]:
    """Name the categories that nobody described, the ones that are not sold first."""
    if not found:
        return []
    largest = sorted(found, key=lambda each: (each.sold, -each.rows, each.category))
    names = [f"{e.category} ({e.rows}{', sold' if e.sold else ''})" for e in largest]
    more = [f"and {len(names) - _NAMED} more"] if len(names) > _NAMED else []
    return [
        Finding(
            what=f"{supplier.title} goods",
            works=False,
            needed=False,
            says=f"categories nobody described: {', '.join([*names[:_NAMED], *more])}",
            do="describe what you want to sell in a file, and set LAPAK_GAMES_FILE to it",
        )
    ]


async def _engines(supplier: Supplier) -> list[Finding]:
    """Name the engines behind a supplier that do not work now."""
    if not isinstance(supplier, ChecksConnections):
        return []
    return [
        Finding(
            what=f"{supplier.title} {engine}",
            works=False,
            needed=False,
            says="does not work now, as far as the supplier says",
        )
        for engine, works in (await supplier.connections()).items()
        if not works
    ]


async def _may_call(keeper: BookKeeper, supplier: str, now: int) -> bool:
    """Take two calls out of the supplier's budget, if it has them."""
    purposes = (Purpose.BALANCE, Purpose.LIST)
    return await keeper.write(lambda books: stocking.take_calls(books, supplier, purposes, now))


# --- how customers pay ---


def payment_findings(settings: Settings, known: Sequence[Known]) -> list[Finding]:
    """Say of every way to pay whether it works, and whose goods none of them can pay for."""
    ways = [_WAYS[method](settings, known) for method in settings.payments]
    if set(settings.payments) == {PaymentMethod.WALLET}:
        return [*ways, _NOBODY_PAYS]
    return [*ways, *_not_payable(settings, known), *_empty_balances(settings, known)]


def _dropship(_: Settings, known: Sequence[Known]) -> Finding:
    titles = ", ".join(one.supplier.title for one in known if isinstance(one.supplier, Dropships))
    says = (
        f"customers pay {titles}, which delivers" if titles else "no supplier for it has answered"
    )
    return Finding(what="pay by dropship", works=bool(titles), says=says, needed=False)


def _deposit(_: Settings, known: Sequence[Known]) -> Finding:
    balances = ", ".join(
        f"{one.supplier.title} (now {rupiah(one.balance or 0)})"
        for one in known
        if isinstance(one.supplier, TakesDeposits)
    )
    says = f"customers pay into your balance at {balances}"
    return Finding(
        what="pay by deposit",
        works=bool(balances),
        says=says if balances else "no supplier for it has answered",
        needed=False,
    )


def _qris(settings: Settings, _: Sequence[Known]) -> Finding:
    merchant = visible(dict(qris_fields(settings.qris_payload))["59"])
    says = f"customers pay {merchant}; you confirm every payment"
    return Finding(what="pay by qris", works=True, says=says, needed=False)


def _wallet(settings: Settings, _: Sequence[Known]) -> Finding:
    least, most = rupiah(settings.wallet_min), rupiah(settings.wallet_max)
    tops_up = not _TOP_UPS.isdisjoint(settings.payments)
    says = f"top-ups of {least} to {most}" if tops_up else "credit is spent, but not topped up"
    return Finding(
        what="pay by wallet",
        works=tops_up,
        says=says,
        do="" if tops_up else "for top-ups, add deposit or qris to LAPAK_PAYMENTS",
        needed=False,
    )


_WAYS: Mapping[PaymentMethod, Callable[[Settings, Sequence[Known]], Finding]] = {
    PaymentMethod.DROPSHIP: _dropship,
    PaymentMethod.DEPOSIT: _deposit,
    PaymentMethod.QRIS: _qris,
    PaymentMethod.WALLET: _wallet,
}
_TOP_UPS = frozenset({PaymentMethod.DEPOSIT, PaymentMethod.QRIS})
_NOBODY_PAYS = Finding(
    what="payments",
    works=False,
    says="nobody can ever pay: LAPAK_PAYMENTS is wallet alone, and nothing tops it up",
    do="add dropship, deposit or qris to LAPAK_PAYMENTS",
)


def _not_payable(settings: Settings, known: Sequence[Known]) -> list[Finding]:
    """Name the suppliers whose goods are not sold; fatal only if that is all of them."""
    if not _TOP_UPS.isdisjoint(settings.payments):
        return []
    titles = [one.supplier.title for one in known if not isinstance(one.supplier, Dropships)]
    return [
        Finding(
            what=f"{title} goods",
            works=False,
            needed=len(titles) == len(known),
            says="not sold: none of LAPAK_PAYMENTS can pay for them",
            do="add deposit or qris to LAPAK_PAYMENTS",
        )
        for title in titles
    ]


def _empty_balances(settings: Settings, known: Sequence[Known]) -> list[Finding]:
    """Name the suppliers where we have nothing to buy with; fatal if that is all of them."""
    if PaymentMethod.QRIS not in settings.payments:
        return []
    others = {PaymentMethod.DROPSHIP, PaymentMethod.DEPOSIT}.intersection(settings.payments)
    titles = [one.supplier.title for one in known if one.balance == 0]
    return [
        Finding(
            what=f"{title} balance",
            works=False,
            needed=not others and len(titles) == len(known),
            says="is empty: nothing can be bought with what customers pay by qris",
            do=f"top up your balance at {title}",
        )
        for title in titles
    ]
