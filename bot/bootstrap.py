"""The composition root: the one module that knows every other. It decides nothing."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from secrets import choice

import httpx

from bot.conversation.channels import Sender, TakeTurn
from bot.conversation.engine import Conversation
from bot.conversation.room import Face
from bot.conversation.texts import LANGUAGES, Texts, read_catalogue
from bot.logs import get_logger
from bot.owner.desk import OwnersDesk
from bot.owner.links import Entrances
from bot.settings import Settings
from bot.telegram.channel import TelegramChannel
from bot.telegram.flood import Flood
from bot.turns import Turns
from bot.web.chat import WebChat
from bot.workers.housekeeper import Housekeeper
from bot.workers.inbox import InboxWorker
from bot.workers.nicknames import Nicknames
from bot.workers.outbox import OutboxWorker
from bot.workers.qr_pictures import picture_finder
from bot.workers.supplier_calls import SupplierCalls
from providers.base import http_client
from providers.registry import adapters
from shop import calls, hearing, restoring
from shop.callbacks import CallsBack
from shop.catalogue import Game
from shop.games_file import read_games, with_own
from shop.goods import Words
from shop.pricing import PriceRule
from shop.rules import Rules
from shop.suppliers import (
    Abilities,
    ChecksNicknames,
    Dropships,
    Supplier,
    TakesDeposits,
    TellsBalance,
    TellsPrices,
)
from shop.time import MINUTE, SECOND, Millis
from shop.words import extend_words, read_words
from storage.address import Address
from storage.books import BookKeeper, SqlBooks
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
    suppliers: Sequence[Supplier] = ()  # instead of those that the settings name


@cache
def curated_games() -> tuple[Game, ...]:
    """Return the games this shop knows by itself."""
    return read_games((files("shop") / "games.toml").read_text("utf-8"))


def games_of(settings: Settings) -> tuple[Game, ...]:
    """Return the games of the shop: those it knows by itself, and the owner's."""
    return with_own(curated_games(), settings.games_text)


@cache
def curated_words() -> Mapping[str, Words]:
    """Return how the goods of each game are named, as far as this shop knows by itself."""
    return read_words((files("shop") / "goods.toml").read_text("utf-8"))


def words_of(settings: Settings) -> Mapping[str, Words]:
    """Return how the goods of each game are named, here and by the owner."""
    return extend_words(curated_words(), settings.games_text)


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


def rules_of(settings: Settings, suppliers: Sequence[Supplier]) -> Rules:
    """Return the owner's rules."""
    games, words = games_of(settings), words_of(settings)
    surcharges = [each.surcharge_bp for each in suppliers if isinstance(each, Dropships)]
    return Rules(
        prices=PriceRule(
            margin_bp=settings.margin_bp,
            margin_min=settings.margin_min,
            round_to=settings.price_round_to,
            dropship_bp=max(surcharges, default=0),
        ),
        poll=settings.poll_seconds * SECOND,
        holds_for=settings.order_ttl_minutes * MINUTE,
        methods=settings.payments,
        refunds=settings.refunds,
        credit_min=settings.wallet_min,
        credit_max=settings.wallet_max,
        qris=settings.qris_payload,
        deposits_at=next((s.slug for s in suppliers if isinstance(s, TakesDeposits)), ""),
        abilities={each.slug: _abilities_of(each) for each in suppliers},
        suppliers=[each.slug for each in suppliers],
        targets={each.slug: each.target_format for each in suppliers if each.target_format},
        games={game.slug: game for game in games},
        words=words,
    )


def _abilities_of(supplier: Supplier) -> Abilities:
    return Abilities(
        counts_calls=supplier.counts_calls,
        knows_our_ref=supplier.knows_our_ref,
        repeats_are_questions=supplier.repeats_are_questions,
        tells_balance=isinstance(supplier, TellsBalance),
        tells_prices=isinstance(supplier, TellsPrices),
        calls_back=isinstance(supplier, CallsBack),
        dropships=isinstance(supplier, Dropships),
    )


