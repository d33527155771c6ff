import asyncio
import json

import aiohttp
import pytest

from providers.simulators.apigames import ApigamesSimulator
from providers.simulators.callbacks import CallbackPost, Message, is_loopback
from providers.simulators.prepaid_books import Statuses
from providers.simulators.zonegame import ZoneGameSimulator
from tests.providers.simulators.desk import START, Clock, Desk, opened

HEADERS = {"Authorization": "Bearer kunci"}


class Buyer(Desk):
    """Buys at ZoneGame, which shows what all of them share."""

    async def order(self, ref="A", **changes):
        body = {
            "product_code": "FF70",
            "target": "123456789",
            "trx_id": ref,
            "callback_url": self.url,
            **changes,
        }
        return await self.ask("POST", "/api/v1/order", json=body, headers=HEADERS)

    async def status(self, ref="A"):
        status, body = await self.ask("GET", f"/api/v1/order/{ref}", headers=HEADERS)
        return body["data"]["status"] if status == 200 else body["message"]

    async def told(self):
        """What every try was answered, and when it was made."""
        rows = (await self.journal())["callbacks"]
        return [(row["at"] - START, row["status"]) for row in rows]


@pytest.fixture
async def buyer():
    async with opened(ZoneGameSimulator, Buyer) as one:
        yield one


# Time


async def test_an_order_ends_by_itself_and_not_before_its_time(buyer):
    await buyer.order()
    await buyer.later(2999)
    assert (await buyer.status(), buyer.shop.heard) == ("pending", [])
    await buyer.later(1)
    assert await buyer.status() == "success"
    assert len(buyer.shop.heard) == 1


async def test_a_callback_goes_out_although_nobody_asks(buyer):
    await buyer.order()
    buyer.clock.now += 3000
    await asyncio.wait_for(buyer.shop.something.wait(), timeout=10)
    assert buyer.shop.bodies[0]["trx_id"] == "A"


async def test_a_question_sees_the_present(buyer):
    await buyer.order()
    buyer.clock.now += 3000
    assert await buyer.status() == "success"


async def test_whoever_hears_a_callback_can_ask_back_before_it_is_answered(buyer):
    async def ask_back():
        seen.append(await buyer.status())

    seen = []
    buyer.shop.while_hearing = ask_back
    await buyer.order()
    await buyer.later()
    assert seen == ["success"]


async def test_several_orders_end_in_the_order_of_their_time(buyer):
    for ref in ["C", "A", "B"]:
        await buyer.order(ref)
        buyer.clock.now += 10
    await buyer.later()
    assert [said["trx_id"] for said in buyer.shop.bodies] == ["C", "A", "B"]


# Callbacks that are not answered well


async def test_a_callback_is_tried_three_times_more_and_then_given_up(buyer):
    buyer.shop.answers = [503, 500, 404, 302, 503]
    await buyer.order()
    for wait in [3000, 4999, 1, 10_000, 20_000, 600_000]:
        await buyer.later(wait)
    assert await buyer.told() == [(3000, 503), (8000, 500), (18_000, 404), (38_000, 302)]
    assert len({body for body, _, _ in buyer.shop.heard}) == 1


async def test_a_callback_that_was_heard_is_not_sent_again(buyer):
    buyer.shop.answers = [500, 202]
    await buyer.order()
    for _ in range(5):
        await buyer.later(30_000)
    assert [status for _, status in await buyer.told()] == [500, 202]


async def test_a_shop_that_is_not_there_is_tried_again(buyer):
    await buyer.order(callback_url="http://127.0.0.1:1/callbacks")
    await buyer.later()
    [row] = (await buyer.journal())["callbacks"]
    assert (row["status"], row["error"]) == (None, "ConnectError")
    await buyer.later(5000)
    assert len((await buyer.journal())["callbacks"]) == 2


async def test_nobody_but_this_machine_is_ever_spoken_to(buyer):
    status, _ = await buyer.order(callback_url="http://192.0.2.1/callbacks")
    assert status == 200
    for _ in range(3):
        await buyer.later(60_000)
    [row] = (await buyer.journal())["callbacks"]
    assert (row["status"], row["url"]) == (None, "http://192.0.2.1/callbacks")
    assert "loopback" in row["error"]
    assert await buyer.status() == "success"


@pytest.mark.parametrize(
    ("url", "is_one"),
    [
        ("http://127.0.0.1:8080/callbacks", True),
        ("http://127.8.8.8/", True),
        ("http://[::1]:8080/", True),
        ("http://localhost/", True),
        ("https://127.0.0.1/", False),
        ("http://127.0.0.1:99999/", False),
        ("http://0.0.0.0/", False),
        ("http://10.0.0.1/", False),
        ("http://127.0.0.1@example.com/", False),
        ("http://localhost.example.com/", False),
        ("http://2130706433/", False),
        ("file:///etc/hosts", False),
        ("127.0.0.1", False),
        ("", False),
        ("http://[", False),
    ],
)
def test_an_address_is_on_this_machine_only_if_it_says_so(url, is_one):
    assert is_loopback(url) is is_one


