"""The settings as one typed value: which field holds which setting, and of what type it is."""

from pydantic import BaseModel, ConfigDict, Field

from bot.secrets import Secret
from bot.settings import addresses, values
from storage.address import PostgresServer

_MASKED_FROM = 4  # characters; a shorter text stands in many a log line by chance


class Settings(BaseModel):
    """Everything the owner can set, checked and typed; never changes.

    Money is whole rupiah, ``…_bp`` are hundredths of a percent, a text that is not set is empty.
    ``zultopup_target_format`` is for ``str.format`` with ``user_id`` and ``server_id``.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    shop_name: values.ShopName = Field(alias="LAPAK_SHOP_NAME")
    language: values.Language = Field(alias="LAPAK_LANGUAGE")
    timezone: values.Timezone = Field(alias="LAPAK_TIMEZONE")
    owners: values.Owners = Field(alias="LAPAK_OWNERS")
    support: values.Contact = Field(alias="LAPAK_SUPPORT")

    telegram_tokens: values.Tokens = Field(alias="TELEGRAM_TOKEN")
    telegram_api_url: addresses.Url = Field(alias="TELEGRAM_API_URL")
    telegram_mode: values.TelegramMode = Field(alias="TELEGRAM_MODE")
    telegram_webhook_secrets: values.WebhookSecrets = Field(alias="TELEGRAM_WEBHOOK_SECRET")

    preferred_suppliers: values.Suppliers = Field(alias="LAPAK_SUPPLIERS")
    zultopup_api_keys: values.ApiKeys = Field(alias="ZULTOPUP_API_KEY")
    zultopup_url: addresses.Url = Field(alias="ZULTOPUP_URL")
    zultopup_target_format: values.TargetFormat = Field(alias="ZULTOPUP_TARGET_FORMAT")
    zultopup_phone: values.Phone = Field(alias="ZULTOPUP_PHONE", repr=False)
    zultopup_dropship_bp: values.Dropship = Field(alias="ZULTOPUP_DROPSHIP_PERCENT")

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
    log_level: values.LogLevel = Field(alias="LAPAK_LOG_LEVEL")
    log_format: values.LogFormat = Field(alias="LAPAK_LOG_FORMAT")

    warnings: tuple[str, ...] = ()
    unused_secrets: tuple[Secret, ...] = Field(default=(), repr=False)
    """Secrets of later versions: never used, and kept out of the logs all the same."""

    @property
    def telegram_token(self) -> Secret | None:
        """The token to use, or ``None``: the channel is off."""
        return self.telegram_tokens[0] if self.telegram_tokens else None

    @property
    def zultopup_api_key(self) -> Secret | None:
        """The key that signs, or ``None``: nothing is bought at ZulTopup."""
        return self.zultopup_api_keys[0] if self.zultopup_api_keys else None

    @property
    def suppliers(self) -> tuple[str, ...]:
        """Slugs of the suppliers to buy at, the preferred one first; each has its key."""
        with_key = ("zultopup",) if self.zultopup_api_keys else ()
        return self.preferred_suppliers or with_key

    def secrets(self) -> tuple[str, ...]:
        """Give every text that no log line may show; the shop's phone number is one of them."""
        known = (
            *self.telegram_tokens,
            *self.telegram_webhook_secrets,
            *self.zultopup_api_keys,
            *self.unused_secrets,
        )
        password = self.database.password if isinstance(self.database, PostgresServer) else ""
        beside = (text for text in (self.zultopup_phone, password) if len(text) >= _MASKED_FROM)
        return (*(secret.reveal() for secret in known), *beside)
