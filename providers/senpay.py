"""SenPay: JSON over HTTPS, a bearer key, a form for every provider, callbacks that nobody signs.

Source: SenPay's "Integrasi API Top-Up Game". Its sections have no names, so they are named here by
their paths. What it leaves open is read as in docs/suppliers.md.
"""

import asyncio
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, TypeVar
from urllib.parse import quote

from providers.base import HttpSupplier, Reply
from providers.callbacks import is_from, read_body
from providers.reading import (
    is_named,
    read_flag,
    read_listing,
    read_note,
    read_plain_id,
    read_rows,
    read_serial,
    read_word,
)
from providers.senpay_forms import Provider, filled_in, read_provider
from providers.settings import Kind, Networks, Secrets, setting
from shop.callbacks import Callback, CallsBack, News, Nonsense, Repriced, Told, Trust
from shop.money import read_rupiah
from shop.suppliers import (
    Listing,
    Misconfigured,
    NotSold,
    OutcomeUnknown,
    PriceList,
    Refused,
    StatusRequest,
    SupplierError,
    TellsPrices,
    TopupReport,
    TopupRequest,
    TopupState,
    Unavailable,
)
from shop.text import visible

T = TypeVar("T")

LIST_LIMIT = 120.0  # seconds for the whole list, which takes one call for each provider
_AT_ONCE = 4  # of these calls; no limit is documented

