"""What the owner writes about suppliers: each one's own settings, and who is bought from."""

from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from urllib.parse import quote

import pytest

from bot.logs import redactor
from bot.settings import SETTINGS, Settings, SettingsError
from bot.settings import read_settings as read
from bot.settings.table import NEEDED_BY, OF_SUPPLIERS
from providers.registry import adapters

SLUGS = ("apigames", "kiosgame", "senpay", "zonegame", "zultopup")  # as the alphabet has them
KEYS: Mapping[str, Mapping[str, str]] = {
    "zultopup": {"ZULTOPUP_API_KEY": "key-zultopup", "ZULTOPUP_PHONE": "081234567890"},
    "zonegame": {"ZONEGAME_API_KEY": "key-zonegame"},
    "senpay": {"SENPAY_API_KEY": "key-senpay", "SENPAY_SECRET_KEY": "secret-senpay"},
    "kiosgame": {"KIOSGAME_API_KEY": "key-kiosgame"},
    "apigames": {"APIGAMES_MERCHANT_ID": "M220718ABCD", "APIGAMES_SECRET_KEY": "key-apigames"},
}
ALL = {name: text for each in KEYS.values() for name, text in each.items()}
SECRETS = sorted(
    setting.name for each in OF_SUPPLIERS.values() for setting, _ in each.values() if setting.secret
)
NETWORKS = ("SENPAY_CALLBACK_IPS", "KIOSGAME_CALLBACK_IPS", "APIGAMES_CALLBACK_IPS")


def problems(texts: Mapping[str, str], **how: bool) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        read(texts, None, **how)
    return list(caught.value.problems)


def beginnings(lines: list[str]) -> list[str]:
    return [line.partition(";")[0] for line in lines]


def of(settings: Settings, slug: str) -> dict[str, object]:
    """A supplier's settings with secrets revealed and networks as they are written."""
    fields: dict[str, object] = {}
    for name in OF_SUPPLIERS[slug]:
        value = getattr(settings.of_suppliers[slug], name)
        match value:
            case tuple():
                fields[name] = [str(each) for each in value]
            case _ if callable(value):
                fields[name] = list(value())
            case _:
                fields[name] = value
    return fields


# --- what comes out ---


def test_every_supplier_has_the_promised_defaults() -> None:
    settings = read({}, None)
    assert {slug: of(settings, slug) for slug in SLUGS} == {
        "zultopup": {
            "api_key": [],
            "url": "https://chestcloudx.my.id",
            "target_format": "",
            "phone": "",
            "dropship_percent": 1200,
        },
        "zonegame": {"api_key": [], "url": "https://api.zonegame.store"},
        "senpay": {
            "api_key": [],
            "secret_key": [],
            "url": "https://senpay.id",
            "callback_ips": ["206.189.83.1/32"],
        },
        "kiosgame": {
            "api_key": [],
            "url": "https://api.kiosgameindonesia.com",
            "protocol": "json",
            "callback_ips": ["206.189.46.211/32"],
        },
        "apigames": {
            "merchant_id": "",
            "secret_key": [],
            "url": "https://v1.apigames.id",
            "products": None,
            "callback_ips": ["157.245.207.5/32"],
        },
    }
    assert settings.configured == settings.suppliers == ()


