"""The composition root: the one module that knows every other. It decides nothing."""

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict, dataclass, field, fields
from importlib.resources import files

import httpx

from bot.conversation.channels import CannotAnswer, Sender, TakeTurn
from bot.conversation.engine import Conversation, Said, Turn
from bot.conversation.room import Face
from bot.conversation.texts import LANGUAGES, Texts, read_catalogue
from bot.conversation.views import Draft, Incoming, Session, StepId, View
from bot.logs import get_logger
from bot.owner.desk import OwnersDesk
from bot.settings import Settings
from bot.telegram.channel import TelegramChannel
from bot.web.chat import WebChat
from bot.workers.outbox import OutboxWorker
from bot.workers.supplier_calls import SupplierCalls
from providers import zultopup
from providers.base import http_client
from providers.pictures import NoPicture, qr_picture, safe_link
from providers.qris import qris_fields
from shop import calls
from shop.catalogue import Game, read_games
from shop.orders import Order
from shop.pricing import PriceRule
from shop.rules import Rules
from shop.suppliers import Supplier
from shop.time import MINUTE, SECOND, Millis
from storage.books import BookKeeper, SqlBooks
from storage.database import Busy, Database, Unwritable, open_sqlite
from storage.sessions import SqlSessions, StoredSession

log = get_logger(__name__)

_ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"  # nothing that looks like something else


def now() -> Millis:
    """Return the present instant."""
    return time.time_ns() // 1_000_000


def order_id() -> str:
    """Return a new order number: short enough to read out, too many to guess."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(10))


def _same(sender: Sender) -> Sender:
    return sender


@dataclass(frozen=True, slots=True, kw_only=True)
class Seams:
    """Where a test may put itself between the shop and the world."""

    clock: Callable[[], Millis] = now
    client: Callable[[], httpx.AsyncClient] = http_client
    database: Callable[[str], Awaitable[Database]] = open_sqlite
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
    )


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
    """Everything that runs, put together."""

    keeper: BookKeeper
    database: Database
    take_turn: TakeTurn
    outbox: OutboxWorker
    suppliers: Sequence[SupplierCalls]
    telegram: TelegramChannel | None
    web_chat: WebChat | None
    tasks: dict[str, asyncio.Task[None]] = field(default_factory=dict)


@asynccontextmanager
async def opened_shop(
    settings: Settings, seams: Seams, *, with_web_chat: bool = False
) -> AsyncIterator[Shop]:
    """Open the database and build the shop on it; close everything at the end."""
    async with AsyncExitStack() as stack:
        database = await seams.database(str(settings.database_path))
        stack.push_async_callback(database.close)
        keeper = BookKeeper(database, rules_of(settings), settings.owners)
        await keeper.write(lambda books: calls.wake_up(books, settings.suppliers, seams.clock()))
        yield _build(settings, seams, database, keeper, with_web_chat=with_web_chat)


def _build(
    settings: Settings,
    seams: Seams,
    database: Database,
    keeper: BookKeeper,
    *,
    with_web_chat: bool,
) -> Shop:
    texts, games = all_texts(settings), curated_games()
    face = _face(settings, games)
    desk = OwnersDesk(settings.owners)
    conversation = Conversation(face=face, texts=texts, language=settings.language, desk=desk)
    take_turn = turn_taker(conversation, keeper, texts[settings.language], seams.clock)

    async def texts_of(address: str) -> Texts:
        chosen = await keeper.read(lambda books: books.sessions.language_of(address))
        return texts[chosen or settings.language]

    telegram, web_chat = None, None
    senders = {channel: seams.sender(sender) for channel, sender in seams.senders.items()}
    if settings.telegram_token is not None:
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
        pictures=picture_finder(settings, keeper),
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
        take_turn=take_turn,
        outbox=outbox,
        suppliers=suppliers,
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
    )


class _Sessions:
    """``bot.conversation.engine.Sessions`` over the stored ones."""

    def __init__(self, stored: SqlSessions) -> None:
        self._stored = stored

    def load(self, address: str) -> Session:
        stored = self._stored.load(address)
        if stored is None:
            return Session()
        known = {f.name for f in fields(Draft)}  # an older program may have known others
        draft = {name: value for name, value in stored.draft.items() if name in known}
        return Session(
            language=stored.language if stored.language in LANGUAGES else "",
            step=StepId(stored.step) if stored.step in set(StepId) else None,
            screen=stored.screen,
            page=stored.page,
            draft=Draft(**draft),  # type: ignore[arg-type]  # as saved below
            last_input=stored.last_input,
            touched_at=stored.touched_at,
        )

    def save(self, address: str, session: Session) -> None:
        self._stored.save(
            address,
            StoredSession(
                language=session.language,
                step=session.step or "",
                screen=session.screen,
                page=session.page,
                draft=asdict(session.draft),
                last_input=session.last_input,
                touched_at=session.touched_at,
            ),
        )


def turn_taker(
    conversation: Conversation, keeper: BookKeeper, texts: Texts, clock: Callable[[], Millis]
) -> TakeTurn:
    """Return what channels call for each thing a person does: one turn, one transaction."""

    async def take_turn(address: str, incoming: Incoming, input_id: str, limit: int) -> Turn:
        said = Said(
            address=address,
            incoming=incoming,
            input_id=input_id,
            now=clock(),
            token=order_id(),
            limit=limit,
        )

        def turn(books: SqlBooks) -> Turn:
            return conversation.turn(books, _Sessions(books.sessions), said)

        try:
            return await keeper.write(turn)
        except (Busy, Unwritable) as error:
            log.exception("turn.not_stored", why=str(error))
            raise CannotAnswer(View(text=texts("sorry.cannot_store"))) from error

    return take_turn


def picture_finder(
    settings: Settings, keeper: BookKeeper
) -> Callable[[Order], Awaitable[tuple[bytes | None, str]]]:
    """Return what finds the picture of an order's QR, or else the link to pay on."""
    origin = settings.zultopup_url

    async def find(order: Order) -> tuple[bytes | None, str]:
        if order.invoice is None:
            return None, ""
        known = await keeper.read(lambda books: books.orders.picture(order.id))
        if known is not None:
            return known, ""
        link = safe_link(order.invoice.link, own_origin=origin) or ""
        if not _says(order.invoice.qr, order.invoice.amount):
            log.warning("qr.wrong_amount", order=order.id)
            return None, link
        try:
            picture = await qr_picture(order.invoice.qr, own_origin=origin)
        except NoPicture as error:
            log.warning("qr.no_picture", order=order.id, why=str(error))
            return None, link
        await keeper.write(lambda books: books.orders.put_picture(order.id, picture))
        return picture, ""

    return find


