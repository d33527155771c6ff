"""What a value that an adapter hands on must be, and whether it says more than another one."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, is_dataclass, replace
from typing import Any

from shop.suppliers import (
    FormField,
    Invoice,
    InvoiceReport,
    InvoiceState,
    Listing,
    PriceList,
    TopupReport,
    TopupState,
)
from shop.time import HOUR
from tests.providers.contract import NOW

MOST = 4_000_000  # no text is longer than a whole answer may be
_SAYS_NOTHING = frozenset({TopupState.UNREADABLE, TopupState.MISSING})


def as_told(heard: Any, wanted: Any) -> Any:
    """As much of what was heard as the case tells of; ``none``: fields that hold nothing."""
    match wanted:
        case dict():
            found = asdict(heard) if is_dataclass(heard) else heard  # type: ignore[arg-type]
            nothing = [name for name in wanted.get("none", ()) if found[name] is None]
            told = {name: as_told(found[name], wanted[name]) for name in wanted if name != "none"}
            return told | ({"none": nothing} if "none" in wanted else {})
        case list() if len(heard) == len(wanted):
            return [as_told(*both) for both in zip(heard, wanted, strict=True)]
        case _:
            return heard


def told_no_more(result: Any, right: Any) -> bool:
    """Tell whether ``result`` says nothing that ``right`` does not say."""
    match result:
        case InvoiceReport():
            settled = {InvoiceState.SETTLED} if right.state is InvoiceState.FAILED else set()
            same_state = result.state in {right.state, InvoiceState.UNREADABLE, *settled}
            same_money = result.amount in {right.amount, None}
            return same_state and same_money and result.serial in {right.serial, ""}
        case TopupReport():
            same_state = result.state in {right.state, *_SAYS_NOTHING}
            returned = not result.returned or right.returned
            known = result.supplier_ref in {right.supplier_ref, ""}
            cost = result.cost in {right.cost, None}
            # If one field has none, a serial number may stand in another one, as the note has it.
            serial = result.serial in {right.serial, ""} or result.serial in right.note
            return all((same_state, returned, known, cost, serial))
        case Mapping():
            return all(ref in right and told_no_more(result[ref], right[ref]) for ref in result)
        case Invoice():
            neutral = {None, "", "-"}
            told = asdict(result)
            return all(told[name] in {value, *neutral} for name, value in asdict(right).items())
        case PriceList():
            return all(
                any(told_no_more(one, of) for of in right.listings) for one in result.listings
            )
        case Listing():
            known = (right, replace(right, has_server=None))
            return any(result in (one, replace(one, available=False)) for one in known)
        case _:
            return type(result) is type(right) and bool(result == right)


def check_value(value: Any) -> None:
    """Check what every value an adapter returns must be, whatever the supplier sent."""
    _CHECKS[type(value)](value)


def _check_invoice(value: Invoice) -> None:
    assert is_text(value.supplier_ref, MOST)
    assert value.supplier_ref
    assert type(value.amount) is int
    assert value.amount > 0
    assert type(value.cost) is int
    assert value.cost >= 0
    assert value.expires_at is None or NOW < value.expires_at <= NOW + 24 * HOUR
    assert is_text(value.number, 200)
    assert is_text(value.qr, MOST)
    assert is_text(value.link, MOST)


def _check_invoice_report(value: InvoiceReport) -> None:
    assert isinstance(value.state, InvoiceState)
    _check_texts(value)
    assert value.state is InvoiceState.DELIVERED or not value.serial
    assert value.amount is None or (type(value.amount) is int and value.amount > 0)


def _check_topup(value: TopupReport) -> None:
    assert isinstance(value.state, TopupState)
    assert is_text(value.supplier_ref, MOST)
    _check_texts(value)
    assert value.state is TopupState.DELIVERED or not value.serial
    assert value.state is TopupState.FAILED or not value.returned
    assert value.state is not TopupState.UNREADABLE or value.strange
    assert value.cost is None or (type(value.cost) is int and value.cost >= 0)


def _check_texts(value: TopupReport | InvoiceReport) -> None:
    assert is_text(value.serial, 300)
    assert is_text(value.words, 300)
    assert is_text(value.note, 1000)
    assert type(value.strange) is bool


def _check_listing(value: Listing) -> None:
    assert is_text(value.sku, MOST)  # the shop leaves out those too long for it
    assert is_text(value.name, 200)
    assert is_text(value.category, 200)
    assert value.sku
    assert value.name
    assert value.category
    assert type(value.price) is int
    assert value.price > 0
    assert type(value.available) is bool
    for asked in value.form:
        _check_field(asked)


def _check_field(asked: FormField) -> None:
    assert asked.key
    for one in (asked, *asked.options):
        assert all(is_text(text, MOST) for text in asdict(one).values() if isinstance(text, str))


def _check_price_list(value: PriceList) -> None:
    assert type(value.dropped) is int
    for listing in value.listings:
        _check_listing(listing)


def _check_each(value: Mapping[str, Any]) -> None:
    for name, told in value.items():
        assert name
        assert is_text(name, MOST)
        check_value(told)


def _check_name(value: str) -> None:
    assert value
    assert is_text(value, 200)


def _check_amount(value: int) -> None:
    assert value >= 0


def _is_all_right(_: bool | None) -> None:
    pass


def is_text(value: object, most: int) -> bool:
    """Tell whether it is a text that a database and a chat can take."""
    if not isinstance(value, str) or len(value) > most or "\x00" in value:
        return False
    return value.encode(errors="replace").decode() == value


_CHECKS: Mapping[type, Callable[[Any], None]] = {
    Invoice: _check_invoice,
    InvoiceReport: _check_invoice_report,
    TopupReport: _check_topup,
    PriceList: _check_price_list,
    Listing: _check_listing,
    dict: _check_each,
    str: _check_name,
    int: _check_amount,
    bool: _is_all_right,
    type(None): _is_all_right,
}
