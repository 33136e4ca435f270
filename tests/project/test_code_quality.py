"""Style, types, the one-way imports, and no package registry named anywhere."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "lesson_lib"

# Which of our modules each module may import. Imports point one way only, and nothing imports labs.
SYMBOLS = {"symbolic", "steps", "notation", "certificate", "derivation", "locks"}
CORE = SYMBOLS | {
    "matrices",
    "network",
    "batch",
    "tables",
    "training",
    "sweeps",
    "activations",
    "naa",
    "rules",
    "capture",
}
CORE |= {"classifier", "repair", "digits"}
ALLOWED = {
    "__init__": {"network", "training", "sweeps", "naa"},
    "words": set(),
    "matrices": set(),
    "network": {"matrices"},
    "training": {"matrices", "network"},
    "batch": {"matrices"},
    "tables": set(),
    "sweeps": {"batch", "matrices", "network", "tables", "training", "words"},
    "symbolic": {"matrices", "network", "words"},
    "notation": {"matrices", "symbolic", "words"},
    "certificate": {"matrices", "network", "symbolic", "tables", "words"},
    "steps": {"network"},
    "derivation": {"matrices", "network", "symbolic", "notation", "steps", "certificate", "words"},
    "locks": {"matrices", "network", "symbolic", "notation", "tables", "training", "words"},
    "moments": set(),
    "rules": {"moments", "words"},
    "naa": {"moments", "rules"},
    "capture": set(),
    "classifier": {"moments"},
    "repair": {"classifier", "moments", "naa", "rules", "capture"},
    "digits": {"classifier", "moments", "naa", "rules", "capture"},
    "stored": {"words"},
    "gate": {"moments", "naa", "rules", "repair", "tables", "words", "stored"},
    "figures": CORE | {"words"},
    "plotting": CORE | {"words"},
    "signature_plot": CORE | {"words", "plotting"},
    "pruning_plot": CORE | {"words", "plotting", "signature_plot"},
    "pictures": CORE | {"words", "plotting"},
    "checks": CORE | {"words"},
    "labs": CORE | {"words", "figures", "plotting", "signature_plot", "pruning_plot", "checks", "labs"},
}
# The only modules that may import these packages.
HEAVY = {
    "ipywidgets": {"labs"},
    "matplotlib": {"figures", "plotting", "pictures", "signature_plot", "pruning_plot", "labs"},
    "sympy": SYMBOLS | {"figures", "checks", "labs"},
    "scipy": {"naa", "rules"},
    "sklearn": {"digits"},
    "torch": {"capture"},
    "keras": {"capture"},
    "dask": {"moments"},
}


def run(*command: str) -> str:
    """Return what a command printed; fail, and show it, when its exit status is not 0."""
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, encoding="utf-8", check=False)
    output = result.stdout + result.stderr
    assert result.returncode == 0, f"{' '.join(command)}\n{output}"
    return output


def own(path: str, names: list[str]) -> set[str]:
    """Return which of our modules `from lesson_lib.<path> import <names>` reads."""
    if path:
        return {path.split(".")[0]}
    return {name if name in ALLOWED else "__init__" for name in names} or {"__init__"}


def imports(source: str, package: str = "lesson_lib") -> tuple[set[str], set[str]]:
    """Return the modules of ours and the top-level packages of others that a source text imports."""
    ours, others = set(), set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            targets = [(alias.name, []) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = package.split(".")[: len(package.split(".")) + 1 - node.level] if node.level else []
            path = ".".join(filter(None, [*base, node.module]))
            targets = [(path, [alias.name for alias in node.names])]
        else:
            continue
        for path, names in targets:
            top, _, rest = path.partition(".")
            if top == "lesson_lib":
                ours |= own(rest, names)
            else:
                others.add(top)
    return ours, others


def modules() -> dict[str, tuple[str, str, str]]:
    """Return, for each file of lesson_lib: the name that has a rule, its package, its source text."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        inside = path.relative_to(PACKAGE).with_suffix("").parts
        package = ".".join(["lesson_lib", *inside[:-1]])
        found["/".join(inside)] = (inside[0], package, path.read_text(encoding="utf-8"))
    return found


