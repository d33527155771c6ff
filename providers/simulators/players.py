"""The players that simulated suppliers know: every account number has a name and a region."""

from hashlib import sha256

# ZoneGame's document; at others the ID and the server are one text.
_NICKNAMES = {"938572270": "Whyy", "93857227012729": "Whyy"}
# What real nicknames do to those who take texts apart: dots, dashes, signs, other scripts.
_OTHERS = (
    "BSK.AFULP",
    "•CUMAN BISA MM•",
    "MR~~05~@",
    "Putri - Ayu",
    "RefId",
    "ᴊᴀɢᴏᴀɴ ᴋᴇʟᴜʀᴀʜᴀɴ",
    "Mas Budi 77",
    "<b>Raja</b>",
)
_BRAZILIAN = "55"


def nickname_of(target: str) -> str:
    """Return the name of an account, the same whenever it is asked for."""
    known = _NICKNAMES.get(target)
    return known or _OTHERS[sha256(target.encode()).digest()[0] % len(_OTHERS)]


def region_of(target: str) -> str:
    """Return where an account plays: Brazil if its number begins with 55, else Indonesia."""
    return "BR" if target.startswith(_BRAZILIAN) else "ID"
