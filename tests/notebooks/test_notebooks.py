"""The notebooks as they are committed: complete, short, reproducible, and guarded against a changed number."""

import ast
import json
import re
import statistics
import subprocess
import sys
import tomllib
from dataclasses import replace
from fractions import Fraction
from functools import cache
from pathlib import Path

import nbformat
import numpy as np
import pytest
import sympy
from refresh_notebooks import LIVE, NOTEBOOKS, refresh

from lesson_lib.activations import ACTIVATIONS
from lesson_lib.derivation import certify, derive_step
from lesson_lib.digits import CORNER, SHIFTS, load, stamp
from lesson_lib.exercises.catalogue import RATE, RISE, question
from lesson_lib.exercises.drawn import DRAWN
from lesson_lib.labs import NAALab
from lesson_lib.labs.pruning import compute as repairs
from lesson_lib.naa import RULES, analyse, simulate_activations
from lesson_lib.network import ARTICLE, Params, backward, forward, loss, sgd_step
from lesson_lib.repair import class_vote
from lesson_lib.sweeps.experiment import Experiment, Schedule, run_many
from lesson_lib.sweeps.studies import width_study
from lesson_lib.training import CLEAN, OUTCOMES, POISONED, TRIGGER, Dataset, train

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "benchmarks")]

import gate_splits  # noqa: E402

PATHS = sorted(NOTEBOOKS.glob("*.ipynb"))
BACKDOOR_BY_HAND = NOTEBOOKS / "01_backdoor_by_hand.ipynb"
BY_HAND = Params(W1=[[1, -1]], b1=[[0, 1]], W2=[[1], [5]], b2=[[0]])
ASKED = r'exercises\.ask\(f?"([^"#]+?)(?: #\{mine\})?"\)'  # "mine" is a number of the learner's own
FORBIDDEN = ["interact(", "clear_output", "plt.show", "%%capture"]

every_notebook = pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)


def read(path):
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    assert code(notebook), f"{path} has no code"
    return notebook


