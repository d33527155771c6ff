"""What Kiosgame says to Otomax, the plain text of top-up machines: lines, and reports by GET."""

import re
from urllib.parse import quote

from providers.simulators.prepaid_books import PrepaidOrder

# What JavaScript's ``encodeURI`` leaves as it is: so the document's example comes to its bare "#".
_LEFT_AS_IT_IS = ";,/?:@&=+$-_.!~*'()#"
# User and server come as one in v2 and v3, "1234567891234" in the examples: the server is the last
# four digits, or what begins with a letter.
_JOINED = re.compile(r"(?P<user>[0-9]+?)(?P<server>[0-9]{4}|[A-Za-z]\w*)")


def taken_apart(joined: str) -> tuple[str, str]:
    """Return the user ID and the server that were written as one; no server if there is none."""
    found = _JOINED.fullmatch(joined)
    return (found["user"], found["server"]) if found else (joined, "")


def user_line(balance: int) -> str:
    """Write the answer of ``/v1/otomax/user``."""
    return f"TopupKuy. topupkuy@topupkuy.id. plan Platinum Member. balance {balance}"


def created_line(order: PrepaidOrder, ref_id: str, balance: int) -> str:
    """Write the answer to an order, which does not tell the invoice's number."""
    account = f"{order.target}|{order.server}" if order.server else order.target
    return (
        f"R#{order.ref} {order.code}.{account}, status {order.status}. "
        f"RefId : {ref_id} . Sisa saldo {balance}"
    )


def status_line(order: PrepaidOrder, balance: int) -> str:
    """Write the answer to a question, and the ``msg`` of a report."""
    account = f"{order.target}({order.server})" if order.server else order.target
    return (
        f"R#{order.ref} {order.id} {order.code}.{account}, status {order.status}. "
        f"{order.sn} . Sisa saldo {balance}"
    )


def report_url(order: PrepaidOrder, callback_url: str, balance: int) -> str:
    """Write the address of a report; the ``#`` in it is bare, so that clients cut it off there."""
    said = {
        "invoice_number": order.id,
        "trx_id": order.ref,
        "status": order.status,
        "sn": order.sn,
        "msg": status_line(order, balance),
    }
    query = "&".join(f"{name}={value}" for name, value in said.items())
    joint = "&" if "?" in callback_url else "?"
    return f"{callback_url}{joint}{quote(query, safe=_LEFT_AS_IT_IS, errors='replace')}"
