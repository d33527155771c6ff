"""What an attempt at a delivery costs us, by its supplier's own answers."""

from dataclasses import replace
from typing import Final

from shop.money import rupiah
from shop.notices import Notice, NoticeKind
from shop.orders import Attempt, Order
from shop.ports import Books
from shop.suppliers import TopupReport, TopupState
from shop.time import Millis

_COSTS: Final = frozenset({TopupState.PENDING, TopupState.DELIVERED, TopupState.PARTIAL})


def tell_of_a_dear_charge(books: Books, order: Order, report: TopupReport, now: Millis) -> None:
    """Tell the owners that an order costs more than it may; its item is listed anew before more."""
    attempt, cost = order.attempt, report.cost or 0
    if attempt is None or report.state not in _COSTS or cost <= max(order.may_cost, attempt.cost):
        return
    words = f"{attempt.sku} {order.item}: {rupiah(attempt.cost)} → {rupiah(cost)}"
    facts = {"alert": "charged_dear", "supplier": attempt.supplier, "evidence": words}
    notice = Notice(
        key=f"alert:{attempt.supplier}:charged_dear:{attempt.ref}",
        kind=NoticeKind.ALERT,
        address="",
        order_id=order.id,
        facts=facts,
    )
    books.outbox.owe_owners(notice, now)
    books.shelf.withhold(attempt.supplier, attempt.sku)
    books.calls.set_list_due(attempt.supplier, min(books.calls.list_due_at(attempt.supplier), now))


def charged(order: Order, report: TopupReport) -> Attempt | None:
    """Return the attempt with what this answer tells of it: its id, and what it costs us."""
    attempt = order.attempt
    if attempt is None:
        return None
    attempt = replace(attempt, supplier_ref=attempt.supplier_ref or report.supplier_ref)
    if report.state in _COSTS and not attempt.charged:
        return replace(attempt, charged=attempt.cost if report.cost is None else report.cost)
    if report.state is TopupState.FAILED and report.returned:
        return replace(attempt, charged=0)
    return attempt
