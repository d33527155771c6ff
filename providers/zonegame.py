"""ZoneGame: JSON over HTTPS, a bearer key, our own reference, signed callbacks.

Source: ZoneGame's API documentation (sections Profile, Products, Orders, Callback API). What it
leaves open is read as in docs/suppliers.md.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any
from urllib.parse import quote

from providers.base import HttpSupplier, Reply
from providers.callbacks import is_signed, read_body
from providers.reading import (
    is_named,
    read_listing,
    read_note,
    read_plain_id,
    read_serial,
    read_word,
)
from providers.settings import Kind, Secrets, setting
from shop.callbacks import Callback, CallsBack, Nonsense, Told, Trust
from shop.money import read_rupiah
from shop.suppliers import (
    Listing,
    NotSold,
    OutcomeUnknown,
    OutOfBalance,
    PriceList,
    Refused,
    StatusRequest,
    SupplierError,
    TellsBalance,
    TellsPrices,
    TopupReport,
    TopupRequest,
    TopupState,
    Unavailable,
    WrongAccount,
)
from shop.text import visible

# Status words: "pending" and "success" in the examples of an order, "SUCCESS" and "FAILED" of a
# callback ("Status"). No list of them all is shown.
_STATES: Mapping[str, TopupState] = MappingProxyType(
    {
        "pending": TopupState.PENDING,
        "success": TopupState.DELIVERED,
        "failed": TopupState.FAILED,
    }
)
_NO_SUCH_ITEM = "produk tidak ditemukan"  # "Detail Produk", 404
_REFUSALS: Mapping[str, type[Refused]] = MappingProxyType(
    {
        "saldo tidak cukup": OutOfBalance,  # "Buat Order", 400
        _NO_SUCH_ITEM: NotSold,
    }
)
# "USER_REGION_IS_NOT_BR" ("Buat Order", 422), as ``read_word`` leaves it.
_OTHER_REGION = re.compile(r"user region is not ([a-z]{2,3})")
# What they say to a reference they have already is not shown. Ours is sent once: if they know it,
# something on the way sent the order twice, and the first of the two may be under way.
_ABOUT_OUR_REF = re.compile(r"trx ?id|duplicat|duplikat")
_CONFLICT = 409


@dataclass(frozen=True, slots=True, kw_only=True)
class _Names:
    """What one of their three ways to speak of an order calls things."""

    cost: str
    serials: tuple[str, ...]  # the first that is one
    notes: tuple[str, ...]  # for the owner


_ORDERED = _Names(cost="price", serials=(), notes=("message", "nickname", "region"))
_ASKED = _Names(cost="price", serials=("serial_number",), notes=("serial_number",))
_TOLD = _Names(
    cost="amount",
    serials=("voucher", "response_note"),  # a voucher's code is what was bought
    notes=("response_note",),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Read from ``ZONEGAME_*``."""

    api_key: Secrets = setting(
        Kind.SECRET,
        "API key from ZoneGame's admin, which also signs callbacks; "
        "two (new,old) while it is being changed.",
        example="key-from-their-admin",
        needed=True,
    )
    url: str = setting(
        Kind.URL,
        "Where ZoneGame answers (http:// for loopback only).",
        default="https://api.zonegame.store",
    )


