"""Instants are epoch milliseconds, UTC; spans are milliseconds."""

from typing import TypeAlias

Millis: TypeAlias = int

SECOND: Millis = 1_000
MINUTE: Millis = 60 * SECOND
HOUR: Millis = 60 * MINUTE
