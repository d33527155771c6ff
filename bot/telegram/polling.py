"""Updates asked for: one feeder of the store."""

import asyncio
import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from telegram import Bot
from telegram.error import TelegramError
from telegram.request import BaseRequest

from bot.telegram.intake import ALLOWED_UPDATES, Intake, Stored, stored_form
from bot.telegram.serving import Serving
from bot.telegram.trouble import Pace, Trouble
from bot.telegram.wire import POLL_SECONDS
from storage.database import Busy, CommitUnknown, Unwritable


class Polling:
    """Asks Telegram for updates; confirms them once they are stored.

    PTB's own updater confirms before anything was stored: a killed process would have lost it.
    """

    def __init__(
        self,
        *,
        bot: Bot,
        request: BaseRequest,
        intake: Intake,
        serving: Serving,
        bell: asyncio.Event,
        trouble: Trouble,
        pace: Pace,
    ) -> None:
        self._bot = bot
        self._request = request
        self._intake = intake
        self._serving = serving
        self._bell = bell
        self._trouble = trouble
        self._pace = pace
        self._told: set[int] = set()  # answered, or about to be, without being stored
        self._unsure: set[int] = set()  # stored, perhaps

    async def run(self) -> None:
        """Feed until cancelled: what a webhook has not brought comes by polling from now on."""
        self._told.clear()
        self._unsure.clear()
        await self._trouble.insist(lambda: self._bot.delete_webhook(drop_pending_updates=False))
        offset = 0
        while True:
            await self._serving.room()
            try:
                batch = await self._poll(offset)
            except TelegramError as error:
                await self._trouble.wait_out(error)
                continue
            if await self._take_in(batch):
                # With an empty answer all is confirmed; numbers may start anew after a quiet week.
                offset = max((number for number, _ in batch), default=-1) + 1
                self._trouble.is_over()

    async def _poll(self, offset: int) -> Sequence[Stored]:
        """Confirm what is below ``offset`` and wait for more, each update as it came.

        ``Bot.get_updates`` would parse all of them at once: one odd update would hold up the rest.
        """
        # After an outage a short question, so that the log says soon that it is over.
        patience = 0 if self._trouble.is_away else POLL_SECONDS
        question: dict[str, Any] = {"timeout": patience, "limit": 100}
        question["allowed_updates"] = json.dumps(ALLOWED_UPDATES)
        if offset:
            question["offset"] = offset
        url = f"{self._bot.base_url}/getUpdates?{urlencode(question)}"
        return stored_form(await self._request.post(url))

    async def _take_in(self, batch: Sequence[Stored]) -> bool:
        """Store a batch and have it answered; ``False`` if it must not be confirmed."""
        try:
            await self._intake.store(batch)
        except (Busy, Unwritable) as error:
            self._trouble.note("telegram.cannot_store", why=repr(error))
            if isinstance(error, CommitUnknown):
                self._unsure.update(number for number, _ in batch)
            else:
                await self._answer_unstored(batch)
            await asyncio.sleep(self._pace.storage)
            return False
        self._told.clear()
        self._unsure.clear()
        if batch:
            self._bell.set()
        return True

    async def _answer_unstored(self, batch: Sequence[Stored]) -> None:
        """Have people told, once for each update, that nothing can be stored now.

        What was stored before, or may have been, waits for its real answer.
        """
        news = {number: body for number, body in batch if number not in self._told | self._unsure}
        try:
            known = await self._intake.known(news) if news else frozenset()
        except Unwritable:
            known = frozenset()
        for number, body in news.items():
            if number not in known:
                await self._serving.room()
                self._told.add(number)
                self._serving.take((number, body))