def test_everything_set_comes_out_typed(tmp_path: Path) -> None:
    products = tmp_path / "daftar harga.csv"
    products.write_text("code,game,name,price\n")
    settings = read(
        {
            "ZULTOPUP_API_KEY": "new-zultopup,old-zultopup",
            "ZULTOPUP_URL": "http://127.8.9.1:9000/zultopup/",
            "ZULTOPUP_TARGET_FORMAT": "{server_id}|{user_id}",
            "ZULTOPUP_PHONE": "+62812345678",
            "ZULTOPUP_DROPSHIP_PERCENT": "2.5",
            "ZONEGAME_API_KEY": "new-zonegame,old-zonegame",
            "ZONEGAME_URL": "https://example.id/zone/",
            "SENPAY_API_KEY": "new-senpay , old-senpay",
            "SENPAY_SECRET_KEY": "new-secret,old-secret",
            "SENPAY_URL": "http://[::1]:1",
            "SENPAY_CALLBACK_IPS": "127.0.0.1, 10.0.0.0/8,fd00::/8",
            "KIOSGAME_API_KEY": "k" * 500,
            "KIOSGAME_URL": "http://localhost",
            "KIOSGAME_PROTOCOL": "Otomax",
            "KIOSGAME_CALLBACK_IPS": "192.0.2.1",
            "APIGAMES_MERCHANT_ID": "M-1_a.b",
            "APIGAMES_SECRET_KEY": "$ecr3t#'\"\\",
            "APIGAMES_URL": "https://127.0.0.1",
            "APIGAMES_PRODUCTS": f" {products} ",
            "APIGAMES_CALLBACK_IPS": "::1",
        },
        None,
    )
    assert {slug: of(settings, slug) for slug in SLUGS} == {
        "zultopup": {
            "api_key": ["new-zultopup", "old-zultopup"],
            "url": "http://127.8.9.1:9000/zultopup",
            "target_format": "{server_id}|{user_id}",
            "phone": "+62812345678",
            "dropship_percent": 250,
        },
        "zonegame": {"api_key": ["new-zonegame", "old-zonegame"], "url": "https://example.id/zone"},
        "senpay": {
            "api_key": ["new-senpay", "old-senpay"],
            "secret_key": ["new-secret", "old-secret"],
            "url": "http://[::1]:1",
            "callback_ips": ["127.0.0.1/32", "10.0.0.0/8", "fd00::/8"],
        },
        "kiosgame": {
            "api_key": ["k" * 500],
            "url": "http://localhost",
            "protocol": "otomax",
            "callback_ips": ["192.0.2.1/32"],
        },
        "apigames": {
            "merchant_id": "M-1_a.b",
            "secret_key": ["$ecr3t#'\"\\"],
            "url": "https://127.0.0.1",
            "products": products,
            "callback_ips": ["::1/128"],
        },
    }
    assert settings.suppliers == SLUGS


def test_the_adapters_are_the_suppliers_of_the_settings() -> None:
    assert tuple(OF_SUPPLIERS) == tuple(adapters()) == SLUGS
    for slug, adapter in adapters().items():
        assert isinstance(read({}, None).of_suppliers[slug], adapter.settings_type)


@pytest.mark.parametrize("slug", SLUGS)
def test_a_supplier_with_what_it_needs_is_bought_from(slug: str) -> None:
    settings = read(KEYS[slug], None)
    assert settings.suppliers == settings.configured == (slug,)
    assert set(NEEDED_BY[slug]) <= KEYS[slug].keys()


@pytest.mark.parametrize(
    "wanted", ["zonegame,senpay,zultopup,kiosgame,apigames", " senpay , zonegame,", "kiosgame"]
)
def test_the_owners_order_of_suppliers_is_kept_and_who_is_not_in_it_is_not_bought_from(
    wanted: str,
) -> None:
    settings = read(ALL | {"LAPAK_SUPPLIERS": wanted}, None)
    assert settings.suppliers == tuple(part.strip() for part in wanted.split(",") if part.strip())
    assert settings.configured == SLUGS


def test_without_an_order_it_is_every_supplier_with_a_key() -> None:
    texts = {**KEYS["senpay"], **KEYS["kiosgame"], **KEYS["zultopup"]}
    assert read(texts, None).suppliers == ("kiosgame", "senpay", "zultopup")


def test_a_supplier_named_twice_is_one() -> None:
    settings = read(ALL | {"LAPAK_SUPPLIERS": "senpay,zonegame,senpay"}, None)
    assert settings.suppliers == ("senpay", "zonegame")


@pytest.mark.parametrize("slug", sorted(set(SLUGS) - {"zultopup"}))
def test_any_one_supplier_is_enough_to_sell(slug: str) -> None:
    assert read({**KEYS[slug], "TELEGRAM_TOKEN": "4242:token"}, None, selling=True).suppliers


# --- addresses for callbacks ---


def test_callbacks_are_asked_for_only_where_they_can_arrive() -> None:
    assert {read(ALL, None).callback_url(slug) for slug in SLUGS} == {""}
    public = {"LAPAK_PUBLIC_URL": "https://toko.id/shop/"}
    assert read(public, None).callback_url("senpay") == "https://toko.id/shop/callbacks/senpay"


def test_the_new_one_of_two_callback_secrets_is_what_suppliers_are_told() -> None:
    secrets = {"LAPAK_CALLBACK_SECRET": f"{'new-' * 4},{'old-' * 4}"}
    settings = read({"LAPAK_PUBLIC_URL": "https://toko.id", **secrets}, None)
    assert settings.callback_url("kiosgame") == f"https://toko.id/callbacks/kiosgame/{'new-' * 4}"
    assert [each.reveal() for each in settings.callback_secrets] == ["new-" * 4, "old-" * 4]


# --- what is refused ---

