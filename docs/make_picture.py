"""Make the README's moving picture, from the real lab: `python docs/make_picture.py` (needs Chromium)."""

import io
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from PIL import Image

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests" / "browser")]

from helpers import write_notebook  # noqa: E402
from labpage import LabPage  # noqa: E402
from labserver import jupyter_server  # noqa: E402
from playwright.sync_api import Locator, Page, sync_playwright  # noqa: E402

from conftest import find_chromium  # noqa: E402
from lesson_lib.pictures.frame import CSS  # noqa: E402

SIZE = {"width": 1280, "height": 720}
MILLISECONDS = 160  # a frame is shown
WIDTH = 1000
MIXED = (1, 0.7, 0.4, 0.15)  # how much of a colour is left where it meets the white page
POINTER = """() => {
    const hand = document.createElement('div');
    hand.style.cssText = 'position: fixed; z-index: 9999; width: 14px; height: 14px; border-radius: 50%; '
        + 'border: 2px solid #b00020; background: #b0002055; pointer-events: none; transform: translate(-50%, -50%)';
    document.body.append(hand);
    addEventListener('pointermove', (move) => {
        Object.assign(hand.style, { left: `${move.clientX}px`, top: `${move.clientY}px` });
    }, true);
}"""


def drag(page: Page, mark: Locator, path: list[tuple[float, float]]) -> Iterator[None]:
    """Drag a mark along a path, (right, down) in pixels from where it is; pause after each move."""
    box = mark.bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    yield
    page.mouse.down()
    for right, down in path:
        page.mouse.move(x + right, y + down)
        page.wait_for_timeout(500)
        yield
    page.mouse.up()


def play(page: Page, lab: Locator) -> Iterator[None]:
    """Move the sliders, then the star up and down at x = 0: nothing learns; then aside, where it does; pause often."""
    for number in (0, 2):
        slider = lab.locator(".noUi-handle").nth(number)
        slider.focus()
        for key in ["ArrowRight"] * 6 + ["ArrowLeft"] * 6:
            page.keyboard.press(key)
            page.wait_for_timeout(250)
            yield
    yield from drag(page, lab.locator("[data-touch=star]"), [(0, 12 * k) for k in (-2, -4, -2, 2, 4, 6, 3, 0)])
    yield from drag(page, lab.locator("[data-touch=star]"), [(7 * k, -3 * k) for k in (1, 2, 3, 4, 5)])
    assert lab.locator(".by-hand-verdict .yes").count() == 1, "the picture ends where the star is learnt"
    for _ in range(5):
        yield


def palette() -> Image.Image:
    """Return the colours of the picture on a light page, each mixed with white, in an image that holds them."""
    light = CSS.partition("@media")[0]
    named = {tuple(bytes.fromhex(found)) for found in re.findall(r"--\w+: #(\w{6});", light)}
    mixed = {tuple(round(255 + share * (part - 255)) for part in one) for one in named for share in MIXED}
    holder = Image.new("P", (1, 1))
    holder.putpalette([part for one in sorted(mixed) for part in one])
    return holder


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        write_notebook(Path(folder), "lab", ["from lesson_lib import TriggerLab\nTriggerLab()"])
        with jupyter_server(Path(folder)) as server, sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=find_chromium(), args=["--no-sandbox", "--disable-gpu"]
            )
            lab_page = LabPage(browser, server)
            page = lab_page.page
            page.set_viewport_size(SIZE)
            lab_page.open("lab.ipynb")
            lab_page.run_all()
            lab = lab_page.output(0)
            lab.locator("[data-touch=star]").wait_for()
            lab.evaluate("node => node.scrollIntoView({block: 'start'})")
            page.evaluate(POINTER)
            frames = [Image.open(io.BytesIO(lab.screenshot())).convert("RGB") for _ in play(page, lab)]
            lab_page.close()
            browser.close()
    small = [frame.resize((WIDTH, WIDTH * frame.height // frame.width), Image.Resampling.LANCZOS) for frame in frames]
    colours = palette()
    first, *others = [frame.quantize(palette=colours, dither=Image.Dither.NONE) for frame in small]
    path = ROOT / "docs" / "lesson.gif"
    first.save(path, save_all=True, append_images=others, duration=MILLISECONDS, loop=0, optimize=True)
    print(f"{path}: {path.stat().st_size / 1000:.0f} kB, {len(frames)} frames")


if __name__ == "__main__":
    main()
