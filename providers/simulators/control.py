"""The control surface: what the world does to the suppliers, decided by tests and demo visitors.

``POST /control/<slug>/<action>`` takes a JSON object and answers ``{"ok": true, ...}``;
``GET /control/<slug>/journal`` answers everything the simulator accepted. What cannot be done is
answered with 400, 404 or 409 and ``{"error": "<one plain sentence>"}``.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Protocol

from aiohttp import web

from providers.simulators.wishes import JsonObject, UnknownThing, WishRefused, read_body

Action = Callable[[JsonObject], Awaitable[JsonObject]]


class Simulator(Protocol):
    """One supplier, played from its document."""

    slug: str

    def add_routes(self, app: web.Application) -> None:
        """Serve the supplier's own paths under ``/<slug>/`` of this application."""
        ...

    def actions(self) -> Mapping[str, Action]:
        """Name what can be done to it from outside (``pay``, ``expire``, ``price``, …).

        Each action takes the request's JSON object, returns what to add to ``{"ok": true}``, and
        raises ``WishRefused`` if nothing was changed.
        """
        ...

    def journal(self) -> JsonObject:
        """Tell the truth that tests compare with: at least ``orders`` and ``calls``."""
        ...


def add_simulators(app: web.Application, simulators: Sequence[Simulator]) -> None:
    """Serve these suppliers and their control surface; call it before the application starts."""
    surface = _ControlSurface({simulator.slug: simulator for simulator in simulators})
    app.router.add_get("/control/{slug}/journal", surface.journal)
    app.router.add_post("/control/{slug}/{action}", surface.act)
    for simulator in simulators:
        simulator.add_routes(app)


class _ControlSurface:
    def __init__(self, simulators: Mapping[str, Simulator]) -> None:
        self._simulators = simulators

    async def journal(self, request: web.Request) -> web.Response:
        try:
            simulator = self._simulator(request)
        except WishRefused as refused:
            return _error(refused)
        return web.json_response(simulator.journal())

    async def act(self, request: web.Request) -> web.Response:
        try:
            action = self._action(request)
            outcome = await action(await read_body(request))
        except WishRefused as refused:
            return _error(refused)
        return web.json_response({"ok": True, **outcome})

    def _simulator(self, request: web.Request) -> Simulator:
        slug = request.match_info["slug"]
        try:
            return self._simulators[slug]
        except KeyError:
            raise UnknownThing(f"No supplier '{slug}' is simulated here.") from None

    def _action(self, request: web.Request) -> Action:
        simulator = self._simulator(request)
        name = request.match_info["action"]
        actions = simulator.actions()
        if name not in actions:
            known = ", ".join(sorted(actions))
            raise UnknownThing(f"'{simulator.slug}' knows no '{name}', only {known}.")
        return actions[name]


def _error(refused: WishRefused) -> web.Response:
    return web.json_response({"error": str(refused)}, status=refused.http_status)
