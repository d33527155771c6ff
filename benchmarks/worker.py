"""A worker process of a shop: ``lapak run --role worker``, but on the instant supplier.

``python -m benchmarks.worker <database URI>``. It prints ``{"ready": true}`` when it has read the
price list, and again after each line ``{"takes": …}``: how many seconds each answer takes from then
on. It works until told to stop.
"""

import asyncio
import json
import signal
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.instant import InstantSupplier, settings_on, working_shop
from bot.bootstrap import Seams
from bot.logs import configure_logs
from bot.roles import Role
from storage.address import PostgresServer


async def main(uri: str) -> None:
    """Work until told to stop."""
    stop, supplier = asyncio.Event(), InstantSupplier()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    address = PostgresServer(uri=uri, shown="")
    with TemporaryDirectory() as folder:
        settings = settings_on(address, Path(folder))
        roles = frozenset({Role.WORKER})
        async with working_shop(settings, Seams(), roles, supplier):
            obeying = asyncio.create_task(_obey(supplier))
            await stop.wait()
            obeying.cancel()


async def _obey(supplier: InstantSupplier) -> None:
    loop, orders = asyncio.get_running_loop(), asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(orders), sys.stdin)
    _say_ready()
    while line := await orders.readline():
        supplier.takes = json.loads(line)["takes"]
        _say_ready()


def _say_ready() -> None:
    sys.stdout.write(f"{json.dumps({'ready': True})}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    configure_logs("ERROR", "text", ())
    asyncio.run(main(sys.argv[1]))
