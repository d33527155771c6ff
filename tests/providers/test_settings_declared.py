"""Each adapter says which settings it needs, so that nothing else has to."""

import re
from dataclasses import FrozenInstanceError, dataclass, fields, is_dataclass
from ipaddress import ip_network
from typing import Any

import pytest

from providers.registry import adapters
from providers.settings import Kind, Networks, Secrets, Spec, setting, specs_of

DECLARED = [
    pytest.param(slug, name, spec, id=f"{slug}-{name}")
    for slug, adapter in adapters().items()
    for name, spec in specs_of(adapter.settings_type).items()
]
KINDS = {slug: adapter.settings_type for slug, adapter in adapters().items()}
TYPES = {Kind.SECRET: Secrets, Kind.NETWORKS: Networks, Kind.PERCENT: int}


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """Settings as an adapter declares them."""

    key: Secrets = setting(Kind.SECRET, "The key.", example="a-key", needed=True)
    url: str = setting(Kind.URL, "Where it answers.", default="https://supplier.example")
    phone: str = setting(Kind.PHONE, "The shop's number.")
    way: str = setting(Kind.CHOICE, "How.", default="json", options=("json", "text"))


MADE = Made(key=lambda: ("kanari",), url="https://x.example", phone="0812-kanari", way="json")


def test_what_is_declared_is_read_back_in_its_order() -> None:
    specs = specs_of(Made)
    assert list(specs) == ["key", "url", "phone", "way"]
    assert specs["key"] == Spec(kind=Kind.SECRET, help="The key.", example="a-key", needed=True)
    assert specs["way"].options == ("json", "text")
    assert specs["phone"].default == ""
    assert not specs["phone"].needed


def test_a_setting_has_no_default_of_its_own() -> None:
    """What is left out of the environment is decided in one place, by the declared text."""
    with pytest.raises(TypeError):
        Made(key=lambda: ("kanari",))  # type: ignore[call-arg]


def test_secrets_and_phone_numbers_are_not_shown() -> None:
    assert "kanari" not in repr(MADE)
    assert "https://x.example" in repr(MADE)
    with pytest.raises(FrozenInstanceError):
        MADE.url = "https://y.example"  # type: ignore[misc]


def test_a_field_that_is_no_setting_is_an_error() -> None:
    @dataclass(frozen=True)
    class Forgotten:
        url: str

    with pytest.raises(KeyError):
        specs_of(Forgotten)


# --- every adapter's ------------------------------------------------------------------------------


@pytest.mark.parametrize("slug", KINDS)
def test_an_adapters_settings_are_frozen_and_have_an_address(slug: str) -> None:
    kind: Any = KINDS[slug]
    assert is_dataclass(kind)
    assert kind.__dataclass_params__.frozen
    assert all(field.kw_only for field in fields(kind))
    specs = specs_of(kind)
    assert specs["url"].kind is Kind.URL
    assert any(spec.kind is Kind.SECRET and spec.needed for spec in specs.values())


@pytest.mark.parametrize(("slug", "name", "spec"), DECLARED)
def test_a_setting_is_named_and_explained(slug: str, name: str, spec: Spec) -> None:
    assert re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", name)
    assert spec.help[0].isupper() or spec.help.startswith(tuple(spec.options))
    assert spec.help.endswith(".")
    assert "\n" not in spec.help
    assert not spec.needed or spec.example, "someone has to write it"
    assert not (spec.needed and spec.default)
    declared = {field.name: field.type for field in fields(KINDS[slug])}
    assert declared[name] == TYPES.get(spec.kind, declared[name])


CHECKS = {
    Kind.SECRET: lambda spec: not spec.default,
    Kind.NAME: lambda spec: not re.search(r"\s", spec.default),
    Kind.URL: lambda spec: re.fullmatch(r"https://[a-z0-9.-]+", spec.default),
    Kind.NETWORKS: lambda spec: [ip_network(each) for each in spec.default.split(",")],
    Kind.PERCENT: lambda spec: re.fullmatch(r"[0-9]+([.,][0-9]{1,2})?", spec.default),
    Kind.PHONE: lambda spec: not spec.default,
    Kind.TARGET: lambda spec: not spec.default or "{user_id}" in spec.default,
    Kind.FILE: lambda spec: not spec.default,
    Kind.CHOICE: lambda spec: spec.default in spec.options,
}


@pytest.mark.parametrize(("slug", "name", "spec"), DECLARED)
def test_a_default_is_what_its_kind_wants(slug: str, name: str, spec: Spec) -> None:
    assert set(CHECKS) == set(Kind)
    assert CHECKS[spec.kind](spec)
    assert bool(spec.options) == (spec.kind is Kind.CHOICE)
