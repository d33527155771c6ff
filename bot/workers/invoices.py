"""Calls about invoices: QRs that customers pay, at the supplier of the goods or as our deposit."""

from collections.abc import Mapping

from bot.logs import get_logger
from bot.workers.supplier_line import SupplierLine
from shop import settling
from shop.calls import LONGEST_CALL, AskDeposits, AskInvoice, OpenInvoice
from shop.orders import Order
from shop.settling import NotOpened, Opening
from shop.suppliers import (
    Dropships,
    Invoice,
    InvoiceReport,
    InvoiceRequest,
    Misconfigured,
    NotSent,
    OutcomeUnknown,
    Refused,
    SupplierError,
    TakesDeposits,
)

log = get_logger(__name__)


async def open_invoice(line: SupplierLine, call: OpenInvoice) -> None:
    """Ask for the invoice of an order that is written down as being opened. Once."""
    order = call.order
    opening: Opening
    failed: SupplierError | None = None
    try:
        opening = await line.answer(call, _open_in_time(line, order))
    except NotSent as error:
        opening, failed = NotOpened.NOT_SENT, error
    except Refused as error:
        opening, failed = NotOpened.REFUSED, error
        if isinstance(error, Misconfigured):
            await line.check_the_key()
    except OutcomeUnknown as error:
        opening, failed = NotOpened.UNKNOWN, error
        if error.accepted:
            await line.alert("accepted_unread", order.id, order.id, str(error))
    evidence = str(failed or "")
    name = opening.value if isinstance(opening, NotOpened) else "opened"
    log.info("invoice.opened", order=order.id, outcome=name, evidence=evidence)
    now = line.clock()
    await line.keep_answer(
        lambda books: settling.opened(books, order, opening, now, evidence), failed, about_one=True
    )


async def _open_in_time(line: SupplierLine, order: Order) -> Invoice:
    """Ask, unless this process stood still until its lease was nearly used up."""
    if (order.due_at or 0) - line.clock() < LONGEST_CALL:
        raise NotSent("the lease has nearly run out")
    match line.supplier:
        case TakesDeposits() as taker if order.is_prepaid:
            return await taker.open_deposit(order.id, order.price)
        case Dropships() as dropshipper if not order.is_prepaid:
            request = InvoiceRequest(
                ref=order.id, sku=order.sku, target=order.target, price=order.price
            )
            return await dropshipper.open_invoice(request)
        case _:
            raise Refused(f"{line.slug} takes no payment by {order.method}")


async def ask_invoice(line: SupplierLine, call: AskInvoice) -> None:
    """Ask about one invoice, and take in what is said of it, or that nothing was."""
    order, asked_at = call.order, line.clock()
    if order.invoice is None:
        raise LookupError(f"{order.id} has no invoice to ask about")
    try:
        report = await line.answer(call, _report(line, order, order.invoice))
    except SupplierError as error:
        await _unanswered(line, order, error, asked_at)
        return
    now = line.clock()
    await line.take_in(order, lambda books: settling.heard(books, order.id, report, asked_at, now))


async def _report(line: SupplierLine, order: Order, invoice: Invoice) -> InvoiceReport:
    match line.supplier:
        case TakesDeposits() as taker if order.is_prepaid:
            return await taker.deposit_report(invoice.supplier_ref)
        case Dropships() as dropshipper if not order.is_prepaid:
            return await dropshipper.invoice_report(invoice.supplier_ref)
        case _:
            raise LookupError(f"{line.slug} takes no payment by {order.method}")


async def ask_deposits(line: SupplierLine, call: AskDeposits) -> None:
    """Ask about all open deposits in one call; what is not in the answer proves nothing."""
    order, asked_at = call.order, line.clock()
    try:
        reports = await line.answer(call, _history(line))
    except SupplierError as error:
        await _unanswered(line, order, error, asked_at)
        return
    now = line.clock()
    await line.take_in(
        order, lambda books: settling.heard_of_deposits(books, order.id, reports, asked_at, now)
    )


async def _history(line: SupplierLine) -> Mapping[str, InvoiceReport]:
    if not isinstance(line.supplier, TakesDeposits):
        raise TypeError(f"{line.slug} takes no deposits")
    return await line.supplier.deposit_history()


async def _unanswered(
    line: SupplierLine, order: Order, error: SupplierError, asked_at: int
) -> None:
    if isinstance(error, Misconfigured):
        await line.check_the_key()
    now = line.clock()
    await line.take_in(
        order, lambda books: settling.unanswered(books, order.id, asked_at, now), error
    )
