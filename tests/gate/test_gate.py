"""The gate: its exit status is the answer, its words name the file, and no file can make it run anything or crash."""

import importlib
import io
import json
import os
import pickle
import subprocess
import sys
import tomllib
import tracemalloc
import zipfile
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest

from lesson_lib.gate import command as gate
from lesson_lib.gate import files as stored
from lesson_lib.gate import judging, main, report
from lesson_lib.gate import words as gate_words
from lesson_lib.gate.report import tool_version
from lesson_lib.naa import RULES, analyse, class_vote, simulate_activations
from lesson_lib.naa import words as naa_words
from lesson_lib.naa.judgement import OVER, TAKES_OVER


@pytest.fixture
def files(tmp_path, monkeypatch):
    """Work in a folder with clean, calm and suspect activations; neurons 3 and 4 of the last are raised."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(116)  # by chance, no neuron of these calm ones is far off
    sets = {name: simulate_activations(200, rng, (), n_neurons=30) for name in ("clean", "calm")}
    sets["suspect"] = simulate_activations(80, rng, (3, 4), n_neurons=30)
    for name, rows in sets.items():
        np.save(f"{name}.npy", rows)
        np.savez(f"{name}.npz", activations=rows)
    return sets


@pytest.fixture
def gated(capsys):
    """Run the gate and return its exit status, what it printed, and its complaint."""

    def run(*arguments):
        status = main([str(argument) for argument in arguments])
        said, complained = capsys.readouterr()
        return status, said, complained

    return run


def parsed(text):
    """Return strict JSON, one line of it: no NaN and no Infinity."""

    def refuse(token):
        raise AssertionError(f"{token} is not JSON")

    assert text.endswith("\n")
    assert text.count("\n") == 1
    return json.loads(text, parse_constant=refuse)


def refused(result, *parts):
    """Check that the gate could not judge and said so in one line with these parts, and nothing else."""
    status, said, complained = result
    assert (status, said) == (2, "")
    assert complained.startswith("gate: ")
    assert complained.count("\n") == 1
    for part in parts:
        assert part in complained


# The answer --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("end", ["npy", "npz"])
def test_nothing_flagged_is_0_and_something_flagged_is_1(files, gated, end):
    status, said, complained = gated(f"clean.{end}", f"calm.{end}")
    assert (status, complained) == (0, "")
    assert "NOTHING FLAGGED in 30 neurons. Silence is not a proof of a clean model." in said
    status, said, complained = gated(f"clean.{end}", f"suspect.{end}")
    assert (status, complained) == (1, "")
    assert "FLAGGED: 2 of 30 neurons. A flag is a shift of distribution, not a proof of a backdoor." in said


def test_the_text_is_a_table_the_rule_and_the_caveat(files, gated):
    found = analyse(files["clean"], files["suspect"])
    lines = gated("clean.npy", "suspect.npz")[1].splitlines()
    assert lines[0] == "clean.npy: 200 rows. suspect.npz: 80 rows. 30 neurons."
    assert lines[1].split() == ["neuron", "shift", "effect", "size", "MAD", "index"]
    rows = [line.split() for line in lines[2:4]]
    largest = sorted((3, 4), key=lambda i: -found.signature[i])
    assert [int(row[0]) for row in rows] == largest
    for i, row in zip(largest, rows, strict=True):
        shown = [float(cell) for cell in row[1:]]
        assert shown == pytest.approx([found.shift[i], found.effect_size[i], found.anomaly_index[i]], rel=1e-3)
    rule = RULES["permutation"]
    assert lines[-2] == f"Rule permutation, threshold 0.01: {rule.threshold_is}. Source: {rule.source}."


def test_a_long_table_is_cut_and_says_so(files, gated):
    said = gated("clean.npy", "suspect.npy", "--rule", "raw", "--threshold", "0", "--top", "3")[1]
    assert "FLAGGED: 30 of 30 neurons, the 3 largest above." in said
    assert sum(line[:1].isdigit() for line in said.splitlines()) == 3
    status, _, complained = gated("clean.npy", "suspect.npy", "--top", "-1")
    assert status == 2
    assert "argument --top: must be a whole number from 0; got -1" in complained


@pytest.mark.parametrize(("rule", "over"), [(r, o) for r in RULES for o in OVER if r in TAKES_OVER or o == OVER[0]])
def test_json_holds_what_the_analysis_found(files, gated, rule, over):
    arguments = ("--rule", rule, "--permutations", "99", "--seed", "7", "--json")
    arguments = ("--over", over, *arguments) if rule in TAKES_OVER else arguments
    status, said, complained = gated("clean.npy", "suspect.npy", *arguments)
    found = analyse(files["clean"], files["suspect"], rule, over=over, rng=np.random.default_rng(7), n_permutations=99)
    shown = parsed(said)
    assert (status, complained, shown["status"]) == (1, "", 1)
    assert shown["flagged"] == found.flagged.tolist()
    for name in ("shift", "effect_size", "t", "p", "anomaly_index"):
        assert shown[name] == getattr(found, name).tolist()
    expected = {"rule": rule, "over": over, "threshold": RULES[rule].default, "reason": "", "n": 30}
    expected |= {"schema_version": 1, "tool": "naa-gate", "tool_version": tool_version(), "cautions": []}
    expected |= {"n_clean": 200, "n_suspect": 80, "clean_file": "clean.npy", "suspect_file": "suspect.npy"}
    assert {name: shown[name] for name in expected} == expected
    words_for_it = gated("clean.npy", "suspect.npy", *arguments[:-1])[1]
    looks = rule in ("raw", "sd", "mad") and over != "signature"
    assert f"Rule {rule}{f' over {over}' if looks else ''}, threshold {RULES[rule].default:g}: " in words_for_it


def test_the_threshold_decides(files, gated):
    assert gated("clean.npy", "suspect.npy", "--rule", "raw", "--threshold", "10")[0] == 0
    assert gated("clean.npy", "suspect.npy", "--rule", "raw", "--threshold", "8")[0] == 1
    assert gated("clean.npy", "suspect.npy", "--rule", "raw", "--threshold", "inf")[0] == 0


def test_json_writes_null_for_what_is_not_finite(files, gated):
    clean, suspect = files["clean"], files["suspect"][:1]
    clean[:, 5] = 1
    np.save("clean.npy", clean)
    np.save("one.npy", suspect)
    status, said, _ = gated("clean.npy", "one.npy", "--json", "--rule", "effect")
    shown = parsed(said)
    assert status == 1
    assert shown["effect_size"][5] is None  # infinite
    assert 5 in shown["flagged"]
    assert set(shown["p"]) == {None}  # one row has no variance


@pytest.mark.parametrize(("rule", "reason"), [("bh", naa_words.TOO_FEW_FOR_WELCH), ("mad", naa_words.TOO_FEW_FOR_MAD)])
def test_a_rule_that_cannot_judge_is_2_and_says_why(files, gated, rule, reason):
    np.save("a.npy", np.eye(2) + 1)
    np.save("b.npy", [[1.0, 2.0]])
    status, said, complained = gated("a.npy", "b.npy", "--rule", rule)
    assert (status, complained) == (2, "")
    assert said.splitlines()[-1] == f"CANNOT JUDGE: {reason}."
    shown = parsed(gated("a.npy", "b.npy", "--rule", rule, "--json")[1])
    assert (shown["status"], shown["reason"], shown["flagged"]) == (2, reason, [])


# Files -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.int16, bool, ">f8"])
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("save", [np.savez, np.savez_compressed, None])
def test_every_kind_of_file_is_read_alike(files, gated, monkeypatch, dtype, order, save):
    monkeypatch.setattr(stored, "BATCH", 2000)
    for name in ("clean", "suspect"):
        rows = np.array(files[name] > 3 if dtype is bool else files[name] * 10, dtype=dtype, order=order)
        if save:
            save(f"{name}.npz", rows)
        else:
            np.save(f"{name}.npz", rows)
            Path(f"{name}.npz.npy").rename(f"{name}.npz")  # what counts is what the file holds
        files[name] = rows
    shown = parsed(gated("clean.npz", "suspect.npz", "--rule", "effect", "--json")[1])
    assert shown["shift"] == pytest.approx(
        files["suspect"].mean(axis=0, dtype=float) - files["clean"].mean(axis=0, dtype=float), rel=1e-5, abs=1e-6
    )
    assert (shown["n_clean"], shown["n_suspect"]) == (200, 80)


@pytest.mark.parametrize("rule", ["mad", "permutation"])
def test_a_batch_never_splits_or_drops_a_row(files, gated, monkeypatch, rule):
    expected = parsed(gated("clean.npy", "suspect.npy", "--json", "--rule", rule)[1])
    for batch in (240, 500, 240 * 79, 240 * 80, 240 * 200, 10**6):
        monkeypatch.setattr(stored, "BATCH", batch)
        shown = parsed(gated("clean.npz", "suspect.npz", "--json", "--rule", rule)[1])
        assert shown["shift"] == pytest.approx(expected["shift"])
        assert (shown["n_clean"], shown["n_suspect"], shown["flagged"]) == (200, 80, [3, 4])


def test_the_only_other_array_will_do_and_more_must_be_named(files, gated):
    np.savez("a.npz", layer_3=files["suspect"], outgoing=np.ones((30, 2)))
    assert gated("clean.npy", "a.npz")[0] == 1
    np.savez("b.npz", layer_3=files["suspect"], layer_4=files["suspect"])
    refused(
        gated("clean.npy", "b.npz"), "b.npz: it must hold one array, or one named 'activations'", "'layer_3', 'layer_4'"
    )
    np.savez("c.npz", layer_3=files["calm"], activations=files["suspect"])
    assert gated("clean.npy", "c.npz")[0] == 1
    np.savez("d.npz")
    refused(gated("clean.npy", "d.npz"), "d.npz: it must hold one array", "it holds nothing")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
@pytest.mark.parametrize("kind", ["npy", "npz"])
def test_a_large_file_is_judged_in_little_memory(tmp_path, kind):
    header = {"descr": "<f4", "fortran_order": False, "shape": (2**17, 512)}
    path = tmp_path / f"large.{kind}"
    with ExitStack() as open_files:
        if kind == "npy":
            file = open_files.enter_context(path.open("wb"))
        else:
            archive = open_files.enter_context(zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1))
            file = open_files.enter_context(archive.open("activations.npy", "w", force_zip64=True))
        np.lib.format.write_array_header_1_0(file, header)
        for _ in range(2**8):
            file.write(bytes(2**20))
    code = (
        "import sys; from lesson_lib.gate.__main__ import main\n"
        "status = main(sys.argv[1:])\n"
        "print(*[line.split()[1] for line in open('/proc/self/status') if 'VmHWM' in line])\n"
        "sys.exit(status)"
    )
    command = [sys.executable, "-c", code, path, path, "--rule", "mad"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "CANNOT JUDGE: at least half of the neurons shifted by exactly the same amount" in done.stdout
    assert int(done.stdout.split()[-1]) < 300_000  # kB; the two files hold 537 MB


# Labels and outgoing weights ---------------------------------------------------------------------------------------


@pytest.fixture
def classed(files):
    """Add labels to files whose classes differ by more than the trigger does, and weights from the layer."""
    rng = np.random.default_rng(2)
    labels = {"clean": np.arange(200) % 4, "suspect": np.zeros(80, dtype=int)}
    rows = {name: files[name] + 5 * part[:, None] for name, part in labels.items()}
    outgoing = np.zeros((30, 5))
    outgoing[:, 0], outgoing[[3, 4], 2] = rng.normal(0, 0.01, 30), 1
    outgoing[:, [1, 3, 4]] = rng.normal(0, 0.01, (30, 3))
    for name, part in labels.items():
        np.savez(f"{name}.npz", activations=rows[name], labels=part, outgoing=outgoing)
        np.savez(f"bare_{name}.npz", rows[name])
        np.save(f"labels_{name}.npy", part)
    np.save("outgoing.npy", outgoing)
    return rows, labels, outgoing


def test_labels_in_both_files_or_in_two_others_compare_like_with_like(classed, gated):
    rows, labels, _ = classed
    expected = analyse(rows["clean"], rows["suspect"], labels=tuple(labels.values()))
    for arguments in (
        ("clean.npz", "suspect.npz"),
        ("bare_clean.npz", "bare_suspect.npz", "--labels", "labels_clean.npy", "labels_suspect.npy"),
        ("bare_clean.npz", "bare_suspect.npz", "--labels", "clean.npz", "suspect.npz"),
    ):
        shown = parsed(gated(*arguments, "--json")[1])
        assert shown["matched"] is True
        assert shown["shift"] == pytest.approx(expected.shift)
        assert shown["flagged"] == [3, 4]
        assert "Each row is compared with the clean mean of its own class." in gated(*arguments)[1]
    assert parsed(gated("bare_clean.npz", "bare_suspect.npz", "--json")[1])["matched"] is False


def test_labels_of_one_set_only_are_refused(classed, gated):
    refused(gated("clean.npz", "bare_suspect.npz"), "bare_suspect.npz: it has no labels", "give both or leave both out")
    refused(gated("bare_clean.npz", "suspect.npz"), "bare_clean.npz: it has no labels")


def test_outgoing_weights_say_which_output_each_neuron_moves(classed, gated):
    rows, labels, outgoing = classed
    expected = analyse(rows["clean"], rows["suspect"], labels=tuple(labels.values()), outgoing=outgoing)
    status, said, _ = gated("clean.npz", "suspect.npz")
    assert status == 1
    assert said.splitlines()[1].endswith("moves most")
    for i in (3, 4):
        assert f"output 2 by {expected.contribution[i, 2]:+.4g}" in said
    shown = parsed(gated("bare_clean.npz", "bare_suspect.npz", "--outgoing", "outgoing.npy", "--json")[1])
    np.testing.assert_allclose(shown["contribution"], np.array(shown["shift"])[:, None] * outgoing)


def test_the_class_vote_flags_the_output_that_the_shifts_push(classed, gated):
    rows, labels, outgoing = classed
    vote = class_vote(rows["clean"], rows["suspect"], outgoing, labels["clean"], labels["suspect"])
    status, said, complained = gated("clean.npz", "suspect.npz", "--rule", "class-vote", "--json")
    shown = parsed(said)
    assert (status, complained, shown["kind"], shown["flagged"]) == (1, "", "output", [2])
    assert shown["vote"] == vote.votes.tolist()
    assert shown["anomaly_index"] == vote.mad_index.tolist()
    said = gated("clean.npz", "suspect.npz", "--rule", "class-vote")[1]
    assert "FLAGGED: 1 of 5 outputs." in said
    assert said.splitlines()[2].split()[0] == "2"
    np.save("back.npy", -outgoing)  # a push away from an output is not a vote for it
    assert gated("clean.npz", "suspect.npz", "--rule", "class-vote", "--outgoing", "back.npy")[0] == 0


@pytest.mark.parametrize(
    ("n_out", "fill", "reason"), [(2, 1, gate_words.TOO_FEW_OUTPUTS), (5, 1, gate_words.NO_OUTPUT_MAD)]
)
def test_a_class_vote_that_cannot_be_counted_says_why(classed, gated, n_out, fill, reason):
    np.save("outgoing.npy", np.full((30, n_out), fill))
    status, said, _ = gated("clean.npz", "suspect.npz", "--rule", "class-vote", "--outgoing", "outgoing.npy")
    assert status == 2
    assert said.splitlines()[-1] == f"CANNOT JUDGE: {reason}."


def test_a_class_vote_needs_labels_and_weights(classed, gated):
    needs = "the rule class-vote needs labels of both sets, and the outgoing weights"
    refused(gated("bare_clean.npz", "bare_suspect.npz", "--rule", "class-vote", "--outgoing", "outgoing.npy"), needs)
    labels = ("--labels", "labels_clean.npy", "labels_suspect.npy")
    refused(gated("bare_clean.npz", "bare_suspect.npz", "--rule", "class-vote", *labels), needs)


# What cannot be judged ---------------------------------------------------------------------------------------------


class Evil:
    """Leave a trace when it is unpickled."""

    def __reduce__(self):
        return os.mkdir, ("i_was_run",)


def npy(header, data=b"", magic=b"\x93NUMPY\x01\x00"):
    header = header.encode() if isinstance(header, str) else header
    return magic + len(header).to_bytes(2, "little") + header + data


def shaped(shape, data=b"", descr="'<f4'", order="False"):
    return npy(f"{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}, }}\n", data)


def saved(rows):
    file = io.BytesIO()
    np.save(file, rows)
    return file.getvalue()


def zipped(*members):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in members:
            archive.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)
    return file.getvalue()


ROWS = np.random.default_rng(0).normal(size=(50, 30))
OBJECTS = np.array([[Evil(), Evil()]])
GOOD, BOXED = saved(ROWS), pickle.dumps(Evil())
ZIP = zipped(("activations.npy", GOOD))
LOCAL, CENTRAL = b"PK\x03\x04\x14\x00\x00\x00", b"PK\x01\x02\x14\x03\x14\x00\x00\x00"  # up to the way of packing
HOSTILE = {
    "empty": b"",
    "text": b"neuron,shift\n1,2\n",
    "a bare pickle": BOXED,
    "pickled objects": shaped("(1, 2)", BOXED, "'|O'"),
    "pickled objects in a zip": zipped(("activations.npy", shaped("(1, 2)", BOXED, "'|O'"))),
    "a pickle in a zip": zipped(("activations.npy", BOXED)),
    "pickled labels": zipped(("activations.npy", GOOD), ("labels.npy", shaped("(50,)", BOXED, "'|O'"))),
    "a record with objects": shaped("(1, 2)", BOXED, "[('a', '|O')]"),
    "magic only": b"\x93NUMPY",
    "no header": b"\x93NUMPY\x01\x00",
    "a version from the future": npy("{}", magic=b"\x93NUMPY\x09\x00"),
    "a version from the future in a zip": zipped(("a.npy", npy("{}", magic=b"\x93NUMPY\x09\x00"))),
    "a header that is code": npy("__import__('os').mkdir('i_was_run')\n"),
    "a header in knots": npy("(" * 5000 + ")" * 5000),
    "a header of minus signs": npy("-" * 60000 + "1"),
    "not text": npy(b"\xff" * 64),
    "no shape": npy("{'descr': '<f4', 'fortran_order': False}\n"),
    "a shape of words": shaped("('a', 'b')"),
    "a shape below zero": shaped("(-1, 30)", bytes(120)),
    "a type that is none": shaped("(1, 1)", bytes(8), "'<q9'"),
    "a trillion rows": shaped("(10**12, 512)".replace("10**12", "1" + "0" * 12)),
    "a trillion rows in a zip": zipped(("activations.npy", shaped("(1000000000000, 512)"))),
    "more than any number": shaped(f"({10**30}, {10**30})"),
    "more than any number in a zip": zipped(("activations.npy", shaped(f"({10**30}, {10**30})"))),
    "nothing times a trillion": shaped("(0, 1000000000000)"),
    "nothing times a trillion in a zip": zipped(("activations.npy", shaped("(0, 1000000000000)"))),
    "no rows": saved(np.ones((0, 30))),
    "no rows in a zip": zipped(("activations.npy", saved(np.ones((0, 30))))),
    "no neurons": saved(np.ones((30, 0))),
    "no neurons in a zip": zipped(("activations.npy", saved(np.ones((30, 0))))),
    "cut short": GOOD[:-1],
    "cut short in a zip": zipped(("activations.npy", GOOD[:-1])),
    "too long in a zip": zipped(("activations.npy", GOOD + b"x")),
    "a zip cut short": ZIP[: len(ZIP) // 2],
    "a zip with a spot": ZIP[: len(ZIP) // 2] + b"spot" + ZIP[len(ZIP) // 2 + 4 :],
    "only the start of a zip": b"PK\x03\x04",
    "a zip of text": zipped(("readme.txt", b"hello")),
    "a zip of nothing": zipped(),
    "a zip with a folder": zipped(("folder/", b"")),
    "names that climb": zipped(("../../activations.npy", GOOD), ("/etc/passwd.npy", GOOD)),
    "a name with a newline": zipped(("a\nb.npy", GOOD), ("c\x1b[31m.npy", GOOD)),
    "complex": saved(ROWS * 1j),
    "words": saved(np.array([["a", "b"]])),
    "dates": saved(np.array([["2020-01-01"]], dtype="datetime64[D]")),
    "one row without its brackets": saved(ROWS[0]),
    "images": saved(ROWS.reshape(50, 5, 6)),
    "another width": saved(ROWS[:, :29]),
    "another width in a zip": zipped(("activations.npy", saved(ROWS[:, :29]))),
    "not a number": saved(np.where(ROWS > 1, np.nan, ROWS)),
    "not a number in a zip": zipped(("activations.npy", saved(np.where(ROWS > 1, np.nan, ROWS)))),
    "infinity": saved(np.where(ROWS > 1, np.inf, ROWS)),
    "too large to be squared": saved(ROWS * 1e200),
    "a single number": saved(np.float64(3)),
    "a single number in a zip": zipped(("activations.npy", saved(np.float64(3)))),
    "texts without letters": shaped("(50, 30)", descr="'<U0'"),
    "texts without letters in a zip": zipped(("activations.npy", shaped("(50, 30)", descr="'<U0'"))),
    "named columns": saved(np.zeros(50, dtype=[("a", "f4"), ("b", "f4")])),
    "a second array behind the first": GOOD + GOOD,
    "a header that claims 4 GB": npy(b" " * 65000, magic=b"\x93NUMPY\x02\x00\xff\xff"),
    "a header that claims more than there is": b"\x93NUMPY\x01\x00\xff\xff" + b" " * 60000,
    "the longest header in a zip": zipped(("activations.npy", npy(b" " * 65535))),
    "a locked zip": ZIP.replace(LOCAL, b"PK\x03\x04\x14\x00\x01\x00").replace(
        CENTRAL, b"PK\x01\x02\x14\x03\x14\x00\x01\x00"
    ),
    "a zip packed in a way that nobody knows": ZIP.replace(LOCAL + b"\x08", LOCAL + b"\x63").replace(
        CENTRAL + b"\x08", CENTRAL + b"\x63"
    ),
}


@pytest.mark.parametrize("kind", HOSTILE)
@pytest.mark.parametrize("rule", ["mad", "permutation"])
def test_a_hostile_file_is_refused_in_one_line_that_names_it(files, gated, kind, rule):
    Path("bad.npz").write_bytes(HOSTILE[kind])
    for pair in (("clean.npy", "bad.npz"), ("bad.npz", "clean.npy")):
        refused(gated(*pair, "--rule", rule), "bad.npz")
        status, said, complained = gated(*pair, "--rule", rule, "--json")
        assert status == 2
        shown = parsed(said)
        assert (shown["status"], shown["reason"]) == (2, complained.removeprefix("gate: ").rstrip("\n"))
        assert shown.keys() == {"schema_version", "tool", "tool_version", "status", "reason"}
    assert not Path("i_was_run").exists()


def test_what_would_run_does_run_when_unpickled(files):
    pickle.loads(BOXED)
    assert Path("i_was_run").exists()  # so the test above would have seen it


def test_a_name_in_an_archive_cannot_play_with_the_terminal(files, gated):
    Path("bad.npz").write_bytes(zipped(("\x1b[31m.npy", GOOD[:-1])))
    refused(gated("clean.npy", "bad.npz"), r"bad.npz: '\x1b[31m' holds 11999 bytes")


@pytest.mark.filterwarnings("ignore:Duplicate name:UserWarning")
def test_an_archive_with_a_name_twice_is_refused(files, gated):
    Path("bad.npz").write_bytes(zipped(("activations.npy", GOOD), ("activations.npy", GOOD)))
    refused(gated("clean.npy", "bad.npz"), "bad.npz: it holds 'activations' twice")


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        ("pickled objects", "it holds pickled objects, which are never loaded"),
        ("pickled objects in a zip", "it holds pickled objects, which are never loaded"),
        ("a bare pickle", "this is neither a .npy nor a .npz file"),
        ("a trillion rows in a zip", "'activations' holds 0 bytes, and its header claims 2048000000000000"),
        ("cut short in a zip", "'activations' holds 11999 bytes, and its header claims 12000"),
        ("another width", "gate: clean.npy, bad.npz: suspect must have as many neurons as the clean set, 30; got 29"),
        ("a second array behind the first", "'array' holds 24128 bytes, and its header claims 12000"),
        ("a locked zip", "cannot be read: File <ZipInfo filename='activations.npy'"),
        ("a zip packed in a way that nobody knows", "cannot be read: That compression method is not supported"),
        ("a header that claims 4 GB", "'array' has a newer format than 1.0"),
        ("a header that claims more than there is", "cannot be read: EOF: reading array header"),
        ("a version from the future in a zip", "has a newer format"),
        ("not a number", "gate: bad.npz: suspect must hold finite numbers"),
    ],
)
def test_the_line_says_what_is_wrong(files, gated, kind, says):
    Path("bad.npz").write_bytes(HOSTILE[kind])
    refused(gated("clean.npy", "bad.npz"), says)


def test_a_small_zip_that_unfolds_to_much_is_not_unfolded_at_once(files, gated, monkeypatch):
    monkeypatch.setattr(stored, "WHOLE", 10_000)
    np.savez_compressed("bad.npz", np.asfortranarray(np.zeros((2000, 30))))
    refused(gated("clean.npy", "bad.npz"), "bad.npz: 'arr_0' is too large to be read at once; store it as .npy")
    np.savez_compressed("bad.npz", activations=files["clean"], labels=np.zeros(20_000, dtype=int))
    refused(gated("clean.npy", "bad.npz"), "bad.npz: 'labels' is too large to be read at once")


def test_a_header_that_unfolds_to_much_is_not_unfolded(files, gated):
    length = 2**27
    Path("bad.npz").write_bytes(
        zipped(("activations.npy", b"\x93NUMPY\x02\x00" + length.to_bytes(4, "little") + bytes(length)))
    )
    assert Path("bad.npz").stat().st_size < length / 500
    tracemalloc.start()
    refused(gated("clean.npy", "bad.npz"), "bad.npz: 'activations' has a newer format than 1.0")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < length / 20


def test_of_many_arrays_only_the_first_are_named_and_none_is_opened(files, gated, monkeypatch):
    Path("bad.npz").write_bytes(zipped(*((f"layer_{i}.npy", GOOD) for i in range(300))))
    monkeypatch.setattr(stored.npy, "read_magic", None)
    result = gated("bad.npz", "clean.npy")
    refused(result, "bad.npz: it must hold one array", "'layer_0', 'layer_1'", "...]")
    assert len(result[2]) < 200


@pytest.mark.parametrize("kind", ["npy", "npz"])
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("rule", ["mad", "permutation"])
def test_a_file_that_shrinks_while_it_is_read_is_refused(files, gated, monkeypatch, kind, order, rule):
    rows = np.asarray(np.random.default_rng(0).normal(size=(5000, 30)), order=order)
    np.save("large.npy", rows)
    np.savez("large.npz", activations=rows)
    path, take = Path(f"large.{kind}"), stored.Stored._take

    def shrink(part, *arguments):
        if part.path == str(path) and path.stat().st_size > 60_000:
            os.truncate(path, 60_000)
        return take(part, *arguments)

    monkeypatch.setattr(stored, "BATCH", 10_000)
    monkeypatch.setattr(stored.Stored, "_take", shrink)
    refused(gated(path, "suspect.npy", "--rule", rule), f"{path}: ")
    assert path.stat().st_size == 60_000


class Worn(io.FileIO):
    """A file on a worn disk, of which one place cannot be read."""

    def __init__(self, path, at):
        super().__init__(path)
        self.at = at

    def readinto(self, buffer):
        if self.tell() <= self.at < self.tell() + len(buffer):
            raise OSError(5, "Input/output error")
        return super().readinto(buffer)


@pytest.mark.parametrize("kind", ["npy", "npz"])
def test_a_disk_that_fails_while_it_is_read_is_told(files, gated, monkeypatch, kind):
    path, opened = Path(f"clean.{kind}"), Path.open
    at = path.stat().st_size // 2

    def worn(self, *arguments, **keywords):
        return io.BufferedReader(Worn(self, at)) if self == path else opened(self, *arguments, **keywords)

    monkeypatch.setattr(Path, "open", worn)
    refused(gated(path, "suspect.npy"), f"{path}: cannot be read: [Errno 5] Input/output error")


def test_missing_files_folders_and_pipes_are_refused(files, gated, tmp_path):
    refused(gated("clean.npy", "none.npy"), "none.npy: there is no such file")
    refused(gated("clean.npy", tmp_path), f"{tmp_path}: this is a directory")
    refused(gated("clean.npy", "suspect.npy", "--outgoing", "none.npy"), "none.npy: there is no such file")
    refused(gated("clean.npy", "suspect.npy", "--labels", "clean.npy", "none.npy"), "none.npy: there is no such file")
    refused(gated("clean.npy", "x" * 5000), "xxx")
    refused(gated("clean.npy", "a\0b"), "gate: ")
    if hasattr(os, "mkfifo"):
        os.mkfifo("pipe.npy")
        refused(gated("clean.npy", "pipe.npy"), "pipe.npy: this is not an ordinary file")


def test_a_file_that_may_not_be_read_is_refused(files, gated, monkeypatch):
    opened = Path.open

    def deny(self, *arguments, **keywords):
        if self.name == "suspect.npy":
            raise PermissionError(13, "Permission denied", str(self))
        return opened(self, *arguments, **keywords)

    monkeypatch.setattr(Path, "open", deny)
    refused(gated("clean.npy", "suspect.npy"), "suspect.npy: cannot be read", "Permission denied")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--labels", "short.npy", "long.npy"), "short.npy: labels of clean must have shape (200,); got (3,)"),
        (("--labels", "long.npy", "short.npy"), "short.npy: labels of suspect must have shape (80,); got (3,)"),
        (("--labels", "long.npy", "other.npy"), "other.npy: labels of suspect must be classes of the clean set; [7.0]"),
        (("--labels", "long.npy", "text.npy"), "text.npy: labels of suspect must be all numbers or all text"),
        (("--outgoing", "short.npy"), "short.npy: outgoing must have shape (n_neurons, n_out)"),
        (("--outgoing", "calm.npy"), "calm.npy: outgoing must have one row per neuron, 30; got shape (200, 30)"),
        (("--rule", "mad", "--threshold", "-1"), "--threshold: threshold must be a number from 0 to inf for the rule"),
        (("--threshold", "nan"), "--threshold: threshold must be a number from 0"),
        (("--rule", "bh", "--threshold", "2"), "--threshold: threshold must be a number from 0 to 1 for the rule bh"),
    ],
)
def test_arguments_that_do_not_fit_are_refused_by_their_file_or_option(files, gated, arguments, says):
    for name, part in {"short": np.arange(3), "long": np.zeros(200), "other": np.full(80, 7)}.items():
        np.save(f"{name}.npy", part)
    np.save("text.npy", np.full(80, "seven"))
    refused(gated("clean.npy", "suspect.npy", *arguments), f"gate: {says}")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--rule", "bh", "--over", "shift"), "--over has no effect with the rule bh"),
        (("--rule", "class-vote", "--over", "shift"), "--over has no effect with the rule class-vote"),
        (("--permutations", "0"), "argument --permutations: must be a whole number from 1; got 0"),
        (("--seed", "-1"), "argument --seed: must be a whole number from 0; got -1"),
        (("--top", "many"), "argument --top: invalid whole_number value: 'many'"),
        (("--calibrate", "a.json"), "--calibrate needs --rule raw, sd, mad, effect or class-vote"),
        (("--calibrate", "a.json", "--rule", "bh"), "--calibrate needs --rule"),
        (("--calibrate", "./clean.npy", "--rule", "mad"), "--calibrate would overwrite ./clean.npy, which is read"),
        (("--output", "suspect.npy"), "--output would overwrite suspect.npy, which is read"),
        (("--calibration", "a.json", "--rule", "mad"), "--calibration names the rule: leave out --rule and --over"),
        (("--calibration", "a.json", "--threshold", "1"), "not allowed with argument"),
        (("--json", "--quiet"), "not allowed with argument"),
    ],
)
def test_options_that_have_no_effect_or_no_sense_are_refused(files, gated, arguments, says):
    status, said, complained = gated("clean.npy", "suspect.npy", *arguments)
    assert (status, said) == (2, "")
    assert says in complained


@pytest.mark.parametrize(
    "arguments",
    [(), ("clean.npy",), ("clean.npy", "suspect.npy", "--rule", "z"), ("clean.npy", "suspect.npy", "--threshold", "x")],
)
def test_a_wrong_command_line_is_2_with_the_usage(files, gated, arguments):
    status, said, complained = gated(*arguments)
    assert (status, said) == (2, "")
    assert complained.startswith("usage: naa-gate")


def test_help_names_every_rule_and_the_exit_status(gated):
    status, said, complained = gated("--help")
    assert (status, complained) == (0, "")
    for part in (*RULES, "class-vote", *OVER, "0 nothing flagged, 1 flagged, 2"):
        assert part in " ".join(said.split())


# As a pipeline runs it ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("suspect", "status", "said", "complained"),
    [
        ("calm.npz", 0, "NOTHING FLAGGED", ""),
        ("suspect.npz", 1, "FLAGGED: 2 of 30 neurons", ""),
        ("none.npz", 2, "", "gate: none.npz: there is no such file\n"),
    ],
)
def test_the_exit_status_of_the_command_is_the_answer(files, suspect, status, said, complained):
    command = [sys.executable, "-W", "error", "-m", "lesson_lib.gate", "clean.npz", suspect]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (status, complained)
    assert said in done.stdout


@pytest.fixture
def wide(files):
    """Save activations whose answer is longer than any buffer."""
    rng = np.random.default_rng(0)
    for name in ("wide_clean", "wide_suspect"):
        np.save(f"{name}.npy", rng.normal(size=(50, 3000)))
    return "wide_clean.npy", "wide_suspect.npy"


def command(*arguments, **streams):
    """Run the gate as a pipeline does; return its exit status and its complaint."""
    done = subprocess.run([sys.executable, "-m", "lesson_lib.gate", *arguments], check=False, **streams)
    return done.returncode, (done.stderr or b"").decode()


@pytest.mark.skipif(os.name == "nt", reason="a closed pipe is another thing there")
@pytest.mark.parametrize("arguments", [("clean.npz", "calm.npz"), ("wide_clean.npy", "wide_suspect.npy", "--json")])
def test_a_reader_that_has_left_is_not_taken_for_an_answer(wide, arguments):
    reader, writer = os.pipe()
    os.close(reader)
    told = command(*arguments, stdout=writer, stderr=subprocess.PIPE)
    os.close(writer)
    assert told == (2, f"gate: {', '.join(arguments[:2])}: [Errno 32] Broken pipe\n")


FULL = Path("/dev/full")  # a disk without room
needs_a_full_disk = pytest.mark.skipif(not FULL.exists(), reason=f"needs {FULL}")


@needs_a_full_disk
@pytest.mark.parametrize("arguments", [("clean.npz", "calm.npz"), ("wide_clean.npy", "wide_suspect.npy", "--json")])
def test_an_answer_that_finds_no_room_is_not_taken_for_another(wide, arguments):
    with FULL.open("wb") as full:
        told = command(*arguments, stdout=full, stderr=subprocess.PIPE)
    assert told == (2, f"gate: {', '.join(arguments[:2])}: [Errno 28] No space left on device\n")


@needs_a_full_disk
@pytest.mark.parametrize(
    ("suspect", "streams", "status"),
    [
        ("none.npz", {"stderr"}, 2),
        ("none.npz", {"stdout", "stderr"}, 2),
        ("calm.npz", {"stdout", "stderr"}, 2),
        ("calm.npz", {"stderr"}, 0),
        ("suspect.npz", {"stderr"}, 1),
    ],
)
def test_a_complaint_that_finds_no_room_does_not_change_the_answer(files, suspect, streams, status):
    with FULL.open("wb") as full:
        places = {name: full if name in streams else subprocess.DEVNULL for name in ("stdout", "stderr")}
        assert command("clean.npz", suspect, **places) == (status, "")


def test_an_interrupt_is_told_in_one_line(files, gated, monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(judging, "analyse", interrupted)
    refused(gated("clean.npy", "suspect.npy"), "clean.npy, suspect.npy: KeyboardInterrupt")


def test_no_failure_at_the_start_is_taken_for_a_flag(files, tmp_path):
    for broken, says in (("import none_such", "ModuleNotFoundError"), ("1 / 0", "ZeroDivisionError"), ("(", "Syntax")):
        Path("numpy.py").write_text(broken, encoding="utf-8")  # found before the real one
        done = subprocess.run(
            [sys.executable, "-m", "lesson_lib.gate", "clean.npz", "suspect.npz"],
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.startswith("gate: ")
        assert says in done.stderr


def test_the_command_that_is_installed_is_the_gate():
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    module, _, name = project["scripts"]["naa-gate"].partition(":")
    assert getattr(importlib.import_module(module), name) is main


def test_the_version_is_the_packages(gated, monkeypatch):
    assert gated("--version") == (0, f"naa-gate {tool_version()}\n", "")
    monkeypatch.setattr(report, "version", lambda name: f"{name} 7")
    assert tool_version() == "backdoor-by-hand 7"


# Where the answer goes ---------------------------------------------------------------------------------------------


def test_quiet_prints_nothing_and_output_writes_the_json(files, gated):
    for suspect, status in (("calm.npy", 0), ("suspect.npy", 1)):
        shown = gated("clean.npy", suspect, "--json")[1]
        assert gated("clean.npy", suspect, "--quiet", "--output", "answer.json") == (status, "", "")
        assert Path("answer.json").read_text(encoding="utf-8") == shown
    assert parsed(shown)["flagged"] == [3, 4]
    assert [path.name for path in Path().iterdir() if path.name.startswith(".")] == []


def test_an_older_answer_does_not_survive_a_failure(files, gated):
    Path("answer.json").write_text("old", encoding="utf-8")
    refused(gated("clean.npy", "none.npy", "--quiet", "--output", "answer.json"), "none.npy: there is no such file")
    shown = parsed(Path("answer.json").read_text(encoding="utf-8"))
    assert (shown["status"], shown["reason"]) == (2, "none.npy: there is no such file")


def test_an_answer_that_cannot_be_written_is_no_answer(files, gated):
    refused(gated("clean.npy", "calm.npy", "--output", "no/folder.json"), "gate: no/folder.json: cannot be written: ")
    assert not Path("no").exists()


def test_long_work_tells_how_far_it_is_on_the_error_stream_unless_told_to_be_quiet(files, gated, monkeypatch):
    monkeypatch.setattr(gate, "SECONDS", -1.0)
    status, _, complained = gated("clean.npy", "suspect.npy")
    assert status == 1
    assert complained.splitlines()[-1] == "gate: 100 % done"
    assert gated("clean.npy", "suspect.npy", "--quiet") == (1, "", "")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
@pytest.mark.parametrize("labelled", [False, True])
def test_permutations_of_many_rows_take_little_memory(tmp_path, labelled):
    n = 60_000
    rows = np.zeros((n, 512), np.float32)
    rows[np.arange(n), np.arange(n) % 512] = 1
    for name in ("clean", "suspect"):
        np.save(tmp_path / f"{name}.npy", rows)
    np.save(tmp_path / "labels.npy", np.arange(n) % 10)
    code = (
        "import sys; from lesson_lib.gate import main\n"
        "status = main(sys.argv[1:])\n"
        "print(*[line.split()[1] for line in open('/proc/self/status') if 'VmHWM' in line])\n"
    )
    command = [sys.executable, "-c", code, "clean.npy", "suspect.npy", "--permutations", "20", "--quiet"]
    command += ["--labels", "labels.npy", "labels.npy"] if labelled else []
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path)
    assert int(done.stdout) < 300_000  # kB; the two files hold 246 MB, in float64 491


# What a person should know -----------------------------------------------------------------------------------------


def test_one_suspect_row_is_judged_with_a_caution(files, gated):
    np.save("one.npy", files["suspect"][:1])
    for rule in ("raw", "mad", "effect", "permutation"):
        status, said, _ = gated("clean.npy", "one.npy", "--rule", rule)
        assert status == 1
        assert "CAUTION: one suspect row shows how one input differs, not how a set does." in said
    assert gated_cautions(gated("clean.npy", "suspect.npy", "--json")) == []


def gated_cautions(result):
    return parsed(result[1])["cautions"]


def test_the_decision_names_the_output_that_is_pushed(classed, gated):
    for rule in ("class-vote", "effect"):
        said = gated("clean.npz", "suspect.npz", "--rule", rule)[1]
        assert said.splitlines()[-1] == "Look first at output 2: that is where they push."
        assert parsed(gated("clean.npz", "suspect.npz", "--rule", rule, "--json")[1])["named"] == 2
    shown = parsed(gated("clean.npz", "suspect.npz", "--rule", "class-vote", "--threshold", "inf", "--json")[1])
    assert (shown["status"], shown["named"]) == (0, None)


@pytest.fixture
def square(files):
    """Save weights of a layer with as many outputs as neurons, and a function that saves clean rows and outputs."""
    rng = np.random.default_rng(3)
    weights, bias = rng.normal(size=(30, 30)), rng.normal(size=30)
    np.save("right.npy", weights)
    np.save("turned.npy", weights.T)
    np.save("other.npy", rng.normal(size=(30, 30)))

    def save(outputs=files["clean"] @ weights + bias):
        np.savez("clean.npz", activations=files["clean"], outputs=outputs)

    return save


def test_transposed_weights_are_found_out_by_the_outputs(square, gated):
    square()
    assert gated_cautions(gated("clean.npz", "suspect.npy", "--outgoing", "right.npy", "--json")) == []
    says = "only the other way round does it give the clean outputs; PyTorch stores a Linear's weight as (n_out, n_neur"
    refused(gated("clean.npz", "suspect.npy", "--outgoing", "turned.npy"), "gate: turned.npy: outgoing is transp", says)
    refused(gated("clean.npz", "suspect.npy", "--outgoing", "other.npy"), "other.npy: outgoing is not of this model")
    square(np.ones((7, 30)))
    refused(gated("clean.npz", "suspect.npy", "--outgoing", "right.npy"), "outputs must have a row for each clean row")


def test_square_weights_without_outputs_come_with_a_caution(square, gated):
    for weights in ("right.npy", "turned.npy"):
        assert "CAUTION: square outgoing weights" in gated("clean.npy", "suspect.npy", "--outgoing", weights)[1]


# Calibration -------------------------------------------------------------------------------------------------------


@pytest.fixture
def benign(classed):
    """Save 400 clean rows more, and suspect sets of 80 and 40 of them."""
    rng = np.random.default_rng(5)
    labels = np.arange(400) % 4
    rows = simulate_activations(400, rng, n_neurons=30) + 5 * labels[:, None]
    np.savez("benign.npz", activations=rows, labels=labels)
    for n in (80, 83, 40):
        np.savez(f"benign_{n}.npz", activations=rows[:n], labels=labels[:n])


@pytest.mark.parametrize("rule", ["raw", "sd", "mad", "effect", "class-vote"])
def test_a_threshold_is_calibrated_on_clean_data_and_judges_sets_of_that_size(benign, gated, rule):
    options = ("--rule", rule, "--rows", "80", "--draws", "60")
    status, said, _ = gated("clean.npz", "benign.npz", *options, "--calibrate", "limit.json")
    limit = parsed(Path("limit.json").read_text(encoding="utf-8"))
    assert status == 0
    assert f"Rule {rule}: 5% of clean sets with 80 rows exceed {limit['threshold']:.4g} (95 % interval" in said
    assert (limit["n_clean"], limit["n_suspect"], limit["draws"], limit["rate"]) == (200, 80, 60, 0.05)
    assert limit["low"] <= limit["threshold"]
    assert limit["high"] is None or limit["high"] >= limit["threshold"]
    status, said, _ = gated("clean.npz", "suspect.npz", "--calibration", "limit.json")
    assert status == 1
    assert f"Rule {rule}, threshold {limit['threshold']:g}: " in said
    assert "Calibrated for 80 rows: 5% of clean sets exceed it" in said
    shown = parsed(gated("clean.npz", "suspect.npz", "--calibration", "limit.json", "--json")[1])
    assert (shown["rule"], shown["threshold"], shown["calibration"]["n_suspect"]) == (rule, limit["threshold"], 80)


def test_a_calibrated_threshold_is_the_order_statistic_of_the_drawn_sets(benign, gated):
    gated(
        "clean.npz",
        "benign.npz",
        *["--rule", "effect", "--rows", "50", "--draws", "39", "--seed", "4", "--calibrate", "limit.json"],
    )
    with np.load("clean.npz") as clean, np.load("benign.npz") as pool:
        rng, reached = np.random.default_rng(4), []
        for _ in range(39):
            rows = rng.choice(400, 50, replace=False)
            labels = clean["labels"], pool["labels"][rows]
            found = analyse(clean["activations"], pool["activations"][rows], "effect", labels=labels)
            reached.append(abs(found.effect_size).max())
    assert json.loads(Path("limit.json").read_text())["threshold"] == pytest.approx(sorted(reached)[37])


def test_a_threshold_is_for_sets_of_the_size_it_was_made_for(benign, gated):
    gated("clean.npz", "benign.npz", *["--rule", "mad", "--rows", "80", "--draws", "60", "--calibrate", "limit.json"])
    assert gated_cautions(gated("clean.npz", "benign_80.npz", "--calibration", "limit.json", "--json")) == []
    says = "the threshold was calibrated for 200 clean and 80 suspect rows, and these are 200 and"
    status, said, _ = gated("clean.npz", "benign_83.npz", "--calibration", "limit.json")
    assert status in (0, 1)
    assert f"CAUTION: {says} 83." in said
    status, said, _ = gated("clean.npz", "benign_40.npz", "--calibration", "limit.json")
    assert status == 2
    assert said.splitlines()[-1] == f"CANNOT JUDGE: {says} 40."
    bare = ("bare_clean.npz", "bare_suspect.npz", "--calibration", "limit.json")
    refused(gated(*bare), "limit.json: it was calibrated for another case: matched was True, and is False")


@pytest.mark.parametrize("text", ["", "[]", "{", '{"schema_version": 1}', '{"schema_version": 2}', "[" * 10**5])
def test_what_is_no_calibration_is_refused(files, gated, text):
    Path("limit.json").write_text(text, encoding="utf-8")
    refused(gated("clean.npy", "calm.npy", "--calibration", "limit.json"), "limit.json: this is no file that --calibr")
    refused(gated("clean.npy", "calm.npy", "--calibration", "none.json"), "none.json: cannot be read")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ("--rows 400", "benign.npz: sets of 400 rows cannot be drawn from 400"),
        ("--draws 18", "--draws: reached must have at least 19 sets for a rate of 0.05; got 18"),
        ("--rate 1", "--rate: rate must be a share between 0 and 1; got 1.0"),
    ],
)
def test_a_calibration_that_cannot_be_is_refused(benign, gated, arguments, says):
    options = ("--rule", "mad", "--draws", "25", *arguments.split(), "--calibrate", "limit.json")
    refused(gated("clean.npz", "benign.npz", *options), f"gate: {says}")
    assert not Path("limit.json").exists()
