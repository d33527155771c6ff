"""SenPay's providers and products as simulated: the document's own, and made-up believable ones."""

from collections.abc import Mapping
from dataclasses import dataclass
from zlib import crc32

from providers.simulators.prepaid_books import Item

_ICONS = "https://senpay.id/images/provider"


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One entry of a provider's ``forms``; with ``options`` (name, code) it is a dropdown."""

    label: str
    key: str
    options: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """One row of ``provider``."""

    id: int
    code: str
    name: str
    icon: str
    forms: tuple[Question, ...]
    active: int = 1

    @property
    def icon_url(self) -> str:
        return f"{_ICONS}/{self.icon}"


_UID = Question(label="UID", key="id")
_USER_ID = Question(label="User ID", key="id")
_SERVER = "Sever List/Server ID"  # so spelt there

_KNIGHTS = Provider(
    id=9,
    code="AKV-BJ",
    name="Astra Knights of Veda V3",
    icon="1717861533U2HAY5jfw1.png",
    forms=(
        _UID,
        Question(
            label=_SERVER,
            key="server",
            options=(
                ("AMERICAS", "10040400"),
                ("KR / JP / TW", "10040300"),
                ("SEA / OCE", "10040200"),
            ),
        ),
    ),
)
_ARENA = Provider(
    id=6,
    code="ABM22-RCF",
    name="ARENA BREAKOUT [PROMO TERMURAH] Q2",
    icon="1717855735f7nQaJ4A4G.jpg",
    forms=(
        Question(label="User ID", key="player_id"),
        Question(label=_SERVER, key="server"),
    ),
)
_FREE_FIRE = Provider(
    id=48,
    code="FF-BJ-V3",
    name="Free Fire [PROMO TERMURAH] V3",
    icon="1718247311pK2vQnL8sD.png",
    forms=(_USER_ID,),
)
_FREE_FIRE_MAX = Provider(
    id=49,
    code="FFMAX-BJ-V3",
    name="Free Fire MAX [PROMO TERMURAH] V3",
    icon="17182474347Vr0hpu1dG.png",
    forms=(_USER_ID,),
)
_GENSHIN = Provider(
    id=53,
    code="GI-BJ-V3",
    name="Genshin Impact V3",
    icon="1718250092yT6mWcR4bZ.png",
    forms=(
        _UID,
        Question(
            label=_SERVER,
            key="server",
            options=(
                ("Asia", "os_asia"),
                ("America", "os_usa"),
                ("Europe", "os_euro"),
                ("TW, HK, MO", "os_cht"),
            ),
        ),
    ),
)
_STAR_RAIL = Provider(
    id=58,
    code="HSR-BJ-V3",
    name="Honkai Star Rail V3",
    icon="1718250377kD9sXvF1hJ.png",
    forms=(
        _UID,
        Question(
            label=_SERVER,
            key="server",
            options=(
                ("Asia", "prod_official_asia"),
                ("America", "prod_official_usa"),
                ("Europe", "prod_official_eur"),
                ("TW, HK, MO", "prod_official_cht"),
            ),
        ),
    ),
)
_HONOR_OF_KINGS = Provider(
    id=60,
    code="HOK-BJ-V3",
    name="Honor of Kings V3",
    icon="1718250514aN5gTqE7uY.png",
    forms=(_USER_ID,),
)
_MOBILE_LEGENDS = Provider(
    id=71,
    code="MLBB-BJ-V3-ALL",
    name="Mobile Legends [PROMO TERMURAH] V3",
    icon="1718251208cB3xHwM9rK.png",
    forms=(_USER_ID, Question(label="Server ID", key="server")),
)
_PUBG = Provider(
    id=83,
    code="PUBGM-BJ-V3",
    name="PUBG Mobile Indonesia V3",
    icon="1718251966jL8dPzS2nV.png",
    forms=(_USER_ID,),
)
_VALORANT = Provider(
    id=96,
    code="VALO-BJ-V3",
    name="Valorant V3",
    icon="1718252731wG1fYkU6tA.png",
    forms=(Question(label="Riot ID", key="id"),),
)
_TELKOMSEL = Provider(
    id=112,
    code="TSEL-BJ-V3",
    name="Pulsa Lengkap Telkomsel V3",
    icon="1718253345eR7hCvB4mX.png",
    forms=(Question(label="Nomor HP", key="phone"),),
)
_ASLEEP = Provider(
    id=120,
    code="RO-BJ-V3",
    name="Ragnarok Origin V3",
    icon="1718253590qZ4kJtN8wF.png",
    forms=(_UID,),
    active=0,
)

