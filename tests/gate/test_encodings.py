"""A terminal that cannot write a file's name still gets the answer, and its status."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

ENCODINGS = ["ascii", "latin-1", "cp1252", "utf-8"]


@pytest.fixture
def files(tmp_path):
    """Return clean and suspect activations, in files with Chinese names in a folder with a space."""
    folder = tmp_path / "激活 值"
    folder.mkdir()
    rng = np.random.default_rng(0)
    clean, suspect = rng.normal(size=(2, 60, 12))
    suspect[:, 3] += 5
    paths = folder / "干净.npy", folder / "可疑.npy"
    for path, values in zip(paths, (clean, suspect), strict=True):
        np.save(path, values)
    return paths


def gate(encoding, *arguments):
    env = os.environ | {"PYTHONIOENCODING": encoding}
    command = [sys.executable, "-m", "lesson_lib.gate", *map(str, arguments)]
    done = subprocess.run(command, env=env, capture_output=True, check=False)
    return done.returncode, done.stdout.decode(encoding), done.stderr.decode(encoding)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_the_status_does_not_depend_on_the_letters_of_a_terminal(encoding, files):
    clean, suspect = files
    status, told, complained = gate(encoding, suspect, clean)
    assert (status, complained) == (1, "")
    shown = "可疑" if encoding == "utf-8" else r"\u53ef\u7591"
    assert shown in told
    assert gate(encoding, clean, clean)[0] == 0
    assert json.loads(gate(encoding, clean, suspect, "--json")[1])["suspect_file"] == str(suspect)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_missing_file_is_named_in_the_letters_of_a_terminal(encoding, files):
    status, told, complained = gate(encoding, files[0], files[0].with_name("没有.npy"))
    assert (status, told) == (2, "")
    assert ("没有" if encoding == "utf-8" else r"\u6ca1\u6709") in complained
