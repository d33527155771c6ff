"""What callbacks are proved and read with, apart from any supplier."""

import hmac
import json
import tomllib
from ipaddress import ip_network
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.callbacks import is_from, is_same, is_signed, read_body, read_query
from shop.callbacks import Nonsense

FIXTURES = Path(__file__).parent / "fixtures"

# --- signatures -----------------------------------------------------------------------------------

# RFC 4231, test cases 2 and 6 (its key is longer than a block of SHA-256, and ASCII here).
SAID = b"what do ya want for nothing?"
SIGNATURE = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"


def test_a_signature_is_the_hmac_of_the_very_bytes() -> None:
    assert is_signed(SAID, SIGNATURE, ["Jefe"])
    assert not is_signed(SAID + b" ", SIGNATURE, ["Jefe"])
    assert not is_signed(SAID[:-1], SIGNATURE, ["Jefe"])
    assert not is_signed(SAID, SIGNATURE, ["jefe"])
    assert not is_signed(b"", SIGNATURE, ["Jefe"])


@pytest.mark.parametrize(
    ("slug", "size", "signature"),
    [
        ("kiosgame", 454, "d39b395ea71f8d8319c6036bde8b9dcd6ad61af0fd23b54ca2ed7f4896a5db39"),
        ("zonegame", 409, "eae7e8244b594704ebcaab55368fb62186cda4ee7051e95f6b29809c80a62bec"),
    ],
)
def test_the_suppliers_examples_are_signed_as_other_programs_sign_them(
    slug: str, size: int, signature: str
) -> None:
    """The signatures were made by JavaScript's ``JSON.stringify`` and ``createHmac``."""
    written = [
        tomllib.loads(path.read_text("utf-8")) for path in FIXTURES.glob(f"{slug}/callback*")
    ]
    [body] = {
        body
        for body in (each["callback"]["body"].encode() for each in written)
        if is_signed(body, signature, ["test-api-key"])
    }
    assert len(body) == size
    again = json.dumps(json.loads(body), indent=4).encode()
    assert not is_signed(again, signature, ["test-api-key"])


@pytest.mark.parametrize("keys", [["Jefe"], ["Jefe", "old"], ["new", "Jefe"], ["", "Jefe"]])
def test_any_key_that_is_not_empty_may_have_signed(keys: list[str]) -> None:
    assert is_signed(SAID, SIGNATURE, keys)


def test_no_key_and_an_empty_key_have_signed_nothing() -> None:
    by_nobody = hmac.new(b"", SAID, "sha256").hexdigest()
    assert not is_signed(SAID, by_nobody, [""])
    assert not is_signed(SAID, by_nobody, ["Jefe", ""])
    assert not is_signed(SAID, SIGNATURE, [])
    assert not is_same("", [""])
    assert not is_same("", [])
    assert not is_same(None, [""])


@pytest.mark.parametrize(
    "given_",
    [
        None, "", " ", SIGNATURE.upper(), f" {SIGNATURE}", f"{SIGNATURE}\n", SIGNATURE[:-1],
        SIGNATURE * 2, f"sha256={SIGNATURE}", "é", "\udc80", "\ud83d\ude00", "\x00", "x" * 100_000,
    ],
)  # fmt: skip
def test_what_is_no_signature_is_refused_and_never_an_error(given_: str | None) -> None:
    assert not is_signed(SAID, given_, ["Jefe"])
    assert not is_same(given_, [SIGNATURE])


def test_a_text_is_the_same_as_one_of_those_that_are_wanted() -> None:
    assert is_same("abc", ["abc"])
    assert is_same("abc", ["x", "abc"])
    assert is_same("é", ["é"])
    assert not is_same("abc", ["ab", "abcd", "ABC", ""])


def test_a_key_outside_ascii_signs_its_utf8() -> None:
    signature = hmac.new("kunci-é".encode(), b"x", "sha256").hexdigest()
    assert is_signed(b"x", signature, ["kunci-é"])


@given(
    st.binary(max_size=100),
    st.none() | st.text(st.characters(), max_size=70),
    st.text(min_size=1, max_size=20).filter(str.isprintable),
)
def test_nothing_that_comes_is_an_error(body: bytes, given_: str | None, key: str) -> None:
    assert is_signed(body, given_, [key]) is False
    assert type(is_same(given_, [key])) is bool


# --- addresses ------------------------------------------------------------------------------------

ONE = [ip_network("206.189.83.1")]
SOME = [ip_network("10.1.0.0/16"), ip_network("2001:db8::/32")]


@pytest.mark.parametrize(
    ("remote", "networks"),
    [
        ("206.189.83.1", ONE),
        ("::ffff:206.189.83.1", ONE),
        ("::ffff:cebd:5301", ONE),
        ("10.1.0.0", SOME),
        ("10.1.255.255", SOME),
        ("2001:db8::7", SOME),
        ("2001:0DB8:0::7", SOME),
    ],
)
def test_an_address_is_found_in_its_network(remote: str, networks: list) -> None:
    assert is_from(remote, networks)