async def test_the_dashboard_takes_addresses_of_this_machine_alone():
    async with opened(ApigamesSimulator) as desk:
        for url in ["http://192.0.2.1/", "", None, 5]:
            status, _ = await desk.control("webhook", url=url)
            assert status == (200 if url == "" else 400)
    with pytest.raises(ValueError, match="loopback"):
        ApigamesSimulator(clock=Clock(), callback_url="http://192.0.2.1/")


async def test_a_body_that_no_utf8_can_hold_stops_nothing(buyer):
    await buyer.order()
    await buyer.done("finish", ref="A", status="success", sn="\ud800")
    await buyer.order("B")
    await buyer.later()
    assert buyer.shop.bodies[0]["response_note"] == "?"
    assert len(buyer.shop.heard) == 2


async def test_callbacks_in_turn_are_sent_once_whoever_asks_for_them(buyer):
    await buyer.order()
    buyer.clock.now += 3000
    await asyncio.gather(*(buyer.simulator.settle() for _ in range(5)))
    assert len(buyer.shop.heard) == 1


async def test_the_journal_shows_what_was_sent_to_the_byte(buyer):
    await buyer.order()
    await buyer.later()
    [row] = (await buyer.journal())["callbacks"]
    [(body, headers, _)] = buyer.shop.heard
    assert row["body"].encode() == body
    assert row["headers"]["x-signature"] == headers["x-signature"]
    assert (row["method"], row["url"], row["ref"]) == ("POST", buyer.url, "A")


async def test_a_callback_can_be_an_address_that_is_asked_for(buyer):
    post = CallbackPost(clock=buyer.clock)
    post.add(Message(method="GET", url=f"{buyer.url}?trx_id=A&msg=R#1"), START)
    await post.send_due()
    assert [path for _, _, path in buyer.shop.heard] == ["/callbacks?trx_id=A&msg=R"]


# Faults


async def test_a_callback_may_come_twice(buyer):
    await buyer.done("fault", kind="callback_twice")
    await buyer.order()
    await buyer.order("B")
    await buyer.later()
    bodies = [body for body, _, _ in buyer.shop.heard]
    assert len(bodies) == 3
    assert bodies[0] == bodies[1]


async def test_a_callback_may_come_late_while_the_order_is_long_done(buyer):
    await buyer.done("fault", kind="callback_late", seconds=40)
    await buyer.order()
    await buyer.later()
    assert (await buyer.status(), buyer.shop.heard) == ("success", [])
    await buyer.later(39_999)
    assert buyer.shop.heard == []
    await buyer.later(1)
    assert len(buyer.shop.heard) == 1


async def test_a_late_callback_is_late_even_if_nobody_says_by_how_much(buyer):
    await buyer.done("fault", kind="callback_late")
    await buyer.order()
    await buyer.later(12_999)
    assert buyer.shop.heard == []
    await buyer.later(1)
    assert len(buyer.shop.heard) == 1


async def test_a_callback_may_come_before_the_answer(buyer):
    async def hear():
        heard_first.append(not answered)

    answered, heard_first = [], []
    buyer.shop.while_hearing = hear
    await buyer.done("fault", kind="callback_before_the_answer")
    status, body = await buyer.order()
    answered.append(status)
    assert heard_first == [True]
    assert (status, body["status"]) == (200, "pending")
    assert await buyer.status() == "success"
    await buyer.later(60_000)
    assert len(buyer.shop.heard) == 1


async def test_a_callback_that_came_too_early_for_the_shop_comes_again(buyer):
    buyer.shop.answers = [404]
    await buyer.done("fault", kind="callback_before_the_answer")
    assert (await buyer.order())[0] == 200
    await buyer.later(5000)
    assert await buyer.told() == [(0, 404), (5000, 200)]


async def test_a_callback_fault_can_wait_for_one_order(buyer):
    await buyer.done("fault", kind="callback_twice", path="/callbacks/B")
    await buyer.order("A")
    await buyer.order("B")
    await buyer.later()
    assert [said["trx_id"] for said in buyer.shop.bodies] == ["A", "B", "B"]


async def test_an_order_may_fail_by_itself(buyer):
    await buyer.done("fault", kind="fails")
    await buyer.order("A")
    await buyer.order("B")
    await buyer.later()
    assert [await buyer.status("A"), await buyer.status("B")] == ["failed", "success"]
    assert (await buyer.journal())["balance"] == 50_000 - 9_900


