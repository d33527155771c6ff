"""Forms as suppliers list them with their goods."""

from shop.suppliers import FormField, FormOption
from tests.bot.conversation.parlour import SHELF


def typed(key: str, label: str = "") -> FormField:
    return FormField(key=key, label=label or key)


def chosen(key: str, label: str, **codes: str) -> FormField:
    """A choice of some names, by their codes."""
    options = tuple(FormOption(name=name, code=code) for name, code in codes.items())
    return FormField(key=key, label=label, options=options)


USER_ID = typed("id", "User ID")
SERVER = chosen("server", "Server List", Asia="os_asia", America="os_usa", Europe="os_euro")
ONE_TYPED = (USER_ID,)
TWO_TYPED = (typed("player_id", "Player ID"), typed("zone", "Zone ID"))
TYPED_AND_CHOSEN = (USER_ID, SERVER)
THREE_TYPED = (USER_ID, typed("zone", "Zone ID"), typed("nick", "Nickname"))
OTHER_THREE = (typed("email", "Email"), typed("phone", "Nomor HP"), typed("guild", "Guild"))
CHOSEN_FIRST = (
    chosen("os", "Platform", Android="1", iOS="2", Windows="3"),
    USER_ID,
    typed("nick", "Nickname"),
)
CHOSEN_AND_TYPED = (SERVER, USER_ID)

WITH_A_FORM = {
    **SHELF,
    "mobile-legends": [*SHELF["mobile-legends"], ("71", "Weekly Pass", 27_900, *CHOSEN_FIRST)],
}
"""The usual goods, and one of them is asked for field by field."""
