"""Time the labs' sliders in Chromium beside a naive `interact`, and the map of outcomes beside a loop and PyTorch.

Run it on a quiet machine: .venv/bin/python benchmarks/sliders.py. It prints tables and never passes or fails.
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path

import nbformat
import numpy as np
from nbformat.v4 import new_code_cell, new_notebook

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "browser")]

LAB = """from lesson_lib import plotting
plotting.DENSITY = {density}
from lesson_lib.labs import {lab}
lab = {lab}()
lab.load({preset!r})
lab"""
# The same three panels from the same looked-up numbers, drawn as one draws them without a thought for speed.
INTERACT = """
import ipywidgets as widgets, matplotlib.pyplot as plt, numpy as np
from lesson_lib.labs.training import RATES, curves, view
from lesson_lib.sweeps import EPOCHS, Story

def draw(rate=0.1, epochs=25):
    seen = view(Story(rate=min(RATES, key=lambda known: abs(np.log(known / rate)))), EPOCHS[epochs])
    data = curves(seen)
    fig, axes = plt.subplots(1, 3, figsize=(9.6, 2.7), dpi=100)
    for ax, title, names in ((axes[0], "the function f(x)", ("function", "clean", "trigger")),
                             (axes[1], "answer at the trigger", ("target", "output", "clean error", "epoch"))):
        for name in names:
            ax.plot(*data[name], "o" if name in ("clean", "trigger") else "-", label=name)
        ax.set(title=title, ylim=(-11, 11))
    for name, norms in seen.gradient_norms.items():
        axes[2].plot(seen.epochs, norms, label=name)
    axes[2].axvline(seen.epoch)
    axes[2].set(title="length of each gradient", ylim=(-0.004, 1000))
    axes[2].set_yscale("symlog", linthresh=0.01)
    for ax in axes[1:]:
        ax.set_xscale("symlog", linthresh=10)
    for ax in axes:
        ax.grid(alpha=0.3)
        ax.legend(fontsize=8)
    plt.show()

widgets.interact(draw, rate=widgets.FloatLogSlider(value=0.1, min=-3, max=1, step=0.1),
                 epochs=widgets.IntSlider(value=25, max=len(EPOCHS) - 1));
