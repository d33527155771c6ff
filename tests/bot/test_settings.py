"""What the owner writes becomes settings, or one line per mistake and no secret in any of them."""

import copy
import os
import pickle
import traceback
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from bot.secrets import Secret
from bot.settings import SETTINGS, Settings, SettingsError, demo_settings, env_example
from bot.settings import read_settings as read
from providers.registry import adapters
from providers.settings import specs_of
from shop.payments import PaymentMethod, Refunds
from shop.qris import with_amount
from storage.address import SqliteFile

SELLING = {
    "TELEGRAM_TOKEN": "4242:canary-token",
    "ZULTOPUP_API_KEY": "canary-key",
    "ZULTOPUP_PHONE": "081234567890",
}
# What each supplier needs, and a little more: a setting beside it is then the only wrong one.
KNOWN_EVERYWHERE = {
    "ZULTOPUP_API_KEY": "key-zultopup",
    "ZULTOPUP_PHONE": "081234567890",
    "ZONEGAME_API_KEY": "key-zonegame",
    "SENPAY_API_KEY": "key-senpay",
    "SENPAY_SECRET_KEY": "secret-senpay",
    "KIOSGAME_API_KEY": "key-kiosgame",
    "APIGAMES_MERCHANT_ID": "M220718ABCD",
    "APIGAMES_SECRET_KEY": "key-apigames",
}
QRIS = (
    "00020101021126690017ID.CO.EXAMPLE.WWW011893600999000000000102150000000000000010303UMI"
    "51440014ID.CO.QRIS.WWW0215ID10200000000010303UMI5204581653033605802ID5911TOKO CONTOH"
    "6007JAKARTA6105101106304BB42"
)
DYNAMIC = with_amount(QRIS, 12_000)


def problems(environment: dict[str, str], dotenv: Path | None = None, **how: bool) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        read(environment, dotenv, **how)
    return list(caught.value.problems)


def written(folder: Path, text: str) -> Path:
    path = folder / ".env"
    path.write_text(text, encoding="utf-8")
    return path


# --- what comes out ---


def test_with_nothing_set_the_promised_defaults_hold():
    settings = read({}, None)
    assert settings.shop_name == "Lapak Top Up"
    assert (settings.language, settings.timezone) == ("id", ZoneInfo("Asia/Jakarta"))
    assert settings.owners == settings.suppliers == settings.secrets() == ()
    assert settings.database == SqliteFile(path=Path("lapak.db"))
    assert (settings.host, settings.port) == ("127.0.0.1", 8080)
    assert (settings.log_level, settings.log_format) == ("INFO", "text")
    assert settings.telegram_token is None
    assert settings.telegram_api_url == "https://api.telegram.org"
    assert settings.telegram_mode == "polling"
    assert (settings.telegram_webhook_secrets, settings.public_url) == ((), "")
    assert settings.support == settings.callback_url("zonegame") == ""
    assert settings.trusted_proxies == settings.callback_secrets == ()
    assert (settings.margin_bp, settings.margin_min, settings.price_round_to) == (500, 500, 100)
    assert (settings.order_ttl_minutes, settings.poll_seconds) == (15, 5)
    assert settings.low_balance == 50_000
    assert settings.payments == (PaymentMethod.DROPSHIP, PaymentMethod.WALLET)
    assert (settings.refunds, settings.qris_payload) == (Refunds.WALLET, "")
    assert (settings.wallet_min, settings.wallet_max) == (10_000, 2_000_000)


def test_everything_set_comes_out_typed():
    settings = read(
        {
            "LAPAK_SHOP_NAME": "Toko Mégã",
            "LAPAK_LANGUAGE": "EN",
            "LAPAK_TIMEZONE": "Asia/Makassar",
            "LAPAK_OWNERS": " telegram:12, whatsapp:+62812345678 ,telegram:12,",
            "LAPAK_DATABASE_URL": "sqlite:////srv/lapak/shop.db",
            "LAPAK_HOST": "::1",
            "LAPAK_PORT": " 65535 ",
            "LAPAK_LOG_LEVEL": "debug",
            "LAPAK_LOG_FORMAT": "json",
            "TELEGRAM_TOKEN": "42:new_text, 41:old-text",
            "TELEGRAM_API_URL": "http://[::1]:8081/",
            "TELEGRAM_MODE": "Webhook",
            "TELEGRAM_WEBHOOK_SECRET": f"{'N' * 256}, the-old_Secret-16",
            "LAPAK_PUBLIC_URL": "https://toko.example.id/shop/",
            "LAPAK_TRUSTED_PROXIES": "127.0.0.1, 10.0.0.0/8,fd00::/8",
            "LAPAK_CALLBACK_SECRET": f"{'c' * 16},{'O' * 128}",
            "LAPAK_SUPPLIERS": "zultopup",
            "ZULTOPUP_API_KEY": "new-key,old-key",
            "ZULTOPUP_PHONE": "+62812345678",
            "LAPAK_SUPPORT": "https://wa.me/62812?text=halo",
            "LAPAK_MARGIN_PERCENT": "0.07",
            "LAPAK_MARGIN_MIN": "0",
            "LAPAK_PRICE_ROUND_TO": "1",
            "LAPAK_ORDER_TTL_MINUTES": "1440",
            "LAPAK_POLL_SECONDS": "300",
            "LAPAK_LOW_BALANCE": "0",
            "LAPAK_PAYMENTS": " wallet,QRIS , dropship",
            "LAPAK_QRIS_PAYLOAD": f" {QRIS} ",
            "LAPAK_REFUNDS": "Manual",
            "LAPAK_WALLET_MIN": "10000000",
            "LAPAK_WALLET_MAX": "10000000",
        },
        None,
        selling=True,
    )
    assert (settings.language, settings.log_level) == ("en", "DEBUG")
    assert settings.owners == ("telegram:12", "whatsapp:+62812345678")
    assert settings.database == SqliteFile(path=Path("/srv/lapak/shop.db"))
    assert (settings.host, settings.port) == ("::1", 65535)
    assert settings.telegram_token == Secret("42:new_text")
    assert settings.telegram_mode == "webhook"
    assert settings.telegram_webhook_secrets == (Secret("N" * 256), Secret("the-old_Secret-16"))
    assert settings.public_url == "https://toko.example.id/shop"
    assert [str(each) for each in settings.trusted_proxies] == [
        *("127.0.0.1/32", "10.0.0.0/8", "fd00::/8")
    ]
    assert settings.callback_secrets == (Secret("c" * 16), Secret("O" * 128))
    assert settings.suppliers == settings.configured == ("zultopup",)
    assert settings.telegram_api_url == "http://[::1]:8081"
    assert settings.margin_bp == 7
    assert [type(method) for method in settings.payments] == [PaymentMethod] * 3
    assert settings.payments == ("wallet", "qris", "dropship")
    assert (settings.refunds, settings.qris_payload) == (Refunds.MANUAL, QRIS)
    assert settings.wallet_min == settings.wallet_max == 10_000_000
    assert settings.secrets() == (
        *("42:new_text", "41:old-text", "N" * 256, "the-old_Secret-16", "c" * 16, "O" * 128),
        *("new-key", "old-key", "+62812345678"),
    )
    assert settings.warnings == ()


