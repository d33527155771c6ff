"""Connections to PostgreSQL on which nobody waits for ever."""

from typing import Any, Final, TypeVar

import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg.pq import TransactionStatus
from psycopg.rows import DictRow

T = TypeVar("T")

ANSWER_WITHIN: Final = 10.0  # seconds, for any one thing asked of the server
PING_EVERY: Final = 2.0  # seconds, on connections that mostly listen

CONNECTING: Final[dict[str, Any]] = {
    "connect_timeout": 3,
    "application_name": "lapak",
    "client_encoding": "utf8",
    # A dead peer is noticed without waiting for the operating system's hours.
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 2,
    "tcp_user_timeout": 5000,
    # And the server frees what a process holds that was stopped in the middle.
    "options": "-c lock_timeout=4s -c idle_in_transaction_session_timeout=15s"
    " -c tcp_keepalives_idle=5 -c tcp_keepalives_interval=2 -c tcp_keepalives_count=2",
}


def connecting(uri: str) -> dict[str, Any]:
    """Return what is said to the server beside ``uri``; options in that are kept.

    Raises ``psycopg.ProgrammingError`` if it is no URI of libpq.
    """
    of_the_uri = conninfo_to_dict(uri).get("options", "")
    return {**CONNECTING, "options": f"{CONNECTING['options']} {of_the_uri}".strip()}


class PatientConnection(psycopg.Connection[DictRow]):
    """A connection that gives up on an answer that does not come, and is of no use then.

    TCP alone does not notice a server, or a proxy before it, that takes in what it is sent and
    never answers. ``server_pid``: the server's process, still known when the connection is lost.
    """

    server_pid = 0

    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        """Wait as the base class does, but not for ever. Raises ``OperationalError``."""
        try:
            return super().wait(gen, interval, ANSWER_WITHIN if timeout is None else timeout)
        except psycopg.OperationalError:
            if self.pgconn.transaction_status == TransactionStatus.ACTIVE:
                self.pgconn.finish()
            raise


class PatientAsyncConnection(psycopg.AsyncConnection):
    """The same, for those who wait in the loop."""

    async def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:  # noqa: ASYNC109 - the base class has it
        """Wait as the base class does, but not for ever. Raises ``OperationalError``."""
        try:
            within = ANSWER_WITHIN if timeout is None else timeout
            return await super().wait(gen, interval, within)
        except psycopg.OperationalError:
            if self.pgconn.transaction_status == TransactionStatus.ACTIVE:
                self.pgconn.finish()
            raise

    async def cancel_safe(self, *, timeout: float = 30.0) -> None:  # noqa: ASYNC109 - likewise
        """Close the connection: whoever is told to stop does not wait for a server that is silent.

        The base class would, on being cancelled, for twice five seconds.
        """
        self.pgconn.finish()
