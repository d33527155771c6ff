"""S5: a request comes from its peer, or from whom trusted proxies say, and from nobody else."""

from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webhook_server.origin import remote_of

SENPAY = "206.189.83.1"
STRANGER = "203.0.113.66"
PROXY = "10.0.0.2"
TRUSTED = [ip_network(each) for each in ("10.0.0.0/8", "127.0.0.1/32", "2001:db8:aa::/48")]


def remote(*lines, peer=PROXY, trusted=TRUSTED):
    return remote_of(peer, lines, trusted)


# --- the peer -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "lines",
    [(), ("",), (SENPAY,), (f"{SENPAY}, {PROXY}",), (SENPAY, SENPAY), ("127.0.0.1",), ("junk",)],
)
def test_what_a_stranger_says_of_himself_is_not_believed(lines):
    assert remote(*lines, peer=STRANGER) == STRANGER
    assert remote(*lines, peer=STRANGER, trusted=()) == STRANGER


def test_nobody_is_believed_where_no_proxy_is_trusted():
    assert remote(SENPAY, peer="127.0.0.1", trusted=()) == "127.0.0.1"


def test_a_trusted_proxy_that_names_nobody_is_the_origin_itself():
    assert remote() == PROXY


@pytest.mark.parametrize("peer", [None, "", "/run/lapak.sock", "not an address", "10.0.0"])
@pytest.mark.parametrize("lines", [(), (SENPAY,)])
def test_a_peer_without_an_address_has_no_origin(peer, lines):
    everything = [ip_network("0.0.0.0/0"), ip_network("::/0")]
    assert remote(*lines, peer=peer, trusted=everything) == ""


@pytest.mark.parametrize(
    ("peer", "said"),
    [
        ("::ffff:206.189.83.1", SENPAY),
        ("2001:DB8:0:0::1", "2001:db8::1"),
        ("fe80::1%eth0", "fe80::1"),
    ],
)
def test_an_address_is_always_written_the_same_way(peer, said):
    assert remote(peer=peer) == said


def test_an_ipv6_socket_knows_the_trusted_proxy_by_its_ipv4_address():
    assert remote(SENPAY, peer=f"::ffff:{PROXY}") == SENPAY


# --- what trusted proxies say ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "lines",
    [
        (SENPAY,),
        (f"  {SENPAY}\t",),
        (f"{SENPAY}:443",),
        (f"::ffff:{SENPAY}",),
        (f"[::ffff:{SENPAY}]:443",),
        (f"{SENPAY}, 10.9.9.9",),
        (f"{SENPAY},10.9.9.9,127.0.0.1",),
        (f"{SENPAY}, [2001:db8:aa::7]:80, 10.9.9.9:8080",),
        (SENPAY, "10.9.9.9"),
        (f"{STRANGER}, {SENPAY}",),
        (STRANGER, SENPAY),
        (f"junk, {SENPAY}",),
        ("junk", f"{STRANGER}, {SENPAY}", "10.9.9.9"),
    ],
)
def test_the_right_most_hop_that_is_not_trusted_is_the_origin(lines):
    assert remote(*lines) == SENPAY


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("2001:db8::1", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("[2001:DB8::1]:80", "2001:db8::1"),
        ("2001:db8:aa::1", "2001:db8:aa::1"),
        ("2001:db8::2, 2001:db8:aa::1", "2001:db8::2"),
    ],
)
def test_an_ipv6_hop_is_read(line, said):
    assert remote(line) == said


def test_where_all_are_trusted_the_first_of_them_is_the_origin():
    assert remote("10.1.1.1, 10.2.2.2", "127.0.0.1") == "10.1.1.1"


# What an attacker sends is in front; the proxy puts the attacker's own address behind it.
@pytest.mark.parametrize(
    "forged",
    [
        SENPAY,
        f"{SENPAY},",
        f"{SENPAY}, {SENPAY}",
        f"{PROXY}, {SENPAY}",
        f"{SENPAY}, {PROXY}",
        f"{SENPAY}, 127.0.0.1, ::1",
        f"[{SENPAY}]",
        f'"{SENPAY}"',
        f"for={SENPAY}",
        f"{SENPAY}\t{SENPAY}",
        f"{SENPAY} ",
        "unknown",
        "",
        ",,,,",
        "0.0.0.0",
        "\udcff",
    ],
)
def test_a_forged_hop_never_reaches_past_the_attackers_own_address(forged):
    assert remote(f"{forged}, {STRANGER}") == STRANGER
    assert remote(forged, STRANGER) == STRANGER


@pytest.mark.parametrize(
    "broken",
    [
        "",
        " ",
        "unknown",
        "_hidden",
        "localhost",
        "1",
        "0x7f.0.0.1",
        "206.189.83",
        "206.189.083.1",
        "206.189.83.1.",
        "206.189.83.256",
        "206.189.83.1:",
        "206.189.83.1:port",
        "206.189.83.1:123456",
        "206.189.83.1/32",
        "206.189.83.1\xa0",
        "206.189.83.1;10.0.0.1",
        "206.189.83.1 206.189.83.1",
        "[206.189.83.1]x",
        "[::1",
        "::1]",
        "[::1]80",
        "[]",
        "fe80::1%eth0",
        "::1%206.189.83.1",
        "\uff12\uff10\uff16.189.83.1",
        "٢٠٦.189.83.1",
        "206.189.83.1\n",
        "\x00",
        "\udcff",
        "9" * 5000,
        "::" * 2000,
    ],
)
def test_what_cannot_be_read_ends_the_walk_at_the_last_believable_hop(broken):
    assert remote(f"{SENPAY}, {broken}") == PROXY
    assert remote(SENPAY, f"{broken}, 10.9.9.9") == "10.9.9.9"


# --- whatever is sent -----------------------------------------------------------------------------

ADDRESSES = st.ip_addresses().map(str)
PIECES = st.one_of(
    st.text(max_size=12), ADDRESSES, st.sampled_from([SENPAY, PROXY, "[::1]:80", "", "unknown"])
)
LINES = st.lists(st.lists(PIECES, max_size=4).map(",".join), max_size=4)


@given(LINES)
def test_no_header_moves_the_origin_past_an_untrusted_hop(lines):
    assert remote(*lines, peer=STRANGER) == STRANGER
    assert remote(*lines, STRANGER) == STRANGER


@given(LINES, st.one_of(st.none(), st.text(max_size=12), ADDRESSES))
def test_the_origin_is_an_address_or_nothing(lines, peer):
    found = remote(*lines, peer=peer, trusted=[*TRUSTED, ip_network("128.0.0.0/1")])
    assert not found or str(ip_address(found)) == found