@given(st.integers(0, 100_000))
def test_every_percentage_with_two_decimals_is_kept_exactly(points):
    settings = read({"LAPAK_MARGIN_PERCENT": f"{points // 100}.{points % 100:02}"}, None)
    assert settings.margin_bp == points


def test_the_environment_wins_over_the_file_and_blank_is_not_set(tmp_path):
    dotenv = written(tmp_path, "LAPAK_PORT=1111\nLAPAK_HOST='::1'\nLAPAK_SHOP_NAME=\nOTHER=1 # x\n")
    settings = read({"LAPAK_PORT": "2222", "LAPAK_HOST": "  "}, dotenv)
    assert (settings.port, settings.host, settings.shop_name) == (2222, "::1", "Lapak Top Up")


def test_a_missing_file_is_no_problem(tmp_path):
    assert read({}, tmp_path / ".env") == read({}, None)


def test_a_dollar_in_the_file_is_only_a_dollar(tmp_path):
    dotenv = written(tmp_path, "ZULTOPUP_API_KEY=a${HOME}b\nZULTOPUP_PHONE=081234567890\n")
    assert read({"HOME": "no"}, dotenv).of_suppliers["zultopup"].api_key() == ("a${HOME}b",)


def test_settings_never_change():
    with pytest.raises(ValueError, match="frozen"):
        read({}, None).port = 1


# --- what is refused ---

