"""Recorded callbacks, and the two ways in which suppliers sign them.

``fixtures/<slug>/callback*.toml`` holds its ``source``, the ``[callback]`` (``method``, ``query``,
the exact ``body``, ``headers``, ``remote``) and ``[then]``: the ``trust`` it deserves, and what it
tells, ``told`` or ``repriced``, or ``raises``. A header that reads ``SIGNED`` is signed here.
"""

import hashlib
import hmac
import json
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from providers.base import HttpSupplier
from shop.callbacks import Callback, CallsBack, Trust
from tests.providers.contract import (
    ADAPTERS,
    CANARY,
    FIXTURES,
    NOWHERE,
    RECORDED,
    Keys,
    make,
    written_settings,
)


class Caller(HttpSupplier[Any], CallsBack):
    """What every adapter here is; never made."""


def _hmac(_: str, body: bytes, key: str) -> str:
    return hmac.new(key.encode(), body, hashlib.sha256).hexdigest()


def _md5(slug: str, body: bytes, key: str) -> str:
    merchant = written_settings(slug).get("merchant_id", "")
    return hashlib.md5(f"{merchant}:{key}:{_ref(body)}".encode()).hexdigest()


def _ref(body: bytes) -> str:
    try:
        return str(json.loads(body)["ref_id"])
    except (KeyError, TypeError, ValueError):
        return ""


# By the header that the signature stands in.
SIGNATURES: Mapping[str, Callable[[str, bytes, str], str]] = {
    "x-signature": _hmac,
    "x-apigames-authorization": _md5,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """One callback, and what it is worth. ``signed``: the header of its signature, if any."""

    slug: str
    name: str
    source: str
    settings: dict[str, Any]
    callback: Callback
    signed: str
    trust: Trust
    then: dict[str, Any]

    @property
    def is_genuine(self) -> bool:
        return self.trust is not Trust.NONE

    @property
    def is_json(self) -> bool:
        return self.callback.body.startswith(b"{")

    def adapter(self, *keys: str) -> Caller:
        wanted: Keys = keys or (CANARY,)
        return make(self.slug, NOWHERE, keys=wanted, **self.settings)  # type: ignore[return-value]

    def signature(self, key: str = CANARY, header: str = "") -> str:
        """What is signed so, by its own rule or another one."""
        return SIGNATURES[header or self.signed](self.slug, self.callback.body, key)


def _recorded(path: Path) -> Recorded:
    written = tomllib.loads(path.read_text("utf-8"))
    said, slug = written["callback"], path.parent.name
    body = said["body"].encode()
    headers = {
        name: SIGNATURES[name](slug, body, CANARY) if value == "SIGNED" else value
        for name, value in said.get("headers", {}).items()
    }
    return Recorded(
        slug=slug,
        name=path.stem,
        source=written["source"],
        settings=written.get("settings", {}),
        callback=Callback(
            method=said["method"],
            query=said["query"],
            body=body,
            headers=headers,
            remote=said.get("remote", ""),
        ),
        signed=next((name for name in headers if name in SIGNATURES), ""),
        trust=Trust(written["then"]["trust"]),
        then=written["then"],
    )


CALLERS = [slug for slug in RECORDED if issubclass(ADAPTERS[slug], CallsBack)]
CALLBACKS = [
    _recorded(path) for slug in CALLERS for path in sorted((FIXTURES / slug).glob("callback*.toml"))
]
GENUINE = [each for each in CALLBACKS if each.is_genuine]
TELLING = [each for each in GENUINE if "raises" not in each.then]
SIGNED = [each for each in GENUINE if each.signed]
PROVED = [each for each in GENUINE if each.trust is Trust.PROOF]
HINTED = [each for each in GENUINE if each.trust is Trust.HINT]
ADDRESSED = [each for each in HINTED if each.callback.remote]


def called(each: Recorded) -> str:
    return f"{each.slug}/{each.name}"
