"""Calls about orders paid from our balance: place each once, then ask."""

from bot.logs import get_logger
from bot.workers.supplier_line import SupplierLine
from shop import fulfilment, watching
from shop.calls import LONGEST_CALL, AskTopup, Submit
from shop.fulfilment import Outcome
from shop.orders import Order
from shop.settling import NotOpened
from shop.suppliers import (
    Misconfigured,
    NotSent,
    OutcomeUnknown,
    Refused,
    SupplierError,
    TopupReport,
)

log = get_logger(__name__)


async def submit(line: SupplierLine, call: Submit) -> None:
    """Have an order delivered whose attempt is written down as being made. Once."""
    order = call.order
    outcome: Outcome
    failed: SupplierError | None = None
    try:
        outcome = await line.answer(call, _topup_in_time(line, order))
    except Misconfigured as error:  # nothing was done, and the owner can mend it
        outcome, failed = NotOpened.NOT_SENT, error
        await line.check_the_key()
    except NotSent as error:
        outcome, failed = NotOpened.NOT_SENT, error
    except Refused as error:
        outcome = failed = error
    except OutcomeUnknown as error:
        outcome, failed = NotOpened.UNKNOWN, error
        if error.accepted:
            await line.alert("accepted_unread", order.id, order.id, str(error))
    evidence, now = str(failed or ""), line.clock()
    log.info("order.submitted", order=order.id, outcome=_name_of(outcome), evidence=evidence)
    await line.keep_answer(
        lambda books: fulfilment.submitted(books, order, outcome, now, evidence),
        failed,
        about_one=True,
    )


def _name_of(outcome: Outcome) -> str:
    match outcome:
        case NotOpened():
            return outcome.value
        case TopupReport():
            return outcome.state.value
        case _:
            return NotOpened.REFUSED.value


async def _topup_in_time(line: SupplierLine, order: Order) -> TopupReport:
    """Ask, unless this process stood still until its lease was nearly used up."""
    if (order.due_at or 0) - line.clock() < LONGEST_CALL:
        raise NotSent("the lease has nearly run out")
    return await line.supplier.topup(fulfilment.request_of(order))


async def ask_topup(line: SupplierLine, call: AskTopup) -> None:
    """Ask about an attempt, and take in what is said of it, or that nothing was."""
    order, asked_at = call.order, line.clock()
    if not watching.can_be_asked_about(order):
        await _unanswered(line, order, None)
        return
    question = fulfilment.question_about(order, asked_at, may_repeat=call.may_repeat)
    try:
        report = await line.answer(call, line.supplier.status(question))
    except SupplierError as error:
        if isinstance(error, Misconfigured):
            await line.check_the_key()
        await _unanswered(line, order, error)
        return
    now = line.clock()
    await line.take_in(
        order, lambda books: fulfilment.reported(books, order, report, asked_at, now)
    )


async def _unanswered(line: SupplierLine, order: Order, error: SupplierError | None) -> None:
    now = line.clock()
    await line.take_in(order, lambda books: fulfilment.unanswered(books, order.id, now), error)
