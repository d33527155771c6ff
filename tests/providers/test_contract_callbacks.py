"""Every supplier that calls back: whose callback it is, before anything in it is believed."""

import json
from collections.abc import Iterator
from dataclasses import replace
from ipaddress import ip_address

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shop.callbacks import Callback, Nonsense, Trust
from tests.fakes.world import AT_LENGTH
from tests.providers.contract import ADAPTERS, CANARY, NOWHERE, make
from tests.providers.recorded_callbacks import (
    ADDRESSED,
    CALLBACKS,
    CALLERS,
    GENUINE,
    HINTED,
    PROVED,
    SIGNATURES,
    SIGNED,
    TELLING,
    Recorded,
    called,
)
from tests.providers.shapes import json_values

FOREIGN = "198.51.100.7"


def trust_of(each: Recorded, *keys: str, **changed: object) -> Trust:
    """What the adapter makes of a recorded callback with something changed."""
    return each.adapter(*keys).verify(replace(each.callback, **changed))  # type: ignore[arg-type]


def signed_as(each: Recorded, signature: str) -> dict[str, str]:
    return {**each.callback.headers, each.signed: signature}


# --- as recorded ----------------------------------------------------------------------------------


@pytest.mark.parametrize("slug", CALLERS)
def test_a_supplier_that_calls_back_has_callbacks_to_believe_and_to_refuse(slug: str) -> None:
    assert any(each.slug == slug for each in TELLING)
    assert any(each.slug == slug and not each.is_genuine for each in CALLBACKS)
    assert all(each.source for each in CALLBACKS)


@pytest.mark.parametrize("each", CALLBACKS, ids=called)
def test_a_recorded_callback_is_trusted_as_it_deserves(each: Recorded) -> None:
    assert each.adapter().verify(each.callback) is each.trust
    assert each.callback.method in ADAPTERS[each.slug].callback_methods  # type: ignore[attr-defined]


@pytest.mark.parametrize("slug", CALLERS)
def test_an_adapter_without_keys_or_addresses_believes_nothing(slug: str) -> None:
    """Settings forbid it; if it ever came to that, everybody could sign."""
    for each in (
        each for each in GENUINE if each.slug == slug and (each.signed or each.callback.remote)
    ):
        for keys in ((), ("",)):
            bare = make(slug, NOWHERE, keys=keys, **{**each.settings, "callback_ips": []})
            headers = dict(each.callback.headers)
            if each.signed:
                headers[each.signed] = each.signature("")
            assert bare.verify(replace(each.callback, headers=headers)) is Trust.NONE  # type: ignore[attr-defined]


# --- signatures -----------------------------------------------------------------------------------


@pytest.mark.parametrize("each", SIGNED, ids=called)
def test_nothing_but_the_very_signature_will_do(each: Recorded) -> None:
    right = each.signature()
    assert trust_of(each, headers=signed_as(each, right)) is each.trust
    believed = [
        wrong
        for wrong in _wrong_signatures(right)
        if trust_of(each, headers=signed_as(each, wrong)) is not Trust.NONE
    ]
    assert not believed


def _wrong_signatures(right: str) -> Iterator[str]:
    yield from ("", " ", "0" * len(right), "null", "SIGNED", CANARY, "*", "%s", "\x00", "é" * 64)
    yield from (right[:length] for length in range(1, len(right)))
    yield from (right[:at] + _other(right[at]) + right[at + 1 :] for at in range(len(right)))
    yield right.upper()
    yield right.title()
    yield from (f" {right}", f"{right} ", f"{right}\n", f"\t{right}", f"{right[:8]} {right[8:]}")
    yield from (right * 2, f"{right}, {right}", f"{right},{'0' * len(right)}", f"{right}\x00")
    yield from (f"sha256={right}", f"md5={right}", f'"{right}"', f"Bearer {right}", f"0x{right}")
    yield right[::-1]
    yield "".join(chr(0xFEE0 + ord(char)) for char in right)  # full-width
    yield right.replace(right[0], "\u0430", 1)  # Cyrillic
    yield f"{right}\udc80"
    yield f"\ufeff{right}"


def _other(char: str) -> str:
    return "1" if char == "0" else "0"


@pytest.mark.parametrize("each", SIGNED, ids=called)
def test_without_its_header_a_signed_callback_is_refused(each: Recorded) -> None:
    assert trust_of(each, headers={}) is Trust.NONE
    right = each.signature()
    for name in ("signature", "authorization", "x-hub-signature-256", f"x-{each.signed}"):
        assert trust_of(each, headers={name: right}) is Trust.NONE
    assert trust_of(each, headers={}, query=f"{each.signed}={right}") is Trust.NONE