BAD = [
    ("LAPAK_SHOP_NAME", "a\nb", r'"a\nb" is not one line of at most 60 characters'),
    ("LAPAK_SHOP_NAME", "x\u202ey", r'"x\u202ey" is not one line of at most 60 characters'),
    ("LAPAK_LANGUAGE", "fr", '"fr" is not one of: id, en'),
    ("LAPAK_TIMEZONE", "WIB", '"WIB" is not a time zone'),
    ("LAPAK_TIMEZONE", "Asia", '"Asia" is not a time zone'),
    ("LAPAK_TIMEZONE", "../../etc/passwd", '"../../etc/passwd" is not a time zone'),
    ("LAPAK_OWNERS", "*", '"*" is a wildcard; name every owner'),
    ("LAPAK_OWNERS", "telegram:*", '"telegram:*" is a wildcard; name every owner'),
    ("LAPAK_OWNERS", "web:1", '"web:1" is a web owner, which exists in the demo only'),
    (
        "LAPAK_OWNERS",
        "telegram:-5",
        '"telegram:-5" is a group or a channel; an owner is a person, above 0',
    ),
    ("LAPAK_OWNERS", "telegram:0", '"telegram:0" is nobody; the id of a person is above 0'),
    ("LAPAK_OWNERS", "telegram:@budi", '"telegram:@budi" is a name; the numeric id is needed'),
    ("LAPAK_OWNERS", "12345", '"12345" is not telegram:<numeric id>'),
    ("LAPAK_OWNERS", "telegram:١٢", r'"telegram:\u0661\u0662" is not telegram:<numeric id>'),
    ("LAPAK_OWNERS", "telegram:", '"telegram:" is not telegram:<numeric id>'),
    ("LAPAK_OWNERS", "whatsapp:0", '"whatsapp:0" is nobody'),
    (
        "LAPAK_DATABASE_URL",
        "postgresql://u:pw@h",
        "is not postgresql://user:password@host:port/name",
    ),
    ("LAPAK_DATABASE_URL", "postgresql://u:pw@h/a/b", "is not postgresql://user:password@host:por"),
    ("LAPAK_DATABASE_URL", "postgres:x", "is not postgresql://user:password@host:port/name"),
    (
        "LAPAK_DATABASE_URL",
        "sqlite://lapak.db",
        "is neither sqlite:/// followed by the path of a file",
    ),
    ("LAPAK_DATABASE_URL", "sqlite:///", "is neither sqlite:/// followed by the path of a file"),
    ("LAPAK_DATABASE_URL", "mysql:///x", "is neither sqlite:/// followed by the path of a file"),
    ("LAPAK_DATABASE_URL", "sqlite:///:memory:", "a database in memory forgets every order"),
    ("LAPAK_DATABASE_URL", "sqlite:////tmp", '"/tmp" is a directory; name a file'),
    ("LAPAK_DATABASE_URL", "sqlite:///new/", '"new/" is a directory; name a file'),
    ("LAPAK_HOST", "http://x", '"http://x" is not an IP address or a host name'),
    ("LAPAK_HOST", "1.2.3", '"1.2.3" is not an IP address or a host name'),
    ("LAPAK_LOG_LEVEL", "LOUD", '"LOUD" is not one of: DEBUG, INFO, WARNING, ERROR, CRITICAL'),
    ("LAPAK_LOG_FORMAT", "xml", '"xml" is not one of: text, json'),
    ("TELEGRAM_MODE", "push", '"push" is not one of: polling, webhook'),
    ("TELEGRAM_WEBHOOK_SECRET", "x" * 257, "is not 1 to 256 characters out of A-Z, a-z, 0-9"),
    ("TELEGRAM_WEBHOOK_SECRET", "a b", "is not 1 to 256 characters out of A-Z, a-z, 0-9"),
    ("TELEGRAM_WEBHOOK_SECRET", "a:b", "is not 1 to 256 characters out of A-Z, a-z, 0-9"),
    ("TELEGRAM_WEBHOOK_SECRET", "kunci\u0661", "is not 1 to 256 characters out of A-Z, a-z, 0-9"),
    ("TELEGRAM_WEBHOOK_SECRET", "a,b,c", "is neither one value nor two separated by a comma"),
    ("TELEGRAM_WEBHOOK_SECRET", "32-random-letters-and-digits", "is the placeholder of an example"),
    ("LAPAK_PUBLIC_URL", "toko.id", '"toko.id" is not an https:// address'),
    ("LAPAK_PUBLIC_URL", "http://toko.id", "is http://, which is accepted for loopback only"),
    ("LAPAK_PUBLIC_URL", "https://toko.id/?a=b", "must not have a user name, a query or a fragm"),
    ("LAPAK_PUBLIC_URL", "https://u:p@toko.id", "must not have a user name, a query or a fragm"),
    ("TELEGRAM_TOKEN", "12345", "does not have the form <digits>:<text> of a token from @Bot"),
    ("TELEGRAM_TOKEN", "12:a/../b", "does not have the form <digits>:<text> of a token from @Bot"),
    ("TELEGRAM_TOKEN", "123456789:token-from-BotFather", "is the placeholder of an example"),
    ("TELEGRAM_TOKEN", "1:a,2:b,3:c", "is neither one value nor two separated by a comma"),
    ("TELEGRAM_TOKEN", "1:a,", "is neither one value nor two separated by a comma"),
    ("LAPAK_SUPPLIERS", "zonegame", "zonegame needs ZONEGAME_API_KEY, which is not set"),
    ("LAPAK_SUPPLIERS", "ZoneGame", '"ZoneGame" is not a supplier; did you mean zonegame?'),
    ("LAPAK_TRUSTED_PROXIES", "0.0.0.0/0", '"0.0.0.0/0" is every address there is; name the ones'),
    ("LAPAK_TRUSTED_PROXIES", "::/0", '"::/0" is every address there is; name the ones you mean'),
    ("LAPAK_TRUSTED_PROXIES", "10.0.0.1/8", '"10.0.0.1/8" is not an IP address or a network'),
    ("LAPAK_TRUSTED_PROXIES", "*", '"*" is not an IP address or a network'),
    ("LAPAK_TRUSTED_PROXIES", "10.0.0.1,", '"" is not an IP address or a network'),
    ("LAPAK_TRUSTED_PROXIES", "proxy.id", '"proxy.id" is not an IP address or a network'),
    ("LAPAK_CALLBACK_SECRET", "c" * 15, "is not 16 to 128 characters out of A-Z, a-z, 0-9, _ and"),
    ("LAPAK_CALLBACK_SECRET", "c" * 129, "is not 16 to 128 characters out of A-Z, a-z, 0-9, _ an"),
    ("LAPAK_CALLBACK_SECRET", f"{'c' * 16}/..", "is not 16 to 128 characters out of A-Z, a-z, 0"),
    ("LAPAK_CALLBACK_SECRET", f"{'c' * 16},{'d' * 15}", "is not 16 to 128 characters out of A-Z"),
    ("LAPAK_CALLBACK_SECRET", f"{'c' * 16},", "is neither one value nor two separated by a comma"),
    ("LAPAK_CALLBACK_SECRET", "16-or-more-letters-and-digits", "is the placeholder of an example"),
    ("LAPAK_SUPPLIERS", "zultop", '"zultop" is not a supplier; did you mean zultopup?'),
    ("LAPAK_SUPPLIERS", "zultopup", "zultopup needs ZULTOPUP_API_KEY, which is not set"),
    ("ZULTOPUP_API_KEY", "abc", "is shorter than 4 characters"),
    ("ZULTOPUP_API_KEY", "ab cd", "has blanks or characters outside ASCII in it"),
    ("ZULTOPUP_API_KEY", "kuncié", "has blanks or characters outside ASCII in it"),
    ("ZULTOPUP_API_KEY", "YOUR_KEY", "is the placeholder of an example, not a key"),
    ("ZULTOPUP_API_KEY", "key-from-your-dashboard", "is the placeholder of an example"),
    ("ZULTOPUP_API_KEY", "demo-key", "is the key of the demo"),
    ("ZULTOPUP_API_KEY", "a-key,", "is neither one value nor two separated by a comma"),
    ("ZULTOPUP_URL", "http://chestcloudx.my.id", "is http://, which is accepted for loopback only"),
    ("ZULTOPUP_URL", "http://localhost.evil.id", "is http://, which is accepted for loopback only"),
    ("ZULTOPUP_URL", "http://0x7f000001", "is http://, which is accepted for loopback only"),
    ("ZULTOPUP_URL", "http://[::ffff:127.0.0.1]", "is http://, which is accepted for loopback"),
    ("ZULTOPUP_URL", "https://u:pw@h.id", "must not have a user name, a query or a fragment in it"),
    ("ZULTOPUP_URL", "https://h.id/?apikey=x", "must not have a user name, a query or a fragment"),
    ("ZULTOPUP_URL", "https://h.id/#x", "must not have a user name, a query or a fragment in it"),
    ("ZULTOPUP_URL", "ftp://h.id", '"ftp://h.id" is not an https:// address'),
    ("ZULTOPUP_URL", "https://", '"https://" is not an https:// address'),
    ("ZULTOPUP_URL", "https://h.id:99999", '"https://h.id:99999" is not an https:// address'),
    ("TELEGRAM_API_URL", "api.telegram.org", '"api.telegram.org" is not an https:// address'),
    ("TELEGRAM_API_URL", "https://a\tb", r'"https://a\tb" is not an https:// address'),
    ("ZULTOPUP_TARGET_FORMAT", "{user_id}", "does not have {server_id} in it exactly once"),
    ("ZULTOPUP_TARGET_FORMAT", "{user_id}{user_id}{server_id}", "does not have {user_id} in it"),
    ("ZULTOPUP_TARGET_FORMAT", "{user_id}{server_id}{zone}", "more in it than the two fields"),
    ("ZULTOPUP_TARGET_FORMAT", "{user_id!r}{server_id}", "does not have {user_id} in it"),
    ("ZULTOPUP_TARGET_FORMAT", "{{user_id}}{server_id}", "more in it than the two fields"),
    ("ZULTOPUP_PHONE", "0812-345", "is not a phone number of 8 to 15 digits"),
    ("ZULTOPUP_PHONE", "1234567", "is not a phone number of 8 to 15 digits"),
    ("ZULTOPUP_DROPSHIP_PERCENT", "100.01", '"100.01" is not a percentage from 0 to 100 with'),
    ("LAPAK_SUPPORT", "ask me", '"ask me" is not an @name, a phone number or an https:// URL'),
    ("LAPAK_MARGIN_PERCENT", "-1", '"-1" is not a percentage from 0 to 1000 with at most two'),
    ("LAPAK_MARGIN_PERCENT", "2,5", '"2,5" is not a percentage from 0 to 1000 with at most two'),
    ("LAPAK_MARGIN_PERCENT", "2.555", '"2.555" is not a percentage from 0 to 1000 with at most'),
    ("LAPAK_MARGIN_PERCENT", "nan", '"nan" is not a percentage from 0 to 1000 with at most two'),
    ("LAPAK_MARGIN_MIN", "-1", '"-1" is not an amount of whole rupiah from 0 to 1000000000'),
    ("LAPAK_PRICE_ROUND_TO", "0", '"0" is not an amount of whole rupiah from 1 to 1000000'),
    ("LAPAK_ORDER_TTL_MINUTES", "1441", '"1441" is not a whole number of minutes from 1 to 1440'),
    ("LAPAK_POLL_SECONDS", "0", '"0" is not a whole number of seconds from 1 to 300'),
    ("LAPAK_LOW_BALANCE", "50.000", '"50.000" is not an amount of whole rupiah from 0 to'),
    ("LAPAK_PAYMENTS", "qriss,wallet", '"qriss" is not a way to pay; did you mean qris?'),
    (
        "LAPAK_PAYMENTS",
        "cash",
        '"cash" is not a way to pay; there are dropship, deposit, qris, wallet',
    ),
    ("LAPAK_PAYMENTS", "wallet,dropship,Wallet", 'has "wallet" in it twice; name every way to pay'),
    ("LAPAK_PAYMENTS", "wallet,,dropship", "has nothing between two commas, or at an end"),
    ("LAPAK_PAYMENTS", "wallet,", "has nothing between two commas, or at an end"),
    ("LAPAK_PAYMENTS", ",", "has nothing between two commas, or at an end"),
    ("LAPAK_REFUNDS", "cash", '"cash" is not one of: wallet, manual'),
    ("LAPAK_WALLET_MIN", "0", '"0" is not an amount of whole rupiah from 1 to 10000000'),
    ("LAPAK_WALLET_MIN", "10.000", '"10.000" is not an amount of whole rupiah from 1 to 10000000'),
    ("LAPAK_WALLET_MIN", "10000001", '"10000001" is not an amount of whole rupiah from 1 to 100'),
    ("LAPAK_WALLET_MAX", "0", '"0" is not an amount of whole rupiah from 1 to 10000000'),
    ("LAPAK_WALLET_MAX", "10000001", '"10000001" is not an amount of whole rupiah from 1 to 100'),
    ("LAPAK_WALLET_MAX", "9999", "9999 is below LAPAK_WALLET_MIN, which is 10000"),
    ("LAPAK_QRIS_PAYLOAD", QRIS[:-1], "is cut, or no QRIS at all; copy its text once more"),
    ("LAPAK_QRIS_PAYLOAD", QRIS.replace("TOKO", "TOKI"), "was changed or cut: its checksum is wr"),
    ("LAPAK_QRIS_PAYLOAD", f"'{QRIS}'", "is cut, or no QRIS at all; copy its text once more"),
    ("LAPAK_QRIS_PAYLOAD", DYNAMIC, "is not static: it was made for one payment; ask your bank"),
    ("LAPAK_PORT", "0", '"0" is not a port number from 1 to 65535'),
    ("LAPAK_PORT", "65536", '"65536" is not a port number from 1 to 65535'),
    *(
        ("LAPAK_PORT", word, " is not a port number from 1 to 65535")
        for word in ("1e3", "0x10", "٨٠", "True", "+80", "8_0", "80.0", "9" * 5000, "\ud800")
    ),
]


