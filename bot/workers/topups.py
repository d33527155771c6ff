"""Calls about orders paid from our balance: place each once, then ask."""

from bot.logs import get_logger
from bot.workers.supplier_line import SupplierLine
from shop import fulfilment, watching
from shop.calls import LONGEST_CALL, AskTopup, Submit
from shop.fulfilment import Outcome
from shop.orders import Attempt, Order
from shop.settling import NotOpened
from shop.suppliers import (
    Misconfigured,
    NotSent,
    OutcomeUnknown,
    Refused,
    StatusRequest,
    SupplierError,
    TopupReport,
    TopupRequest,
)

log = get_logger(__name__)


async def submit(line: SupplierLine, call: Submit) -> None:
    """Have an order delivered whose attempt is written down as being made. Once."""
    order = call.order
    outcome: Outcome
    evidence = ""
    try:
        outcome = await line.answer(call, _topup_in_time(line, order, _attempt_of(order)))
    except Misconfigured as error:  # nothing was done, and the owner can mend it
        outcome, evidence = NotOpened.NOT_SENT, str(error)
        await line.check_the_key()
    except NotSent as error:
        outcome, evidence = NotOpened.NOT_SENT, str(error)
    except Refused as error:
        outcome, evidence = NotOpened.REFUSED, str(error)
    except OutcomeUnknown as error:
        outcome, evidence = NotOpened.UNKNOWN, str(error)
        if error.accepted:
            await line.alert("accepted_unread", order.id, order.id, str(error))
    name = outcome.value if isinstance(outcome, NotOpened) else outcome.state.value
    log.info("order.submitted", order=order.id, outcome=name, evidence=evidence)
    now = line.clock()
    await line.keep(lambda books: fulfilment.submitted(books, order, outcome, now, evidence))


async def _topup_in_time(line: SupplierLine, order: Order, attempt: Attempt) -> TopupReport:
    """Ask, unless this process stood still until its lease was nearly used up."""
    if (order.due_at or 0) - line.clock() < LONGEST_CALL:
        raise NotSent("the lease has nearly run out")
    request = TopupRequest(
        ref=attempt.ref,
        sku=attempt.sku,
        user_id=order.user_id,
        server=order.server,
        target=order.target,
    )
    return await line.supplier.topup(request)


def _attempt_of(order: Order) -> Attempt:
    if order.attempt is None:
        raise LookupError(f"{order.id} has no attempt")
    return order.attempt


async def ask_topup(line: SupplierLine, call: AskTopup) -> None:
    """Ask about an attempt, and take in what is said of it, or that nothing was."""
    order, asked_at = call.order, line.clock()
    if not watching.can_be_asked_about(order):
        await _unanswered(line, order)
        return
    attempt = _attempt_of(order)
    request = StatusRequest(ref=attempt.ref, supplier_ref=attempt.supplier_ref)
    try:
        report = await line.answer(call, line.supplier.status(request))
    except SupplierError as error:
        await line.went_away(error)
        if isinstance(error, Misconfigured):
            await line.check_the_key()
        await _unanswered(line, order)
        return
    line.came_back()
    now = line.clock()
    await line.take_in(
        order, lambda books: fulfilment.reported(books, order, report, asked_at, now)
    )


async def _unanswered(line: SupplierLine, order: Order) -> None:
    now = line.clock()
    await line.take_in(order, lambda books: fulfilment.unanswered(books, order.id, now))
