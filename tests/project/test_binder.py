"""Binder installs what we test: the same list, the same lock, the same Python."""

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import nbformat
import pytest
from nbclient.exceptions import CellExecutionError

ROOT = Path(__file__).parents[2]
BINDER = ROOT / "binder"
sys.path.insert(0, str(BINDER))

import rehearse  # noqa: E402

LAUNCH = "/".join(["mybinder.org", "v2", "gh", ""])  # so that this file does not hold what it looks for
REPO2DOCKER = shutil.which("jupyter-repo2docker", path=Path(sys.executable).parent)


def pinned(name: str, constraints: str) -> bool:
    return re.search(rf"^{re.escape(name)}==\d", constraints, flags=re.MULTILINE) is not None


def test_every_package_that_binder_installs_is_pinned_by_the_lock():
    assert (BINDER / "requirements.txt").read_text(encoding="utf-8").split() == [
        "-c",
        "../constraints.txt",
        ".[binder]",
    ]
    constraints = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    requirements = project["dependencies"] + project["optional-dependencies"]["binder"]
    names = [re.match(r"[\w.-]+", requirement).group() for requirement in requirements]
    assert {"jupyterlab", "notebook"} <= set(names)
    assert [name for name in names if not pinned(name, constraints)] == []


@pytest.fixture(scope="module")
def dockerfile():
    """Return the Dockerfile that repo2docker makes of this repository, its lines unbroken."""
    if sys.platform == "win32":
        pytest.skip("repo2docker does not run on Windows")
    assert REPO2DOCKER, 'jupyter-repo2docker is missing: .venv/bin/pip install -c constraints.txt -e ".[test]"'
    command = [REPO2DOCKER, "--no-build", "--debug", "."]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, encoding="utf-8", check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout + result.stderr


def position(text: str, wanted: str) -> int:
    assert text.count(wanted) == 1, f"expected once: {wanted!r}\n{text}"
    return text.index(wanted)


def test_binder_uses_python_3_11(dockerfile):
    assert re.findall(r"Building conda environment for python=(\S+)", dockerfile) == ["3.11"]


def test_binder_copies_the_repository_then_installs_then_runs_postbuild(dockerfile):
    copied = position(dockerfile, " src/ ${REPO_DIR}/\n")
    installed = position(dockerfile, 'pip install --no-cache-dir -r "binder/requirements.txt"')
    finished = position(dockerfile, "RUN ./binder/postBuild")
    assert copied < installed < finished


def test_binder_installs_the_list_and_nothing_of_the_roots_files(dockerfile):
    assert "pip install --no-cache-dir ." not in dockerfile


# The launch badge. The repository's address is known only once it is published, and then set in one line.


def lines_with(text):
    """Return every line of the repository that holds a text, with the name of its file."""
    command = ["git", "grep", "-I", "-F", "--untracked", text, "--", ":!*.*-*.md"]  # not the pages made of README
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, encoding="utf-8", check=True)
    return [line.split(":", 1) for line in result.stdout.splitlines()]


def launch_address():
    [(_, line)] = lines_with(LAUNCH)
    return urlsplit(line.split()[1])


def test_one_line_of_the_repository_says_where_it_is_published():
    assert [(file, line.split()[0]) for file, line in lines_with(LAUNCH)] == [("README.md", "[binder]:")]
    owner_and_name = re.fullmatch(r"/v2/gh/([\w.-]+/[\w.-]+)/HEAD", launch_address().path)[1]
    assert lines_with(owner_and_name) == lines_with(LAUNCH)


def test_the_launch_address_opens_a_notebook_that_exists():
    [page] = parse_qs(launch_address().query)["urlpath"]
    assert page.startswith("lab/tree/notebooks/")
    assert (ROOT / page.removeprefix("lab/tree/")).is_file()
    assert rehearse.badge_path((ROOT / "README.md").read_text(encoding="utf-8")) == page


def test_the_badge_and_its_words_lead_there_and_its_picture_is_our_own():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert readme.count("][binder]") == 2
    assert "[![Open the lesson on Binder](docs/binder.svg)][binder]" in readme
    assert "[**Open the lesson on Binder**][binder]" in readme
    picture = (ROOT / "docs" / "binder.svg").read_text(encoding="utf-8")
    assert "<title>Open the lesson on Binder</title>" in picture
    assert re.findall('https?://[^"]+', picture) == ["http://www.w3.org/2000/svg"]


# The rehearsal, `.ci/binder`, compares what the notebooks show there with what is committed.


def cell(code, printed):
    output = nbformat.v4.new_output("stream", name="stdout", text=printed)
    return nbformat.v4.new_code_cell(code, execution_count=1, outputs=[output], id="one")


def test_a_cell_that_shows_something_else_is_named():
    committed, fresh = [cell("a", "1"), cell("b", "2")], [cell("a", "1"), cell("b", "3")]
    assert rehearse.changed(committed, committed) == []
    assert rehearse.changed(committed, fresh) == ["b"]


def test_a_missing_cell_is_no_agreement():
    with pytest.raises(ValueError, match="shorter"):
        rehearse.changed([cell("a", "1"), cell("b", "2")], [cell("a", "1")])


@pytest.fixture
def rehearsed(tmp_path):
    """Rehearse a notebook of one cell, committed as having printed "fine"."""

    def run(code):
        path = tmp_path / "one.ipynb"
        nbformat.write(nbformat.v4.new_notebook(cells=[cell(code, "fine\n")]), path)
        return rehearse.rehearse(path)

    return run


def test_a_notebook_that_shows_what_is_committed_agrees(rehearsed):
    assert rehearsed('print("fine")') == "shows what is committed"


def test_a_notebook_may_stop_if_it_names_exactly_what_binder_lacks(rehearsed):
    stop = 'print("Not installed:", {!r})\nraise SystemExit("stop")'
    assert rehearsed(stop.format("torch keras")) == "stops, and says that it needs torch and keras"
    with pytest.raises(CellExecutionError, match="stop"):
        rehearsed(stop.format("numpy"))


@pytest.mark.parametrize(
    ("code", "error"),
    [('print("not so fine")', SystemExit), ("1 / 0  # Not installed: torch keras", CellExecutionError)],
)
def test_any_other_end_fails(rehearsed, code, error):
    with pytest.raises(error, match=re.escape(code)):
        rehearsed(code)