class ZoneGame(HttpSupplier[Settings], TellsBalance, TellsPrices, CallsBack):
    """The adapter."""

    slug = "zonegame"
    title = "ZoneGame"
    counts_calls = False  # no limit is documented
    knows_our_ref = True  # "Cek Status Order": by the trx_id that was sent
    settings_type = Settings

    @property
    def _url(self) -> str:
        return self._settings.url

    def _secrets(self) -> Iterable[str]:
        return self._settings.api_key()

    async def price_list(self) -> PriceList:
        """Return the whole list; they show no stock, so whatever is listed is sold."""
        rows = self._data(await self._asked("/api/v1/products"))
        if not isinstance(rows, list):
            raise Unavailable("zonegame: products is no list", answered=True)
        read = [self._listing(row) for row in rows]
        listings = [listing for listing in read if listing is not None]
        return PriceList(listings=listings, dropped=len(rows) - len(listings))

    async def listing(self, sku: str) -> Listing:
        reply = await self._asked(f"/api/v1/products/{quote(sku, safe='')}")
        said = reply.fields()
        if said.get("success") is False and read_word(said.get("message")) == _NO_SUCH_ITEM:
            raise NotSold(f"zonegame: {self._why(said)}")
        listing = self._listing(self._data(reply))
        if listing is None or listing.sku != sku:
            raise Unavailable("zonegame: products speaks of another item, or of none")
        return listing

    async def balance(self) -> int:
        data = self._data(await self._asked("/api/v1/profile"))
        try:
            return read_rupiah(data["balance"])
        except (KeyError, TypeError, ValueError) as error:
            raise Unavailable("zonegame: profile shows no balance") from error

    async def topup(self, request: TopupRequest) -> TopupReport:
        """Order by our reference; the server only if there is one ("Buat Order").

        Raise ``OutcomeUnknown`` also for a no under HTTP 2xx, one about our reference, and with
        ``accepted`` for a yes to another order.
        """
        answer = await self._order(
            "/api/v1/order", headers=self._headers(), body=self._body(request)
        )
        said = self._hidden(answer.fields())
        if said.get("success") is False and answer.status >= 400:
            raise self._refusal(answer.status, said)
        if said.get("success") is not True or not answer.is_ok:
            raise OutcomeUnknown(f"zonegame: HTTP {answer.status}: {self._why(said)}")
        if not is_named(said.get("trx_id"), request.ref):
            raise OutcomeUnknown("zonegame: the answer speaks of another order", accepted=True)
        return _report(said, _ORDERED)

    async def status(self, request: StatusRequest) -> TopupReport:
        """Ask by our reference ("Cek Status Order").

        How they say that there is no such order is not shown: 404 and ``success: false`` count.
        """
        reply = await self._asked(f"/api/v1/order/{quote(request.ref, safe='')}")
        said = reply.fields()
        if reply.status == 404 or said.get("success") is False:
            return TopupReport(
                state=TopupState.MISSING,
                words="status -",
                note=f"status -: HTTP {reply.status}, {self._why(said)}",
            )
        data = self._data(reply)
        if not isinstance(data, dict) or not _is_about(data, request):
            raise Unavailable("zonegame: order speaks of another order", answered=True)
        return _report(self._hidden(data), _ASKED)

    def verify(self, callback: Callback) -> Trust:
        """Believe what is signed with our key, over the very bytes ("Header Signature")."""
        given = callback.headers.get("x-signature")
        signed = is_signed(callback.body, given, self._settings.api_key())
        return Trust.PROOF if signed else Trust.NONE

    def parse(self, callback: Callback) -> Sequence[Told]:
        data = self._hidden(read_body(callback.body))
        ref = read_plain_id(data.get("trx_id"))
        if not ref:
            raise Nonsense("names no order")
        # Not said to be the invoice_id of their answers, which is why the report goes without it.
        number = read_plain_id(data.get("invoice_number"))
        return [Told(ref=ref, supplier_ref=number, report=_report(data, _TOLD))]

    async def _asked(self, path: str) -> Reply:
        return await self._ask(path, headers=self._headers())

    def _body(self, request: TopupRequest) -> dict[str, str | int]:
        body: dict[str, str | int] = {
            "product_code": request.sku,
            "target": request.user_id,
            "trx_id": request.ref,
        }
        if request.server:
            body["server_id"] = request.server
        if self._callback_url:
            body["callback_url"] = self._callback_url
        return body

    def _headers(self) -> dict[str, str]:
        return {
            "Authorization": f"Bearer {self._settings.api_key()[0]}",
            "Content-Type": "application/json",  # with every request, as they show it
            "Accept": "application/json",
        }

    def _data(self, reply: Reply) -> Any:
        """Return what an answer carries. An order's own answer has no such envelope."""
        said = reply.fields()
        if reply.is_ok and said.get("success") is True and "data" in said:
            return said["data"]
        raise Unavailable(f"zonegame: HTTP {reply.status}: {self._why(said)}")

    def _listing(self, row: object) -> Listing | None:
        if not isinstance(row, dict):
            return None
        said = self._hidden(row)
        return read_listing(
            sku=said.get("code"),
            category=said.get("category"),
            name=said.get("name"),
            price=said.get("price"),
            available=True,
        )

    def _refusal(self, status: int, said: Mapping[str, Any]) -> SupplierError:
        """Return what a no to an order means, by its words; ones nobody has explained: just no."""
        text, word = f"zonegame: {self._why(said)}", read_word(said.get("message"))
        if status == _CONFLICT or _ABOUT_OUR_REF.search(word):
            return OutcomeUnknown(text)
        if (found := _OTHER_REGION.fullmatch(word)) is not None:
            return WrongAccount(
                text,
                nickname=_text(said.get("nickname")),
                region=_text(said.get("region")),
                wanted=found[1].upper(),
            )
        return _REFUSALS.get(word, Refused)(text)

    def _why(self, said: Mapping[str, Any]) -> str:
        return self._words(said, "message")


def _is_about(data: Mapping[str, Any], request: StatusRequest) -> bool:
    """Tell whether it is our order: by our reference, and by their number where both are known."""
    number = read_plain_id(data.get("invoice_id"))
    same = not (number and request.supplier_ref) or number == request.supplier_ref
    return same and is_named(data.get("trx_id"), request.ref)


def _report(data: Mapping[str, Any], names: _Names) -> TopupReport:
    """Read what was said of an order; its fields hold no secret any more."""
    word = visible(read_word(data.get("status")), 60)
    state = _STATES.get(word, TopupState.UNREADABLE)
    serials = (read_serial(data.get(name)) for name in names.serials)
    notes = (read_note(data.get(name)) for name in names.notes)
    words = f"status {word or '-'}"
    return TopupReport(
        state=state,
        supplier_ref=read_plain_id(data.get("invoice_id")),
        cost=_cost(data.get(names.cost)),
        # That a failed order's money comes back is not said.
        returned=False,
        serial=next(filter(None, serials), "") if state is TopupState.DELIVERED else "",
        words=words,
        strange=state is TopupState.UNREADABLE,
        note=f"{words}: {', '.join(filter(None, notes))}",
        nickname=_text(data.get("nickname")),  # with these two only as an order is taken
        region=_text(data.get("region")),
    )


def _cost(value: object) -> int | None:
    """Return whole rupiah; ``None`` if none can be read, or if it is nothing."""
    try:
        return read_rupiah(value) or None
    except ValueError:
        return None


def _text(value: object) -> str:
    return visible(value, 60) if isinstance(value, str) else ""
