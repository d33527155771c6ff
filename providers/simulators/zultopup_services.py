"""ZulTopup's price list as simulated: made up, but believable; the first row is the document's."""

from dataclasses import dataclass

_NORMAL = "Normal"
_TROUBLED = "Gangguan"


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """One row of ``/api/services``; ``harga`` is what it costs a reseller, in rupiah."""

    sid: str
    tipe: str
    kategori: str
    layanan: str
    harga: int
    status: str

    @property
    def is_normal(self) -> bool:
        return self.status == _NORMAL


# (type, category): (sid, name, price in rupiah), …
_ROWS: dict[tuple[str, str], tuple[tuple[str, str, int], ...]] = {
    ("Games", "Free Fire"): (
        ("1", "70 Diamond", 10_000),
        ("2", "5 Diamond", 850),
        ("3", "12 Diamond", 1_750),
        ("4", "50 Diamond", 7_150),
        ("5", "140 Diamond", 19_900),
        ("6", "355 Diamond", 49_000),
        ("7", "720 Diamond", 97_500),
        ("8", "1450 Diamond", 194_000),
        ("9", "Membership Mingguan", 28_900),
        ("10", "Membership Bulanan", 86_500),
        ("11", "Level Up Pass", 14_700),
    ),
    ("Games", "Free Fire MAX"): (
        ("21", "5 Diamond", 870),
        ("22", "12 Diamond", 1_790),
        ("23", "50 Diamond", 7_250),
        ("24", "70 Diamond", 10_100),
        ("25", "140 Diamond", 20_100),
        ("26", "355 Diamond", 49_500),
        ("27", "720 Diamond", 98_400),
        ("28", "Membership Mingguan", 29_200),
    ),
    ("Games", "Mobile Legends"): (
        ("41", "5 Diamond", 1_450),
        ("42", "12 Diamond", 3_400),
        ("43", "28 Diamond", 7_700),
        ("44", "59 Diamond", 15_600),
        ("45", "86 Diamond", 19_100),
        ("46", "172 Diamond", 38_000),
        ("47", "257 Diamond", 56_400),
        ("48", "706 Diamond", 151_500),
        ("49", "2195 Diamond", 458_000),
        ("50", "5532 Diamond", 1_149_000),
        ("51", "Weekly Diamond Pass", 27_300),
        ("52", "Twilight Pass", 146_000),
    ),
    ("Games", "PUBG Mobile"): (
        ("61", "60 UC", 13_900),
        ("62", "120 UC", 27_700),
        ("63", "325 UC", 68_900),
        ("64", "660 UC", 137_000),
        ("65", "1800 UC", 342_000),
        ("66", "3850 UC", 684_000),
        ("67", "Elite Pass", 68_000),
    ),
    ("Games", "Honor of Kings"): (
        ("81", "16 Token", 3_100),
        ("82", "80 Token", 14_400),
        ("83", "240 Token", 43_200),
        ("84", "400 Token", 71_900),
        ("85", "560 Token", 100_500),
        ("86", "830 Token", 143_600),
        ("87", "1245 Token", 215_000),
        ("88", "Weekly Card", 14_500),
    ),
    ("Games", "Valorant"): (
        ("101", "475 VP", 52_800),
        ("102", "1000 VP", 105_400),
        ("103", "1475 VP", 157_000),
        ("104", "2050 VP", 210_500),
        ("105", "3650 VP", 365_000),
        ("106", "5350 VP", 525_500),
        ("107", "11000 VP", 1_034_000),
    ),
    ("Games", "Genshin Impact"): (
        ("121", "60 Genesis Crystals", 12_400),
        ("122", "330 Genesis Crystals", 61_800),
        ("123", "1090 Genesis Crystals", 188_500),
        ("124", "2240 Genesis Crystals", 379_000),
        ("125", "3880 Genesis Crystals", 630_000),
        ("126", "8080 Genesis Crystals", 1_258_000),
        ("127", "Blessing of the Welkin Moon", 62_500),
    ),
    ("Games", "Honkai Star Rail"): (
        ("141", "60 Oneiric Shard", 12_300),
        ("142", "330 Oneiric Shard", 61_500),
        ("143", "1090 Oneiric Shard", 187_900),
        ("144", "2240 Oneiric Shard", 377_500),
        ("145", "3880 Oneiric Shard", 628_000),
        ("146", "8080 Oneiric Shard", 1_254_000),
        ("147", "Express Supply Pass", 62_200),
    ),
    ("Pulsa", "Telkomsel"): (
        ("201", "Telkomsel 5.000", 5_900),
        ("202", "Telkomsel 10.000", 10_850),
        ("203", "Telkomsel 50.000", 50_300),
    ),
    ("Pulsa", "Indosat"): (("211", "Indosat 10.000", 11_100),),
    ("PLN", "Token PLN"): (("221", "Token PLN 20.000", 20_600),),
}
_TROUBLED_SIDS = frozenset({"50", "107"})

SERVICES = tuple(
    Service(
        sid=sid,
        tipe=tipe,
        kategori=kategori,
        layanan=layanan,
        harga=harga,
        status=_TROUBLED if sid in _TROUBLED_SIDS else _NORMAL,
    )
    for (tipe, kategori), rows in _ROWS.items()
    for sid, layanan, harga in rows
)
