"""The composition root: the one module that knows every other. It decides nothing."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from importlib.resources import files
from secrets import choice

import httpx

from bot.conversation.channels import Sender, TakeTurn
from bot.conversation.engine import Conversation
from bot.conversation.room import Face
from bot.conversation.texts import LANGUAGES, Texts, read_catalogue
from bot.logs import get_logger
from bot.owner.desk import OwnersDesk
from bot.settings import Settings
from bot.telegram.channel import TelegramChannel
from bot.telegram.flood import Flood
from bot.turns import turn_taker
from bot.web.chat import WebChat
from bot.workers.housekeeper import Housekeeper
from bot.workers.outbox import OutboxWorker
from bot.workers.qr_pictures import picture_finder
from bot.workers.supplier_calls import SupplierCalls
from providers import zultopup
from providers.base import http_client
from shop import calls, restoring
from shop.catalogue import Game, read_games
from shop.pricing import PriceRule
from shop.rules import Rules
from shop.suppliers import Dropships, Supplier, TakesDeposits
from shop.time import MINUTE, SECOND, Millis
from storage.address import Address
from storage.books import BookKeeper
from storage.database import Database
from storage.opening import open_database, presence_on
from storage.presence import Presence

log = get_logger(__name__)

_ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"  # nothing that looks like something else


def now() -> Millis:
    """Return the present instant."""
    return time.time_ns() // 1_000_000


def order_id() -> str:
    """Return a new order number: short enough to read out, too many to guess."""
    return "".join(choice(_ALPHABET) for _ in range(10))


def _same(sender: Sender) -> Sender:
    return sender


@dataclass(frozen=True, slots=True, kw_only=True)
class Seams:
    """Where a test may put itself between the shop and the world."""

    clock: Callable[[], Millis] = now
    client: Callable[[], httpx.AsyncClient] = http_client
    database: Callable[[Address], Awaitable[Database]] = open_database
    presence: Callable[[Address], Presence] = presence_on
    flood: Callable[[], Flood] = Flood
    sender: Callable[[Sender], Sender] = _same
    senders: Mapping[str, Sender] = field(default_factory=dict)  # channels the test brings along


def curated_games() -> tuple[Game, ...]:
    """Return the games this shop knows."""
    return read_games((files("shop") / "games.toml").read_text("utf-8"))


def all_texts(settings: Settings) -> Mapping[str, Texts]:
    """Return the texts of each language."""
    folder = files("bot.conversation") / "locales"
    return {
        language: Texts(
            language=language,
            catalogue=read_catalogue((folder / f"{language}.po").read_text("utf-8")),
            zone=settings.timezone,
        )
        for language in LANGUAGES
    }


def rules_of(settings: Settings) -> Rules:
    """Return the owner's rules."""
    return Rules(
        prices=PriceRule(
            margin_bp=settings.margin_bp,
            margin_min=settings.margin_min,
            round_to=settings.price_round_to,
            dropship_bp=settings.zultopup_dropship_bp,
        ),
        poll=settings.poll_seconds * SECOND,
        holds_for=settings.order_ttl_minutes * MINUTE,
        methods=settings.payments,
        refunds=settings.refunds,
        credit_min=settings.wallet_min,
        credit_max=settings.wallet_max,
        qris=settings.qris_payload,
        deposits_at=next((slug for slug in settings.suppliers if _can(slug, TakesDeposits)), ""),
        by_our_ref={slug: _ADAPTERS[slug].knows_our_ref for slug in settings.suppliers},
    )


_ADAPTERS: Mapping[str, type[Supplier]] = {"zultopup": zultopup.ZulTopup}


def _can(slug: str, what: type) -> bool:
    return issubclass(_ADAPTERS[slug], what)