def _says(qr: str, amount: int) -> bool:
    """Tell whether a QRIS text, if it is one, asks for ``amount`` or leaves the amount open."""
    try:
        said = dict(qris_fields(qr)).get("54")
    except ValueError:
        return True  # an address: its picture is not read
    return said is None or said.removesuffix(".00") == str(amount)


async def run_shop(shop: Shop, stop: asyncio.Event) -> None:
    """Run every worker and channel until ``stop`` is set; raise if one of them ends by itself."""
    runs: dict[str, Callable[[], Awaitable[None]]] = {"outbox": shop.outbox.run}
    runs |= {f"supplier {supplier.slug}": supplier.run for supplier in shop.suppliers}
    if shop.telegram is not None:
        runs["telegram"] = shop.telegram.run
    stopping = asyncio.create_task(stop.wait(), name="stop")
    tasks = {name: asyncio.create_task(_run(run), name=name) for name, run in runs.items()}
    shop.tasks.update(tasks)
    try:
        await asyncio.wait([stopping, *tasks.values()], return_when=asyncio.FIRST_COMPLETED)
    finally:
        ended = [task for task in tasks.values() if task.done() and not task.cancelled()]
        for task in (stopping, *tasks.values()):
            task.cancel()
        await asyncio.gather(stopping, *tasks.values(), return_exceptions=True)
    for task in ended:
        task.result()
        raise RuntimeError(f"{task.get_name()} ended by itself")


async def _run(run: Callable[[], Awaitable[None]]) -> None:
    await run()


def readiness(shop: Shop) -> dict[str, Callable[[], Awaitable[str | None]]]:
    """Return the checks behind ``/readyz``: ``None`` if all is well, else what is not."""

    async def database() -> str | None:
        try:
            await shop.keeper.write(lambda _: None, is_news=lambda _: False)
        except Busy:
            return "too much is waiting to be stored"
        except Unwritable:
            return "cannot be written"
        return None

    async def workers() -> str | None:
        dead = [name for name, task in shop.tasks.items() if task.done()]
        return f"not running: {', '.join(dead)}" if dead or not shop.tasks else None

    async def price_lists() -> str | None:
        tried = all(supplier.list_tried for supplier in shop.suppliers)
        return None if tried else "not fetched yet"

    return {"database": database, "workers": workers, "price lists": price_lists}