@pytest.mark.parametrize("command", ["ruff check .", "ruff format --check .", "mypy"])
def test_the_code_passes(command):
    run(sys.executable, "-m", *command.split())


def test_imports_point_one_way():
    found = modules()
    assert {"__init__", "network"} <= set(found)
    for name, (rule, package, source) in found.items():
        assert rule in ALLOWED, f"lesson_lib/{name}.py has no rule: add it to ALLOWED"
        extra = imports(source, package)[0] - ALLOWED[rule]
        assert not extra, f"lesson_lib/{name}.py must not import {sorted(extra)}"


def test_heavy_packages_are_imported_only_where_they_are_shown():
    found = modules()
    assert found
    for name, (rule, package, source) in found.items():
        for heavy in imports(source, package)[1] & set(HEAVY):
            assert rule in HEAVY[heavy], f"lesson_lib/{name}.py must not import {heavy}"


@pytest.mark.parametrize(
    ("source", "package", "expected"),
    [
        ("import lesson_lib.network as n", "lesson_lib", {"network"}),
        ("from lesson_lib.network import forward", "lesson_lib", {"network"}),
        ("from lesson_lib import naa, Params", "lesson_lib", {"naa", "__init__"}),
        ("import lesson_lib", "lesson_lib", {"__init__"}),
        ("from . import network", "lesson_lib", {"network"}),
        ("from .network import loss", "lesson_lib", {"network"}),
        ("from ..figures import draw", "lesson_lib.labs", {"figures"}),
        ("from . import base", "lesson_lib.labs", {"labs"}),
        ("def f():\n    from lesson_lib.labs.training.bias import BiasLab", "lesson_lib", {"labs"}),
        ("import numpy as np, os.path", "lesson_lib", set()),
    ],
)
def test_every_way_to_import_is_seen(source, package, expected):
    assert imports(source, package)[0] == expected


def test_importing_the_package_loads_nothing_heavy():
    heavy = {"sympy", "matplotlib", "ipywidgets", "IPython"}
    loaded = run(sys.executable, "-c", "import lesson_lib, sys; print(*sys.modules)").split()
    assert "lesson_lib" in loaded
    assert not heavy & set(loaded)


@pytest.mark.parametrize("lab", ["HandCalculationLab", "TriggerLab", "BiasLab", "Exercises"])
def test_the_first_labs_do_not_wait_for_packages_that_only_later_ones_need(lab):
    loaded = run(sys.executable, "-c", f"from lesson_lib.labs import {lab}; import sys; print(*sys.modules)").split()
    assert "lesson_lib.labs.shared.parts" in loaded
    assert not {"scipy.stats", "sklearn"} & set(loaded)


def test_there_is_no_lab_of_another_name():
    with pytest.raises(ImportError, match="NoLab"):
        from lesson_lib.labs import NoLab  # noqa: F401


def test_no_tracked_file_names_a_package_registry():
    # Written with a space for the dot, so that this file does not hold the names it looks for.
    pieces = [
        "pypi org",
        "pythonhosted org",
        "pytorch org/whl",
        "npmjs org",
        "npmjs com",
        "anaconda org",
        "anaconda com",
    ]
    hosts = [".".join(piece.split()).encode() for piece in pieces]
    tracked = [ROOT / name for name in run("git", "ls-files", "-z").split("\0") if name]
    assert ROOT / "pyproject.toml" in tracked
    for path in filter(Path.is_file, tracked):
        found = [host.decode() for host in hosts if host in path.read_bytes().lower()]
        assert not found, f"{path.relative_to(ROOT)} names {found}"


def test_every_command_of_how_we_know_names_files_that_are_there():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    section = readme.partition("## How we know\n")[2].partition("\n## ")[0]
    commands = re.findall(r"`\.venv/bin/(?:pytest|python) ([^`]+)`", section)
    assert len(commands) >= section.count("\n- ") > 5
    for command in commands:
        for path in command.split():
            assert (ROOT / path).exists(), path
