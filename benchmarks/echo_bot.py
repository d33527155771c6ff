"""The baseline of P3: python-telegram-bot's echo bot, which answers a pressed button, too.

As in that library's examples, but for as many chats at a time as the shop serves: one chat after
another, its core would stand idle while an answer is on its way.
"""

import sys

from telegram import Update
from telegram.ext import (
    Application,
    CallbackQueryHandler,
    CommandHandler,
    ContextTypes,
    MessageHandler,
    filters,
)

CHATS_AT_ONCE = 64


async def start(update: Update, _: ContextTypes.DEFAULT_TYPE) -> None:
    """Greet."""
    if update.message is not None:
        await update.message.reply_text("Hi!")


async def echo(update: Update, _: ContextTypes.DEFAULT_TYPE) -> None:
    """Say the same."""
    if update.message is not None and update.message.text is not None:
        await update.message.reply_text(update.message.text)


async def echo_button(update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
    """End the waiting sign on the button, and say what it carried."""
    query = update.callback_query
    if query is not None:
        await query.answer()
        await context.bot.send_message(query.from_user.id, query.data or "")


def main(token: str, api: str) -> None:
    """Poll until told to stop."""
    builder = Application.builder().token(token).base_url(f"{api}/bot")
    application = builder.concurrent_updates(CHATS_AT_ONCE).build()
    application.add_handler(CommandHandler("start", start))
    application.add_handler(MessageHandler(filters.TEXT & ~filters.COMMAND, echo))
    application.add_handler(CallbackQueryHandler(echo_button))
    application.run_polling()


if __name__ == "__main__":
    main(*sys.argv[1:])
