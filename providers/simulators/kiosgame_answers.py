"""What Kiosgame says in JSON, in the document's own fields and types."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from providers.simulators.callbacks import compact
from providers.simulators.kiosgame_catalogue import CATEGORIES, Category, category_of, id_of
from providers.simulators.prepaid import Refusal
from providers.simulators.prepaid_books import Item, PrepaidOrder
from providers.simulators.wishes import JsonObject

# Those with an example; the others of "Response Message" have no documented code.
_NOT_FOUND = frozenset({"API_KEY_NOT_FOUND", "INVOICE_NOT_FOUND", "PRODUCT_NOT_FOUND"})
_REASONS = {400: "Bad Request", 404: "Not Found"}
_POPULAR = 4  # the first categories


def refusal(message: str | list[str]) -> Refusal:
    """Make the answer to a request that is refused with this message, or these."""
    is_missing = isinstance(message, str) and message in _NOT_FOUND
    code = 404 if is_missing else 400
    return Refusal(code, error_answer(code, message, _REASONS[code]))


def error_answer(code: int, message: str | list[str], error: str) -> JsonObject:
    """Answer any error."""
    return {"statusCode": code, "message": message, "error": error}


def yes(data: object) -> JsonObject:
    """Answer anything but an error; in the body it is 200 also where HTTP says 201."""
    return {"statusCode": 200, "message": "success", "data": data}


def user_answer(balance: int) -> JsonObject:
    """Answer ``/v1/user``."""
    return yes(
        {
            "user_name": "TopupKuy",
            "user_email": "email@topupkuy.id",
            "user_phone": "628xxxxx",
            "user_balance": balance,
            "user_created_at": "2023-03-23T00:00:00.000Z",
            "user_updated_at": "2023-03-23T00:00:00.000Z",
            "role_name": "Platinum Member",
            "role_code": "platinum",
        }
    )


def categories_answer(items: Iterable[Item]) -> JsonObject:
    """Answer ``/v1/category``."""
    known = dict(CATEGORIES) | {item.category: category_of(item.category) for item in items}
    return yes([_category_row(each, place) for place, each in enumerate(known.values(), 1)])


def products_answer(items: Iterable[Item], category_id: str | None) -> JsonObject:
    """Answer ``/v1/products``, all of them or one category's; ``is_active`` is a truth value."""
    rows = [(item, category_of(item.category)) for item in items]
    return yes(
        [
            {
                "product_id": id_of(item.code),
                "product_name": item.name,
                "product_code": item.code,
                "product_price": item.price,
                "is_active": item.active,
                "category_type": category.kind,
                "category_title": category.title,
                "category_subtitle": None,
            }
            for item, category in rows
            if category_id in {None, category.id}
        ]
    )


def product_answer(item: Item) -> JsonObject:
    """Answer ``/v1/product``; here ``is_active`` is a number."""
    category = category_of(item.category)
    return yes(
        {
            "product_id": id_of(item.code),
            "product_name": item.name,
            "product_code": item.code,
            "product_logo": None,
            "product_price": item.price,
            "is_active": int(item.active),
            "category_type": category.kind,
            "category_title": category.title,
            "category_subtitle": category.subtitle,
        }
    )


def created_answer(order: PrepaidOrder) -> JsonObject:
    """Answer ``/v1/order`` and ``/v2/order``: their example has no ``trx_id``, though one came."""
    return yes({**_invoice(order), "trx_id": None})


def invoice_answer(order: PrepaidOrder) -> JsonObject:
    """Answer ``/v1/status/…``."""
    return yes(_invoice(order))


def callback_body(order: PrepaidOrder, balance: int) -> str:
    """Write what a callback says: the invoice, and before ``amount`` the balance."""
    said: JsonObject = {}
    for name, value in _invoice(order).items():
        if name == "amount":
            said["balance"] = balance
        said[name] = value
    return compact(said)


def _invoice(order: PrepaidOrder) -> JsonObject:
    return {
        "invoice_number": order.id,
        "trx_id": order.ref or None,
        "response_note": order.sn,
        "category": {
            "title": order.category,
            "subtitle": None,
            "type": category_of(order.category).kind,
        },
        "product": {"name": order.item, "code": order.code, "price": order.price},
        "user_input": {
            "user_id": order.target,
            "server_id": order.server,
            "nickname": order.nickname,
        },
        "amount": order.price,
        "status": order.status,
        "voucher": None,
        "created_at": _in_utc(order.accepted_at),
    }


def _category_row(category: Category, place: int) -> Mapping[str, object]:
    return {
        "category_id": category.id,
        "category_type": category.kind,
        "category_title": category.title,
        "category_subtitle": category.subtitle,
        "category_banner": None,
        "category_photo": category.photo,
        "category_slug": category.slug,
        "is_active": int(category.is_active),
        "is_server": int(category.has_server),
        "is_popular": int(place <= _POPULAR),
        "is_hotsale": 0,
        "category_order": place,
    }


def _in_utc(at: int) -> str:
    moment = datetime.fromtimestamp(at // 1000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{at % 1000:03d}Z"
