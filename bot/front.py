"""What the shop's web server serves besides health: figures, and what channels bring."""

from collections.abc import Sequence
from functools import partial
from importlib.metadata import version

from aiohttp import web

from bot.bootstrap import Shop
from bot.settings import Settings
from bot.telegram.intake import receiver
from bot.workers.inbox import receiver as callback_receiver
from shop import calls
from shop.figures import Budget, Figures
from storage.figures import SqlFigures
from webhook_server.app import Part
from webhook_server.metrics import CallbackCounts, add_metrics
from webhook_server.suppliers import add_supplier_callbacks
from webhook_server.telegram import add_telegram_webhook

_TELEGRAM = "telegram"


def parts_of(shop: Shop, settings: Settings) -> Sequence[Part]:
    """Return the parts of the web server that these settings ask for."""
    counts = CallbackCounts([_TELEGRAM, *shop.callbacks])

    def metrics(app: web.Application) -> None:
        add_metrics(app, figures=lambda: _figures(shop), callbacks=counts, version=version("lapak"))

    def telegram(app: web.Application) -> None:
        add_telegram_webhook(
            app,
            secrets=[each.reveal().encode() for each in settings.telegram_webhook_secrets],
            store=receiver(shop.database, shop.clock),
            count=partial(counts.count, _TELEGRAM),
        )

    def suppliers(app: web.Application) -> None:
        add_supplier_callbacks(
            app,
            suppliers=shop.callbacks,
            store=callback_receiver(shop.keeper, shop.callbacks, shop.clock),
            secrets=[each.reveal().encode() for each in settings.callback_secrets],
            trusted=settings.trusted_proxies,
            count=counts.count,
        )

    always = (metrics, suppliers)
    return (*always, telegram) if settings.telegram_mode == "webhook" else always


async def _figures(shop: Shop) -> Figures:
    budget = Budget(most=calls.MOST_CALLS, window=calls.WINDOW)
    budgets = {each.slug: budget if each.counts_calls else None for each in shop.suppliers}
    now = shop.clock()
    return await shop.database.read(lambda tx: SqlFigures(tx).read(now, budgets))