async def test_an_order_may_be_missing_for_a_while(buyer):
    await buyer.done("fault", kind="missing", count=2)
    await buyer.order()
    answers = [await buyer.status() for _ in range(3)]
    assert answers == ["Order tidak ditemukan"] * 2 + ["pending"]


async def test_an_answer_that_never_comes_still_made_an_order(buyer):
    await buyer.done("fault", kind="timeout", seconds=0)
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await buyer.order()
    await buyer.later()
    journal = await buyer.journal()
    assert [order["status"] for order in journal["orders"]] == ["success"]
    assert journal["calls"][0]["status"] is None
    assert buyer.shop.bodies[0]["status"] == "SUCCESS"


async def test_the_wire_can_be_faulty_here_as_everywhere(buyer):
    for kind, status in [("500", 500), ("429", 429)]:
        await buyer.done("fault", kind=kind)
        answered, body = await buyer.order(kind)
        assert (answered, body["success"]) == (status, False)
    orders = (await buyer.journal())["orders"]
    assert [order["ref"] for order in orders] == ["500"]


async def test_a_fault_of_nobody_is_refused(buyer):
    status, body = await buyer.control("fault", kind="loss")
    assert status == 400
    assert "callback_twice" in body["error"]


# Control


async def test_an_order_is_finished_by_reference_or_by_their_id_in_any_case(buyer):
    _, ordered = await buyer.order()
    done = await buyer.done("finish", ref="A", status="SUCCESS", sn="SN-1")
    assert (done["order"]["status"], done["order"]["sn"]) == ("success", "SN-1")
    done = await buyer.done("finish", id=ordered["invoice_id"], status="Failed")
    assert done["order"]["status"] == "failed"
    await buyer.simulator.settle()
    assert [said["status"] for said in buyer.shop.bodies] == ["SUCCESS", "FAILED"]


async def test_a_reversal_moves_the_balance_each_time_once(buyer):
    await buyer.order()
    balances = []
    for status in ["failed", "failed", "success", "success", "failed", "pending"]:
        await buyer.done("finish", ref="A", status=status)
        balances.append((await buyer.journal())["balance"])
    assert balances == [50_000, 50_000, 40_100, 40_100, 50_000, 40_100]


async def test_an_order_that_is_held_never_ends_by_itself(buyer):
    await buyer.order()
    await buyer.done("finish", ref="A", status="pending")
    await buyer.later(600_000)
    assert (await buyer.status(), buyer.shop.heard) == ("pending", [])


async def test_an_order_can_be_delivered_without_a_number_and_get_it_later(buyer):
    await buyer.order()
    await buyer.done("finish", ref="A", status="success", sn="")
    await buyer.done("finish", ref="A", status="success", sn="SN-1")
    await buyer.simulator.settle()
    assert [said["response_note"] for said in buyer.shop.bodies] == ["", "SN-1"]


@pytest.mark.parametrize(
    ("action", "wish", "http_status"),
    [
        ("finish", {"ref": "B", "status": "success"}, 404),
        ("finish", {"ref": "A", "status": "sukses"}, 400),
        ("finish", {"ref": "A"}, 400),
        ("finish", {"ref": "A", "status": "success", "sn": 5}, 400),
        ("price", {"code": "consequatur", "price": 5}, 404),
        ("price", {"code": "FF70", "price": 0}, 400),
        ("balance", {"balance": -1}, 400),
        ("balance", {"balance": "5"}, 400),
        ("product", {"code": "FF70", "active": "no"}, 400),
        ("product", {"code": "NEW"}, 400),
        ("repeats", {"as": "twice"}, 400),
        ("repeats", {}, 400),
    ],
)
async def test_a_wish_that_makes_no_sense_changes_nothing(buyer, action, wish, http_status):
    await buyer.order()
    before = (await buyer.journal())["orders"]
    status, body = await buyer.control(action, **wish)
    assert (status, list(body)) == (http_status, ["error"])
    assert (await buyer.journal())["orders"] == before


async def test_a_product_can_be_added(buyer):
    await buyer.done("product", code="NEW", name="1 Diamond", category="Free Fire", price=200)
    assert (await buyer.order(product_code="NEW"))[1]["price"] == 200


async def test_the_journal_tells_the_whole_truth_but_no_key(buyer):
    _, ordered = await buyer.order()
    await buyer.later()
    journal = await buyer.journal()
    [order] = journal["orders"]
    serial = order.pop("sn")
    assert order == {
        "id": ordered["invoice_id"],
        "ref": "A",
        "code": "FF70",
        "item": "70 Diamond",
        "category": "Free Fire",
        "target": "123456789",
        "server": "",
        "nickname": ordered["nickname"],
        "region": "ID",
        "price": 9_900,
        "status": "success",
        "accepted_at": START,
        "plan": "success",
        "due_at": None,
        "changed_at": START + 3000,
        "finished_at": START + 3000,
        "callback_url": buyer.url,
        "more": {},
    }
    assert serial.startswith(ordered["nickname"])
    assert journal["balance"] == 40_100
    assert [(call["path"], call["status"]) for call in journal["calls"]] == [
        ("/zonegame/api/v1/order", 200)
    ]
    assert "kunci" not in json.dumps(journal)


