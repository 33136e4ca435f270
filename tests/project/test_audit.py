"""The audit finds every package that the lesson needs, judges licences, and never takes silence for safety."""

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "docs"))

import audit  # noqa: E402

NOWHERE = "http://127.0.0.1:9"  # nothing listens there
REQUIREMENTS = {
    "lesson": ["Maps_And.Plots[fast]>=1", "pytest; extra == 'test'", "other; python_version < '3'"],
    "maps-and-plots": ["numbers", "speed; extra == 'fast'", "slowness; extra == 'slow'"],
    "numbers": ["maps-and-plots"],  # a circle
    "speed": None,
}
PINS = {"one": "1.0", "two": "2.0"}


def report(*dependencies):
    return json.dumps({"dependencies": dependencies, "fixes": []})


def safe(name):
    return {"name": name, "version": PINS[name], "vulns": []}


def test_a_package_needs_what_its_needs_need_with_the_extras_asked_for_and_no_others():
    assert audit.needed("lesson", REQUIREMENTS.get) == {"maps-and-plots", "numbers", "speed"}


def test_the_audit_covers_our_own_dependencies_and_no_test_tools():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    ours = {Requirement(text).name for text in project["dependencies"]}
    found = audit.needed(audit.PROJECT)
    assert ours | {"pillow", "ipykernel"} <= found
    assert not {"pytest", "ruff", "playwright", "torch", "keras"} & found


@pytest.mark.parametrize(
    ("licence", "answer"),
    [
        ("MIT", True),
        ("ISC License (ISCL)", True),
        ("BSD-3-Clause AND Zlib", True),
        ("(MIT OR GPL-3.0-only)", True),
        ("BSD License; Apache Software License", True),
        ("GPL-3.0-only", False),
        ("MIT AND GPL-3.0-only", False),
        ("MIT AND (GPL-3.0-only OR BSD-3-Clause)", False),  # not told apart: somebody has to look
        ("BSD License; GNU General Public License (GPL)", False),
        ("MITigated", False),
        ("unknown", False),
        ("", False),
    ],
)
def test_a_licence_is_allowed_if_all_its_parts_are_or_any_of_a_choice(licence, answer):
    assert audit.is_allowed(licence) is answer


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["License-Expression: MIT", "Classifier: License :: OSI Approved :: BSD License"], "MIT"),
        (["Classifier: License :: OSI Approved", "Classifier: License :: OSI Approved :: BSD License"], "BSD License"),
        (["Classifier: License :: A", "Classifier: License :: B", "License: mine"], "A; B"),
        (["License: Apache 2.0", "Classifier: Topic :: Education"], "Apache 2.0"),
        ([], "unknown"),
    ],
)
def test_a_licence_is_read_from_the_most_exact_field(tmp_path, monkeypatch, lines, expected):
    folder = tmp_path / "licensed-1.0.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text("\n".join(["Name: licensed", "Version: 1.0", *lines, ""]), encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    assert audit.licence("licensed") == expected


def test_every_package_that_the_lesson_needs_has_a_licence_on_our_list():
    licences = {name: audit.licence(name) for name in audit.needed(audit.PROJECT)}
    assert {name: text for name, text in licences.items() if not audit.is_allowed(text)} == {}


def test_a_report_that_names_every_package_is_an_answer():
    assert audit.judge(PINS, report(safe("one"), safe("two")), "") == ([], "")


def test_an_advisory_is_told_with_the_version_that_mends_it():
    vulnerable = safe("two") | {"vulns": [{"id": "PYSEC-1", "fix_versions": ["2.1"]}, {"id": "B", "fix_versions": []}]}
    known, unknown = audit.judge(PINS, report(safe("one"), vulnerable), "")
    assert known == ["two 2.0: PYSEC-1, mended in 2.1", "two 2.0: B, mended in no version yet"]
    assert unknown == ""


@pytest.mark.parametrize("rest", [[], [{"name": "two", "skip_reason": "not found"}]])
def test_a_package_that_was_left_out_was_not_checked(rest):
    assert audit.judge(PINS, report(safe("one"), *rest), "") == ([], "not known to the service: two")


@pytest.mark.parametrize("report", ["", "Traceback"])
def test_without_a_report_the_last_error_says_why(report):
    assert audit.judge(PINS, report, "Traceback\n  line\nConnectionError: no route\n") == (
        [],
        "ConnectionError: no route",
    )


@pytest.mark.parametrize(
    ("known", "unknown", "licence", "status"),
    [
        ([], "", "MIT", 0),
        ([], "", "GPL-3.0-only", 1),
        (["one 1.0: A"], "", "MIT", 1),
        (["one 1.0: A"], "no route", "MIT", 1),
        ([], "no route", "MIT", 2),
    ],
)
def test_the_status_tells_fine_found_and_unknown_apart(monkeypatch, known, unknown, licence, status):
    monkeypatch.setattr(audit, "licence", lambda name: licence)
    monkeypatch.setattr(audit, "advisories", lambda versions: (known, unknown))
    assert audit.main() == status


def test_without_a_network_the_table_is_printed_and_the_command_says_that_it_checked_no_advisories():
    env = os.environ | dict.fromkeys(("HTTPS_PROXY", "https_proxy"), NOWHERE) | {"NO_PROXY": "", "no_proxy": ""}
    command = [sys.executable, "docs/audit.py"]
    result = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, encoding="utf-8", check=False)
    assert result.returncode == 2, result.stdout + result.stderr
    *table, last = result.stdout.splitlines()
    assert [line.split()[0] for line in table if line.startswith(("numpy ", "sympy "))] == ["numpy", "sympy"]
    assert last.startswith("advisories not checked: ")
    assert len(last) > len("advisories not checked: ")
    assert "advisories checked" not in result.stdout