"""
SHOWN = ("TriggerLab", "BiasLab", "NAALab", "PruningLab", "interact")
# Which two sliders of each to move, counted from the top: rate and epochs; in the NAA lab, threshold and rise; the
# pruning lab has one, which starts with room on either side.
SLIDERS = {"TriggerLab": (0, 1), "BiasLab": (0, 1), "NAALab": (0, 1), "PruningLab": (0, 0), "interact": (0, 1)}
PRESETS = {"PruningLab": "pruned=32"}
# Record when a key went down, each new picture when it is decoded and painted, and how each frame looks.
RECORD = """async (index) => {
    const content = window.jupyterapp.shell.currentWidget.content;
    await content.scrollToItem(index, 'start');
    const cell = content.widgets[index].node.querySelector('.jp-Cell-outputWrapper');
    const picture = () => [...cell.querySelectorAll('img')].find(img => img.width > 600);
    const note = { cell, pictures: [], frames: [], pressed: 0, released: 0 };
    while (!picture()?.complete || !cell.querySelector('.noUi-handle')) await new Promise(requestAnimationFrame);
    let src = picture().src;
    const painted = (then) => requestAnimationFrame(() => {
        const channel = new MessageChannel();
        channel.port1.onmessage = then;
        channel.port2.postMessage(null);
    });
    let left = 0;  // frames still to look at: nothing can flicker or jump unless something has changed
    const sample = () => {
        const img = picture();
        note.frames.push([Boolean(img?.complete && img.naturalWidth), Math.round(cell.getBoundingClientRect().height)]);
        if (--left > 0) requestAnimationFrame(sample);
    };
    new MutationObserver(() => {
        if (left <= 0) requestAnimationFrame(sample);
        left = 3;
        const img = picture();
        if (!img || img.src === src) return;
        src = img.src;
        img.decode().then(() => painted(() => note.pictures.push([performance.now(), img.src])), () => {});
    }).observe(cell, { subtree: true, childList: true, attributes: true });
    document.addEventListener('keydown', (e) => { note.pressed = e.timeStamp; }, { capture: true });
    document.addEventListener('pointerup', (e) => { note.released = e.timeStamp; }, { capture: true });
    window.note = note;
}"""
HANDLE = "n => { window.handle = window.note.cell.querySelectorAll('.noUi-handle')[n]; window.handle.focus(); }"
TRACK = """() => { const box = (node) => { const { x, y, width, height } = node.getBoundingClientRect();
    return [x + width / 2, y + height / 2, x, x + width]; };
    return [box(window.handle), box(window.handle.closest('.noUi-target'))]; }"""


class Scaled:
    """A browser whose pages have another device scale factor."""

    def __init__(self, browser, scale):
        self.browser, self.scale = browser, scale

    def new_context(self, **options):
        return self.browser.new_context(**{**options, "device_scale_factor": self.scale})


def press(page, key):
    """Press a key and return the milliseconds until the new picture is painted."""
    count = page.evaluate("note.pictures.length")
    page.keyboard.press(key)
    page.wait_for_function("count => note.pictures.length > count", arg=count, polling=10)
    page.wait_for_timeout(60)  # let the kernel become idle
    return page.evaluate("count => note.pictures[count][0] - note.pressed", count)


def keys(page, slider):
    """Press 40 keys, ten steps down and up again, twice, and return their milliseconds."""
    page.evaluate(HANDLE, slider)
    walk = ["ArrowLeft"] * 10 + ["ArrowRight"] * 10
    return [press(page, key) for key in ["ArrowLeft", "ArrowRight", *walk * 2]][2:]


def drag(page, slider):
    """Drag from one end to the other, 60 moves in 2 seconds, and return what was seen of it."""
    page.evaluate(HANDLE, slider)
    (x, y, _, _), (_, _, left, right) = page.evaluate(TRACK)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(left, y)
    page.wait_for_timeout(1500)
    page.evaluate("note.pictures.length = note.frames.length = 0")
    start = time.perf_counter()
    for move in range(1, 61):
        time.sleep(max(0, start + move / 30 - time.perf_counter()))
        page.mouse.move(left + (right - left) * move / 60, y)
    took = time.perf_counter() - start
    page.mouse.up()
    page.wait_for_timeout(2000)
    pictures, frames, released = page.evaluate("[note.pictures, note.frames, note.released]")
    press(page, "ArrowLeft"), press(page, "ArrowRight")  # away, and back to the value of the release
    return {
        "seconds": took,
        "pictures": len({src for _, src in pictures}),
        "settled": max(0, pictures[-1][0] - released),
        "last is right": page.evaluate("note.pictures.at(-1)[1]") == pictures[-1][1],
        "blank": sum(not shown for shown, _ in frames),
        "jumps": sum(one != other for (_, one), (_, other) in pairwise(frames)),
    }


def measure(browser, server, scale, notebook):
    """Return the measurements of all that the notebook shows, by name."""
    from labpage import LabPage

    shown = LabPage(Scaled(browser, scale), server)
    results = {}
    try:
        shown.open(notebook)
        shown.run_all()
        for index, name in enumerate(SHOWN):
            shown.page.evaluate(RECORD, index)
            shown.page.wait_for_timeout(1000)
            first, second = SLIDERS[name]
            results[name] = {
                "first": keys(shown.page, first),
                "second": keys(shown.page, second),
                "drags": [drag(shown.page, first) for _ in range(3)],
            }
        assert shown.errors() == [], shown.errors()
    finally:
        shown.close()
    return results


def p95(times):
    return statistics.quantiles(times, n=20)[-1]


def print_sliders(results):
    """Print one row for each thing shown; the ratio is the interact's time over this one's."""
    print("              first slider, ms       second slider, ms     three drags: 60 moves in 2 s")
    print("              median  p95   ratio   median  p95   ratio   pictures  settled ms  last  blank  jumps")
    base = results["interact"]
    for name, result in results.items():
        row = f"{name:12}"
        for slider in ("first", "second"):
            middle = statistics.median(result[slider])
            row += f"  {middle:6.0f} {p95(result[slider]):5.0f} {statistics.median(base[slider]) / middle:6.1f} "
        seen = {key: [drag[key] for drag in result["drags"]] for key in result["drags"][0]}
        pictures, settled = statistics.median(seen["pictures"]), statistics.median(seen["settled"])
        right = "right" if all(seen["last is right"]) else "WRONG"
        print(f"{row}  {pictures:7} {settled:10.0f}  {right} {sum(seen['blank']):5} {sum(seen['jumps']):6}")


def time_sliders(scales=(1, 2), densities=(1.75,)):
    """Measure the labs and the interact at each device scale and picture density, each in a fresh kernel."""
    from labserver import jupyter_server
    from playwright.sync_api import sync_playwright

    from tests.browser.conftest import CHROMIUM_ARGS
    from tests.conftest import find_chromium

    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        for density in densities:
            sources = [LAB.format(lab=lab, density=density, preset=PRESETS.get(lab, "")) for lab in SHOWN[:-1]]
            notebook = new_notebook(cells=[new_code_cell(source) for source in [*sources, INTERACT]])
            notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
            nbformat.write(notebook, Path(folder, f"{density}.ipynb"))
        with jupyter_server(Path(folder)) as server:
            browser = playwright.chromium.launch(executable_path=find_chromium(), args=CHROMIUM_ARGS)
            for density in densities:
                for scale in scales:
                    load = f"load {os.getloadavg()[0]:.1f}"
                    print(f"\nDevice scale {scale}, DENSITY = {density} ({load} before)", flush=True)
                    print_sliders(measure(browser, server, scale, f"{density}.ipynb"))
            browser.close()


# Without a browser --------------------------------------------------------------------------------------------------


def seconds(action, repeats=3):
    """Return the fastest of a few runs."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        action()
        times.append(time.perf_counter() - start)
    return min(times)