def suppliers_of(settings: Settings, seams: Seams) -> list[Supplier]:
    """Return the adapters of the suppliers that are bought from, the preferred one first."""
    return [
        adapters()[slug](
            settings.of_suppliers[slug],
            clock=seams.clock,
            client=seams.client,
            callback_url=settings.callback_url(slug),
        )
        for slug in settings.suppliers
    ]


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
    callbacks: Mapping[str, CallsBack]
    inbox: InboxWorker
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
        suppliers = seams.suppliers or suppliers_of(settings, seams)
        keeper = BookKeeper(database, rules_of(settings, suppliers), settings.owners)
        now, slugs = seams.clock(), settings.suppliers
        async with presence.entering() as alone:
            await keeper.write(lambda books: _wake_up(books, slugs, now, alone=alone))
            if await keeper.write(lambda books: restoring.begin(books, slugs, now)):
                log.warning("shop.restored", todo="every open order is asked about first")
        parts = Parts(database=database, presence=presence, keeper=keeper, suppliers=suppliers)
        yield _build(settings, seams, parts, with_web_chat=with_web_chat)


def _wake_up(books: SqlBooks, suppliers: Sequence[str], now: Millis, *, alone: bool) -> None:
    calls.wake_up(books, suppliers, now, alone=alone)
    books.inbox.come_due(now, latest=now + hearing.PARKED_FOR)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What a shop is built of first."""

    database: Database
    presence: Presence
    keeper: BookKeeper
    suppliers: Sequence[Supplier]


def _build(settings: Settings, seams: Seams, parts: Parts, *, with_web_chat: bool) -> Shop:
    keeper, database = parts.keeper, parts.database
    texts, games = all_texts(settings), games_of(settings)
    face = _face(settings, games, parts.suppliers)
    telegram: TelegramChannel | None = None
    web_chat: WebChat | None = None
    entrances = Entrances(
        telegram=lambda: telegram.username if telegram is not None else "",
        web=f"http://127.0.0.1:{settings.port}/chat" if with_web_chat else "",
    )
    desk = OwnersDesk(settings.owners, entrances)
    conversation = Conversation(face=face, texts=texts, language=settings.language, desk=desk)
    nicknames = Nicknames(parts.suppliers, keeper=keeper, clock=seams.clock)
    turns = Turns(
        conversation,
        keeper,
        texts[settings.language],
        clock=seams.clock,
        order_id=order_id,
        ask=nicknames.ask,
    )

    async def texts_of(address: str) -> Texts:
        chosen = await keeper.read(lambda books: books.sessions.language_of(address))
        return texts[chosen or settings.language]

    senders = {channel: seams.sender(sender) for channel, sender in seams.senders.items()}
    if settings.telegram_token is not None:
        secrets = settings.telegram_webhook_secrets
        telegram = TelegramChannel(
            token=settings.telegram_token.reveal(),
            api_url=settings.telegram_api_url,
            take_turn=turns.take,
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
            take_turn=turns.take,
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
        pictures=picture_finder(
            keeper, {slug: settings.of_suppliers[slug].url for slug in settings.suppliers}
        ),
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
        for supplier in parts.suppliers
    ]
    calling_back = {s.slug: s for s in parts.suppliers if isinstance(s, CallsBack)}
    return Shop(
        keeper=keeper,
        database=database,
        presence=parts.presence,
        callbacks=calling_back,
        inbox=InboxWorker(keeper=keeper, suppliers=calling_back, clock=seams.clock),
        clock=seams.clock,
        opened_at=seams.clock(),
        take_turn=turns.take,
        outbox=outbox,
        suppliers=suppliers,
        housekeeper=Housekeeper(keeper=keeper, clock=seams.clock),
        telegram=telegram,
        web_chat=web_chat,
    )


def _face(settings: Settings, games: Sequence[Game], suppliers: Sequence[Supplier]) -> Face:
    return Face(
        name=settings.shop_name,
        support=settings.support,
        games=games,
        suppliers=settings.suppliers,
        titles={each.slug: each.title for each in suppliers},
        balances=tuple(each.slug for each in suppliers if isinstance(each, TellsBalance)),
        dropshippers=tuple(each.slug for each in suppliers if isinstance(each, Dropships)),
        nicknames=frozenset(
            game
            for each in suppliers
            if isinstance(each, ChecksNicknames)
            for game in each.nickname_games
        ),
    )