# provider, id of its first product, then: (sku, name, price in rupiah), …
_ROWS: tuple[tuple[Provider, int, tuple[tuple[str, str, int], ...]], ...] = (
    (
        _KNIGHTS,
        101,
        (
            ("AKV_60", "60 Star Crystal", 13_350),
            ("AKV_330", "330 Star Crystal", 66_700),
        ),
    ),
    (
        _ARENA,
        61,
        (
            ("ABM_66", "60 + 6 Bonds", 12_850),
            ("ABM_335", "310 + 25 Bonds", 64_400),
        ),
    ),
    (
        _FREE_FIRE,
        441,
        (
            ("FF_ID_5", "5 Diamonds", 935),
            ("FF_ID_12", "12 Diamonds", 1_850),
            ("FF_ID_70", "70 Diamonds", 9_230),
            ("FF_ID_140", "140 Diamonds", 18_450),
            ("FF_ID_355", "355 Diamonds", 46_100),
            ("FF_ID_WM", "Membership Mingguan", 27_600),
            ("FF_ID_LUP", "Level Up Pass", 13_900),
        ),
    ),
    (
        _FREE_FIRE_MAX,
        466,
        (
            ("FFMAX_ID_10", "10 Diamonds", 1_864),
            ("FFMAX_ID_100", "100 Diamonds", 14_882),
            ("FFMAX_ID_1000", "1000 Diamonds", 130_180),
            ("FFMAX_ID_1080", "1080 Diamonds", 140_300),
            ("FFMAX_ID_12", "12 Diamonds", 1_870),
            ("FFMAX_ID_130", "130 Diamonds", 17_680),
            ("FFMAX_ID_140", "140 Diamonds", 18_610),
        ),
    ),
    (
        _GENSHIN,
        512,
        (
            ("GI_60", "60 Genesis Crystals", 12_150),
            ("GI_330", "300+30 Genesis Crystals", 60_300),
            ("GI_WELKIN", "Blessing of the Welkin Moon", 60_900),
        ),
    ),
    (
        _STAR_RAIL,
        548,
        (
            ("HSR_60", "60 Oneiric Shard", 12_100),
            ("HSR_PASS", "Express Supply Pass", 60_600),
        ),
    ),
    (
        _HONOR_OF_KINGS,
        571,
        (
            ("HOK_16", "16 Token", 3_050),
            ("HOK_80", "80 Token", 14_100),
        ),
    ),
    (
        _MOBILE_LEGENDS,
        640,
        (
            ("MLBB_ID_5", "5 (5+0) Diamonds", 1_425),
            ("MLBB_ID_10", "10 (10+0) Diamonds", 2_868),
            ("MLBB_ID_15", "15 (15+0) Diamonds", 4_255),
            ("MLBB_ID_12", "12 (11+1) Diamonds", 3_330),
            ("MLBB_ID_28", "28 (25+3) Diamonds", 7_580),
            ("MLBB_ID_59", "59 (53+6) Diamonds", 15_150),
            ("MLBB_ID_86", "86 (78+8) Diamonds", 18_750),
            ("MLBB_ID_172", "172 (156+16) Diamonds", 37_400),
            ("MLBB_ID_WDP", "Weekly Diamond Pass", 26_900),
        ),
    ),
    (
        _PUBG,
        771,
        (
            ("PUBGM_60", "60 UC", 13_650),
            ("PUBGM_325", "300 + 25 UC", 67_500),
        ),
    ),
    (
        _VALORANT,
        865,
        (
            ("VALO_475", "475 VP", 52_100),
            ("VALO_1000", "1000 VP", 103_900),
        ),
    ),
    (_TELKOMSEL, 930, (("TSEL_10", "10.000 Pulsa REG", 10_700),)),
    (_ASLEEP, 990, (("RO_100", "100 Nyan Berry", 15_300),)),
)
_ASLEEP_CODES = frozenset({"FFMAX-BJ-V3FFMAX_ID_130"})
_FIRST_MADE_UP_ID = 10_000

PROVIDERS: Mapping[str, Provider] = {provider.name: provider for provider, _, _ in _ROWS}

ITEMS = tuple(
    Item(
        code=f"{provider.code}{sku}",
        name=name,
        category=provider.name,
        price=price,
        active=f"{provider.code}{sku}" not in _ASLEEP_CODES,
    )
    for provider, _, rows in _ROWS
    for sku, name, price in rows
)

_IDS: Mapping[str, int] = {
    f"{provider.code}{sku}": first_id + place
    for provider, first_id, rows in _ROWS
    for place, (sku, _, _) in enumerate(rows)
}


def provider_of(item: Item) -> Provider:
    """Return the provider of a product; of one added later, one that asks for a user ID."""
    known = PROVIDERS.get(item.category)
    if known is not None:
        return known
    return Provider(
        id=_made_up_id(item.category),
        code=item.category,
        name=item.category,
        icon="none.png",
        forms=(_USER_ID,),
    )


def id_of(item: Item) -> int:
    """Return a product's number."""
    return _IDS.get(item.code) or _made_up_id(item.code)


def tells_serial(item_name: str) -> bool:
    """Tell whether a delivery has a serial number; the document's example, pulsa, has none."""
    return "Pass" not in item_name and "Pulsa" not in item_name


def _made_up_id(name: str) -> int:
    return _FIRST_MADE_UP_ID + crc32(name.encode()) % 1_000_000
