"""Updates brought: where Telegram takes them to, and whether it still does."""

import asyncio
from urllib.parse import urlsplit

from telegram import Bot, WebhookInfo

from bot.logs import get_logger
from bot.telegram.intake import ALLOWED_UPDATES
from bot.telegram.trouble import Pace, Trouble

PATH = "/telegram/webhook"  # of the webhook server, below the shop's public address

_IF_REFUSED = "check LAPAK_PUBLIC_URL: Telegram takes https:// on port 443, 80, 88 or 8443"

_log = get_logger(__name__)


class Hook:
    """Has Telegram bring updates to the webhook server of any of our processes."""

    def __init__(
        self,
        bot: Bot,
        *,
        public_url: str,
        secret: str,
        trouble: Trouble,
        pace: Pace,
    ) -> None:
        self._bot = bot
        self._url = f"{public_url.rstrip('/')}{PATH}"
        self._secret = secret
        self._trouble = trouble
        self._pace = pace
        self._elsewhere = self._last_error = ""

    async def run(self) -> None:
        """Say where updates are taken to; look every few minutes whether that still holds."""
        await self._set()
        while True:
            await asyncio.sleep(self._pace.webhook)
            info = await self._trouble.insist(self._bot.get_webhook_info)
            self._say_what_is_new(info)
            if not info.url:
                await self._set()

    async def _set(self) -> None:
        await self._trouble.insist(self._set_once, if_refused=_IF_REFUSED)

    async def _set_once(self) -> None:
        await self._bot.set_webhook(
            self._url,
            secret_token=self._secret,
            allowed_updates=ALLOWED_UPDATES,
            drop_pending_updates=False,
        )

    def _say_what_is_new(self, info: WebhookInfo) -> None:
        elsewhere = "" if info.url == self._url else info.url or "nowhere"
        if elsewhere != self._elsewhere:
            self._say_where(elsewhere)
        last_error = info.last_error_message or ""
        if last_error and last_error != self._last_error:
            _log.warning(
                "telegram.webhook_trouble",
                why=last_error,
                at=str(info.last_error_date),
                waiting=info.pending_update_count,
            )
        self._elsewhere, self._last_error = elsewhere, last_error

    def _say_where(self, elsewhere: str) -> None:
        if not elsewhere:
            _log.info("telegram.webhook_is_ours_again")
            return
        host = urlsplit(elsewhere).hostname or elsewhere  # its path may be a secret of somebody
        todo = "stop the other program that uses this bot's token, then start this one again"
        _log.error("telegram.webhook_elsewhere", to=host, todo=todo)
