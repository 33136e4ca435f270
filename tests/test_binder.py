"""Binder installs what we test: the same list, the same lock, the same Python."""

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
BINDER = ROOT / "binder"
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