@pytest.mark.parametrize(("name", "text", "wrong"), BAD)
def test_s8_a_bad_setting_is_named_with_what_is_wrong_and_an_example(name, text, wrong):
    others = {"ZULTOPUP_PHONE": "081234567890"} if name == "ZULTOPUP_API_KEY" else {}
    (line,) = problems({**others, name: text})
    assert line.startswith(f"{name}: ")
    assert wrong in line
    assert f"; for example {name}=" in line
    assert line.isascii()
    assert line.isprintable()
    assert len(line) < 300


def test_s8_the_line_reads_like_this():
    assert problems({"LAPAK_PORT": "abc"}) == [
        'LAPAK_PORT: "abc" is not a port number from 1 to 65535; for example LAPAK_PORT=8080'
    ]


# Their examples are of nobody, or name a file.
MADE_UP = {"LAPAK_QRIS_PAYLOAD", "APIGAMES_PRODUCTS", "LAPAK_GAMES_FILE"}


def test_every_example_in_a_line_is_itself_right_but_for_the_placeholders():
    for setting in SETTINGS:
        if not setting.secret and setting.name not in MADE_UP:
            name, _, text = setting.shown_example.partition("=")
            assert read({**KNOWN_EVERYWHERE, name: text}, None)


def test_s8_all_problems_are_named_at_once(tmp_path):
    dotenv = written(tmp_path, "LAPAK_PROT=1\nLAPAK_HOST=a b\n\n\nLAPAK_LANGUAGE='unclosed\n")
    found = problems(
        {
            "LAPAK_PORT": "x",
            "LAPAK_OWNERS": "web:1,telegram:5,telegram:0",
            "ZULTOPUP_API_KEY": "abc",
        },
        dotenv,
        selling=True,
    )
    assert [line.partition(";")[0] for line in found] == [
        "ZULTOPUP_API_KEY: is shorter than 4 characters",
        'LAPAK_OWNERS: "web:1" is a web owner, which exists in the demo only',
        'LAPAK_OWNERS: "telegram:0" is nobody',
        'LAPAK_HOST: "a b" is not an IP address or a host name',
        'LAPAK_PORT: "x" is not a port number from 1 to 65535',
        ".env: line 5 cannot be understood",
        "LAPAK_PROT: is not a setting",
        "ZULTOPUP_PHONE: is not set, and ZulTopup takes no dropship order without it",
        "TELEGRAM_TOKEN: is not set, and there is no other way to reach the shop",
    ]