@pytest.mark.parametrize("each", SIGNED, ids=called)
def test_another_key_or_another_rule_signs_nothing(each: Recorded) -> None:
    for key in ("", "another-key", CANARY.upper(), f"{CANARY} ", CANARY[:-1], NOWHERE, each.slug):
        wrong = each.signature(key)
        assert trust_of(each, headers=signed_as(each, wrong)) is Trust.NONE, key
    for header in SIGNATURES.keys() - {each.signed}:
        by_other_rule = each.signature(header=header)
        assert trust_of(each, headers=signed_as(each, by_other_rule)) is Trust.NONE
        assert trust_of(each, headers={header: by_other_rule}) is Trust.NONE


@pytest.mark.parametrize("each", PROVED, ids=called)
def test_one_altered_byte_anywhere_proves_nothing(each: Recorded) -> None:
    adapter, body = each.adapter(), each.callback.body
    for at in range(len(body)):
        for altered in (
            body[:at] + bytes([body[at] ^ 1]) + body[at + 1 :],
            body[:at] + body[at + 1 :],
            body[:at] + b" " + body[at:],
        ):
            assert adapter.verify(replace(each.callback, body=altered)) is Trust.NONE, altered
    for altered in (b"", body + b"\n", body + b" ", b"\xef\xbb\xbf" + body, body * 2, body[::-1]):
        assert adapter.verify(replace(each.callback, body=altered)) is Trust.NONE, altered


@pytest.mark.parametrize("each", [each for each in PROVED if each.is_json], ids=called)
def test_the_same_json_written_again_proves_nothing(each: Recorded) -> None:
    """What is signed is bytes: two texts that mean the same to us may not mean it to others."""
    said, body = json.loads(each.callback.body), each.callback.body
    compact = (",", ":")
    again = {
        json.dumps(said),
        json.dumps(said, indent=4),
        json.dumps(said, separators=compact, sort_keys=True),
        json.dumps(said, separators=compact, ensure_ascii=False).replace("/", r"\/") + " ",
        json.dumps(dict(reversed(said.items())), separators=compact),
    }
    for text in again - {body.decode()}:
        assert trust_of(each, body=text.encode()) is Trust.NONE, text


@pytest.mark.parametrize("each", PROVED, ids=called)
def test_what_no_signature_covers_changes_nothing_that_is_told(each: Recorded) -> None:
    """A signed body under another address, or sent in another way, is no proof of anything new."""
    adapter = each.adapter()
    query = "trx_id=LAIN-1&invoice_number=LAIN-2&status=FAILED&sn=LAIN-3&msg=x"
    other = replace(each.callback, query=query, remote=FOREIGN)
    if adapter.verify(other) is not Trust.NONE:
        assert _news_or_nothing(each, other) == _news_or_nothing(each, each.callback)
    for method in ("GET", "HEAD", "PUT", "post", ""):
        if method not in ADAPTERS[each.slug].callback_methods:  # type: ignore[attr-defined]
            continue
        assert adapter.verify(replace(other, method=method)) is not Trust.PROOF


def _news_or_nothing(each: Recorded, callback: Callback) -> object:
    try:
        return list(each.adapter().parse(callback))
    except Nonsense:
        return None


@pytest.mark.parametrize("each", SIGNED, ids=called)
def test_while_a_key_is_changed_both_verify_and_a_third_does_not(each: Recorded) -> None:
    for keys in (("new-key", CANARY), (CANARY, "new-key")):
        assert trust_of(each, *keys, headers=signed_as(each, each.signature())) is each.trust
        by_new = signed_as(each, each.signature("new-key"))
        assert trust_of(each, *keys, headers=by_new) is each.trust
        by_third = signed_as(each, each.signature("third-key"))
        assert trust_of(each, *keys, headers=by_third) is Trust.NONE
        joined = signed_as(each, each.signature(",".join(keys)))
        assert trust_of(each, *keys, headers=joined) is Trust.NONE
    assert trust_of(each, "new-key", headers=signed_as(each, each.signature())) is Trust.NONE


# --- addresses, and what is only a hint -----------------------------------------------------------