def test_a_word_is_understood_in_any_case_and_spacing():
    words = Statuses(first="Pending", done="Sukses", failed="Gagal", others=("Sukses Sebagian",))
    assert words.named(" sukses_SEBAGIAN ") == "Sukses Sebagian"
    assert words.named("SUKSES") == "Sukses"
    assert words.named("refunded") is None


# Memory


async def test_what_was_written_down_survives_a_sudden_death(tmp_path):
    state, clock = tmp_path / "deep" / "zonegame.json", Clock()
    async with opened(ZoneGameSimulator, Buyer, clock=clock, state=state) as buyer:
        url = buyer.url
        await buyer.order()
        await buyer.done("price", code="FF70", price=9_500)
        await buyer.done("product", code="NEW", name="x", category="Free Fire", price=200)
        await buyer.done("repeats", **{"as": "refused"})
        await buyer.done("fault", kind="missing")
        written = state.read_bytes()
        before = await buyer.journal()
    state.write_bytes(written)
    async with opened(ZoneGameSimulator, Buyer, clock=clock, state=state) as buyer:
        after = await buyer.journal()
        for name in ["orders", "balance", "faults", "callbacks"]:
            assert after[name] == before[name]
        assert await buyer.status() == "Order tidak ditemukan"
        assert (await buyer.order())[0] == 400
        assert (await buyer.order("B"))[1]["price"] == 9_500
        assert (await buyer.order("C", product_code="NEW"))[1]["price"] == 200
        assert [order["callback_url"] for order in after["orders"]] == [url]


async def test_a_callback_that_was_not_heard_is_sent_after_a_sudden_death(tmp_path):
    state, clock = tmp_path / "zonegame.json", Clock()
    async with opened(ZoneGameSimulator, Buyer, clock=clock, state=state) as buyer:
        await buyer.order()
        buyer.shop.answers = [503]
        await buyer.later()
        written = state.read_bytes()
        simulator = ZoneGameSimulator(clock=clock, state=state)
        await buyer.later(5000)
        first, second = buyer.shop.heard
        state.write_bytes(written)
        await simulator.settle()
        assert len(buyer.shop.heard) == 3
        assert (first[0], first[1]["x-signature"]) == (second[0], second[1]["x-signature"])
        assert buyer.shop.heard[2][0] == first[0]


async def test_a_callback_that_was_heard_is_not_sent_after_a_sudden_death(tmp_path):
    state, clock = tmp_path / "zonegame.json", Clock()
    async with opened(ZoneGameSimulator, Buyer, clock=clock, state=state) as buyer:
        await buyer.order()
        await buyer.later()
        await ZoneGameSimulator(clock=clock, state=state).settle()
        assert len(buyer.shop.heard) == 1


async def test_an_order_is_written_down_before_a_callback_that_comes_before_the_answer(tmp_path):
    async def hear():
        orders.extend(json.loads(state.read_bytes())["books"]["orders"])

    state, orders = tmp_path / "zonegame.json", []
    async with opened(ZoneGameSimulator, Buyer, state=state) as buyer:
        buyer.shop.while_hearing = hear
        await buyer.done("fault", kind="callback_before_the_answer")
        await buyer.order()
        assert [order["status"] for order in orders] == ["success"]


async def test_an_address_entered_in_the_dashboard_stays_until_another_is_handed_in(tmp_path):
    state = tmp_path / "apigames.json"

    def remembered(url):
        simulator = ApigamesSimulator(clock=Clock(), state=state, callback_url=url)
        simulator._save()
        return json.loads(state.read_bytes())["webhook"]

    first, entered, second = (f"http://127.0.0.1:{port}/callbacks" for port in (1, 2, 3))
    async with opened(ApigamesSimulator, state=state, callback_url=first) as desk:
        await desk.done("webhook", url=entered)
    assert remembered(first) == entered
    assert remembered("") == entered
    assert remembered(first) == entered
    assert remembered(second) == second


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"books":5}', '{"books":{"balance":1}}'])
def test_a_file_that_holds_something_else_is_refused(tmp_path, content):
    state = tmp_path / "zonegame.json"
    state.write_text(content)
    with pytest.raises(ValueError, match=r"zonegame\.json does not hold"):
        ZoneGameSimulator(clock=Clock(), state=state)
