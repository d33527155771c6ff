"""How many requests one key may make."""

from collections import deque


class RateLimit:
    """At most ``most`` admitted requests of one key in any ``window_ms`` milliseconds."""

    def __init__(self, *, most: int, window_ms: int) -> None:
        self._most = most
        self._window_ms = window_ms
        self._admitted: dict[str, deque[int]] = {}

    def admits(self, key: str, now: int) -> bool:
        """Count a request, or tell that it is one too many; refused ones do not count."""
        admitted = self._admitted.setdefault(key, deque())
        while admitted and admitted[0] <= now - self._window_ms:
            admitted.popleft()
        if len(admitted) >= self._most:
            return False
        admitted.append(now)
        return True