def test_s8_selling_needs_a_channel_and_a_supplier_and_looking_does_not():
    assert read({}, None)
    assert [line.partition(":")[0] for line in problems({}, None, selling=True)] == [
        "TELEGRAM_TOKEN",
        "ZULTOPUP_API_KEY",
    ]
    assert read(SELLING, None, selling=True).suppliers == ("zultopup",)


def test_s8_a_key_without_the_shops_phone_number_is_refused():
    (line,) = problems({"ZULTOPUP_API_KEY": "a-key"})
    assert line.startswith("ZULTOPUP_PHONE: is not set")


def test_the_shops_phone_number_is_needed_for_dropship_only():
    key = {"ZULTOPUP_API_KEY": "a-key"}
    settings = read({**key, "LAPAK_PAYMENTS": "deposit,wallet"}, None)
    assert settings.of_suppliers["zultopup"].phone == ""
    (line,) = problems({**key, "LAPAK_PAYMENTS": "deposit,DROPSHIP"})
    assert line.startswith("ZULTOPUP_PHONE: is not set")


def test_s8_every_way_to_pay_has_what_it_needs():
    found = problems({"LAPAK_PAYMENTS": "wallet,deposit,QRIS"})
    assert [line.partition(";")[0] for line in found] == [
        "LAPAK_QRIS_PAYLOAD: is not set, and LAPAK_PAYMENTS has qris in it",
        "ZULTOPUP_API_KEY: is not set, and LAPAK_PAYMENTS has deposit in it",
    ]
    enough = {"LAPAK_PAYMENTS": "qris,deposit", "LAPAK_QRIS_PAYLOAD": QRIS}
    assert read({**enough, "ZULTOPUP_API_KEY": "a-key"}, None).payments == ("qris", "deposit")


def test_the_owners_qris_is_shown_in_no_problem_and_no_settings():
    spoilt = {"LAPAK_QRIS_PAYLOAD": QRIS.replace("TOKO", "TOKI")}
    assert not [line for line in problems(spoilt) if "9360" in line or "CONTOH" in line]
    settings = read({"LAPAK_PAYMENTS": "qris,wallet", "LAPAK_QRIS_PAYLOAD": QRIS}, None)
    assert "CONTOH" not in f"{settings} {settings!r} {settings.warnings}"


def test_s8_the_smallest_top_up_is_not_above_the_largest():
    (line,) = problems({"LAPAK_WALLET_MIN": "50001", "LAPAK_WALLET_MAX": "50000"})
    assert line.startswith("LAPAK_WALLET_MAX: 50000 is below LAPAK_WALLET_MIN, which is 50001;")
    (line,) = problems({"LAPAK_WALLET_MIN": "2000001"})
    assert line.startswith("LAPAK_WALLET_MAX: 2000000 is below LAPAK_WALLET_MIN, which is 2000001;")
    assert read({"LAPAK_WALLET_MIN": "1", "LAPAK_WALLET_MAX": "1"}, None).wallet_max == 1


def test_s8_a_webhook_needs_an_address_and_a_secret_and_both_are_named_at_once():
    hook = {"TELEGRAM_MODE": "WEBHOOK"}
    address, secret = {"LAPAK_PUBLIC_URL": "https://a.id"}, {"TELEGRAM_WEBHOOK_SECRET": "s" * 16}
    found = problems(hook)
    assert [line.partition(";")[0] for line in found] == [
        f"{name}: is not set, and TELEGRAM_MODE=webhook needs it"
        for name in ("LAPAK_PUBLIC_URL", "TELEGRAM_WEBHOOK_SECRET")
    ]
    assert problems(hook | address) == found[1:]
    assert problems(hook | secret) == found[:1]
    assert read(hook | address | secret, None).telegram_mode == "webhook"
    assert read(address | secret, None).telegram_mode == "polling"


