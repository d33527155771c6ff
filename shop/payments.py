"""How customers pay, and how money goes back."""

from enum import StrEnum


class PaymentMethod(StrEnum):
    """How an order is paid. Stored: rename only with a migration."""

    DROPSHIP = "dropship"  # the customer pays the supplier of the goods, who then delivers
    DEPOSIT = "deposit"  # the customer pays a deposit of ours at a supplier
    QRIS = "qris"  # the customer pays the owner's own QRIS; the owner says that it came
    WALLET = "wallet"  # from the customer's credit in this shop


class Refunds(StrEnum):
    """How prepaid orders are refunded; dropship is always refunded by hand."""

    WALLET = "wallet"
    MANUAL = "manual"


class Arrival(StrEnum):
    """What is known of a payment that is heard of."""

    FIRST = "first"
    AGAIN = "again"  # the same payment: nothing new
    DIFFERS = "differs"  # the same payment with another amount, or for another order