def torch_map(start, rates, targets, epochs):
    """Train the same nets as batched tensors with autograd; it does less: no verdicts, nothing kept on the way."""
    import torch

    rate, target = (torch.tensor(grid.ravel())[:, None, None] for grid in np.meshgrid(rates, targets))
    X = torch.tensor([[1.0], [2.0], [0.0]], dtype=torch.float64)
    Y = torch.cat([X[:2].expand(len(rate), 2, 1), target], dim=1)
    net = [torch.tensor(np.array(getattr(start, name))).repeat(len(rate), 1, 1) for name in ("W1", "b1", "W2", "b2")]
    W1, b1, W2, b2 = net
    trained = [tensor.requires_grad_() for tensor in (W1, b1, W2)]
    for _ in range(epochs):
        y_hat = torch.relu(X @ W1 + b1) @ W2 + b2
        gradients = torch.autograd.grad(((y_hat - Y) ** 2).sum() / 2, trained)
        with torch.no_grad():
            for tensor, gradient in zip(trained, gradients, strict=True):
                tensor -= rate * gradient
    return (torch.relu(X @ W1 + b1) @ W2 + b2).detach().numpy()[:, :, 0].T


def time_map(epochs=200, sample=40):
    """Print how long 10,000 nets take at once, one by one, and in PyTorch."""
    from lesson_lib.sweeps import EPOCHS, Story, outcome_map, tell
    from lesson_lib.training import Dataset, train

    story = Story(schedule="joint", trainable=("W1", "W2", "b1"))
    rates, targets = np.geomspace(0.001, 1, 100), np.linspace(-10, 10, 100)
    keep = [epoch for epoch in EPOCHS if epoch < epochs] + [epochs]
    ours = seconds(lambda: outcome_map(story, rates, targets, keep))

    rng = np.random.default_rng(0)
    nets = list(zip(rng.choice(rates, sample), rng.choice(targets, sample), strict=True))

    def one_by_one():
        for rate, target in nets:
            data = Dataset([[1], [2], [0]], [[1], [2], [target]], [False, False, True])
            train(story.start, data, rate, epochs, story.trainable, evaluate_on=data)

    loop = seconds(one_by_one, 2) * 10_000 / sample
    print(f"\n10,000 nets, {epochs} epochs, joint, b1 trained (load {os.getloadavg()[0]:.1f})")
    print(f"  outcome_map                        {ours:8.2f} s")
    print(f"  loop over train                    {loop:8.2f} s   {loop / ours:6.1f} times  (scaled from {sample} nets)")
    try:
        import torch
    except ImportError:
        print("  PyTorch is not installed")
        return
    rate, target = (grid.ravel() for grid in np.meshgrid(rates, targets))
    told = tell(story, [0, epochs], rate=rate, target=target)
    stable = told.diverged_at < 0
    gap = abs(torch_map(story.start, rates, targets, epochs) - told.outputs[:, -1])[:, stable].max()
    for threads in (1, 2):
        torch.set_num_threads(threads)
        peer = seconds(lambda: torch_map(story.start, rates, targets, epochs))
        print(f"  PyTorch, batched, threads: {threads}        {peer:8.2f} s   {peer / ours:6.1f} times")
    print(f"  PyTorch's answers differ by at most {gap:.0e} over {stable.sum()} nets that do not diverge")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=("sliders", "map"))
    parser.add_argument(
        "--density", type=float, nargs="+", default=(1.75,), help="pixels of a picture for one on the page"
    )
    chosen = parser.parse_args()
    if chosen.only != "map":
        time_sliders(densities=chosen.density)
    if chosen.only != "sliders":
        time_map()