def test_an_address_on_this_machine_may_be_plain_http():
    assert read({"LAPAK_PUBLIC_URL": "http://127.0.0.1:8443/"}, None).public_url == (
        "http://127.0.0.1:8443"
    )


def test_s8_the_same_text_as_token_and_as_key_is_refused():
    found = problems({**SELLING, "ZULTOPUP_API_KEY": SELLING["TELEGRAM_TOKEN"]})
    assert [line.partition(";")[0] for line in found] == [
        "TELEGRAM_TOKEN: is the same as ZULTOPUP_API_KEY"
    ]


def test_the_key_of_the_demo_is_good_enough_for_a_simulator_on_this_machine():
    here = {"ZULTOPUP_API_KEY": "demo-key", "ZULTOPUP_URL": "http://localhost:9000/zultopup"}
    assert read({**SELLING, **here}, None)


def test_an_unknown_name_in_the_file_is_refused_with_a_suggestion(tmp_path):
    dotenv = written(
        tmp_path,
        "LAPAK_SHOPNAME=x\ntelegram_token=1:canary\nSENPAY_KEY=canary\nKIOSGAME_QQQQ=\nPATH=x\n",
    )
    assert problems({}, dotenv) == [
        "KIOSGAME_QQQQ: is not a setting; .env.example lists every one",
        "LAPAK_SHOPNAME: is not a setting; did you mean LAPAK_SHOP_NAME?",
        "SENPAY_KEY: is not a setting; did you mean SENPAY_API_KEY?",
        "telegram_token: is not a setting; did you mean TELEGRAM_TOKEN?",
    ]


def test_in_the_environment_only_our_own_prefix_matters():
    foreign = {"TELEGRAM_CHAT": "1", "WHATSAPP_X": "1", "ZULTOPUP_X": "1", "HOME": "/"}
    assert read(foreign, None)
    (line,) = problems({**foreign, "LAPAK_POOL_SECONDS": "5"})
    assert line == "LAPAK_POOL_SECONDS: is not a setting; did you mean LAPAK_POLL_SECONDS?"


@pytest.mark.parametrize(
    ("content", "wrong"),
    [
        (b"LAPAK_PORT=\xff\xfe\n", ".env: is not a text in UTF-8; save it as UTF-8"),
        (b"\n\nLAPAK_PORT='80\n", ".env: line 3 cannot be understood"),
    ],
)
def test_a_file_that_cannot_be_understood_is_said_so(tmp_path, content, wrong):
    (tmp_path / ".env").write_bytes(content)
    (line,) = problems({}, tmp_path / ".env")
    assert line.startswith(wrong)


def test_a_folder_in_place_of_the_file_is_said_so(tmp_path):
    (line,) = problems({}, tmp_path)
    assert "cannot be read (Is a directory)" in line


@given(st.dictionaries(st.sampled_from([s.name for s in SETTINGS]), st.text()))
def test_any_text_gives_settings_or_printable_problems(texts):
    found: tuple[str, ...] = ()
    try:
        read(texts, None)
    except SettingsError as error:
        found = error.problems
    assert all(line.isprintable() and line.isascii() for line in found)


# --- the owner's games ---

GAME = """
[[game]]
slug = "blood-strike"
title = "Blood Strike"
ask = "number"
example = "1234567890"
where.id = "Di profil."
"""
GOODS = """
[goods.blood-strike]
units = [{ slug = "gold", title = "Golds", names = ["gold"] }]
"""


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_the_owners_games_are_read_once_at_the_start(mark, tmp_path):
    path = tmp_path / "games.toml"
    path.write_bytes(mark + f"# Permainan \u2728\n{GAME}{GOODS}".encode())
    settings = read({"LAPAK_GAMES_FILE": f" {path} "}, None)
    path.unlink()
    assert settings.games_text == f"# Permainan \u2728\n{GAME}{GOODS}"
    assert "Permainan" not in repr(settings)


def test_without_a_file_there_are_no_games_of_the_owners():
    assert read({}, None).games_text == read({"LAPAK_GAMES_FILE": " "}, None).games_text == ""


@pytest.mark.parametrize(
    ("content", "wrong"),
    [
        (None, "is not there, or is no file"),
        (b"\xff\xfe", "is not UTF-8; save it as UTF-8"),
        (b"#" * ((1 << 20) + 1), "has more than 1 MiB in it; it is no file of games"),
        (b"slug =", "cannot be used: no TOML: Invalid value (at end of document)"),
        (b"[[games]]", "cannot be used: games: is no key; there are game, goods"),
        ("[[game]]\nslug = 'é'".encode(), "cannot be used: game 1 of the file: slug: is not 2 to"),
        (b'[[game]]\nslug = "free-fire"\naliases = ["ml"]', "aliases: 'ml' is a name of mobile-le"),
        (
            b'[[game]]\nslug = "free-fire"\ntargets.zultop = "{user_id}"',
            "cannot be used: game free-fire: zultop is not a supplier; did you mean zultopup?",
        ),
        (
            b'[[game]]\nslug = "genshin-impact"\nservers = [{ code = "os_asia", codes.x2 = "1" }]',
            "cannot be used: game genshin-impact: x2 is not a supplier",
        ),
        (b"goods = 5", "cannot be used: goods is not a table"),
        (b"[goods.free-fire]\nunit = []", "cannot be used: goods.free-fire: "),
        (
            '[goods.free-fire]\n"\\n\u00e9\\u202e" = []'.encode(),
            "cannot be used: goods.free-fire: ",
        ),
    ],
)
def test_s8_a_games_file_that_cannot_be_used_is_said_so_with_all_else(content, wrong, tmp_path):
    path = tmp_path / "g.toml"
    if content is not None:
        path.write_bytes(content)
    line, other = problems({"LAPAK_GAMES_FILE": str(path), "LAPAK_PORT": "x"})
    assert line.startswith(f'LAPAK_GAMES_FILE: "{str(path)[:40]}')
    assert wrong in line
    assert line.endswith("; for example LAPAK_GAMES_FILE=/etc/lapak/games.toml")
    assert line.isascii()
    assert line.isprintable()
    assert len(line) < 340
    assert other.startswith("LAPAK_PORT: ")


