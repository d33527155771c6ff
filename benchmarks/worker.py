"""A worker process of a shop: ``lapak run --role worker``, but on the instant supplier.

``python -m benchmarks.worker <database URI> <seconds that each answer takes>``. It prints
``{"stocked": true}`` when it has read the price list, and works until told to stop.
"""

import asyncio
import json
import signal
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.instant import settings_on, working_shop
from bot.bootstrap import Seams
from bot.logs import configure_logs
from bot.roles import Role
from storage.address import PostgresServer


async def main(uri: str, takes: float) -> None:
    """Work until told to stop."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    address = PostgresServer(uri=uri, shown="")
    with TemporaryDirectory() as folder:
        settings = settings_on(address, Path(folder))
        async with working_shop(settings, Seams(), frozenset({Role.WORKER}), takes):
            sys.stdout.write(f"{json.dumps({'stocked': True})}\n")
            sys.stdout.flush()
            await stop.wait()


if __name__ == "__main__":
    configure_logs("ERROR", "text", ())
    asyncio.run(main(sys.argv[1], float(sys.argv[2])))