@pytest.mark.parametrize(
    ("remote", "networks"),
    [
        ("206.189.83.2", ONE), ("206.189.83.0", ONE), ("::206.189.83.1", ONE),
        ("64:ff9b::206.189.83.1", ONE), ("::ffff:206.189.83.2", ONE), ("10.2.0.0", SOME),
        ("10.0.255.255", SOME), ("2001:db9::", SOME), ("206.189.83.1", []), ("", ONE), ("", []),
        ("206.189.83.01", ONE), ("206.189.83.1:80", ONE), ("206.189.83.1/32", ONE),
        ("3468514049", ONE), (" 206.189.83.1", ONE), ("206.189.83.1, 10.1.0.1", ONE),
        ("localhost", ONE), ("\udc80", ONE), ("٢٠٦.189.83.1", ONE), ("fe80::1%eth0", SOME),
    ],
)  # fmt: skip
def test_any_other_text_is_in_none(remote: str, networks: list) -> None:
    assert not is_from(remote, networks)


@given(st.text(st.characters(), max_size=40))
def test_no_text_is_an_error(remote: str) -> None:
    assert is_from(remote, ONE) is (remote == "206.189.83.1")


# --- bodies ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"{}", {}),
        (b' {"a": 1, "b": [true, null, 1.5, "x"]} \n', {"a": 1, "b": [True, None, 1.5, "x"]}),
        (b'{"a":"N\\/A","b":"\\u00e9"}', {"a": "N/A", "b": "é"}),
        ('{"a":"é"}'.encode(), {"a": "é"}),
        (b'{"a":{"a":{"a":1}}}', {"a": {"a": {"a": 1}}}),  # names of different objects
    ],
)
def test_a_body_is_one_json_object(body: bytes, said: dict) -> None:
    assert read_body(body) == said


DEEP = 20  # levels, of which the object itself is one


@pytest.mark.parametrize(
    "body",
    [
        b"", b" ", b"null", b"1", b"true", b'"x"', b"[]", b"[{}]", b"{", b"{}{}", b"{} x", b"x{}",
        b"trx_id=1&status=SUCCESS", b"\xff\xfe", b'{"a":"\xff"}', b"{'a':1}", b'{"a":1,}',
        b'{"a":1/**/}', b'{"a":NaN}', b'{"a":Infinity}', b'{"a":-Infinity}', b'{"a":[NaN]}',
        b'{"a":1,"a":1}', b'{"a":1,"\\u0061":2}', b'{"x":{"a":1,"a":2}}', b'{"x":[{"a":1,"a":2}]}',
        b'{"a":' + b"9" * 5_000 + b"}", b"[" * 100_000, b'{"a":' * 100_000,
        b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"a":' * (DEEP + 1) + b"1" + b"}" * (DEEP + 1),
        b'{"a":' + b"[" * DEEP + b"1" + b"]" * DEEP + b"}",
    ],
)  # fmt: skip
def test_what_two_readers_may_read_differently_is_nonsense(body: bytes) -> None:
    with pytest.raises(Nonsense) as nonsense:
        read_body(body)
    assert len(str(nonsense.value)) < 100


def test_nesting_is_read_as_deep_as_anybody_needs_it() -> None:
    read_body(b'{"a":' * (DEEP - 1) + b"1" + b"}" * (DEEP - 1))


@given(
    st.binary(max_size=200)
    | st.text(max_size=100).map(lambda text: json.dumps({"a": text}).encode())
)
def test_any_bytes_are_an_object_or_nonsense(body: bytes) -> None:
    try:
        said = read_body(body)
    except Nonsense:
        return
    assert isinstance(said, dict)


# --- addresses with parameters --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("", {}),
        ("a=1&b=2", {"a": "1", "b": "2"}),
        ("a=&b", {"a": "", "b": ""}),
        ("a=x%20y+z%26", {"a": "x y z&"}),
        ("sn=Nick%20-%201(2)%20.%20RefId%3A%20X", {"sn": "Nick - 1(2) . RefId: X"}),
        ("a=%C3%A9", {"a": "é"}),
        ("a=1;b=2", {"a": "1;b=2"}),
        ("a=b=c", {"a": "b=c"}),
    ],
)
def test_a_query_is_names_with_values(query: str, said: dict) -> None:
    assert read_query(query) == said


@pytest.mark.parametrize(
    "query",
    [
        "a=1&a=1",
        "a=1&a=2",
        "a&a",
        "a=1&%61=2",
        "a=%ff",
        "a=%ED%A0%80",
        "&".join(f"p{n}=1" for n in range(51)),
    ],
)
def test_a_query_that_may_be_read_in_two_ways_is_nonsense(query: str) -> None:
    with pytest.raises(Nonsense):
        read_query(query)


@given(st.text(st.characters(), max_size=100))
def test_any_query_is_parameters_or_nonsense(query: str) -> None:
    try:
        said = read_query(query)
    except Nonsense:
        return
    assert all(type(name) is type(value) is str for name, value in said.items())
