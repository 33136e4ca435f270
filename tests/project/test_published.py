"""What the repository's host reads: CI runs what we run, and every file of that kind is whole."""

import json
import re
import stat
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
WORKFLOW = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
FORMS = sorted(path for path in (ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml") if path.stem != "config")


def commands(job):
    return [step["run"] for step in WORKFLOW["jobs"][job]["steps"] if "run" in step]


def test_ci_runs_the_same_script_as_we_do_on_every_python_that_is_promised():
    job = WORKFLOW["jobs"]["all-tests"]
    assert job["runs-on"] == "ubuntu-latest"
    assert commands("all-tests") == [".ci/run"]
    pythons = job["strategy"]["matrix"]["python"]
    assert pythons == ["3.11", "3.12", "3.13"]
    assert PROJECT["project"]["requires-python"] == f">={pythons[0]}"
    promised = re.search(r"on Python (3\.\d+), (3\.\d+) and (3\.\d+)", (ROOT / "README.md").read_text(encoding="utf-8"))
    assert list(promised.groups()) == pythons


def test_the_quick_tests_run_on_other_systems_and_leave_out_only_what_has_a_marker():
    job = WORKFLOW["jobs"]["quick-tests"]
    assert job["strategy"]["matrix"]["os"] == ["macos-latest", "windows-latest"]
    install, test = commands("quick-tests")
    assert install.endswith('pip install -c constraints.txt -e ".[test]"')
    left_out = re.search(r'-m "not (.*)" tests lesson_lib$', test)[1].split(" and not ")
    markers = {line.partition(":")[0] for line in PROJECT["tool"]["pytest"]["ini_options"]["markers"]}
    assert set(left_out) == markers


def test_ci_can_only_read_and_ends_by_itself():
    assert WORKFLOW["permissions"] == {"contents": "read"}
    for job in WORKFLOW["jobs"].values():
        assert 0 < job["timeout-minutes"] <= 60
        uses = [step["uses"] for step in job["steps"] if "uses" in step]
        assert all(re.fullmatch(r"actions/[a-z-]+@v\d+", action) for action in uses)


def schema_errors(schema, *paths):
    """Return what a public schema says against files; "" if nothing."""
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", f"vendor.{schema}", *map(str, paths)]
    result = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False)
    assert result.returncode in (0, 1), result.stderr
    return result.stdout if result.returncode else ""


def test_the_workflow_the_issue_forms_and_the_citation_keep_their_public_schemas(tmp_path):
    assert len(FORMS) == 2
    assert schema_errors("github-workflows", ROOT / ".github" / "workflows" / "ci.yml") == ""
    assert schema_errors("github-issue-forms", *FORMS) == ""
    assert schema_errors("citation-file-format", ROOT / "CITATION.cff") == ""
    misspelt = tmp_path / "ci.yml"
    misspelt.write_text(yaml.safe_dump(WORKFLOW).replace("runs-on", "run-on"), encoding="utf-8")
    assert "'runs-on' is a required property" in schema_errors("github-workflows", misspelt)


@pytest.mark.parametrize("script", [".ci/run", ".ci/binder", ".ci/front-ends"])
def test_a_script_of_ci_can_be_run(script):
    listed = subprocess.run(["git", "ls-files", "-s", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert listed.stdout.startswith("100755")
    assert f"{script} text eol=lf" in (ROOT / ".gitattributes").read_text(encoding="utf-8")
    assert (ROOT / script).read_text(encoding="utf-8").startswith("#!/bin/bash\n")
    assert stat.S_ISREG((ROOT / script).stat().st_mode)


def test_the_readme_names_the_versions_of_the_front_ends_that_are_opened():
    readme = (ROOT / "README.md").read_text(encoding="utf-8").partition("## Other front ends")[2].partition("\n## ")[0]
    told = {name.lower().split()[0]: tried for name, tried in re.findall(r"^\| ([^|]+) \| (\d[\d.]+) \|", readme, re.M)}
    opened = dict(re.findall(r"(\w+)==([\d.]+)", (ROOT / ".ci" / "front-ends").read_text(encoding="utf-8")))
    locked = dict(re.findall(r"^([\w-]+)==([\d.]+)", (ROOT / "constraints.txt").read_text(encoding="utf-8"), re.M))
    assert told == {"jupyterlab": locked["jupyterlab"], **opened}
    assert opened["notebook"] == locked["notebook"]


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.stem)
def test_an_issue_form_asks_for_where_and_what(path):
    form = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert {"name", "description", "body"} <= set(form)
    fields = [field for field in form["body"] if field["type"] != "markdown"]
    names = [field["id"] for field in fields]
    assert len(set(names)) == len(names)
    assert names[0] == "where"
    assert 2 <= sum(field["validations"]["required"] for field in fields) <= 3


def test_there_is_a_form_for_a_stumble_and_one_for_a_wrong_number():
    assert [path.stem for path in FORMS] == ["stumble", "wrong_number"]


def test_the_container_installs_what_we_test_and_opens_a_notebook_that_exists():
    container = json.loads((ROOT / ".devcontainer" / "devcontainer.json").read_text(encoding="utf-8"))
    assert "-c constraints.txt -e" in container["postCreateCommand"]
    assert f"python:{PROJECT['project']['requires-python'].removeprefix('>=')}-" in container["image"]
    [opened] = container["customizations"]["codespaces"]["openFiles"]
    assert (ROOT / opened).is_file()


def test_the_citation_says_what_the_package_says():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["license"] == PROJECT["project"]["license"]
    assert [author["name"] for author in citation["authors"]] == [PROJECT["project"]["authors"][0]["name"]]
    assert "version" not in citation  # it stands in one place
