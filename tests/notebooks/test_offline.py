"""Every notebook runs with nothing but this computer: no network, no other program, no pickle, no file but its own."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import matplotlib as mpl
import nbformat
import pytest

TESTS = Path(__file__).parent
NOTEBOOKS = sorted((TESTS.parent / "notebooks").glob("*.ipynb"))
KEPT = {"tmp", ".keras", "profile_default"}  # the settings of Keras, and IPython's folder for one person


def run_sealed(notebook, folder):
    """Run a notebook under the seal, with this folder as home; return its exit status and what it printed."""
    scratch = folder / "tmp"
    scratch.mkdir()
    private = dict.fromkeys(["HOME", "USERPROFILE", "IPYTHONDIR"], str(folder))
    private |= dict.fromkeys(["TMPDIR", "TEMP", "TMP"], str(scratch))
    private["TORCHINDUCTOR_CACHE_DIR"] = str(scratch)  # PyTorch hands its own on to child processes
    env = {**os.environ, **private, "MPLCONFIGDIR": mpl.get_cachedir(), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, TESTS / "run_sealed.py", notebook, folder]
    done = subprocess.run(command, env=env, capture_output=True, text=True, encoding="utf-8", check=False)
    return done.returncode, done.stdout + done.stderr


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Start all notebooks, two at a time; each test waits for its own."""
    folders = {path.stem: tmp_path_factory.mktemp("home") for path in NOTEBOOKS}
    with ThreadPoolExecutor(2) as pool:
        yield {path.stem: (folders[path.stem], pool.submit(run_sealed, path, folders[path.stem])) for path in NOTEBOOKS}


def test_the_notebooks_are_found():
    assert len(NOTEBOOKS) >= 7


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_offline_and_keeps_its_hands_off_the_disk(runs, path):
    folder, run = runs[path.stem]
    status, printed = run.result()
    n_cells = sum(cell.cell_type == "code" for cell in nbformat.read(path, as_version=4).cells)
    assert (status, printed.splitlines()[-1:]) == (0, [f"{n_cells} cells ran"]), printed
    left = {each.relative_to(folder).parts[0] for each in folder.rglob("*") if each.is_file()}
    assert left <= KEPT


# The seal itself ---------------------------------------------------------------------------------------------------

DEEDS = {  # what is tried, and the deed that the seal must see
    "import socket; socket.create_connection(('127.0.0.1', 9), 1)": "socket.getaddrinfo",
    "import socket; socket.socket().connect(('127.0.0.1', 9))": "socket.connect",
    "import socket; socket.socket(type=socket.SOCK_DGRAM).sendto(b'', ('127.0.0.1', 9))": "socket.sendto",
    "import socket; socket.socket().bind(('', 0))": "socket.bind",
    "import socket; socket.gethostbyname('localhost')": "socket.gethostbyname",
    "from urllib.request import urlopen; urlopen('http://127.0.0.1:9')": "urllib.Request",
    "from http.client import HTTPConnection; HTTPConnection('127.0.0.1', 9).request('GET', '/')": "http.client.connect",
    "import subprocess, sys; subprocess.run([sys.executable, '-V'])": "subprocess.Popen",
    "import os; os.system('exit')": "os.system",
    "import pickle; pickle.loads(pickle.dumps(print))": "pickle.find_class",
    "open('../outside', 'w')": "open",
    "from pathlib import Path; Path('outside').mkdir()": "os.mkdir",
    "import os; os.rename('tried.ipynb', 'outside')": "os.rename",
    "import os; os.remove('tried.ipynb')": "os.remove",
}


def write_notebook(path, *cells):
    nbformat.write(nbformat.v4.new_notebook(cells=[*map(nbformat.v4.new_code_cell, cells)]), path)
    return path


def test_the_seal_sees_each_deed_even_if_the_code_goes_on(tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    tries = ["import contextlib", *(f"with contextlib.suppress(OSError):\n    {deed}" for deed in DEEDS)]
    status, printed = run_sealed(write_notebook(tmp_path / "tried.ipynb", *tries), home)
    assert status == 1
    first, *lines = printed.splitlines()
    assert first == "the seal is broken:"
    assert [line.split()[0] for line in lines] == list(DEEDS.values())
    assert {path.name for path in tmp_path.iterdir()} == {"home", "tried.ipynb"}


def test_the_seal_lets_a_notebook_read_and_use_its_own_folder(tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    cells = ["open('own.ipynb').read()[0]", "from pathlib import Path\nPath.home().joinpath('kept').write_text('x')"]
    assert run_sealed(write_notebook(tmp_path / "own.ipynb", *cells), home) == (0, "2 cells ran\n")
    assert (home / "kept").read_text(encoding="utf-8") == "x"


def test_an_error_in_a_sealed_cell_is_not_lost(tmp_path):
    status, printed = run_sealed(write_notebook(tmp_path / "wrong.ipynb", "1 / 0"), tmp_path)
    assert status == 1
    assert printed.splitlines()[-1] == "ZeroDivisionError: division by zero"
