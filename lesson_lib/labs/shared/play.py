"""Work that goes on by itself, step by step, while the page stays alive; a button starts and stops it."""

import asyncio
from collections.abc import Callable, Generator
from contextlib import closing, suppress
from inspect import GEN_RUNNING, getgeneratorstate
from typing import Any

from lesson_lib.labs.shared.dial import Dial
from lesson_lib.labs.shared.parts import button
from lesson_lib.labs.shared.words import PAUSE, PLAY, TIPS

Work = Generator[None]  # yields before each step; it is closed when it is stopped


class Player:
    """A button that goes on with `work`, a step every so many seconds; a second press stops it.

    What comes before the first yield is done at once. Without a running event loop, as in a script, so is all of it.
    """

    def __init__(
        self,
        work: Callable[[], Work],
        seconds: float,
        texts: tuple[str, str, str] = (PLAY, PAUSE, TIPS["Play"]),
        width: str = "84px",
    ) -> None:
        self._work, self._seconds, self._texts = work, seconds, texts
        self._task: asyncio.Task[None] | None = None
        self.button = button(texts[0], texts[2], self.press, width)
        self.button.observe(lambda change: None if change["new"] else self.stop(), "comm")  # when it is closed

    def press(self) -> None:
        """Start, or stop what has been started."""
        if self._task is not None:
            self.stop()
            return
        self._steps, loop = self._until_it_ends(), _running_loop()
        if loop is not None:
            self.button.description = self._texts[1]
            self._task = loop.create_task(self._go_on(self._steps))
        next(self._steps, None)
        if loop is None:
            for _ in self._steps:
                pass

    def stop(self) -> None:
        """Stop, if it has been started; where a kernel hears the press in another thread, after the step under way."""
        if self._task is not None:
            loop = self._task.get_loop()
            if loop is not _running_loop():
                loop.call_soon_threadsafe(self.stop)
                return
            self._task.cancel()
            if getgeneratorstate(self._steps) != GEN_RUNNING:  # a step that stops comes to its end first
                self._steps.close()

    def _until_it_ends(self) -> Work:
        try:
            yield from self._work()
        finally:
            self._task, self.button.description = None, self._texts[0]

    async def _go_on(self, steps: Work) -> None:
        with closing(steps):
            for _ in steps:
                await asyncio.sleep(self._seconds)


def along(dial: Dial, seconds: float, **more: Any) -> Player:
    """Return a player that goes from position to position of a dial, and begins again where that is at its end."""

    def walk() -> Work:
        if dial.value == dial.positions[-1]:
            dial.value = dial.positions[0]
        while dial.value < dial.positions[-1]:
            yield
            dial.value = dial.beside(1)

    return Player(walk, seconds, **more)


def _running_loop() -> asyncio.AbstractEventLoop | None:
    with suppress(RuntimeError):
        return asyncio.get_running_loop()
    return None
