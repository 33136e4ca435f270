"""What a move of a slider costs in the kernel, and what it sends: the labs beside Matplotlib's pixels."""

import itertools
import struct
import zlib
from base64 import b64encode
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import comm
import ipywidgets as widgets
import numpy as np
import scenes
from comm.base_comm import BaseComm
from jupyter_client.session import Session
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from rows import Row, in_turns

TITLE = "A move in the kernel"
ABOUT = (
    "From a slider's message in the kernel until its answers are packed and signed as Jupyter does it. The "
    "runs are looked up. The bytes are those of all messages of the largest move. The peer draws the lab's panels with "
    "Matplotlib, without the network, the verdict and the tables: only what moves, on a remembered background, at 1.75 "
    "pixels for one on the page. Then it packs them as PNG and sends an image."
)
PEER = "Matplotlib, blitting and PNG"
TIME, BYTES = "{}, kernel time", "{}, sent"
WHY = {
    "s": "The peer leaves out the verdict, the number box and the text for screen readers. Ours writes them anew at "
    "every move.",
    "KB": "A picture of few colours is small as PNG. Ours sends the marks as text, so that the page can colour them, "
    "scale them and read them out.",
}
DENSITY = 1.75  # pixels of the peer's picture for one on the page


class Size(NamedTuple):
    """The labs, how many positions to walk to either side of the start, and repeats."""

    labs: tuple[str, ...] = tuple(scenes.SCENES)
    reach: int = 10
    repeats: int = 7


TINY = Size(labs=("TriggerLab, rate",), reach=2, repeats=1)
SESSION = Session(key=b"benchmark")


class Packed(BaseComm):
    """A widget's connection that packs its messages as a kernel does, and counts their bytes."""

    sent = 0

    def publish_msg(
        self, msg_type: str, data: Any = None, metadata: Any = None, buffers: Any = None, **more: Any
    ) -> None:
        content = {"data": data or {}, "comm_id": self.comm_id, **more}
        parts = SESSION.serialize(SESSION.msg(msg_type, content, metadata=metadata))
        Packed.sent += sum(map(len, [*parts, *(buffers or ())]))


def names(size: Size = Size()) -> list[str]:  # noqa: B008
    """Return the names of all rows, in order."""
    return [f"{what.format(name)} / {PEER}" for name in size.labs for what in (TIME, BYTES)]


def measure(size: Size = Size()) -> Iterator[Row]:  # noqa: B008
    """Yield the time and the bytes of a move of each lab."""
    before, comm.create_comm = comm.create_comm, Packed
    try:
        for name in size.labs:
            yield from compared(name, size)
    finally:
        comm.create_comm = before


def compared(name: str, size: Size) -> Iterator[Row]:
    """Walk the lab's slider and the peer's alike; yield the row of times and the row of bytes."""
    scene, (_, dial) = scenes.SCENES[name](), scenes.lab_with_dial(name)
    low, high = max(0, scene.start - size.reach), min(scene.positions - 1, scene.start + size.reach)
    there = range(low, high + 1)
    walk = [*there, *there[-2:0:-1]]
    sliders = {"": dial.slider, PEER: pixels(scene)}
    bytes_of = {who: [sent(slider, position) for position in walk] for who, slider in sliders.items()}
    times = in_turns({who: mover(slider, walk) for who, slider in sliders.items()}, size.repeats)
    text = f"{len(there)} positions"
    yield Row(TIME.format(name), PEER, text, times[""], times[PEER], "s", size.repeats, WHY["s"])
    most = {who: max(found) / 1000 for who, found in bytes_of.items()}
    yield Row(BYTES.format(name), PEER, text, most[""], most[PEER], "KB", len(walk), WHY["KB"])


def moved(slider: Any, position: int) -> None:
    """Move a slider as the page does."""
    slider.set_state({"value": position})


def mover(slider: Any, walk: list[int]) -> Callable[[], None]:
    """Return what moves the slider one position on in a walk without end."""
    positions = itertools.cycle(walk)
    return lambda: moved(slider, next(positions))


def sent(slider: Any, position: int) -> int:
    """Return how many bytes the kernel sends when a slider moves."""
    Packed.sent = 0
    moved(slider, position)
    return Packed.sent


def pixels(scene: scenes.Scene) -> widgets.IntSlider:
    """Return a slider whose moves draw the panels and send them as an image."""
    figure = Figure(figsize=scene.inches, dpi=100 * DENSITY)
    canvas: Any = FigureCanvasAgg(figure)
    axes = list(figure.subplots(1, len(scene.panels), squeeze=False)[0])
    scenes.dress(axes, scene)
    made = scenes.draw(axes, scene, scene.data(scene.start), animated=True)
    canvas.draw()
    background = canvas.copy_from_bbox(figure.bbox)
    image, slider = widgets.HTML(), widgets.IntSlider(value=scene.start, max=scene.positions - 1)

    def show(change: dict[str, Any]) -> None:
        scenes.move(made, scene.data(change["new"]))
        canvas.restore_region(background)
        for artist in made.values():
            figure.draw_artist(artist)
        source = b64encode(as_png(np.asarray(canvas.buffer_rgba()))).decode()
        image.value = f'<img alt="" src="data:image/png;base64,{source}">'

    slider.observe(show, names="value")
    return slider


def as_png(pixels: np.ndarray) -> bytes:
    """Return pixels (height, width, 4) as a PNG, each row as its difference from the row above, packed at speed."""
    height, width = pixels.shape[:2]
    colours = pixels.reshape(height, -1)
    rows = np.empty((height, 1 + 4 * width), np.uint8)
    rows[:, 0] = 2  # PNG's filter: up
    rows[0, 1:] = colours[0]
    np.subtract(colours[1:], colours[:-1], out=rows[1:, 1:])
    header = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows.data, 1)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )
