"""The settings as one typed value: which field holds which setting, and of what type it is."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from bot.secrets import Secret
from bot.settings import addresses, values
from storage.address import PostgresServer

_MASKED_FROM = 4  # characters; a shorter text stands in many a log line by chance


class Settings(BaseModel):
    """Everything the owner can set, checked and typed; never changes.

    Money is whole rupiah, ``…_bp`` are hundredths of a percent, a text that is not set is empty.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    shop_name: values.ShopName = Field(alias="LAPAK_SHOP_NAME")
    language: values.Language = Field(alias="LAPAK_LANGUAGE")
    timezone: values.Timezone = Field(alias="LAPAK_TIMEZONE")
    owners: values.Owners = Field(alias="LAPAK_OWNERS")
    support: values.Contact = Field(alias="LAPAK_SUPPORT")
    games_text: values.GamesFile = Field(alias="LAPAK_GAMES_FILE", repr=False)
    """What stands in the owner's games file, checked; not its address."""

    telegram_tokens: values.Tokens = Field(alias="TELEGRAM_TOKEN")
    telegram_api_url: addresses.Url = Field(alias="TELEGRAM_API_URL")
    telegram_mode: values.TelegramMode = Field(alias="TELEGRAM_MODE")
    telegram_webhook_secrets: values.WebhookSecrets = Field(alias="TELEGRAM_WEBHOOK_SECRET")

    preferred_suppliers: values.Suppliers = Field(alias="LAPAK_SUPPLIERS")
    of_suppliers: Mapping[str, Any] = Field(default={}, repr=False)
    """Each supplier's slug -> its adapter's own settings."""
    configured: tuple[str, ...] = ()
    """Slugs of the suppliers that the owner has an account with."""

    payments: values.Payments = Field(alias="LAPAK_PAYMENTS")
    qris_payload: values.QrisPayload = Field(alias="LAPAK_QRIS_PAYLOAD", repr=False)
    refunds: values.RefundsBy = Field(alias="LAPAK_REFUNDS")
    wallet_min: values.WalletTopup = Field(alias="LAPAK_WALLET_MIN")
    wallet_max: values.WalletTopup = Field(alias="LAPAK_WALLET_MAX")

    margin_bp: values.Margin = Field(alias="LAPAK_MARGIN_PERCENT")
    margin_min: values.Rupiah = Field(alias="LAPAK_MARGIN_MIN")
    price_round_to: values.RoundTo = Field(alias="LAPAK_PRICE_ROUND_TO")
    order_ttl_minutes: values.Minutes = Field(alias="LAPAK_ORDER_TTL_MINUTES")
    poll_seconds: values.Seconds = Field(alias="LAPAK_POLL_SECONDS")
    low_balance: values.Rupiah = Field(alias="LAPAK_LOW_BALANCE")

    database: addresses.Database = Field(alias="LAPAK_DATABASE_URL")
    host: addresses.Host = Field(alias="LAPAK_HOST")
    port: values.Port = Field(alias="LAPAK_PORT")
    public_url: values.PublicUrl = Field(alias="LAPAK_PUBLIC_URL")
    trusted_proxies: addresses.Networks = Field(alias="LAPAK_TRUSTED_PROXIES")
    callback_secrets: values.CallbackSecrets = Field(alias="LAPAK_CALLBACK_SECRET")
    log_level: values.LogLevel = Field(alias="LAPAK_LOG_LEVEL")
    log_format: values.LogFormat = Field(alias="LAPAK_LOG_FORMAT")

    warnings: tuple[str, ...] = ()
    supplier_secrets: tuple[Secret, ...] = Field(default=(), repr=False)
    supplier_phones: tuple[str, ...] = Field(default=(), repr=False)
    unused_secrets: tuple[Secret, ...] = Field(default=(), repr=False)
    """Secrets of later versions: never used, and kept out of the logs all the same."""

    @property
    def telegram_token(self) -> Secret | None:
        """The token to use, or ``None``: the channel is off."""
        return self.telegram_tokens[0] if self.telegram_tokens else None

    @property
    def suppliers(self) -> tuple[str, ...]:
        """Slugs of the suppliers to buy at, the preferred one first; each has what it needs."""
        return self.preferred_suppliers or self.configured

    def callback_url(self, slug: str) -> str:
        """Return where a supplier can tell us how an order went; empty: nowhere."""
        if not self.public_url:
            return ""
        secret = f"/{self.callback_secrets[0].reveal()}" if self.callback_secrets else ""
        return f"{self.public_url}/callbacks/{slug}{secret}"

    def secrets(self) -> tuple[str, ...]:
        """Give every text that no log line may show; the shop's phone number is one of them."""
        known = (
            *self.telegram_tokens,
            *self.telegram_webhook_secrets,
            *self.callback_secrets,
            *self.supplier_secrets,
            *self.unused_secrets,
        )
        password = self.database.password if isinstance(self.database, PostgresServer) else ""
        open_texts = (*self.supplier_phones, password)
        beside = (text for text in open_texts if len(text) >= _MASKED_FROM)
        return (*(secret.reveal() for secret in known), *beside)
