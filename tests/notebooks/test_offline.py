"""Every notebook runs with nothing but this computer: no network, no other program, no pickle, no file but its own.

`tests/sealed_notebooks.py` lets nbval run them so. Here the seal itself is tested, on notebooks that try to break it.
"""

import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import nbformat
import pytest
from refresh_notebooks import stored
from sealed_notebooks import SealedNotebook

TESTS = Path(__file__).parents[1]
NOTEBOOKS = sorted((TESTS.parent / "notebooks").glob("*.ipynb"))
HELD, SAME = "the seal held", "the committed file again"


def test_the_notebooks_are_found():
    assert len(NOTEBOOKS) >= 7


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_nbval_runs_a_notebook_under_the_seal_and_then_the_seal_and_the_file_are_checked(request, path):
    [collected] = request.config.hook.pytest_collect_file(file_path=path, parent=request.session)
    assert isinstance(collected, SealedNotebook)
    n_cells = sum(cell.cell_type == "code" for cell in nbformat.read(path, as_version=4).cells)
    assert [item.name for item in collected.collect()] == [*(f"Cell {i}" for i in range(n_cells)), HELD, SAME]


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
    "import os; os.rename('deeds.ipynb', 'outside')": "os.rename",
    "import os; os.remove('deeds.ipynb')": "os.remove",
}
WRITE = "from pathlib import Path\nlength = Path.home().joinpath({!r}).write_text('x')"
TRIED = {  # the cells of each notebook that is run
    "deeds": ["import contextlib", *(f"with contextlib.suppress(OSError):\n    {deed}" for deed in DEEDS)],
    "own": ["first = open('own.ipynb').read()[0]", WRITE.format("tmp/kept")],
    "left": [WRITE.format("left")],
    "wrong": ["1 / 0"],
    "other": ["print(2)"],
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Return a folder with these notebooks, as if they had run and shown nothing."""
    folder = tmp_path_factory.mktemp("tried")
    for name, sources in TRIED.items():
        cells = [nbformat.v4.new_code_cell(source, execution_count=i) for i, source in enumerate(sources, 1)]
        notebook = nbformat.v4.new_notebook(cells=cells)
        (folder / f"{name}.ipynb").write_text(stored(notebook), encoding="utf-8", newline="\n")
    return folder


@pytest.fixture(scope="module")
def ended(folder):
    """Return how each test of each notebook ended: "passed", or why it failed."""
    options = ["-p", "no:cacheprovider", "-p", "sealed_notebooks", "--nbval", "--nbval-current-env"]
    command = [sys.executable, "-m", "pytest", *options, "--junitxml=results.xml"]
    command += [f"{name}.ipynb" for name in TRIED]
    env = os.environ | {"PYTHONPATH": os.pathsep.join(map(str, (TESTS, TESTS.parent)))}
    env.pop("PYTEST_ADDOPTS", None)
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, encoding="utf-8", check=False)
    assert done.returncode == pytest.ExitCode.TESTS_FAILED, done.stdout + done.stderr
    found = {name: {} for name in TRIED}
    for case in ElementTree.parse(folder / "results.xml").iter("testcase"):
        notebook = case.get("classname").split(".")[0]
        found[notebook][case.get("name")] = case.findtext("failure", "passed")
    return found


def test_the_seal_sees_each_deed_even_if_the_code_goes_on(folder, ended):
    first, *lines = ended["deeds"].pop(HELD).splitlines()
    assert first == "the seal is broken:"
    assert [line.split()[0] for line in lines] == list(DEEDS.values())
    assert set(ended["deeds"].values()) == {"passed"}
    assert {path.stem for path in folder.iterdir()} == {*TRIED, "results"}


def test_the_seal_lets_a_notebook_read_and_use_its_own_folder(ended):
    assert ended["own"] == dict.fromkeys(["Cell 0", "Cell 1", HELD, SAME], "passed")


def test_what_is_left_at_home_is_seen(ended):
    assert ended["left"]["Cell 0"] == "passed"
    assert ended["left"][HELD].startswith("left at home: ['left']")


def test_an_error_in_a_sealed_cell_is_not_lost(ended):
    assert ended["wrong"]["Cell 0"].endswith(": division by zero\n")


def test_a_file_that_does_not_hold_what_its_cells_show_is_seen(ended):
    assert "Cell 0" in ended["other"]["Cell 0"]
    assert "run tests/refresh_notebooks.py" in ended["other"][SAME]
