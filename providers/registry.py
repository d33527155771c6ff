"""Which suppliers there are: every module here with an adapter in it, by the module's name."""

import importlib
import inspect
import pkgutil
from collections.abc import Mapping, Sequence
from functools import cache
from types import MappingProxyType
from typing import Any

import providers
from providers.base import HttpSupplier


@cache
def adapters() -> Mapping[str, type[HttpSupplier[Any]]]:
    """Return each adapter by its slug, in the order of the alphabet.

    Raises:
        TypeError: a module has two adapters, or one whose slug is not the module's name.
    """
    found: dict[str, type[HttpSupplier[Any]]] = {}
    for name in sorted(entry.name for entry in pkgutil.iter_modules(providers.__path__)):
        for adapter in _adapters_in(name):
            if adapter.slug != name or name in found:
                raise TypeError(f"providers/{name}.py: one adapter, whose slug is {name}")
            found[name] = adapter
    return MappingProxyType(found)


def _adapters_in(name: str) -> Sequence[type[HttpSupplier[Any]]]:
    module = importlib.import_module(f"providers.{name}")
    classes = (each for _, each in inspect.getmembers(module, inspect.isclass))
    return [
        each
        for each in classes
        if each.__module__ == module.__name__
        and issubclass(each, HttpSupplier)
        and not inspect.isabstract(each)
    ]
