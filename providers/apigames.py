"""Apigames v2: JSON over HTTPS, each request signed by an MD5, callbacks that prove little.

Sources: Apigames' "Pengecekan status transaksi versi 2"; for all else its public documentation,
github.com/bukakios21/apigames-docs at bdc26650. What they leave open: docs/suppliers.md.
"""

import asyncio
import hashlib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import quote

from providers.base import Client, HttpSupplier, Reply, http_client
from providers.callbacks import is_from, is_same, read_body
from providers.product_file import BadProductFile, read_products
from providers.reading import is_named, read_note, read_plain_id, read_serial, read_word
from providers.settings import Kind, Networks, Secrets, setting
from shop.callbacks import Callback, CallsBack, Nonsense, Told, Trust
from shop.money import read_rupiah
from shop.suppliers import (
    ChecksConnections,
    ChecksNicknames,
    Misconfigured,
    OutcomeUnknown,
    PriceList,
    StatusRequest,
    TellsBalance,
    TopupReport,
    TopupRequest,
    TopupState,
    Unavailable,
)
from shop.text import visible
from shop.time import Millis

_HEADERS: Mapping[str, str] = MappingProxyType({"Accept": "application/json"})

# ``data.status`` ("Pengecekan status transaksi versi 2"). Validasi Provider: the provider behind
# them is down, or answered in a way that somebody has to look at.
_STATES: Mapping[str, TopupState] = MappingProxyType(
    {
        "pending": TopupState.PENDING,
        "proses": TopupState.PENDING,
        "validasi provider": TopupState.PENDING,
        "sukses sebagian": TopupState.PARTIAL,
        "sukses": TopupState.DELIVERED,
        "gagal": TopupState.FAILED,
    }
)
# How an error begins that says who may not ask at all, in lower case: theirs, and the one of a
# service of the same family (github.com/yolkmonday/tokovoucher-docs at 8ab69755).
_NOT_US = ("signature not valid", "ip not allow")
_NOT_THERE = ("tidak ditemukan", "not found")  # of an order; what they really say is not shown

# Our games, and what cek-username calls them (docs/cek-username.md).
_GAMES: Mapping[str, str] = MappingProxyType(
    {"mobile-legends": "mobilelegend", "free-fire": "freefire"}
)
_ENGINES = ("smileone", "kiosgamer", "unipin", "unipinbr", "unipinmy")  # docs/cek-koneksi

