"""A pytest plugin: each notebook runs once, by nbval, in a sealed kernel, and three things are checked of that run.

nbval compares each cell's outputs with the committed ones. Two more tests follow the cells: that the seal held, and
that the outputs make the committed file again, to the byte.
"""

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import matplotlib as mpl
import nbformat
import pytest
from nbformat.v4 import output_from_msg
from nbval.plugin import IPyNbFile
from refresh_notebooks import stored

SEAL = Path(__file__).with_name("seal.py")
KEPT = {"tmp", ".keras", ".ipython"}  # what may be left at home: the settings of Keras and of IPython
OUTPUTS = {"stream", "display_data", "execute_result", "error"}


@pytest.hookimpl(wrapper=True)
def pytest_collect_file(parent: pytest.Collector) -> Iterator[None]:
    """Seal each notebook that nbval collects."""
    found = yield
    return [SealedNotebook.from_parent(parent, path=one.path) if isinstance(one, IPyNbFile) else one for one in found]


class SealedNotebook(IPyNbFile):
    """A notebook that nbval runs under the seal, in a home of its own; `ran` holds the outputs of each cell."""

    def collect(self) -> Iterator[pytest.Item]:
        yield from super().collect()
        yield AfterTheCells.from_parent(self, name="the seal held", check=check_seal)
        yield AfterTheCells.from_parent(self, name="the committed file again", check=check_bytes)

    def setup(self) -> None:
        self.scratch = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        self.home, self.report = Path(self.scratch.name, "home"), Path(self.scratch.name, "broken")
        self.ran: list[list[Any]] = []
        with pytest.MonkeyPatch.context() as patch:
            for name, value in private(self.home).items():
                patch.setenv(name, value)
            patch.delenv("IPYTHONDIR", raising=False)
            super().setup()
        close = f"__import__('runpy').run_path({str(SEAL)!r})['seal']({str(self.home)!r}, {str(self.report)!r})"
        reply = self.kernel.kc.execute(close, silent=True, reply=True, timeout=60)
        assert reply["content"]["status"] == "ok", reply["content"]

    def get_kernel_message(self, timeout: float | None = None, stream: str = "iopub") -> dict[str, Any]:
        """Hand nbval the kernel's next message, and keep it if it is an output."""
        message = super().get_kernel_message(timeout, stream)
        if message["msg_type"] == "execute_input":
            self.ran.append([])
        elif message["msg_type"] in OUTPUTS:
            self.ran[-1].append(output_from_msg(message))
        return message

    def teardown(self) -> None:
        super().teardown()
        self.scratch.cleanup()


def private(home: Path) -> dict[str, str]:
    """Make a home, and return the variables that let a kernel take it for one person's."""
    scratch = home / "tmp"
    scratch.mkdir(parents=True)
    return {
        **dict.fromkeys(["HOME", "USERPROFILE"], str(home)),
        # PyTorch hands its own on to child processes.
        **dict.fromkeys(["TMPDIR", "TEMP", "TMP", "TORCHINDUCTOR_CACHE_DIR"], str(scratch)),
        "JUPYTER_RUNTIME_DIR": str(home.with_name("runtime")),  # how nbval reaches the kernel
        "MPLCONFIGDIR": mpl.get_cachedir(),
        "PYTHONDONTWRITEBYTECODE": "1",
    }


class AfterTheCells(pytest.Item):
    """A check of the whole run; it needs every cell, and fails if one was left out."""

    def __init__(self, *, check: Callable[[SealedNotebook], None], **keywords: Any) -> None:
        super().__init__(**keywords)
        self.check = check
        if check is check_bytes:
            self.add_marker("same_bytes")

    def runtest(self) -> None:
        if len(self.parent.ran) != len(code(self.parent.nb)):
            pytest.fail("not every cell has run", pytrace=False)
        self.check(self.parent)

    def reportinfo(self) -> tuple[Path, int, str]:
        return self.path, 0, f"{self.path.stem}: {self.name}"


def code(notebook: Any) -> list[Any]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def check_seal(notebook: SealedNotebook) -> None:
    """Check that no deed was forbidden, and that nothing but settings is left at home."""
    if broken := notebook.report.read_text(encoding="utf-8"):
        pytest.fail(f"the seal is broken:\n{broken}", pytrace=False)
    home = notebook.home
    left = {each.relative_to(home).parts[0] for each in home.rglob("*") if each.is_file()} - KEPT
    if left:
        pytest.fail(f"left at home: {sorted(left)}", pytrace=False)


def check_bytes(notebook: SealedNotebook) -> None:
    """Check that the file with the outputs of this run is the committed one."""
    fresh = nbformat.read(notebook.path, as_version=4)
    for number, (cell, outputs) in enumerate(zip(code(fresh), notebook.ran, strict=True), 1):
        cell.execution_count, cell.outputs = number, outputs
        for output in outputs:
            if output.output_type == "execute_result":
                output.execution_count = number  # nbval asks the kernel not to count
    if stored(fresh).encode() != notebook.path.read_bytes():
        pytest.fail("run tests/refresh_notebooks.py and look at the difference", pytrace=False)