BAD = [
    ("ZONEGAME_API_KEY", "abc", "is shorter than 4 characters"),
    ("SENPAY_API_KEY", "ab cd", "has blanks or characters outside ASCII in it"),
    ("SENPAY_SECRET_KEY", "kuncié", "has blanks or characters outside ASCII in it"),
    ("KIOSGAME_API_KEY", "changeme", "is the placeholder of an example, not a key"),
    ("KIOSGAME_API_KEY", "key-from-your-dashboard", "is the placeholder of an example, not a key"),
    (
        "SENPAY_SECRET_KEY",
        "SECRET-from-your-profile",
        "is the placeholder of an example, not a key",
    ),
    ("APIGAMES_SECRET_KEY", "one,two,three", "is neither one value nor two separated by a comma"),
    ("APIGAMES_SECRET_KEY", "one-key,", "is neither one value nor two separated by a comma"),
    ("ZONEGAME_API_KEY", "new-key,abc", "is shorter than 4 characters"),
    (
        "ZONEGAME_URL",
        "http://api.zonegame.store",
        "is http://, which is accepted for loopback only",
    ),
    ("SENPAY_URL", "senpay.id", '"senpay.id" is not an https:// address'),
    ("KIOSGAME_URL", "https://x.id/?memberID=1&pin=2", "must not have a user name, a query or a"),
    ("APIGAMES_URL", "https://u:p@v1.apigames.id", "must not have a user name, a query or a frag"),
    ("KIOSGAME_PROTOCOL", "xml", '"xml" is not one of: json, otomax'),
    ("KIOSGAME_PROTOCOL", "json,otomax", '"json,otomax" is not one of: json, otomax'),
    ("APIGAMES_MERCHANT_ID", "M 1", '"M 1" is not one word of letters, digits, _, . and -'),
    ("APIGAMES_MERCHANT_ID", "M1/../x", '"M1/../x" is not one word of letters, digits, _, . and'),
    ("APIGAMES_MERCHANT_ID", "M" * 61, "is not one word of letters, digits, _, . and -"),
    ("APIGAMES_PRODUCTS", "/nowhere/a.csv", '"/nowhere/a.csv" is not a file that can be read'),
    ("APIGAMES_PRODUCTS", "/", '"/" is not a file that can be read'),
    ("APIGAMES_PRODUCTS", "a\0b", r'"a\u0000b" is not a file that can be read'),
    *((name, "0.0.0.0/0", '"0.0.0.0/0" is every address there is; name the') for name in NETWORKS),
    *((name, "1.2.3.4,::/0", '"::/0" is every address there is; name the o') for name in NETWORKS),
    *((name, "*", '"*" is not an IP address or a network') for name in NETWORKS),
    *((name, "10.0.0.1/8", '"10.0.0.1/8" is not an IP address or a netw') for name in NETWORKS),
    *((name, "senpay.id", '"senpay.id" is not an IP address or a networ') for name in NETWORKS),
]


@pytest.mark.parametrize(("name", "text", "wrong"), BAD)
def test_s8_a_bad_setting_is_named_with_what_is_wrong_and_an_example(
    name: str, text: str, wrong: str
) -> None:
    (line,) = problems(ALL | {name: text})
    assert line.startswith(f"{name}: ")
    assert wrong in line
    assert f"; for example {name}=" in line
    assert line.isascii()
    assert line.isprintable()


@pytest.mark.parametrize("slug", [slug for slug in SLUGS if len(NEEDED_BY[slug]) > 1])
def test_s8_half_of_what_a_supplier_needs_is_not_enough(slug: str) -> None:
    first, second = NEEDED_BY[slug]
    for there, missing in ((first, second), (second, first)):
        texts = {there: ALL[there]}
        assert beginnings(problems(texts)) == [f"{missing}: is not set, and {there} is"]
        assert beginnings(problems(texts | {"LAPAK_SUPPLIERS": slug})) == [
            f"LAPAK_SUPPLIERS: {slug} needs {missing}, which is not set"
        ]


def test_s8_every_supplier_that_is_named_and_not_known_is_told_at_once() -> None:
    lines = problems({"LAPAK_SUPPLIERS": ",".join(SLUGS)})
    assert beginnings(lines) == [
        f"LAPAK_SUPPLIERS: {slug} needs {name}, which is not set"
        for slug in SLUGS
        for name in NEEDED_BY[slug]
    ]


def test_s8_the_mistakes_of_several_suppliers_are_told_at_once() -> None:
    wrong = {
        "ZONEGAME_API_KEY": "abc",
        "KIOSGAME_PROTOCOL": "xml",
        "SENPAY_CALLBACK_IPS": "0.0.0.0/0",
        "APIGAMES_PRODUCTS": "/nowhere",
    }
    lines = problems(ALL | wrong)
    assert sorted(line.partition(":")[0] for line in lines) == sorted(wrong)


