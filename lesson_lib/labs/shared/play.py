"""Work that goes on by itself, step by step, while the page stays alive; a button starts and stops it."""

import asyncio
from collections.abc import Callable
from typing import Any

from lesson_lib.labs.shared.dial import Dial
from lesson_lib.labs.shared.parts import button
from lesson_lib.labs.shared.words import PAUSE, PLAY, TIPS


class Player:
    """A button that calls `step` every so many seconds until it returns False; a second press stops.

    `started` is called first, `ended` last, with whether all steps were done. Without a running event loop, as
    in a script, all steps are done at once.
    """

    def __init__(
        self,
        step: Callable[[], bool],
        seconds: float,
        started: Callable[[], None] = lambda: None,
        ended: Callable[[bool], None] = lambda _: None,
        texts: tuple[str, str, str] = (PLAY, PAUSE, TIPS["Play"]),
        width: str = "84px",
    ) -> None:
        self._step, self._seconds, self._started, self._ended, self._texts = step, seconds, started, ended, texts
        self._task: asyncio.Task[None] | None = None
        self.button = button(texts[0], texts[2], self.press, width)
        self.button.observe(lambda change: None if change["new"] else self.stop(), "comm")  # when it is closed

    def press(self) -> None:
        """Start, or stop what has been started."""
        if self._task is not None:
            self.stop()
            return
        self._is_whole = False
        self._started()
        loop = _running_loop()
        if loop is None:
            while self._step():
                pass
            self._ended(True)
            return
        self.button.description = self._texts[1]
        self._task = loop.create_task(self._go_on())
        self._task.add_done_callback(self._done)  # even if it is stopped before it has begun

    def stop(self) -> None:
        """Stop, if it has been started; where a kernel hears the press in another thread, after the step under way."""
        if self._task is not None:
            loop = self._task.get_loop()
            if loop is not _running_loop():
                loop.call_soon_threadsafe(self._task.cancel)
            else:
                self._task.cancel()
                self._done(self._task)

    async def _go_on(self) -> None:
        while self._step():
            await asyncio.sleep(self._seconds)
        self._is_whole = True

    def _done(self, task: "asyncio.Task[None]") -> None:
        if task is self._task:
            self._task, self.button.description = None, self._texts[0]
            self._ended(self._is_whole)


def along(dial: Dial, seconds: float, **more: Any) -> Player:
    """Return a player that goes from position to position of a dial, and begins again where that is at its end."""

    def begin() -> None:
        if dial.value == dial.positions[-1]:
            dial.value = dial.positions[0]

    def go_on() -> bool:
        dial.value = dial.beside(1)
        return bool(dial.value < dial.positions[-1])

    return Player(go_on, seconds, begin, **more)


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None
