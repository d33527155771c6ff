"""Otomax, the plain text of top-up machines: one line about an order, one about an account.

Kiosgame's H2H answers are such lines, and so is ``message`` in Apigames' status. There is no
adapter here: what a line's words mean is known to those who asked for it.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from providers.base import Reply
from providers.callbacks import read_query
from shop.money import read_rupiah
from shop.suppliers import TopupRequest
from shop.text import visible

_LONGEST = 2_000  # characters; their examples have 160
# Each part ends with a sign that it cannot have inside, so nothing is tried twice. The item ends
# at the first comma: what players and accounts are called stands behind it.
_LINE = re.compile(
    r"R#(?P<ref>\S{1,100}) (?:(?P<number>[^\s.]{1,100}) )?"
    r"(?P<item>[^\s.,]{1,100}\.[^,]{1,300}), ?status (?P<word>[A-Za-z_ ]{1,40})\.(?P<said>.*)"
)
_BALANCE_LEFT = re.compile(r"\bSisa saldo [0-9.,]+\Z")
_ACCOUNT = re.compile(r"\. ?balance (?P<amount>[0-9][0-9.,]*)\Z")
_JOINTS = str.maketrans("", "", "|() ")  # around a server: ``|1234``, ``(1234)``, or nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What a line says of an order. ``note`` is foreign text: nothing is decided on it."""

    ref: str  # of whoever ordered
    number: str  # the supplier's own; empty where it tells none (``RefId`` is another)
    item: str  # code and account: ``S1_1187.123456789|1234``
    word: str  # of its status
    note: str  # player and serial number, or a reason; without the balance that is left

    def is_for(self, order: TopupRequest) -> bool:
        """Tell whether it is about this very order, however account and server are joined."""
        ours = f"{order.sku}.{order.user_id}{order.server}".translate(_JOINTS)
        return self.ref == order.ref and self.item.translate(_JOINTS) == ours

    def invoice(self) -> dict[str, Any]:
        """Return the same by the names that JSON has for it."""
        said = {"trx_id": self.ref, "invoice_number": self.number}
        return {**said, "status": self.word, "response_note": self.note}


def read_line(text: str) -> Line | None:
    """Return what a line says of an order; ``None`` if it is no such line.

    The first ``, status X.`` counts: players can put another into their names, which come later.
    """
    found = _LINE.fullmatch(_single(text))
    if found is None:
        return None
    return Line(
        ref=found["ref"],
        number=found["number"] or "",
        item=found["item"],
        word=found["word"],
        note=_BALANCE_LEFT.sub("", found["said"]).strip(" ."),
    )


def read_balance(text: str) -> int | None:
    """Return the balance at the end of a line about our account, in whole rupiah, if it is one."""
    found = _ACCOUNT.search(_single(text))
    try:
        return read_rupiah(found["amount"]) if found else None
    except ValueError:
        return None


def read_report(query: str) -> dict[str, Any]:
    """Return what an order's report, an unsigned address, says. Raise ``Nonsense``.

    ``msg`` is never read: the ``#`` in it is written as it is, and cuts the address. Their number
    is read only where our reference is missing: anybody may have put the two together.
    """
    said = read_query(query)
    ref, note = said.get("trx_id"), said.get("sn")
    number = None if ref else said.get("invoice_number")
    known = {"trx_id": ref, "invoice_number": number}
    return {**known, "status": said.get("status"), "response_note": note}


def is_told_by(read: Callable[[str], object]) -> Callable[[Reply], bool]:
    """Tell their answers from others: lines that ``read`` understands, and envelopes of JSON.

    How a refusal is written is not documented; it may well be the envelope.
    """
    return lambda reply: isinstance(reply.json(), dict) or read(reply.text()) is not None


def _single(text: str) -> str:
    """Return a text as one visible line; nothing of one that is longer than any they write."""
    return visible(text, _LONGEST) if len(text) <= _LONGEST else ""