def test_s8_without_any_supplier_nothing_is_sold() -> None:
    (line,) = problems({"TELEGRAM_TOKEN": "4242:token"}, selling=True)
    assert "there is no other supplier to buy from" in line


@pytest.mark.parametrize("name", SECRETS)
def test_s8_the_key_of_the_demo_is_refused_for_a_real_address(name: str) -> None:
    home = f"{name.partition('_')[0]}_URL"
    assert beginnings(problems(ALL | {name: "demo-key"})) == [f"{name}: is the key of the demo"]
    (line,) = problems(ALL | {name: "new-key,demo-key"})
    assert line.startswith(f"{name}: is the key of the demo")
    for url in ("https://example.id", "https://127.0.0.1.example.id"):
        assert problems(ALL | {name: "demo-key", home: url})
    for url in ("http://127.0.0.1:8080/x", "https://localhost", "http://[::1]:9"):
        assert read(ALL | {name: "demo-key", home: url}, None)


OTHER_SECRETS = ("TELEGRAM_TOKEN", "LAPAK_CALLBACK_SECRET", "TELEGRAM_WEBHOOK_SECRET")


@pytest.mark.parametrize("name", SECRETS)
@pytest.mark.parametrize("other", [*SECRETS, *OTHER_SECRETS])
def test_s8_the_same_secret_in_two_places_is_refused(name: str, other: str) -> None:
    if name == other:
        return
    same = "42:canary-the-same-text" if other == "TELEGRAM_TOKEN" else "canary-the-same-text"
    lines = problems(ALL | {name: f"another-key,{same}", other: same})
    (line,) = [line for line in lines if "is the same as" in line]
    assert {name, other} <= set(line.replace(":", " ").replace(";", " ").split())
    assert "canary" not in "".join(lines)


def test_a_key_that_is_new_and_old_at_once_is_no_contradiction() -> None:
    assert read(ALL | {"ZONEGAME_API_KEY": "same-key,same-key"}, None)


# --- what is only warned of ---


def test_apigames_without_a_price_list_only_warns(tmp_path: Path) -> None:
    quiet = {"LAPAK_OWNERS": "telegram:1", "LAPAK_SUPPORT": "@me", **KEYS["apigames"]}
    (line,) = read(quiet, None).warnings
    assert line.startswith("APIGAMES_PRODUCTS is not set: ")
    products = tmp_path / "a.csv"
    products.touch()
    assert read(quiet | {"APIGAMES_PRODUCTS": str(products)}, None).warnings == ()


# --- secrets ---

PLANTED = {name: f"canary-{name.lower()}-new,canary-{name.lower()}-old" for name in SECRETS}


def planted() -> Settings:
    return read(ALL | PLANTED | {"LAPAK_CALLBACK_SECRET": "canary-callback-secret"}, None)


def test_s1_no_suppliers_secret_is_seen_in_the_settings() -> None:
    settings = planted()
    seen = [f"{settings!r} {settings} {settings.supplier_secrets} {settings.of_suppliers}"]
    for slug in SLUGS:
        own = settings.of_suppliers[slug]
        seen += [repr(own), str(own), repr(asdict(own)), repr(replace(own, url="https://x.id"))]
        seen += [repr(getattr(own, name)) for name in OF_SUPPLIERS[slug]]
    assert "canary" not in " ".join(seen)
    assert ALL["ZULTOPUP_PHONE"] not in repr(settings.of_suppliers)


def test_s1_every_secret_of_every_supplier_is_kept_out_of_the_logs() -> None:
    known = set(planted().secrets())
    wanted = {part for text in PLANTED.values() for part in text.split(",")}
    assert wanted | {"canary-callback-secret", ALL["ZULTOPUP_PHONE"]} == known


@pytest.mark.parametrize("name", SECRETS)
def test_s1_whatever_is_logged_about_a_supplier_hides_its_secrets(name: str) -> None:
    hide = redactor(planted().secrets())
    for secret in PLANTED[name].split(","):
        for said in (secret, f"https://x.id/trx?pin={quote(secret)}&a=1", repr({"key": secret})):
            assert "canary" not in hide(f"Authorization: {said} {said}")


@pytest.mark.parametrize("spoil", [" canary", ",canary,canary", "é-canary", "\n/canary", ","])
@pytest.mark.parametrize("name", SECRETS)
def test_s1_no_mistake_shows_a_secret(name: str, spoil: str) -> None:
    first = PLANTED[name].partition(",")[0]
    other = next(s.name for s in SETTINGS if s.name.endswith("_URL") and name[:4] in s.name)
    for texts in ({name: first + spoil}, {other: f"https://x.id/{first}"}, {other: f"x {first}"}):
        assert "canary" not in "".join(problems(ALL | PLANTED | texts))