# ``data.status`` (GET transaction/{reference}: the six words are listed there, not explained).
_STATES: Mapping[str, TopupState] = MappingProxyType(
    {
        "unpaid": TopupState.PENDING,
        "processing": TopupState.PENDING,
        "success": TopupState.DELIVERED,
        "failed": TopupState.FAILED,
        "refund": TopupState.FAILED,
        "expired": TopupState.FAILED,
    }
)
# Nobody pays for an order from our balance, so nobody can say what it waits for.
_ODD = frozenset({"unpaid"})
# The messages of "Contoh Respon Gagal", as ``read_word`` leaves them.
_REFUSALS: Mapping[str, type[Refused]] = MappingProxyType(
    {
        "invalid api key": Misconfigured,
        "invalid signature": Misconfigured,  # shown of webhooks, in a section about their answers
        "produk sedang tidak aktif": NotSold,
        "produk tidak ditemukan": NotSold,
    }
)
_NO_SUCH_ORDER = "transaksi tidak ditemukan"  # elsewhere there: followed by the reference
# What they say to a partner_reference used already ("harus unique dalam 24 jam") is not shown. Ours
# is sent once: if they know it, something on the way sent the order twice.
_ABOUT_OUR_REF = re.compile(r"referen|duplicat|duplikat")
# Of HTTP 4xx these two may come after the work was begun: it took too long, or is being done.
_BEGUN = frozenset({408, 409})
# As they are spelt there (sections of the two webhooks).
_THANKS: Mapping[str, str] = MappingProxyType(
    {
        "transaction_status": "Webhook berhasil diproses",
        "price_update": "Harga berhasil diuperbarui",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Read from ``SENPAY_*``."""

    api_key: Secrets = setting(
        Kind.SECRET,
        "API key from SenPay's profile page; two (new,old) while it is being changed.",
        example="key-from-your-profile",
        needed=True,
    )
    secret_key: Secrets = setting(
        Kind.SECRET,
        "Secret key from the same page, sent with orders; two (new,old) while it is being changed.",
        example="secret-from-your-profile",
        needed=True,
    )
    url: str = setting(
        Kind.URL,
        "Where SenPay answers (http:// for loopback only).",
        default="https://senpay.id",
    )
    callback_ips: Networks = setting(
        Kind.NETWORKS,
        "Where SenPay calls back from, comma-separated; nothing else tells its callbacks.",
        default="206.189.83.1",
    )


class SenPay(HttpSupplier[Settings], TellsPrices, CallsBack):
    """The adapter. HTTP status codes are not documented, so ``status`` in the body decides.

    A no counts under HTTP 2xx and 4xx alike; a yes under 4xx says both, and so nothing.
    """

    slug = "senpay"
    title = "SenPay"
    counts_calls = False  # no limit is documented
    knows_our_ref = False  # GET transaction/{reference} takes theirs only
    settings_type = Settings

    @property
    def _url(self) -> str:
        return self._settings.url

    def _secrets(self) -> Iterable[str]:
        return (*self._settings.api_key(), *self._settings.secret_key())

    async def price_list(self) -> PriceList:
        """Return the products of every provider, each with its provider's form.

        ``dropped`` also counts providers whose form cannot be filled in, and ones that they will
        not list. Without any answer about one of them there is no list: ``Unavailable``.
        """
        rows = self._data(await self._asked("/api/prepaid/provider", {"active": "1"}), list)
        providers = [found for row in rows if (found := read_provider(row, self._hidden))]
        try:
            async with asyncio.timeout(LIST_LIMIT):
                shelves = await self._shelves(providers)
        except TimeoutError as error:
            raise Unavailable("senpay: the whole list takes too long") from error
        return PriceList(
            listings=[listing for shelf in shelves for listing in shelf.listings],
            dropped=len(rows) - len(providers) + sum(shelf.dropped for shelf in shelves),
        )

    async def listing(self, sku: str) -> Listing:
        """Return one product (GET product/{productCode}).

        ``form`` is empty: a product's own answer names its provider, and does not show the form.
        """
        if not read_plain_id(sku):
            raise Unavailable("senpay: no product has such a code")
        said = await self._asked(f"/api/prepaid/product/{quote(sku, safe='')}")
        if not _is_yes(said) and _REFUSALS.get(_message(said)) is NotSold:
            raise NotSold(f"senpay: {self._why(said)}")
        listing = self._listing(self._data(said, dict))
        if listing is None or listing.sku != sku:
            raise Unavailable("senpay: product speaks of another item, or of none")
        return listing

    async def topup(self, request: TopupRequest) -> TopupReport:
        """Order by our reference and the provider's form (POST transaction/create).

        ``target`` is a JSON object of texts, by the form's keys; if it is not, nothing is sent:
        ``NotSent``. Also raises ``OutcomeUnknown`` for a no about our reference, and with
        ``accepted`` for a yes to another order or to one that cannot be asked about.
        """
        order = {"target_product_code": request.sku, "partner_reference": request.ref}
        reply = await self._order(
            "/api/prepaid/transaction/create",
            headers=self._headers() | {"Signature": self._settings.secret_key()[0]},
            body=filled_in(request.target) | order,
        )
        said = reply.fields()
        if not _is_yes(said) or not reply.is_ok:
            raise self._refusal(reply)
        data = self._fields(said.get("data"))
        if not read_plain_id(data.get("reference")):
            raise OutcomeUnknown("senpay: an order was made that cannot be followed", accepted=True)
        if not is_named(data.get("partner_reference"), request.ref):
            raise OutcomeUnknown("senpay: the answer speaks of another order", accepted=True)
        return replace(_report(data), cost=_cost(data.get("price")))

    async def status(self, request: StatusRequest) -> TopupReport:
        """Ask by their reference, the only way; raise ``Unavailable`` where there is none.

        The reference may come from a callback that anybody can write, so the answer must name our
        own beside it. It does not tell what the order cost.
        """
        supplier_ref = read_plain_id(request.supplier_ref)
        if not supplier_ref:
            raise Unavailable("senpay: an order can only be found by their reference")
        said = await self._asked(f"/api/prepaid/transaction/{quote(supplier_ref, safe='')}")
        if not _is_yes(said) and _message(said).startswith(_NO_SUCH_ORDER):
            note = f"status -: {self._why(said)}"
            return TopupReport(state=TopupState.MISSING, words="status -", note=note)
        data = self._fields(self._data(said, dict))
        named = is_named(data.get("reference"), supplier_ref)
        if not named or not is_named(data.get("partner_reference"), request.ref):
            raise Unavailable("senpay: transaction speaks of another order", answered=True)
        return _report(data)

    def verify(self, callback: Callback) -> Trust:
        """Tell it by its address, all they name ("whitelist IP webhook kami"): a hint.

        "Invalid signature" is one of the answers they show, but no signature is: a header of that
        name changes nothing.
        """
        return Trust.HINT if is_from(callback.remote, self._settings.callback_ips) else Trust.NONE

    def parse(self, callback: Callback) -> Sequence[News]:
        said = self._hidden(read_body(callback.body))
        match said.get("webhook_type"):
            case "transaction_status":
                return [_told(said)]
            case "price_update":
                return _repriced(said.get("data"))
            case _:
                raise Nonsense("neither a transaction nor prices")

    def thanks(self, callback: Callback) -> str:
        return _answer(200, _thanks_for(callback))

    def regrets(self, why: str) -> str:
        return _answer(400, visible(str(self._hide(why)), 100))

    async def _shelves(self, providers: Sequence[Provider]) -> Sequence[PriceList]:
        """Ask for the products of each provider, a few at a time. Raise the first trouble."""
        found: list[PriceList] = []
        for first in range(0, len(providers), _AT_ONCE):
            few = [self._shelf(each) for each in providers[first : first + _AT_ONCE]]
            for shelf in await asyncio.gather(*few, return_exceptions=True):
                if isinstance(shelf, BaseException):
                    raise shelf
                found.append(shelf)
        return found

    async def _shelf(self, provider: Provider) -> PriceList:
        """Return the products of one provider; nothing, and one dropped, if they say no."""
        query = {"provider": provider.code, "active": "1"}
        said = await self._asked("/api/prepaid/product", query)
        if not _is_yes(said):
            return PriceList(listings=(), dropped=1)
        read = [self._listing(row, provider) for row in self._data(said, list)]
        listings = [listing for listing in read if listing is not None]
        return PriceList(listings=listings, dropped=len(read) - len(listings))

    async def _asked(self, path: str, query: Mapping[str, str] | None = None) -> dict[str, Any]:
        """Return the answer to a question, a yes or a no; raise ``Unavailable`` if it is neither.

        Raise ``Misconfigured`` if they do not know our key.
        """
        reply = await self._ask(path, headers=self._headers(), query=query)
        said = reply.fields()
        if not _is_yes(said) and _REFUSALS.get(_message(said)) is Misconfigured:
            raise Misconfigured(f"senpay: {self._why(said)}")
        if not _is_no(said) and not (_is_yes(said) and reply.is_ok):
            raise Unavailable(f"senpay: {self._why(said)}")
        return said

    def _fields(self, data: object) -> dict[str, Any]:
        """Return the fields of an object without our secrets; none of what is no object."""
        return self._hidden(data) if isinstance(data, dict) else {}

    def _data(self, said: Mapping[str, Any], kind: type[T]) -> T:
        """Return what a yes carries; raise ``Unavailable`` if it is no such thing, or a no."""
        data = said.get("data")
        if not _is_yes(said) or not isinstance(data, kind):
            raise Unavailable(f"senpay: {self._why(said)}", answered=_is_yes(said))
        return data

    def _headers(self) -> dict[str, str]:
        return {
            "Authorization": f"Bearer {self._settings.api_key()[0]}",
            "Accept": "application/json",
        }

    def _refusal(self, reply: Reply) -> SupplierError:
        """Return what an answer to an order means that is no yes."""
        said = reply.fields()
        text, word = f"senpay: HTTP {reply.status}: {self._why(said)}", _message(said)
        known = _REFUSALS.get(word)
        if known is Misconfigured:
            return Misconfigured(text)
        is_clear = bool(word) and _is_no(said)
        taken = reply.status in _BEGUN or _ABOUT_OUR_REF.search(reply.text().lower())
        if not is_clear or (known is None and taken):
            return OutcomeUnknown(text)
        return (known or Refused)(text)

    def _listing(self, row: object, provider: Provider | None = None) -> Listing | None:
        """Read one product, of this provider if one is given; ``None`` if it makes no sense.

        One whose code cannot stand in an address makes none: it could not be asked about.
        """
        said = self._fields(row)
        owner = self._fields(said.get("provider"))
        if provider is not None and not is_named(owner.get("code"), provider.code):
            return None
        try:
            active = read_flag(said.get("active"))
        except ValueError:
            return None
        return read_listing(
            sku=read_plain_id(said.get("code")),
            category=owner.get("name"),
            name=said.get("name"),
            price=said.get("price"),
            available=active and (provider is None or provider.is_open),
            form=() if provider is None else provider.form,
        )

    def _why(self, said: Mapping[str, Any]) -> str:
        return self._words(said, "message")


def _is_yes(said: Mapping[str, Any]) -> bool:
    return is_named(said.get("status"), "200")


def _is_no(said: Mapping[str, Any]) -> bool:
    return is_named(said.get("status"), "400")


def _message(said: Mapping[str, Any]) -> str:
    return read_word(said.get("message"))


def _cost(value: object) -> int | None:
    """Return whole rupiah; ``None`` if none can be read, or if it is nothing."""
    try:
        return read_rupiah(value) or None
    except ValueError:
        return None


def _report(said: Mapping[str, Any]) -> TopupReport:
    """Read an order, without our secrets. Only "refund" says that our balance has the money back.

    ``sn`` is the serial number of what was delivered; of anything else it is a remark.
    """
    word = visible(read_word(said.get("status")), 60)
    state = _STATES.get(word, TopupState.UNREADABLE)
    sn, words = read_serial(said.get("sn")), f"status {word or '-'}"
    serial = sn if state is TopupState.DELIVERED and "<" not in sn else ""
    remark = f" (sn: {visible(sn)})" if sn and not serial else ""
    return TopupReport(
        state=state,
        supplier_ref=read_plain_id(said.get("reference")),
        returned=word == "refund",
        serial=serial,
        words=words,
        strange=state is TopupState.UNREADABLE or word in _ODD,
        note=f"{words}: {read_note(said.get('note'))}{remark}",
    )


def _told(said: Mapping[str, Any]) -> Told:
    """Read a ``transaction_status``. An order from their own pages has no reference of ours."""
    named, report = said.get("partner_reference"), _report(said)
    ref = read_plain_id(named)
    if not report.supplier_ref or (named is not None and not ref):
        raise Nonsense("names no order")
    return Told(ref=ref, supplier_ref=report.supplier_ref, report=report)


def _repriced(rows: object) -> Sequence[Repriced]:
    """Read a ``price_update``; rows that make no sense are left out."""
    given = [row for row in read_rows(rows) if isinstance(row, dict)]
    found = [news for row in given if (news := _new_price(row)) is not None]
    if not found:
        raise Nonsense("no price in it can be read")
    return found


def _new_price(row: Mapping[str, Any]) -> Repriced | None:
    sku, price = read_plain_id(row.get("product_code")), _cost(row.get("price_new"))
    return Repriced(sku=sku, price=price) if sku and price else None


def _thanks_for(callback: Callback) -> str:
    try:
        kind = read_body(callback.body).get("webhook_type")
    except Nonsense:
        kind = None
    return _THANKS["price_update" if kind == "price_update" else "transaction_status"]


def _answer(status: int, message: str) -> str:
    return json.dumps({"status": status, "message": message}, separators=(",", ":"))