def suppliers_of(settings: Settings, seams: Seams) -> list[Supplier]:
    """Return the adapters of the suppliers the owner has a key for."""
    key = settings.zultopup_api_key
    if key is None or "zultopup" not in settings.suppliers:
        return []
    adapter = zultopup.Settings(
        url=settings.zultopup_url, key=key.reveal, phone=settings.zultopup_phone
    )
    return [zultopup.ZulTopup(adapter, clock=seams.clock, client=seams.client)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shop:
    """Everything that may run, put together; ``bot.roles`` runs what this process is for."""

    keeper: BookKeeper
    database: Database
    presence: Presence
    clock: Callable[[], Millis]
    opened_at: Millis
    take_turn: TakeTurn
    outbox: OutboxWorker
    suppliers: Sequence[SupplierCalls]
    housekeeper: Housekeeper
    telegram: TelegramChannel | None
    web_chat: WebChat | None


@asynccontextmanager
async def opened_shop(
    settings: Settings, seams: Seams, *, with_web_chat: bool = False
) -> AsyncIterator[Shop]:
    """Open the database and build the shop on it; close everything at the end."""
    async with AsyncExitStack() as stack:
        presence = seams.presence(settings.database)
        stack.push_async_callback(presence.close)
        database = await seams.database(settings.database)
        stack.push_async_callback(database.close)
        keeper = BookKeeper(database, rules_of(settings), settings.owners)
        now, suppliers = seams.clock(), settings.suppliers
        async with presence.entering() as alone:
            await keeper.write(lambda books: calls.wake_up(books, suppliers, now, alone=alone))
            if await keeper.write(lambda books: restoring.begin(books, suppliers, now)):
                log.warning("shop.restored", todo="every open order is asked about first")
        yield _build(settings, seams, database, presence, keeper, with_web_chat=with_web_chat)


def _build(
    settings: Settings,
    seams: Seams,
    database: Database,
    presence: Presence,
    keeper: BookKeeper,
    *,
    with_web_chat: bool,
) -> Shop:
    texts, games = all_texts(settings), curated_games()
    face = _face(settings, games)
    desk = OwnersDesk(settings.owners)
    conversation = Conversation(face=face, texts=texts, language=settings.language, desk=desk)
    take_turn = turn_taker(
        conversation, keeper, texts[settings.language], clock=seams.clock, order_id=order_id
    )

    async def texts_of(address: str) -> Texts:
        chosen = await keeper.read(lambda books: books.sessions.language_of(address))
        return texts[chosen or settings.language]

    telegram, web_chat = None, None
    senders = {channel: seams.sender(sender) for channel, sender in seams.senders.items()}
    if settings.telegram_token is not None:
        secrets = settings.telegram_webhook_secrets
        telegram = TelegramChannel(
            token=settings.telegram_token.reveal(),
            api_url=settings.telegram_api_url,
            take_turn=take_turn,
            texts_of=texts_of,
            texts=texts,
            language=settings.language,
            owners=settings.owners,
            support=settings.support or settings.shop_name,
            database=database,
            clock=seams.clock,
            mode=settings.telegram_mode,
            public_url=settings.public_url,
            webhook_secret=secrets[0].reveal() if secrets else "",
            bell=database.bell(),
            flood=seams.flood(),
        )
        senders["telegram"] = seams.sender(telegram.sender)
    if with_web_chat:
        web_chat = WebChat(
            database=database,
            take_turn=take_turn,
            texts_of=texts_of,
            shop_name=settings.shop_name,
            owners=settings.owners,
            support=settings.support or settings.shop_name,
            clock=seams.clock,
        )
        senders["web"] = seams.sender(web_chat.sender)
    outbox = OutboxWorker(
        keeper=keeper,
        senders=senders,
        face=face,
        texts_of=texts_of,
        pictures=picture_finder(keeper, settings.zultopup_url),
        clock=seams.clock,
    )
    suppliers = [
        SupplierCalls(
            supplier,
            keeper=keeper,
            games=games,
            low_balance=settings.low_balance,
            clock=seams.clock,
        )
        for supplier in suppliers_of(settings, seams)
    ]
    return Shop(
        keeper=keeper,
        database=database,
        presence=presence,
        clock=seams.clock,
        opened_at=seams.clock(),
        take_turn=take_turn,
        outbox=outbox,
        suppliers=suppliers,
        housekeeper=Housekeeper(keeper=keeper, clock=seams.clock),
        telegram=telegram,
        web_chat=web_chat,
    )


def _face(settings: Settings, games: Sequence[Game]) -> Face:
    pattern = settings.zultopup_target_format
    return Face(
        name=settings.shop_name,
        support=settings.support,
        games=games,
        targets={"zultopup": pattern} if pattern else {},
        suppliers=settings.suppliers,
        dropshippers=tuple(slug for slug in settings.suppliers if _can(slug, Dropships)),
    )
