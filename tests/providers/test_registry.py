"""Suppliers are found by their modules: nothing is written down twice."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent

import pytest

import providers
from providers.base import HttpSupplier
from providers.registry import adapters

ADAPTER = """
    from providers.base import HttpSupplier
    from shop.suppliers import PriceList, StatusRequest, TopupReport, TopupRequest

    class {name}(HttpSupplier[None]):
        slug = "{slug}"
        title = "{name}"
        counts_calls = False
        knows_our_ref = False
        settings_type = type(None)

        @property
        def _url(self) -> str:
            return ""

        def _secrets(self):
            return ()

        async def price_list(self) -> PriceList: ...

        async def topup(self, request: TopupRequest) -> TopupReport: ...

        async def status(self, request: StatusRequest) -> TopupReport: ...
"""

Write = Callable[..., None]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Write]:
    """Put modules beside those of the package, for as long as a test takes."""
    before = set(sys.modules)
    monkeypatch.setattr(providers, "__path__", [*providers.__path__, str(tmp_path)])

    def write_modules(**texts: str) -> None:
        for name, text in texts.items():
            (tmp_path / f"{name}.py").write_text(dedent(text))

    yield write_modules
    for name in set(sys.modules) - before:
        del sys.modules[name]
        providers.__dict__.pop(name.partition(".")[2], None)


def found() -> dict[str, type]:
    """What is found now; the real function looks once."""
    return dict(adapters.__wrapped__())


def adapter(slug: str, name: str = "Another") -> str:
    return ADAPTER.format(slug=slug, name=name)


def test_each_adapter_is_found_by_its_modules_name() -> None:
    assert "zultopup" in adapters()
    for slug, kind in adapters().items():
        assert issubclass(kind, HttpSupplier)
        assert kind.__module__ == f"providers.{slug}"
    assert list(adapters()) == sorted(adapters())


def test_it_is_looked_for_once_and_cannot_be_changed() -> None:
    assert adapters() is adapters()
    with pytest.raises(TypeError):
        adapters()["sixth"] = HttpSupplier  # type: ignore[index]


def test_a_sixth_supplier_is_found_by_itself(write: Write) -> None:
    write(aaa_sixth=adapter("aaa_sixth"))
    assert found()["aaa_sixth"].__name__ == "Another"
    assert next(iter(found())) == "aaa_sixth"


def test_a_module_without_an_adapter_is_none(write: Write) -> None:
    write(sixth_words="WORDS = {'sukses': 'delivered'}\n")
    assert set(found()) == set(adapters())


def test_a_slug_that_is_not_the_modules_name_is_an_error(write: Write) -> None:
    write(sixth=adapter("seventh"))
    with pytest.raises(TypeError, match=r"providers/sixth\.py"):
        found()


def test_two_adapters_in_one_module_are_an_error(write: Write) -> None:
    write(sixth=adapter("sixth", "One") + adapter("sixth", "Two"))
    with pytest.raises(TypeError, match=r"providers/sixth\.py"):
        found()


def test_an_adapter_that_is_imported_or_unfinished_is_not_one_of_the_modules(write: Write) -> None:
    write(
        sixth=adapter("sixth"),
        sixth_parts="""
            from providers.base import HttpSupplier
            from providers.sixth import Another

            class Unfinished(HttpSupplier[None]):
                slug = "sixth_parts"
        """,
    )
    assert set(found()) == {*adapters(), "sixth"}


def test_a_module_that_cannot_be_imported_is_not_passed_over(write: Write) -> None:
    write(sixth="import nothing_of_that_name\n")
    with pytest.raises(ModuleNotFoundError):
        found()
