"""Style, types, the one-way imports, and no package registry named anywhere."""

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "lesson_lib"

# What each room may import of the others, in the order in which a student opens them; every room may import `doors`.
# Imports point one way: no room reads one that comes later, what computes reads nothing that draws, nothing reads labs.
NET = {"arrays", "activations", "network"}
COMPUTING = NET | {"training", "derivation", "proofs", "sweeps", "naa", "digits", "attacks"}
COMPUTING |= {"repair", "detectors", "capture", "tables", "language"}
ALLOWED = {
    "__init__": set(),
    "doors": set(),
    "language": set(),
    "tables": {"language"},
    "arrays": set(),
    "activations": {"arrays"},
    "network": {"activations", "arrays"},
    "training": NET,
    "derivation": NET,
    "proofs": NET | {"derivation", "tables", "training"},
    "sweeps": NET | {"tables", "training"},
    "naa": {"arrays"},
    "capture": {"arrays"},
    "digits": {"arrays", "naa"},
    "attacks": {"arrays", "digits"},
    "repair": NET | {"naa"},
    "detectors": NET | {"naa", "repair"},
    "gate": {"arrays", "naa", "tables"},
    "pictures": COMPUTING,
    "exercises": COMPUTING,
    "worksheets": NET | {"training", "derivation", "proofs", "tables", "language"},
    "collect": {"exercises", "tables"},
    "labs": COMPUTING | {"pictures", "exercises"},
}
LABS = ("hand_calculation", "training", "naa", "pruning")  # they share labs.shared, and nothing with each other
# The only rooms that may import these packages.
HEAVY = {
    "ipywidgets": {"labs"},
    "IPython": {"labs"},
    "anywidget": {"labs"},
    "matplotlib": {"pictures"},
    "PIL": {"pictures"},
    "sympy": {"derivation", "proofs"},
    "scipy": {"naa", "digits", "repair", "detectors"},
    "sklearn": {"digits", "detectors"},
    "torch": {"capture"},
    "keras": {"capture"},
    "dask": {"naa"},
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
        assert rule in ALLOWED, f"lesson_lib/{name}.py is in a room without a rule: add it to ALLOWED"
        extra = imports(source, package)[0] - ALLOWED[rule] - {rule, "doors"}
        assert not extra, f"lesson_lib/{name}.py must not import {sorted(extra)}"


def test_no_lab_imports_another():
    found = {name: source for name, (_, _, source) in modules().items() if name.startswith("labs/")}
    assert len(found) > 10
    for name, source in found.items():
        others = [lab for lab in LABS if lab != name.split("/")[1] and f"lesson_lib.labs.{lab}" in source]
        assert not others or name == "labs/__init__", f"lesson_lib/{name}.py must not import {others}"


def test_no_room_is_read_before_it_is_opened():
    order = list(ALLOWED)
    for rule, allowed in ALLOWED.items():
        later = [other for other in allowed if order.index(other) > order.index(rule)]
        assert not later, f"{rule} comes before {later}"


def test_no_file_is_too_long_to_read_at_once():
    lengths = {name: source.count("\n") for name, (_, _, source) in modules().items() if not name.endswith("words")}
    assert not {name: n for name, n in lengths.items() if n > 250}


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
        ("from ..pictures import draw", "lesson_lib.labs", {"pictures"}),
        ("from . import base", "lesson_lib.labs", {"labs"}),
        ("def f():\n    from lesson_lib.labs.training.widget import BiasLab", "lesson_lib", {"labs"}),
        ("import numpy as np, os.path", "lesson_lib", set()),
    ],
)
def test_every_way_to_import_is_seen(source, package, expected):
    assert imports(source, package)[0] == expected


def test_every_file_that_is_no_module_is_installed_with_the_package():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]
    others = [path for path in PACKAGE.rglob("*") if path.is_file() and path.suffix not in (".py", ".pyc")]
    assert {path.suffix for path in others} >= {".css", ".js", ".toml", ".typed"}
    installed = {path for pattern in settings["package-data"]["lesson_lib"] for path in PACKAGE.glob(pattern)}
    assert {*others} == installed


def test_importing_the_package_loads_nothing_heavy():
    heavy = {"numpy", "sympy", "matplotlib", "ipywidgets", "IPython", "anywidget", "PIL"}
    loaded = run(sys.executable, "-c", "import lesson_lib, sys; print(*sys.modules)").split()
    assert "lesson_lib" in loaded
    assert not heavy & set(loaded)


def test_the_first_labs_do_not_wait_for_packages_that_only_later_ones_need():
    labs = "HandCalculationLab, TriggerLab, BiasLab, Exercises"
    loaded = run(sys.executable, "-c", f"from lesson_lib.labs import {labs}; import sys; print(*sys.modules)").split()
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