@pytest.mark.parametrize("each", ADDRESSED, ids=called)
def test_an_address_counts_only_if_it_is_the_very_one(each: Recorded) -> None:
    right = ip_address(each.callback.remote)
    wrong = [
        "", " ", FOREIGN, "127.0.0.1", "::1", "0.0.0.0", "localhost", "unknown", "-", "é",
        str(right + 1), str(right - 1), str(right + 256), f"{right}/32", f"{right}:443",
        f"{right}, {FOREIGN}", f"{FOREIGN}, {right}", f"{right} ", f" {right}", f"{right}\x00",
        f"::ffff:{right + 1}", f"::{right}", f"0{right}", f"{right}.", str(int(right)), "\udc80",
    ]  # fmt: skip
    believed = [remote for remote in wrong if trust_of(each, remote=remote) is not Trust.NONE]
    assert not believed


@pytest.mark.parametrize("each", ADDRESSED, ids=called)
def test_an_address_written_as_ipv6_is_the_same_address(each: Recorded) -> None:
    assert trust_of(each, remote=f"::ffff:{each.callback.remote}") is each.trust


@pytest.mark.parametrize("each", [each for each in GENUINE if not each.callback.remote], ids=called)
def test_what_is_not_told_by_its_address_may_come_from_anywhere(each: Recorded) -> None:
    for remote in ("", FOREIGN, "127.0.0.1", "2001:db8::1", "unknown"):
        assert trust_of(each, remote=remote) is each.trust


@pytest.mark.parametrize("each", HINTED, ids=called)
def test_a_hint_never_becomes_a_proof(each: Recorded) -> None:
    """Not even signed by all the rules there are: none of them covers what it tells."""
    adapter, body = each.adapter(), each.callback.body
    everything = {name: each.signature(header=name) for name in SIGNATURES} | {
        "signature": CANARY,
        "authorization": f"Bearer {CANARY}",
    }
    for headers in (each.callback.headers, everything, each.callback.headers | everything):
        for remote in (each.callback.remote, FOREIGN, "127.0.0.1"):
            changed = replace(each.callback, headers=headers, remote=remote)
            assert adapter.verify(changed) is not Trust.PROOF
    for at in range(len(body)):
        altered = body[:at] + bytes([body[at] ^ 1]) + body[at + 1 :]
        assert adapter.verify(replace(each.callback, body=altered)) is not Trust.PROOF


# --- whatever comes -------------------------------------------------------------------------------

_texts = st.text(st.characters(), max_size=80)


@pytest.mark.parametrize("slug", CALLERS)
@given(data=st.data())
@settings(max_examples=200 if AT_LENGTH else 100, deadline=None)
def test_whatever_comes_is_refused_without_an_exception(slug: str, data: st.DataObject) -> None:
    ours = [each.callback for each in GENUINE if each.slug == slug]
    headers = st.dictionaries(st.sampled_from([*SIGNATURES, "signature", "x"]), _texts, max_size=3)
    bodies = st.sampled_from([*(one.body for one in ours), b"", b"{}", b"null"])
    # Of an address that is right no one asks here: that test is above.
    strange = Callback(
        method=data.draw(st.sampled_from(["POST", "PUT", "", "TRACE"]) | _texts),
        query=data.draw(_texts),
        body=data.draw(bodies | st.binary(max_size=200)),
        headers=data.draw(headers),
        remote=data.draw(st.sampled_from(["", FOREIGN, "::1", "256.1.1.1"]) | _texts),
    )
    trust = make(slug, NOWHERE).verify(strange)  # type: ignore[attr-defined]
    assert trust is (Trust.HINT if strange.method == "GET" and trust is Trust.HINT else Trust.NONE)


@pytest.mark.parametrize("each", ADDRESSED[:1] + ADDRESSED[-1:], ids=called)
@given(body=st.binary(max_size=200) | json_values.map(lambda said: json.dumps(said).encode()))
@settings(max_examples=100 if AT_LENGTH else 50, deadline=None)
def test_whatever_comes_from_the_right_address_is_no_proof(each: Recorded, body: bytes) -> None:
    assert trust_of(each, body=body) is not Trust.PROOF


@pytest.mark.parametrize("each", SIGNED, ids=called)
@given(signature=_texts | st.binary(max_size=80).map(lambda given: given.decode("latin-1")))
@settings(max_examples=100 if AT_LENGTH else 50, deadline=None)
def test_no_guess_is_a_signature(each: Recorded, signature: str) -> None:
    assert trust_of(each, headers=signed_as(each, signature)) is Trust.NONE