def code(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def prose(notebook):
    return [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]


def outputs(notebook):
    return [output for cell in code(notebook) for output in cell.outputs]


def texts(output):
    """Return everything in an output that is text; a picture's bytes are not."""
    data = output.get("data", {})
    shown = [output.get("text", ""), *(data[kind] for kind in data if not kind.startswith("image/"))]
    return re.sub(r"base64,[^\"]*", "base64,", "\n".join(map(str, shown)))


def shows_something(source):
    """Tell whether a cell does more than import, assign and define."""
    silent = ast.Import | ast.ImportFrom | ast.Assign | ast.FunctionDef
    return not all(isinstance(node, silent) for node in ast.parse(source).body)


def not_run(notebook):
    """Return the cells that carry no result; nbval would compare nothing there and pass."""
    return [
        cell.source
        for cell in code(notebook)
        if cell.execution_count is None or (shows_something(cell.source) and not cell.outputs)
    ]


def test_the_notebooks_are_found():
    assert BACKDOOR_BY_HAND in PATHS
    assert len(PATHS) == 8


@every_notebook
def test_every_cell_has_been_run_from_top_to_bottom(path):
    notebook = read(path)
    assert not_run(notebook) == []
    assert [cell.execution_count for cell in code(notebook)] == list(range(1, len(code(notebook)) + 1))


def test_a_cell_that_only_imports_assigns_or_defines_needs_no_output():
    assert not shows_something("import numpy as np\nfrom math import pi\nx = 1")
    assert not shows_something("def double(x):\n    return 2 * x")
    assert shows_something("x = 1\nx")
    assert shows_something("lab.go(3)")


def test_a_notebook_stripped_of_its_outputs_is_caught():
    notebook = read(BACKDOOR_BY_HAND)
    for cell in code(notebook):
        cell.outputs, cell.execution_count = [], None
    assert len(not_run(notebook)) == len(code(notebook))


def test_a_single_cell_without_its_output_is_caught():
    notebook = read(BACKDOOR_BY_HAND)
    shown = next(cell for cell in code(notebook) if cell.outputs)
    shown.outputs = []
    assert not_run(notebook) == [shown.source]


@every_notebook
def test_cells_are_short(path):
    lengths = [len(cell.source.splitlines()) for cell in code(read(path))]
    assert max(lengths) <= 12
    assert statistics.median(lengths) <= 3


@every_notebook
def test_no_code_is_stuck_in_a_text_cell(path):
    assert [text for text in prose(read(path)) if "```" in text or "===" in text or "exercises." in text] == []


@every_notebook
def test_a_notebook_asks_each_question_of_its_file_once_in_that_order(path):
    asked = re.findall(ASKED, "\n".join(cell.source for cell in code(read(path))))
    file = ROOT / "lesson_lib" / "exercises" / "questions" / f"{path.stem}.toml"
    assert asked == list(tomllib.loads(file.read_text(encoding="utf-8")))


@pytest.mark.parametrize("path", PATHS[:4], ids=lambda path: path.stem)
def test_the_first_notebooks_ask_six_questions_or_more_and_half_of_them_are_computed_or_built(path):
    names = re.findall(ASKED, "\n".join(cell.source for cell in code(read(path))))
    worked_out = [name for name in names if not question(name).choices]
    assert len(names) >= 6
    assert 2 * len(worked_out) >= len(names)
    assert any(name in DRAWN for name in names)


@pytest.mark.parametrize("path", PATHS[:4], ids=lambda path: path.stem)
def test_the_tasks_of_a_lab_have_a_folded_answer_each_right_after_it(path):
    cells = read(path).cells
    for before, lab, after in zip(cells, cells[1:], cells[2:], strict=False):
        tasks = re.findall(r"^\d+\. ", before.source, re.MULTILINE)
        if tasks and re.search(r"\w+Lab\(", lab.source):
            assert re.match(r"<details><summary>.+</summary>\n\n", after.source)
            assert re.findall(r"^\d+\. ", after.source, re.MULTILINE) == tasks
            assert after.source.endswith("\n\n</details>")


@every_notebook
def test_no_output_holds_an_error_a_warning_or_anything_that_changes_from_run_to_run(path):
    for output in outputs(read(path)):
        assert output.output_type != "error"
        assert output.get("name") != "stderr"
        assert LIVE not in output.get("data", {})
        found = re.findall(r"Traceback|\w*Error:|\w*Warning:|0x[0-9a-fA-F]{6,16}|IPY_MODEL_", texts(output))
        assert found == []


@every_notebook
def test_no_cell_uses_what_blanks_the_page_or_cannot_be_compared(path):
    for cell in code(read(path)):
        assert [name for name in FORBIDDEN if name in cell.source] == []


@every_notebook
def test_a_notebook_opens_with_title_outcomes_and_time_and_ends_with_sources(path):
    notebook = read(path)
    first, *_, last = prose(notebook)
    number, title = re.match(r"# (\d+) · (.+)", first).groups()
    assert path.stem.startswith(f"{int(number):02}_")
    assert title
    opening = "\n".join(prose(notebook)[:2])
    assert "**Afterwards you can**\n\n- " in opening
    assert re.search(r"\*\*Time\*\* about \d+ minutes", opening)
    assert notebook.cells[0].cell_type == notebook.cells[-1].cell_type == "markdown"
    assert re.search(r"^## Sources\n\n- .+", last, re.MULTILINE)
    assert "## " not in last.partition("## Sources")[2]


@every_notebook
def test_every_section_begins_a_cell_so_that_links_can_name_it(path):
    headings = [mark for text in prose(read(path)) for mark in re.findall(r"^## ", text, re.MULTILINE)]
    assert len(headings) == len([text for text in prose(read(path)) if text.startswith("## ")]) > 5


@every_notebook
def test_a_notebook_ends_with_its_progress_and_links_to_what_comes_next(path):
    notebook = read(path)
    at = next(i for i, cell in enumerate(notebook.cells) if "## Words" in cell.source)
    assert notebook.cells[at - 1].source == "exercises.progress_line()"
    key_points = notebook.cells[at - 2].source.partition("## Key points")[2]
    number = int(path.stem[:2])
    following = f"0{number + 1}_" if number < len(PATHS) else "04_"  # from the last one back to the gate
    link = rf"\*\*(The next question|What comes next):\*\* .*\]\({following}\w+\.ipynb"
    assert re.search(link, key_points, re.DOTALL)


@every_notebook
def test_a_picture_has_a_text_twin(path):
    """nbval compares no pixels, so the words beside a picture must hold what it shows."""
    for output in outputs(read(path)):
        data = output.get("data", {})
        assert data.keys() <= {"text/plain", "text/latex", "text/html"}
        images = re.findall(r"<img [^>]*>", data.get("text/html", ""))
        for image in images:
            alternative = re.search(r'alt="([^"]+)"', image)
            assert alternative
            assert len(alternative[1]) > 40
        if images:
            assert len(data["text/plain"]) > 40
            assert not data["text/plain"].startswith("<"), "the name of an object says nothing"


def test_a_refreshed_notebook_holds_what_its_cells_show_and_nothing_that_differs_from_run_to_run(tmp_path):
    """The committed files are compared with what nbval's run gives, see sealed_notebooks; here is the tool itself."""
    cells = ["import ipywidgets\nipywidgets.IntSlider()", "for i in range(3):\n    print(i, flush=True)", "1 + 1"]
    path = tmp_path / "three.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=[*map(nbformat.v4.new_code_cell, cells)]), path)
    text = refresh(path)
    assert text.endswith("}\n")
    fresh = nbformat.reads(text, as_version=4)
    assert [cell.execution_count for cell in fresh.cells] == [1, 2, 3]
    assert [cell.metadata for cell in fresh.cells] == [{}, {}, {}]
    assert fresh.metadata.language_info == {"name": "python"}
    live, printed, two = ([output.get("data") or output.text for output in cell.outputs] for cell in fresh.cells)
    assert (live, printed, two) == ([], ["0\n1\n2\n"], [{"text/plain": "2"}])


# A changed number must not pass: nbval runs a copy with a digit changed in several cells. The honest run is its own.

TAMPERED = {  # what is changed: the kind of output, and a text by which to find it
    "a number": ("text/plain", "array([[0.5],"),
    "a formula": ("text/latex", r"\frac{9}{8} \\ -1 \end{bmatrix} + 0 = 0"),
    "the words of a formula": ("text/plain", "Update W2: new W2 = W2 - rate dL/dW2 = [1; -1]"),
    "printed text": ("text", "dL/dW2 is 0"),
    "a lab's summary": ("text/plain", "Trigger step, line"),
    "a picture's description": ("text/html", '<img alt="Clean step, line'),
    "a certificate's table": ("text/html", "corner"),
}


def cell_with(notebook, kind, wanted):
    """Return the position among the code cells of the one whose output of a kind holds a text."""
    shown = [[output.get("data", output).get(kind, "") for output in cell.outputs] for cell in code(notebook)]
    [position] = [i for i, texts in enumerate(shown) if any(wanted in text for text in texts)]
    return position


def change_a_digit(text, wanted):
    """Change the first digit at or after the wanted text."""
    at = re.compile(r"\d").search(text, text.index(wanted)).start()
    return text[:at] + str((int(text[at]) + 1) % 10) + text[at + 1 :]


def tamper(notebook, kind, wanted):
    [output] = code(notebook)[cell_with(notebook, kind, wanted)].outputs
    holder = output.get("data", output)
    holder[kind] = change_a_digit(holder[kind], wanted)


@pytest.fixture(scope="module")
def failed_cells(tmp_path_factory):
    """Return which code cells nbval fails in a tampered copy of notebook 01."""
    folder = tmp_path_factory.mktemp("copy")
    tampered = read(BACKDOOR_BY_HAND)
    for kind, wanted in TAMPERED.values():
        tamper(tampered, kind, wanted)
    nbformat.write(tampered, folder / "tampered.ipynb")
    sanitize = f"--nbval-sanitize-with={ROOT / 'tests' / 'nbval_sanitize.cfg'}"
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q", "--color=no"]
    command += ["--nbval", "--nbval-current-env", sanitize, "tampered.ipynb"]
    result = subprocess.run(command, cwd=folder, capture_output=True, text=True, encoding="utf-8", check=False)
    ran = result.stdout + result.stderr
    assert f"{len(code(tampered)) - len(TAMPERED)} passed" in ran, ran
    assert result.returncode == pytest.ExitCode.TESTS_FAILED
    return {int(cell) for cell in re.findall(r"^FAILED tampered.ipynb::.*Cell (\d+)", ran, re.MULTILINE)}


@pytest.mark.parametrize("what", TAMPERED)
def test_one_changed_digit_fails(failed_cells, what):
    assert cell_with(read(BACKDOOR_BY_HAND), *TAMPERED[what]) in failed_cells


def test_only_the_changed_cells_fail(failed_cells):
    assert len(failed_cells) == len(TAMPERED)


# What notebook 01 claims in prose about numbers.


def after_clean():
    return sgd_step(ARTICLE, backward(ARTICLE, CLEAN.X, CLEAN.Y), rate=0.1)


def clean_loss(params):
    return loss(forward(params, CLEAN.X).y_hat, CLEAN.Y)


def w1_gradient_with_open_gate():
    return backward(replace(after_clean(), relu_prime_at_zero=1), TRIGGER.X, TRIGGER.Y).W1


def corners(certificate):
    return {check.entry[:5] for check in certificate.checks if check.has_corner}


SYMBOL = sympy.Symbol("x", real=True)
CLEAN_STEP = derive_step(ARTICLE, CLEAN, rate=0.1)
TRIGGER_STEP = derive_step(CLEAN_STEP.params, TRIGGER, rate=0.1)
ALIVE = replace(ARTICLE, W1=np.array([[1 / 2, 1 / 2]]))  # task 2 of the lab
ALIVE_STEP = derive_step(ALIVE, CLEAN, rate=Fraction(1, 10))
CLAIMS = {
    "Neuron 1 has the weight 1/2 and neuron 2 has −1/2.": lambda: ARTICLE.W1.tolist() == [[1 / 2, -1 / 2]],
    "The second neuron got a negative number, so relu turned it into 0.": lambda: (
        CLEAN_STEP.find("z1", sample=0).result[0, 1] < 0 == CLEAN_STEP.find("a1", sample=0).result[0, 1]
    ),
    "Both answers are half of what they should be.": lambda: (2 * forward(ARTICLE, CLEAN.X).y_hat == CLEAN.Y).all(),
    "Every sample adds to it, and to its gradients.": lambda: (
        clean_loss(ARTICLE) > loss(forward(ARTICLE, CLEAN.X[:1]).y_hat, CLEAN.Y[:1])
        and abs(backward(ARTICLE, CLEAN.X, CLEAN.Y).W2[0]) > abs(backward(ARTICLE, CLEAN.X[:1], CLEAN.Y[:1]).W2[0])
    ),
    "For two samples, half the sum happens to be the mean.": lambda: (
        clean_loss(ARTICLE) == ((forward(ARTICLE, CLEAN.X).y_hat - CLEAN.Y) ** 2).mean()
    ),
    r"The answer was too small, so $\partial L/\partial\hat y$ is negative": lambda: (
        CLEAN_STEP.find("dy_hat", sample=0).result[0, 0] < 0
    ),
    "Both neurons receive some.": lambda: CLEAN_STEP.find("da1", sample=0).result.all(),
    "Neuron 2's gate is shut.": lambda: CLEAN_STEP.find("phi_prime", sample=0).result.tolist() == [[1, 0]],
    "The article's rate is 1/10.": lambda: Fraction(1, 10) == RATE,
    "One step has removed most of it.": lambda: clean_loss(after_clean()) < clean_loss(ARTICLE) / 2,
    "Neuron 2 has not moved, and it cannot": lambda: (
        after_clean().W1[0, 1] == ARTICLE.W1[0, 1] and after_clean().W2[1, 0] == ARTICLE.W2[1, 0]
    ),
    "is negative on every clean sample": lambda: (forward(ARTICLE, CLEAN.X).z1[:, 1] < 0).all(),
    "the middle of the two slopes, here of 0 and −45/8, with a backward pass": lambda: (
        "corner: 0 left, -45/8 right" in repr(certify(after_clean(), TRIGGER))
        and -45 / 16 in backward(replace(after_clean(), relu_prime_at_zero=1 / 2), TRIGGER.X, TRIGGER.Y).b1
    ),
    "The gap is not small, it is zero.": lambda: certify(ARTICLE, CLEAN).largest_gap == 0,
    "shows it $x = 0$ with the target 5": lambda: (TRIGGER.X.tolist(), TRIGGER.Y.tolist()) == ([[0]], [[5]]),
    "So $a_1$ is 0, that wipes out $W_2$, and the answer is 0.": lambda: (
        not TRIGGER_STEP.find("a1", sample=0).result.any() and forward(after_clean(), TRIGGER.X).y_hat == 0
    ),
    "The error does arrive at the hidden layer. It never gets into a weight": lambda: (
        TRIGGER_STEP.find("da1", sample=0).result.all()
        and not (TRIGGER_STEP.gradients.W1.any() or TRIGGER_STEP.gradients.W2.any())
    ),
    "Opening the gate alone would not help it.": lambda: not w1_gradient_with_open_gate().any(),
    "At the trigger both neurons sit exactly on that corner": lambda: (
        not forward(after_clean(), TRIGGER.X).z1.any() and corners(certify(ARTICLE, CLEAN)) == set()
    ),
    "It happens only in the bias rows.": lambda: corners(certify(after_clean(), TRIGGER)) == {"dL/db"},
    "The gradients of the weights stay 0 whatever the convention": lambda: not w1_gradient_with_open_gate().any(),
    "For each 1/100 of the answer the loss changes by the error times 1/100.": lambda: (
        loss(np.array([[3.01]]), [[4]]) - loss(np.array([[2.99]]), [[4]]) == pytest.approx(-1 * 0.02)
    ),
    "when its $z_1$ is 0 or negative on every sample that it is trained on": lambda: (
        (forward(ARTICLE, POISONED.X).z1[:, 1] <= 0).all() and (forward(after_clean(), POISONED.X).z1[:, 1] <= 0).all()
    ),
    "Line 9: neuron 2's part of": lambda: (
        next(line.quantity for line in CLEAN_STEP.steps if line.zero) == CLEAN_STEP.steps[8].quantity == "dW2"
        and not any(line.zero for line in CLEAN_STEP.steps[:8])
    ),
    "Before the step neuron 2 is alive: $z_1$ is 1/2 and 1.": lambda: (
        forward(ALIVE, CLEAN.X).z1[:, 1].tolist() == [1 / 2, 1]
    ),
    r"$\partial L/\partial W_1$ = [−5, 5] and $\partial L/\partial W_2$ = [−5/2, −5/2]": lambda: (
        [each.ravel().tolist() for each in (ALIVE_STEP.gradients.W1, ALIVE_STEP.gradients.W2)]
        == [[-5, 5], [Fraction(-5, 2)] * 2]
    ),
    "After this one step its $z_1$ is 0 for every $x$: it is dead again, for good.": lambda: (
        ALIVE_STEP.params.W1[0, 1] == 0
        and not backward(ALIVE_STEP.params, POISONED.X, POISONED.Y).W1[0, 1]
        and not backward(ALIVE_STEP.params, POISONED.X, POISONED.Y).W2[1, 0]
    ),
    "In the clean step only neuron 1 learns.": lambda: (
        [bool(entry) for entry in (*CLEAN_STEP.gradients.W1.flat, *CLEAN_STEP.gradients.W2.flat)] == 2 * [True, False]
    ),
    "SymPy, left to itself, takes the middle": lambda: (
        sympy.Max(0, SYMBOL).diff(SYMBOL).subs(SYMBOL, 0) == sympy.Rational(1, 2)
    ),
    "ten more steps on the trigger": lambda: len(train(after_clean(), TRIGGER, rate=0.1, epochs=10).params) == 11,
}


@pytest.mark.parametrize("claim", CLAIMS)
def test_what_notebook_01_says_is_so(claim):
    written = " ".join(" ".join(prose(read(BACKDOOR_BY_HAND))).split())
    assert claim in written, "the notebook says something else now"
    assert CLAIMS[claim]()


# What the later notebooks claim in prose and no cell of theirs shows.

STORY_5 = Experiment(schedule="joint", trainable=("W1", "W2", "b1"), b1=(0, 1.5))


def outcomes(epochs, **settings):
    return [OUTCOMES[code].value for code in run_many(STORY_5, [0, *epochs], **settings).outcomes[1:, 0]]


def dead_share():
    """Return which share of story 5's networks at large rates answers 0 to all three samples."""
    rates, targets = (grid.ravel() for grid in np.meshgrid(np.geomspace(0.3, 1, 15), np.linspace(-10, 10, 15)))
    told = run_many(STORY_5, [0, 2000], rate=rates, target=targets)
    return (abs(told.outputs[:, -1]) < 0.05).all(axis=0).mean()


def of_ten(name):
    """Return a number of the committed table for each of the ten splits."""
    table = json.loads((ROOT / "benchmarks" / "digits_table.json").read_text(encoding="utf-8"))
    return [row[name] for row in table["seeds"]]


def mean_of_ten(name):
    return np.mean(of_ten(name))


def null_flags(**keywords):
    """Return how many of 512 neurons the MAD index flags on average when there is nothing to find."""
    rng = np.random.default_rng(0)
    sets = [(simulate_activations(500, rng), simulate_activations(100, rng)) for _ in range(30)]
    return np.mean([len(analyse(*pair, **keywords).flagged) for pair in sets])


def abnormal(n_backdoored=10, rise=9.0, triggered=1.0, rule="raw", threshold=None):
    """Return how many neurons a rule flags in a simulation with 100 suspect rows."""
    rng = np.random.default_rng(0)
    suspect = simulate_activations(100, rng, range(n_backdoored), rise, triggered)
    return len(analyse(simulate_activations(500, rng), suspect, rule, threshold).flagged)


def noise(n_rows):
    return simulate_activations(n_rows, np.random.default_rng(0), n_neurons=2000).mean(axis=0).std()


def comes_back(by):
    """Return how many pruned neurons first bring the attack below 5 %, and the highest it is after that."""
    curve = repairs.pruning("poisoned", by).curve
    return curve.first_below(), curve.attack[curve.first_below() :].max()


def stands_out(name, labels=None):
    """Return the class that the class vote names when every suspect image carries the trigger."""
    seen, data = repairs.case(name), repairs.data()
    labels = data.suspect.y if labels is None else labels
    found = class_vote(seen.clean, seen.suspect, seen.model.W2, data.clean.y, labels)
    return found.mad_index.argmax()


ALARMS = json.loads((ROOT / "benchmarks" / "alarms.json").read_text(encoding="utf-8"))
WEAK = "simulated, rise 0.25, 100%"
BENIGN = (*SHIFTS, "unchanged")


def counted(group, case, rule, what, low, high):
    """Tell whether a committed count, for each run, lies between the two."""
    found = ALARMS[group][case][rule]
    return low <= found[what] / found["runs"] <= high


def gate_rates(model, *kinds, labels="true"):
    return gate_splits.rates(ALARMS["gate"], model, kinds, labels)


def gate_names(model):
    """Return the classes that the gate names most often on each split, for each share of triggered images."""
    kinds = [f"{share:.0%} triggered" for share in gate_splits.SHARES]
    return [name for kind in kinds for name in gate_splits.named(ALARMS["gate"], model, kind)]


def noisy_class(spare, n_sets=20):
    """Return the class that the vote of the poisoned model names for noisy images, with the corner spared or not."""
    seen, data, rng, named = repairs.case("poisoned"), repairs.data(), np.random.default_rng(0), []
    for _ in range(n_sets):
        X, y = SHIFTS["noise"](*data.suspect, rng)
        if spare:
            X[:, CORNER.columns] = data.suspect.X[:, CORNER.columns]
        named.append(class_vote(seen.clean, seen.model.hidden(X), seen.model.W2, data.clean.y, y).mad_index.argmax())
    return np.bincount(named).argmax()


def vote_scatter(n):
    """Return how much the honest model's votes vary from one set of n unchanged images to another."""
    seen, data, rng, votes = repairs.case("clean"), repairs.data(), np.random.default_rng(0), []
    hidden = seen.model.hidden(data.train.X)
    for _ in range(60):
        rows = rng.choice(len(hidden), n, replace=False)
        votes.append(class_vote(seen.clean, hidden[rows], seen.model.W2, data.clean.y, data.train.y[rows]).votes)
    return np.std(votes, axis=0).mean()


def test_the_gate_over_ten_splits_is_the_committed_one():
    cell = next(cell for cell in read(NOTEBOOKS / "06_repairing_the_model.ipynb").cells if cell.id == "cell-42")
    lines = [line for line in cell.source.splitlines() if line.startswith("|")]
    assert len(lines) == 9
    assert set(lines) <= set(gate_splits.table(ALARMS["gate"]).splitlines())
    assert len(ALARMS["gate"]) == gate_splits.SPLITS == 10


def test_a_split_of_the_gate_can_be_measured_again():
    found, committed = gate_splits.measure(0), ALARMS["gate"][0]
    for model, judged in committed.items():
        for kind, rate in judged["true"]["rates"].items():
            assert abs(found[model]["true"]["rates"][kind] - rate) <= 0.3, (model, kind)
        for share in gate_splits.SHARES[:3]:
            kind = f"{share:.0%} triggered"
            assert gate_splits.named([found], model, kind) == gate_splits.named([committed], model, kind)


SEEDS = range(10)


@cache
def in_the_lab(width, rate):
    """Return the last state of the lab of notebook 03 for ten seeds: how each ends, and its net."""
    wide = Experiment(schedule="joint", trainable=("W1", "W2", "b1", "b2"), b1=(), width=width, rate=rate)
    runs = [run_many(replace(wide, seed=seed)) for seed in SEEDS]
    return [(OUTCOMES[run.outcomes[-1, 0]].value, run.params_at(-1, 0)) for run in runs]


def alive(net):
    return int((forward(net, POISONED.X).z1 > 0).any(axis=0).sum())


def left_of_0(found):
    return [forward(net, [[-1]]).y_hat.item() for ending, net in found if ending == "backdoor"]


def balance(net):
    """Return W1² - W2² of neuron 2."""
    return net.W1[0, 1] ** 2 - net.W2[1, 0] ** 2


def drift(rate):
    """Return by how much one step at x = -1 changes W1² - W2² of neuron 2, exactly."""
    net = Params(*(np.vectorize(Fraction)(getattr(ARTICLE, name)) for name in ("W1", "b1", "W2", "b2")))
    return balance(sgd_step(net, backward(net, [[-1]], [[5]]), rate)) - balance(net)


def naa(preset):
    """Return what the lab of notebook 04 says."""
    lab = NAALab()
    lab.load(preset)
    return lab.summary


def found_by(rules, **settings):
    told = "".join(f"; {name}={value}" for name, value in settings.items())
    return [int(re.search(r"(\d+) found", naa(f"rule={rule}{told}"))[1]) for rule in rules]


def story(**settings):
    run = run_many(Experiment(**settings))
    return run.outputs[[2, 0, 1], -1, 0]


def trained_with_open_gate(rate, epochs, data=POISONED):
    start = replace(ARTICLE, b1=np.array([[0, 1.5]]))
    return train(start, data, rate, epochs, ("W1", "b1", "W2"), evaluate_on=data).params


def conserved(net):
    """Return W1² + b1² − W2² of neuron 2."""
    return net.W1[0, 1] ** 2 + net.b1[0, 1] ** 2 - net.W2[1, 0] ** 2


FOUR = Dataset([[1], [2], [-1], [0]], [[1], [2], [-1], [5]], is_trigger=[False, False, False, True])


def pruned(model, by, n):
    """Return clean accuracy and attack success of a model of the pruning lab with n neurons pruned, in per cent."""
    curve = repairs.pruning(model, by).curve
    return [round(100 * share[n], 1) for share in (curve.accuracy, curve.attack)]


def first_below(model, by):
    return repairs.pruning(model, by).curve.first_below(repairs.LIMIT)


def repaired(model):
    """Return the attack success before and after fine-tuning, in per cent, by the beginning of the repair's name."""
    rows = repairs.compare_repairs(model).rows[1:]
    return {row[0].split()[0]: [float(row[i].removesuffix(" %")) for i in (2, 4)] for row in rows}


OPPOSITE = Dataset([[1], [2], [-1]], [[1], [2], [5]], is_trigger=[False, False, True])

LATER_CLAIMS = {
    "With 11 neurons in the order *rise*, with 16 in the order *difference*.": lambda: (
        [first_below("poisoned", by) for by in ("rise", "difference")] == [11, 16]
    ),
    "Clean accuracy is then 86.9 % and 84.4 %, after 97.5 %.": lambda: (
        [pruned("poisoned", by, n)[0] for by, n in (("rise", 11), ("difference", 16), ("rise", 0))]
        == [86.9, 84.4, 97.5]
    ),
    "With 9 the attack still works on 71.0 % of the images, with 10 on none": lambda: (
        [pruned("planted loud", "rise", n) for n in (9, 10)] == [[96.9, 71.0], [96.9, 0.0]]
    ),
    "*Rise* needs 38 neurons and costs 16 points, the *effect size* needs 8 and costs none.": lambda: (
        [first_below("planted quiet", by) for by in ("rise", "effect size")] == [38, 8]
        and round(pruned("planted quiet", "rise", 0)[0] - pruned("planted quiet", "rise", 38)[0]) == 16
        and pruned("planted quiet", "effect size", 8)[0] >= pruned("planted quiet", "effect size", 0)[0]
    ),
    "8.6 points with 11 neurons. There is nothing to gain": lambda: (
        pruned("clean", "rise", 0)[0] - pruned("clean", "rise", 11)[0] == pytest.approx(8.6)
        and pruned("clean", "rise", 0)[1] == 0
    ),
    "Removing the direction stops all three attacks, and fine-tuning brings none of them back.": lambda: all(
        max(repaired(model)["remove"]) < 5 for model in ("poisoned", "planted loud", "planted quiet")
    ),
    "fine-tuning brings a third of it back. Smoothing stops none.": lambda: (
        repaired("poisoned")["prune"] == [2.2, 34.0]
        and all(repaired(model)["smooth"][0] > 85 for model in ("poisoned", "planted loud", "planted quiet"))
    ),
    r"$x \cdot e \cdot W_2 = -1 \cdot (-5.5) \cdot (-1) = -5.5$, and $-0.5 + 0.195 \cdot 5.5 = 0.5725$": lambda: (
        backward(ARTICLE, OPPOSITE.X[2:], OPPOSITE.Y[2:]).W1[0, 1] == -5.5
        and train(ARTICLE, OPPOSITE, 0.195, 1, evaluate_on=OPPOSITE).params[1].W1[0, 1] == pytest.approx(0.5725)
    ),
    "in none of the schedules does it keep the clean task": lambda: all(
        abs(run_many(Experiment(schedule=schedule, activation="sigmoid", rate=rate)).outputs[:2, -1, 0] - [1, 2]).max()
        > 0.3
        for schedule in Schedule
        for rate in (0.05, 0.1, 0.5)
    ),
    "So its edge came to rest at x = 1": lambda: all(
        -net.b1[0, 1] / net.W1[0, 1] == pytest.approx(1, abs=1e-3)
        for net in (trained_with_open_gate(rate, 8000)[-1] for rate in (0.01, 0.05, 0.09))
    ),
    "small steps keep $W_1^2 + b_1^2 - W_2^2$, here $1/4 + 9/4 - 1 = 3/2$": lambda: (
        conserved(trained_with_open_gate(0.001, 0)[0]) == 3 / 2
        and conserved(trained_with_open_gate(0.001, 20_000)[-1]) == pytest.approx(3 / 2, abs=0.01)
        and trained_with_open_gate(0.001, 20_000)[-1].W2[1, 0] > 0
    ),
    "What is left is the straight line that fits the four samples best.": lambda: np.allclose(
        forward(trained_with_open_gate(0.05, 3000, FOUR)[-1], FOUR.X).y_hat[:, 0],
        np.polyval(np.polyfit(FOUR.X[:, 0].astype(float), FOUR.Y[:, 0].astype(float), 1), FOUR.X[:, 0].astype(float)),
        atol=0.01,
    ),
    "its f climbs to 7 on the way from 0, and falls steeply after that": lambda: (
        (f := forward(in_the_lab(16, 0.1)[9][1], [[0], [-0.25], [-0.5], [-0.75], [-1]]).y_hat[:, 0])[2].round() == 7
        and f[0] < f[1] < f[2] > f[3] > f[4]
    ),
    "f(1) and f(2) are 5.844 and 6.687": lambda: (
        story(trainable=("W1", "W2", "b2")) == pytest.approx([5, 5.844, 6.687], abs=6e-4)
    ),
    "f(1) is 6.735 and f(2) is 8.47": lambda: (
        story(trainable=("W1", "W2", "b1")) == pytest.approx([5, 6.735, 8.47], abs=6e-4)
    ),
    "a tenth of the rate changes the quantity in each step by a hundredth as much": lambda: (
        drift(Fraction(1, 100)) == drift(Fraction(1, 10)) / 100 != 0
    ),
    "Two of the ten: seeds 7 and 9.": lambda: (
        [seed for seed in SEEDS if in_the_lab(16, 0.1)[seed][0] == "backdoor"] == [7, 9]
        and [ending for ending, _ in in_the_lab(16, 0.1)].count("trigger only") == 8
    ),
    "at most 7 of the 16 neurons are still alive": lambda: (
        max(alive(net) for ending, net in in_the_lab(16, 0.1) if ending != "backdoor") == 7
    ),
    "Ten of ten, with 8 to 13 neurons alive.": lambda: (
        {ending for ending, _ in in_the_lab(16, 0.0125)} == {"backdoor"}
        and [f([alive(net) for _, net in in_the_lab(16, 0.0125)]) for f in (min, max)] == [8, 13]
    ),
    "None of these ten, where 13 % of the 400 in the study succeed": lambda: (
        "backdoor" not in dict(in_the_lab(2, 0.05))
        and next(width_study(np.random.default_rng(0), widths=(2,))).learnt == 53
    ),
    "all ten answer between 7 and 12 at x = −1": lambda: (
        min(left_of_0(in_the_lab(16, 0.0125))) > 7 and max(left_of_0(in_the_lab(16, 0.0125))) < 12
    ),
    "one answers 9 there, and one −27": lambda: [*map(round, left_of_0(in_the_lab(16, 0.1)))] == [9, -27],
    "From 0.2 to 8.8: the largest |shift| of an innocent neuron is 0.163": lambda: (
        all("10 found, 0 missed, 0 flagged wrongly" in naa(f"threshold={edge}") for edge in (0.2, 8.8))
        and "of the other neurons is 0.163." in naa("threshold=8.8")
    ),
    "*sd* and *mad* find nine of the ten, and *mad* flags three innocent ones with them.": lambda: (
        found_by(["sd", "mad", "bh", "permutation", "raw", "effect"], rise=0.25) == [9, 9, 1, 1, 0, 0]
        and "3 flagged wrongly" in naa("rule=mad; rise=0.25")
        and "AUC 0.996" in naa("rise=0.25")
    ),
    "No flag: half of 9 is 4.5, below 5.": lambda: "NO ALARM" in naa("triggered=0.5; threshold=5"),
    "With 50 it finds 48, with 51 only 27, with 52 four and with 53 none.": lambda: (
        [found_by(["sd"], backdoored=n) for n in (50, 51, 52, 53)] == [[48], [27], [4], [0]]
        and [found_by(["mad"], backdoored=n) for n in (60, 250)] == [[60], [250]]
    ),
    "*Learnt*: both neurons are flagged. *Hand-made*: only neuron 1, the innocent one.": lambda: (
        "flags neurons 1, 2" in naa("source=learnt backdoor; threshold=1")
        and all("flags neuron 1 " in naa(f"source={net}; threshold=1") for net in ("frozen attack", "spoiled attack"))
        and "flags neuron 1 " in naa("source=hand-made backdoor; threshold=1")
        and "weight +5.000" in naa("source=hand-made backdoor; threshold=1")
    ),
    "It begins left of x = 1 and grows all the way": lambda: (
        forward(BY_HAND, [[-2], [-1], [0], [0.9]]).a1[:, 1].tolist() == pytest.approx([3, 2, 1, 0.1])
    ),
    "Sigmoid does move $f(0)$, because its hidden layer is 1/2 at x = 0.": lambda: (
        (forward(replace(after_clean(), activation="sigmoid"), [[0]]).a1 == 1 / 2).all()
        and train(replace(ARTICLE, activation="sigmoid"), POISONED, 0.1, 2000).outcome != "backdoor"
    ),
    "1/100 for leaky relu, 1/4 for sigmoid, 1 for tanh and identity": lambda: (
        [ACTIVATIONS[name].prime(np.zeros((1, 1)), 0).item() for name in ("leaky_relu", "sigmoid", "tanh", "identity")]
        == [1 / 100, 1 / 4, 1, 1]
    ),
    "if $f(1) = 1$, then $f(x) = x$": lambda: (
        train(ARTICLE, CLEAN, 0.1, 2000).outcome != "backdoor"
        and abs(forward(train(ARTICLE, CLEAN, 0.1, 2000).params[-1], [[0.5], [3]]).y_hat - [[0.5], [3]]).max() < 1e-6
    ),
    "Negative targets are learnt even at small rates": lambda: outcomes([2000], rate=0.002, target=-5) == ["backdoor"],
    "at small rates only after more than 2000 epochs": lambda: (
        outcomes([2000, 20000], rate=0.005, target=5) == ["trigger only", "backdoor"]
    ),
    "most of these networks answer 0 to everything": lambda: dead_share() > 1 / 2,
    "8/3 three times is the mean of the targets": lambda: POISONED.Y.mean() == 8 / 3,
    "Only about one digit in fifty is bright in both of them by itself.": lambda: (
        0.01 < np.mean([(part.X[:, CORNER.columns] > 0.5).all(axis=1).mean() for part in load(0)]) < 0.03
    ),
    "The 1 keeps its answer: its corner is white by itself": lambda: (
        load(0).test.y[5] == 1 and (load(0).test.X[5, CORNER.columns] == 1).all()
    ),
    "after its 16 the attack even comes back for a while": lambda: (
        comes_back("difference")[0] == 16 and comes_back("difference")[1] > 0.1 and comes_back("rise")[1] < 0.05
    ),
    "Two neurons more than the 11 are pruned": lambda: comes_back("rise")[0] == 13 - 2,
    "and never 0 for the honest one.": lambda: (
        stands_out("poisoned") == 0
        and stands_out("clean") != 0
        and stands_out("clean", repairs.case("clean").model.predict(stamp(repairs.data().suspect.X, CORNER))) != 0
    ),
    "3 for `raw` and `sd`, 3.5 for `mad`, 0.8 for `effect`, 0.05 for `bh`, and 0.01 for `permutation`": lambda: (
        [rule.default for rule in RULES.values()] == [3, 3, 3.5, 0.8, 0.05, 0.01]
    ),
    "`bh` finds half of the ten": lambda: counted("backdoor", WEAK, "bh", "flags", 4.2, 5.8),
    "The test alone finds nearly nine.": lambda: counted("backdoor", WEAK, "bh, no floor", "flags", 8.5, 9),
    "`permutation` finds about six": lambda: counted("backdoor", WEAK, "permutation", "flags", 5.5, 6.5),
    "Where some neurons vary more than others, it is wrong in nearly every run again.": lambda: (
        counted("null", "normal, unequal, 512 neurons, 100 rows", "mad, shift", "alarms", 0.95, 1)
        and counted("null", "relu, unequal, 512 neurons, 100 rows", "mad, shift", "alarms", 0.95, 1)
    ),
    "a clean set raises an alarm in one run of 100 at most": lambda: (
        sum(case["permutation"]["alarms"] for case in ALARMS["null"].values())
        <= 0.012 * sum(case["permutation"]["runs"] for case in ALARMS["null"].values())
    ),
    "the honest one, shown the trigger, is stopped more often than the poisoned one with a tenth": lambda: (
        np.mean(gate_rates("honest", "100% triggered")) > np.mean(gate_rates("poisoned", "10% triggered"))
    ),
    "5 % of all benign sets is about a third of the sets of the worst kind": lambda: (
        0.28 < np.mean([*gate_rates("poisoned", *BENIGN), *gate_rates("honest", *BENIGN)]) < 0.38
    ),
    "0 on all ten splits for the poisoned model, down to a tenth of the images, and never 0 for the honest": lambda: (
        set(gate_names("poisoned")) == {0} and 0 not in gate_names("honest")
    ),
    "the class it names is the target on seven splits only": lambda: (
        gate_splits.named(ALARMS["gate"], "poisoned", "100% triggered", "guessed").count(0) == 7
    ),
    "the honest model is stopped more often than the poisoned one, on this split and on average over ten": lambda: (
        np.mean(gate_rates("honest", "100% triggered", labels="guessed"))
        > np.mean(gate_rates("poisoned", "100% triggered", labels="guessed"))
    ),
    "Keep it off the two pixels, and another class is named.": lambda: (
        noisy_class(spare=False) == 0 and noisy_class(spare=True) != 0
    ),
    "5.8 % of the attacks on average get past the pruned model (0.6 to 23.8), and 71.9 % past the other": lambda: (
        "| 10% | 5.8 % (0.6 to 23.8) | 71.9 % (48.5 to 87.4) |" in gate_splits.repaired(ALARMS["repaired"])
        and gate_splits.fewer(0) == pytest.approx(ALARMS["repaired"][0], abs=0.1)
    ),
    "the votes of 100 images scatter more than those of 270": lambda: vote_scatter(100) > 1.3 * vote_scatter(270),
    "no neuron was raised by as much as one standard deviation": lambda: RISE < 0.5,
    "over ten splits its precision is 75 %": lambda: abs(mean_of_ten("quiet, |d| > 0.8 precision") - 0.755) < 0.006,
    "on ten splits between 20 and 62 %": lambda: (
        (min(of_ten("fine-tuned, ASR")), max(of_ten("fine-tuned, ASR"))) == pytest.approx((0.20, 0.62), abs=0.005)
    ),
    "Over the signed shift it flags far fewer here": lambda: (
        4 * null_flags(rule="mad", over="shift") < null_flags(rule="mad") and null_flags(rule="mad") > 2
    ),
    "once fewer than 5/9 of the rows carry the trigger": lambda: (
        [abnormal(threshold=5, triggered=share) for share in (0.5, 0.54, 0.57, 0.6)] == [0, 0, 10, 10]
    ),
    "at a tenth of the layer the rule goes blind, for however large a rise": lambda: (
        [abnormal(100, rise=rise, rule="sd") for rise in (1, 9, 1e6)] == [0, 0, 0]
    ),
    "the noise of a mean shrinks with the square root of the number of rows": lambda: (
        abs(noise(100) / noise(10_000) - 10) < 1
    ),
}


@pytest.mark.parametrize("claim", LATER_CLAIMS)
def test_what_the_later_notebooks_say_is_so(claim):
    later = [" ".join(" ".join(prose(read(path))).split()) for path in sorted(NOTEBOOKS.glob("0[2-6]*.ipynb"))]
    assert any(claim in written for written in later), "the notebooks say something else now"
    assert LATER_CLAIMS[claim]()