# What stands between merchant and secret where no order is signed: nothing in their documentation
# of 2022, a colon in a later one, and integrations have met both.
_OTHER_JOINT: Mapping[str, str] = MappingProxyType({":": "", "": ":"})
_JOINTS: Mapping[str, str] = MappingProxyType(
    {"balance": ":", "cek-username": "", "cek-koneksi": ""}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Read from ``APIGAMES_*``."""

    merchant_id: str = setting(
        Kind.NAME,
        "Merchant ID from Apigames' member area.",
        example="M220718ABCDE123KFF",
        needed=True,
    )
    secret_key: Secrets = setting(
        Kind.SECRET,
        "Secret key from Apigames' member area; two (new,old) while it is being changed.",
        example="key-from-your-member-area",
        needed=True,
    )
    url: str = setting(
        Kind.URL,
        "Where Apigames answers (http:// for loopback only).",
        default="https://v1.apigames.id",
    )
    products: Path | None = setting(
        Kind.FILE,
        "Your price list of Apigames, which has none to ask for: a CSV file in UTF-8 with the "
        "header code,game,name,price (whole rupiah); may be edited while the shop runs.",
        example="/srv/lapak/apigames.csv",
    )
    callback_ips: Networks = setting(
        Kind.NETWORKS,
        "Where Apigames' callbacks come from.",
        default="157.245.207.5",
    )


class Apigames(HttpSupplier[Settings], TellsBalance, ChecksNicknames, ChecksConnections, CallsBack):
    """The adapter."""

    slug = "apigames"
    title = "Apigames"
    counts_calls = False
    knows_our_ref = True  # ``ref_id``, the only way to ask
    list_is_local = True
    nickname_games = frozenset(_GAMES)
    settings_type = Settings

    def __init__(
        self,
        settings: Settings,
        *,
        clock: Callable[[], Millis],
        client: Client = http_client,
        callback_url: str = "",
    ) -> None:
        super().__init__(settings, clock=clock, client=client, callback_url=callback_url)
        self._joints = dict(_JOINTS)

    @property
    def _url(self) -> str:
        return self._settings.url

    def _secrets(self) -> Iterable[str]:
        keys = self._settings.secret_key()
        signatures = [self._signature(key, joint) for key in keys for joint in _OTHER_JOINT]
        return [*keys, *signatures]

    async def price_list(self) -> PriceList:
        """Return what the owner's file lists; nothing if there is none. Nobody is asked.

        Raises:
            Misconfigured: the file cannot be used.
        """
        if self._settings.products is None:
            return PriceList(listings=())
        try:
            return await asyncio.to_thread(read_products, self._settings.products)
        except BadProductFile as error:
            raise Misconfigured(f"apigames: {error}") from error

    async def balance(self) -> int:
        data = self._data(await self._ask_merchant("balance", "", {}))
        try:
            return read_rupiah(data.get("saldo"))
        except ValueError as error:
            raise Unavailable("apigames: merchant shows no saldo") from error

    async def nickname(self, game: str, user_id: str, server: str) -> str | None:
        """Return a player's name; they take ID and zone as one, without anything between.

        Also raises ``Unavailable`` of a game that they know no players of.
        """
        if (code := _GAMES.get(game)) is None:
            raise Unavailable("apigames: cek-username does not know this game")
        query = {"user_id": f"{user_id}{server}"}
        data = self._data(await self._ask_merchant("cek-username", f"/cek-username/{code}", query))
        name = data.get("username")
        known = visible(self._hide(name), 60) if isinstance(name, str) else ""
        match data.get("is_valid"):  # nobody found is a success too: ``status`` 1, ``rc`` 0
            case False:
                return None
            case True if known:
                return known
        raise Unavailable("apigames: cek-username says neither who nor nobody")

    async def connections(self) -> Mapping[str, bool]:
        return {engine: await self._works(engine) for engine in _ENGINES}

    async def topup(self, request: TopupRequest) -> TopupReport:
        """Order from our balance (docs/v2/transaksi/transaksi-post.md).

        Also raises ``OutcomeUnknown`` for every answer that is no success, unless it says that we
        may not ask at all: every HTTP error and timeout is to be taken for pending, they say
        (docs/v2/pendahuluan.md), and no other error text is documented.
        """
        order = {"produk": request.sku, "tujuan": request.user_id, "server_id": request.server}
        reply = await self._order(
            "/v2/transaksi", headers=_HEADERS, body={**self._signed(request.ref), **order}
        )
        said = self._said(reply, request.ref)
        data = said.get("data")
        if not _is_yes(reply, said) or not isinstance(data, dict):
            self._check_refusal(said)
            raise OutcomeUnknown(f"apigames: HTTP {reply.status}: {self._why(said)}")
        if not is_named(data.get("ref_id"), request.ref):
            another = bool(read_plain_id(data.get("ref_id")))
            raise OutcomeUnknown("apigames: the answer speaks of another order", accepted=another)
        return self._report(data)

    async def status(self, request: StatusRequest) -> TopupReport:
        """Ask by our reference: by POST, which keeps the signature out of addresses.

        The signature of an order is what proves its callbacks, too.
        """
        reply = await self._ask(
            "/v2/transaksi/status", headers=_HEADERS, body=self._signed(request.ref)
        )
        said = self._said(reply, request.ref)
        if not _is_yes(reply, said):
            return self._missing(said)
        data = said.get("data")
        if not isinstance(data, dict) or not _is_about(data, request):
            raise Unavailable("apigames: transaksi/status speaks of another order", answered=True)
        return self._report(data)

    def verify(self, callback: Callback) -> Trust:
        """Tell whether address and header are theirs: a hint at most.

        ``X-Apigames-Authorization`` is the order's signature (docs/v2/webhook/webhook-get.md). It
        does not cover the body, and is the same for each callback of an order.
        """
        if not is_from(callback.remote, self._settings.callback_ips):
            return Trust.NONE
        try:
            said = read_body(callback.body)
        except Nonsense:
            return Trust.NONE
        ref = read_plain_id(said.get("ref_id"))
        ours = is_named(said.get("merchant_id"), self._settings.merchant_id)
        header = callback.headers.get("x-apigames-authorization")
        signed = is_same(header, self._signatures(ref))
        return Trust.HINT if ref and ours and signed else Trust.NONE

    def parse(self, callback: Callback) -> Sequence[Told]:
        """Return what a callback says of one order: it is the ``data`` of a status, unwrapped."""
        said = read_body(callback.body)
        ref = read_plain_id(said.get("ref_id"))
        if not ref:
            raise Nonsense("no ref_id")
        report = self._report(said)
        return [Told(ref=ref, supplier_ref=report.supplier_ref, report=report)]

    async def _works(self, engine: str) -> bool:
        """Tell whether an engine works. ``rc`` says nothing: a success is shown with 50."""
        reply = await self._ask_merchant("cek-koneksi", "/cek-koneksi", {"engine": engine})
        said = reply.fields()
        if _is_yes(reply, said):
            return True
        if is_named(said.get("status"), "0"):
            return False
        raise Unavailable(f"apigames: {self._why(said)}")

    async def _ask_merchant(self, call: str, path: str, query: Mapping[str, str]) -> Reply:
        """Ask what is signed without an order; once more, signed the other way, if need be.

        What was accepted is tried first from then on. Raise ``Unavailable`` or ``Misconfigured``.
        """
        joint = self._joints[call]
        reply = await self._ask_joined(joint, path, query)
        if _doubts_signature(reply.fields()):
            joint = _OTHER_JOINT[joint]
            reply = await self._ask_joined(joint, path, query)
        said = reply.fields()
        self._check_question(said)
        self._joints[call] = joint
        return reply

    async def _ask_joined(self, joint: str, path: str, query: Mapping[str, str]) -> Reply:
        signature = self._signature(self._settings.secret_key()[0], joint)
        return await self._ask(
            f"/merchant/{quote(self._settings.merchant_id, safe='')}{path}",
            headers=_HEADERS,
            query={**query, "signature": signature},
        )

    def _signed(self, ref: str) -> dict[str, str]:
        """Return what every request about an order carries."""
        mine = self._settings.merchant_id
        return {"ref_id": ref, "merchant_id": mine, "signature": self._signatures(ref)[0]}

    def _signatures(self, ref: str) -> Sequence[str]:
        """Return an order's signature by each secret key; the first one signs."""
        mine, keys = self._settings.merchant_id, self._settings.secret_key()
        return [_md5(f"{mine}:{key}:{ref}") for key in keys]

    def _signature(self, key: str, joint: str) -> str:
        return _md5(f"{self._settings.merchant_id}{joint}{key}")

    def _said(self, reply: Reply, ref: str) -> dict[str, Any]:
        """Return an answer's fields, without the signatures of the order if they repeat them."""
        body = reply.body
        for signature in self._signatures(ref):
            body = re.sub(signature.encode(), b"***", body, flags=re.IGNORECASE)
        return replace(reply, body=body).fields()

    def _data(self, reply: Reply) -> dict[str, Any]:
        said = reply.fields()
        data = said.get("data")
        if not _is_yes(reply, said) or not isinstance(data, dict):
            raise Unavailable(f"apigames: {self._why(said)}")
        return data

    def _missing(self, said: Mapping[str, Any]) -> TopupReport:
        """Read the refusal of a question about an order. Their words for it are not documented."""
        self._check_question(said)
        error = _error(said)
        if is_named(said.get("status"), "0") and any(words in error for words in _NOT_THERE):
            note = f"status -: {self._why(said)}"
            return TopupReport(state=TopupState.MISSING, words="status -", note=note)
        raise Unavailable(f"apigames: {self._why(said)}")

    def _check_question(self, said: Mapping[str, Any]) -> None:
        """As ``_check_refusal``; of a question any word about the signature will do."""
        self._check_refusal(said)
        if _doubts_signature(said):
            raise Misconfigured(f"apigames: {self._why(said)}")

    def _check_refusal(self, said: Mapping[str, Any]) -> None:
        """Raise ``Misconfigured`` if they say, in words we know, that they do nothing for us."""
        if is_named(said.get("status"), "0") and _error(said).startswith(_NOT_US):
            raise Misconfigured(f"apigames: {self._why(said)}")

    def _why(self, said: Mapping[str, Any]) -> str:
        return self._words(said, "error_msg", "message")

    def _report(self, said: Mapping[str, Any]) -> TopupReport:
        data = self._hidden(said)
        word = visible(read_word(data.get("status")), 60)
        state = _STATES.get(word, TopupState.UNREADABLE)
        # Every answer has an ``sn``; unless the order is done it holds a reason, or anything else.
        serial = read_serial(data.get("sn")) if state is TopupState.DELIVERED else ""
        words = f"status {word or '-'}"
        return TopupReport(
            state=state,
            supplier_ref=read_plain_id(data.get("trx_id")),
            cost=_cost(data.get("product_detail")),
            serial="" if "<" in serial else serial,
            words=words,
            strange=state is TopupState.UNREADABLE,
            note=f"{words}: {read_note(data.get('message') or data.get('sn'))}",
        )


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()  # their formula


def _is_yes(reply: Reply, said: Mapping[str, Any]) -> bool:
    """Tell whether the envelope is fine. Around an order that failed it is, too."""
    return reply.is_ok and is_named(said.get("status"), "1")


def _is_about(data: Mapping[str, Any], request: StatusRequest) -> bool:
    """Tell whether our reference is named, and no other id than theirs of that order."""
    theirs = read_plain_id(data.get("trx_id"))
    same = not (theirs and request.supplier_ref) or theirs == request.supplier_ref
    return same and is_named(data.get("ref_id"), request.ref)


def _error(said: Mapping[str, Any]) -> str:
    return read_word(said.get("error_msg") or said.get("message"))


def _doubts_signature(said: Mapping[str, Any]) -> bool:
    return not is_named(said.get("status"), "1") and "signature" in _error(said)


def _cost(detail: object) -> int | None:
    """Return ``price_rp``: whole rupiah, where ``price`` is in the provider's own coin."""
    try:
        return read_rupiah(detail["price_rp"])  # type: ignore[index]
    except (KeyError, TypeError, ValueError, IndexError):
        return None