def test_s8_what_is_no_file_is_not_waited_for(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for path in (tmp_path, pipe, "a\0b", "g" * 5000, "/dev/zero"):
        (line,) = problems({"LAPAK_GAMES_FILE": str(path)})
        assert line.startswith("LAPAK_GAMES_FILE: ")


def test_s8_a_games_file_that_may_not_be_read_is_said_so(tmp_path, monkeypatch):
    path = written(tmp_path, GAME)

    def forbidden(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", forbidden)  # root may read everything
    (line,) = problems({"LAPAK_GAMES_FILE": str(path)})
    assert "cannot be read" in line


# --- what is only warned of ---


def test_a_setting_of_a_later_version_only_warns():
    later = {"WHATSAPP_API_URL": "x", "WHATSAPP_TOKEN": "t" * 9, "SENPAY_URL": " "}
    settings = read({**later, "LAPAK_OWNERS": "telegram:1", "LAPAK_SUPPORT": "@me"}, None)
    assert settings.warnings == (
        "WHATSAPP_TOKEN has no effect in this version",
        "WHATSAPP_API_URL has no effect in this version",
    )
    assert "t" * 9 in settings.secrets()


@pytest.mark.parametrize(
    ("texts", "warned"),
    [
        ({"LAPAK_OWNERS": ""}, "LAPAK_OWNERS is not set: "),
        ({"LAPAK_OWNERS": "whatsapp:62812345"}, "LAPAK_OWNERS names no telegram: owner: "),
        ({"LAPAK_SUPPORT": ""}, "LAPAK_SUPPORT is not set: "),
        ({"TELEGRAM_WEBHOOK_SECRET": "f" * 15}, "TELEGRAM_WEBHOOK_SECRET is shorter than 16 "),
        (
            {"TELEGRAM_WEBHOOK_SECRET": f"{'n' * 16},short"},
            "TELEGRAM_WEBHOOK_SECRET is shorter than 16 ",
        ),
        ({"TELEGRAM_TOKEN": "7:x"}, "LAPAK_OWNERS names the bot itself: "),
        (
            {"LAPAK_PAYMENTS": "deposit,wallet", "ZULTOPUP_API_KEY": "a-key"},
            "LAPAK_PAYMENTS has deposit in it: what customers pay that way becomes your ZulTopup ",
        ),
        ({"LAPAK_QRIS_PAYLOAD": QRIS}, "LAPAK_QRIS_PAYLOAD has no effect: LAPAK_PAYMENTS is witho"),
        (
            {
                "LAPAK_PAYMENTS": "QRIS,dropship",
                "LAPAK_QRIS_PAYLOAD": QRIS,
                "LAPAK_REFUNDS": "Wallet",
            },
            "LAPAK_REFUNDS is wallet and LAPAK_PAYMENTS is without wallet: ",
        ),
    ],
)
def test_what_is_unwise_only_warns(texts, warned):
    (line,) = read({"LAPAK_OWNERS": "telegram:7", "LAPAK_SUPPORT": "@me", **texts}, None).warnings
    assert line.startswith(warned)


@pytest.mark.parametrize(
    "texts",
    [
        {"LAPAK_PAYMENTS": "dropship"},  # always refunded by hand: no credit
        {
            "LAPAK_PAYMENTS": "qris",
            "LAPAK_QRIS_PAYLOAD": QRIS,
            "LAPAK_REFUNDS": "MANUAL",
        },
        {"LAPAK_PAYMENTS": "qris,wallet", "LAPAK_QRIS_PAYLOAD": QRIS},
    ],
)
def test_where_no_credit_is_lost_nothing_is_said_about_it(texts):
    assert (
        read({"LAPAK_OWNERS": "telegram:7", "LAPAK_SUPPORT": "@me", **texts}, None).warnings == ()
    )


# --- the demo ---


def test_the_demo_knows_nothing_of_the_outside_and_speaks_to_loopback_only(tmp_path, monkeypatch):
    monkeypatch.setenv("LAPAK_SHOP_NAME", "outside")
    monkeypatch.chdir(tmp_path)
    written(tmp_path, "LAPAK_SHOP_NAME=outside\n")
    demo = demo_settings(tmp_path / "a?b", 8123)
    assert (demo.shop_name, demo.owners, demo.support) == (
        "Lapak Demo",
        ("web:owner",),
        "@lapak_demo",
    )
    assert (demo.host, demo.port, demo.poll_seconds) == ("127.0.0.1", 8123, 2)
    assert demo.of_suppliers["zultopup"].target_format == "{user_id}{server_id}"
    assert demo.database == SqliteFile(path=tmp_path / "a?b" / "lapak.db")
    assert demo.telegram_token is None
    assert demo.suppliers == ("zultopup", "zonegame", "senpay", "kiosgame", "apigames")
    for slug in demo.suppliers:
        assert demo.of_suppliers[slug].url == f"http://127.0.0.1:8123/{slug}"
        assert demo.callback_url(slug) == f"http://127.0.0.1:8123/callbacks/{slug}"
    for slug in ("senpay", "kiosgame", "apigames"):
        (network,) = demo.of_suppliers[slug].callback_ips
        assert network.is_loopback
    assert set(demo.secrets()) == {"demo-key", "081200000000"}
    assert (set(demo.payments), demo.refunds) == (set(PaymentMethod), Refunds.WALLET)
    assert demo.qris_payload == QRIS
    assert (demo.wallet_min, demo.wallet_max) == (10_000, 2_000_000)
    assert demo.warnings == ()


def test_the_demo_on_an_impossible_port_is_a_mistake_in_the_settings(tmp_path):
    with pytest.raises(SettingsError, match="LAPAK_PORT"):
        demo_settings(tmp_path, 0)


# --- secrets ---

PLANTED = {
    "TELEGRAM_TOKEN": "4242:canary-new-token,41:canary-old-token",
    "ZULTOPUP_API_KEY": "canary-new-key,canary-old-key",
    "ZULTOPUP_PHONE": "0812555555",
    "LAPAK_CALLBACK_SECRET": "canary-callback-new,canary-callback-old",
    "TELEGRAM_WEBHOOK_SECRET": "canary-webhook",
    "WHATSAPP_TOKEN": "canary-whatsapp",
    "WHATSAPP_APP_SECRET": "canary-app",
    "WHATSAPP_VERIFY_TOKEN": "canary-verify",
    "ZONEGAME_API_KEY": "canary-zonegame,canary-old-zonegame",
    "SENPAY_API_KEY": "canary-senpay,canary-old-senpay",
    "SENPAY_SECRET_KEY": "canary-senpay-secret",
    "KIOSGAME_API_KEY": "canary-kiosgame,canary-old-kiosgame",
    "APIGAMES_SECRET_KEY": "canary-apigames,canary-old-apigames",
}


def leaks(text: str) -> bool:
    return "canary" in text or "0812555555" in text


def test_s1_settings_with_secrets_show_none_of_them():
    settings = read(PLANTED | {"APIGAMES_MERCHANT_ID": "M1"}, None)
    shown = f"{settings!r} {settings} {settings.telegram_token} {settings.of_suppliers!r}"
    assert not leaks(shown + repr(settings.supplier_secrets))
    assert not leaks(" ".join(settings.warnings))
    assert set(settings.secrets()) == {
        part for text in PLANTED.values() for part in text.split(",")
    }


@pytest.mark.parametrize("spoil", ["", " canary", ",canary,canary", "é-canary", "\n/canary"])
@pytest.mark.parametrize("name", PLANTED)
def test_s1_no_mistake_shows_a_secret(name, spoil, tmp_path):
    text = PLANTED[name].partition(",")[0] + spoil
    dotenv = written(tmp_path, f"LAPAK_PORT='canary\nLAPAK_X=canary\nZULTOPUP_KEY={text!r}\n")
    # A phone number is personal, but may rightly stand in other settings, LAPAK_SUPPORT first.
    everywhere = {} if name == "ZULTOPUP_PHONE" else {setting.name: text for setting in SETTINGS}
    for environment in ({**PLANTED, name: text, "LAPAK_PORT": "x"}, {**everywhere, **PLANTED}):
        with pytest.raises(SettingsError) as caught:
            read(environment, dotenv)
        # The last line of a traceback only: the ones above quote this very test.
        assert not leaks("".join(traceback.format_exception_only(caught.value)))
        assert caught.value.__context__ is None
        assert caught.value.__cause__ is None


def test_s1_a_secret_in_the_wrong_setting_is_refused_unseen():
    token = "42:canary-canary-canary"
    (line,) = problems({**SELLING, "TELEGRAM_TOKEN": token, "LAPAK_SHOP_NAME": f"x {token}"})
    assert line.startswith("LAPAK_SHOP_NAME: has the text of a secret setting in it;")
    assert not leaks(line)


def test_s1_a_token_in_the_wrong_setting_is_not_repeated():
    (line,) = problems({"LAPAK_PORT": "123456789:canary-canary-canary-canary"})
    assert not leaks(line)


def test_s1_a_secret_shows_itself_to_reveal_only():
    secret = Secret("canary")
    assert secret.reveal() == "canary"
    for shown in (str(secret), repr(secret), f"{secret:>20}", f"{secret!s}{[secret]}"):
        assert not leaks(shown)
    assert secret == Secret("canary")
    assert secret != Secret("other")
    assert secret != "canary"
    assert len({secret, Secret("canary"), copy.deepcopy(secret), copy.copy(secret)}) == 1
    assert not hasattr(secret, "__dict__")


def test_s1_a_secret_cannot_be_changed_emptied_or_written_down():
    secret = Secret("canary")
    with pytest.raises(AttributeError):
        secret.text = "x"
    with pytest.raises(AttributeError):
        del secret._Secret__text
    with pytest.raises(TypeError):
        pickle.dumps(secret)
    with pytest.raises(ValueError, match="empty"):
        Secret("")


def test_s1_a_pydantic_model_dumps_a_secret_hidden():
    class Holder(BaseModel):
        key: Secret

    holder = Holder(key=Secret("canary"))
    assert not leaks(f"{holder!r}{holder.model_dump()}{holder.model_dump_json()}")


def test_the_model_and_the_table_name_the_same_settings():
    aliases = {field.alias for field in Settings.model_fields.values() if field.alias}
    declared = {
        f"{slug}_{name}".upper()
        for slug, adapter in adapters().items()
        for name in specs_of(adapter.settings_type)
    }
    assert aliases | declared == {setting.name for setting in SETTINGS}
    assert len(aliases) + len(declared) == len(SETTINGS)


def test_the_example_has_every_setting():
    assert all(f"\n{setting.name}={setting.default}\n" in env_example() for setting in SETTINGS)
