"""What a learner types is a number or refused, never code; the package runs nothing; the server keeps its lock."""

import ast
import re
import subprocess
import sys
from contextlib import contextmanager, suppress
from fractions import Fraction
from pathlib import Path

import ipywidgets as widgets
import labserver
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lesson_lib.exercises.catalogue import question_texts
from lesson_lib.exercises.reading import parse_numbers
from lesson_lib.labs import BiasLab, Exercises, HandCalculationLab, NAALab, PruningLab, TriggerLab

ROOT = Path(__file__).parents[2]

# The package, as it is written ---------------------------------------------------------------------------------------

RUNNERS = {"eval", "exec", "compile", "__import__", "sympify", "S", "parse_expr", "lambdify", "input", "breakpoint"}
MODULES = {"pickle", "marshal", "shelve", "dill", "cloudpickle", "joblib", "subprocess", "multiprocessing", "threading"}
MODULES |= {"socket", "ssl", "urllib", "http", "ftplib", "smtplib", "requests", "webbrowser", "ctypes", "cffi", "code"}
CALLS = {"np.load", "numpy.load", "np.loadtxt", "np.genfromtxt", "torch.load", "os.system", "os.popen", "os.fork"}


def dangers(source):
    """Return what a source text uses that could run a text, load code, start a program or open a connection."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names} & MODULES
        elif isinstance(node, ast.ImportFrom):
            found |= {(node.module or "").partition(".")[0]} & MODULES | {alias.name for alias in node.names} & RUNNERS
        elif isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            found |= {called} & (RUNNERS | CALLS) | {called.rpartition(".")[2]} & (RUNNERS - {"compile"})
        elif isinstance(node, ast.keyword):
            found |= {node.arg} & {"allow_pickle", "shell"}
    return found


@pytest.mark.parametrize(
    "source",
    [
        "eval(text)",
        "exec(text)",
        "import pickle",
        "import urllib.request as u",
        "from subprocess import run",
        "from sympy import sympify",
        "sympy.sympify(text)",
        "sympy.parsing.sympy_parser.parse_expr(text)",
        "np.load(path)",
        "torch.load(path)",
        "read(path, allow_pickle=True)",
        "os.system(text)",
        "def f():\n    import socket",
    ],
)
def test_a_danger_would_be_seen(source):
    assert len(dangers(source)) == 1


def test_nothing_in_the_package_runs_a_text_starts_a_program_or_opens_a_connection():
    found = {path.name: dangers(path.read_text(encoding="utf-8")) for path in (ROOT / "lesson_lib").rglob("*.py")}
    assert len(found) > 40
    assert {name: what for name, what in found.items() if what} == {}


# What a learner types ------------------------------------------------------------------------------------------------

LABS = (HandCalculationLab, TriggerLab, BiasLab, NAALab, PruningLab)
HARMFUL = ("compile", "exec", "open", "os.", "subprocess.", "socket.", "pickle.", "urllib.", "ctypes.")
CODE = [
    "__import__('os').mkdir('i_was_run')",
    "().__class__.__base__.__subclasses__()",
    "exec('x = 1')",
    "{0.__class__}",
    "%(x)s",
    "lambda: 1",
    "1 if True else 2",
    "2**3",
    "1+1",
    "sqrt(4)",
    "1e999999",
    "1_0",
    "0x10",
    "٣",
    "½",
    "nan",
    "9" * 1000,
    "1 " * 1000,
    "rate=1; " * 100,
]
letters = [*"0123456789.,;/=+-e()[]{}'\"\\\n\0 _−"]
pieces = st.sampled_from([*letters, "rate", "b1", "W1", "seed", "os", *CODE[:9]])
typed = st.sampled_from(CODE) | st.text(max_size=40) | st.lists(pieces, max_size=12).map("".join)
EXERCISES = Exercises()


@pytest.fixture(scope="module")
def harm():
    """Return a context in which Python's audit hook writes down whatever would run a text or touch the computer."""
    events, watching = [], []

    def watch(event, arguments):
        if watching and event.startswith(HARMFUL):
            events.append((event, repr(arguments)[:100]))

    sys.addaudithook(watch)

    @contextmanager
    def watched():
        events.clear()
        watching.append(True)
        try:
            yield events
        finally:
            watching.clear()

    return watched


@pytest.fixture(scope="module")
def labs():
    """Return a lab of each kind, which has been moved before, so that nothing is left to be imported."""
    made = {kind: kind() for kind in LABS}
    for lab in made.values():
        for text in ("1", "x"):
            with suppress(ValueError):
                lab.set(**{next(iter(lab.controls)): text})
            with suppress(ValueError):
                lab.load(f"seed={text}")
    return made


def test_the_hook_sees_a_text_that_is_run(harm, tmp_path):
    with harm() as events:
        eval("1 + 1")
        with suppress(ValueError):
            ast.literal_eval("1, x")
        (tmp_path / "x").open("w").close()
    assert [event for event, _ in events] == ["compile", "exec", "compile", "open"]


@settings(max_examples=100)
@given(text=typed)
def test_a_typed_number_is_parsed_and_never_run(harm, text):
    numbers, problem = (), ""
    with harm() as events:
        try:
            numbers = parse_numbers(text)
        except ValueError as error:
            problem = str(error)
    assert events == []
    assert bool(numbers) != bool(problem)
    assert all(type(number) is Fraction for number in numbers)
    assert len(problem) < 300


@pytest.mark.parametrize("name", [name for name, text in question_texts().items() if "choices" not in text])
@settings(max_examples=10)
@given(text=typed)
def test_a_typed_answer_is_judged_and_never_run(harm, name, text):
    exercise = EXERCISES.ask(name)
    with harm() as events:
        exercise.answer.value = text
        exercise.check()
    assert events == []
    assert 'role="status"' in exercise.feedback.value
    assert len(exercise.feedback.value) < 1500


@pytest.mark.parametrize("kind", LABS)
@settings(max_examples=8)
@given(text=typed)
def test_a_typed_preset_or_setting_is_read_and_never_run(harm, labs, kind, text):
    lab = labs[kind]
    for name in ["", *lab.controls]:
        with harm() as events, suppress(ValueError):
            lab.set(**{name: text}) if name else lab.load(text)
        assert events == []
    lab.reset()
    assert lab.error == ""


@pytest.mark.parametrize("kind", [HandCalculationLab, BiasLab])
@settings(max_examples=8)
@given(text=typed)
def test_a_typed_field_is_read_or_refused_in_place_and_never_run(harm, labs, kind, text):
    lab = labs[kind]
    for control in lab.controls.values():
        if isinstance(control, widgets.Text):
            with harm() as events:
                control.value = text
            assert events == []
            shown = [message.value for message in lab.messages.values() if message.value]
            assert bool(shown) == bool(lab.error)
            assert all('role="alert"' in one and len(one) < 1000 for one in shown)
    lab.reset()
    assert lab.error == ""


# The server ----------------------------------------------------------------------------------------------------------

# What changes a Jupyter server's lock.
LOCKS = re.compile(
    r"(Server|Notebook)App\.(token|password|ip|allow|disable_check)|IdentityProvider|allow_(origin|remote|password)"
    r"|--(Server|Notebook)?token|0\.0\.0\.0|ip *= *['\"]?\*"
)


@pytest.mark.parametrize(
    "option", ["token=", "password=''", "ip='*'", "ip=::", "allow_origin='*'", "disable_check_xsrf=True"]
)
def test_an_open_lock_would_be_seen(option):
    assert LOCKS.search(f"jupyter lab --ServerApp.{option}")
    assert LOCKS.search(f"c.NotebookApp.{option}")


def tracked_texts():
    names = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, text=True).stdout
    paths = [ROOT / name for name in names.split("\0") if name]
    return {path: path.read_text(encoding="utf-8") for path in paths if path.is_file() and path.suffix != ".gif"}


def test_no_file_takes_the_lock_off_a_server():
    texts = tracked_texts()
    assert {ROOT / "README.md", ROOT / "binder" / "postBuild", ROOT / ".ci" / "run"} <= set(texts)
    found = {path.name: LOCKS.findall(text) for path, text in texts.items() if path != Path(__file__)}
    assert {name: what for name, what in found.items() if what} == {}


def test_the_readme_starts_a_server_with_its_own_lock():
    commands = re.findall(r"jupyter lab (.*)", (ROOT / "README.md").read_text(encoding="utf-8"))
    assert len(commands) == 2
    assert all(re.fullmatch(r"notebooks.01_backdoor_by_hand\.ipynb", command) for command in commands)


def test_the_server_of_the_browser_tests_is_for_this_computer_and_has_a_new_lock_each_time(monkeypatch, tmp_path):
    started = []

    def start(command, env, **_):
        started.append((command, env["JUPYTER_TOKEN"]))
        raise RuntimeError("not started")

    monkeypatch.setattr(labserver.subprocess, "Popen", start)
    for _ in range(2):
        with pytest.raises(RuntimeError, match="not started"), labserver.jupyter_server(tmp_path):
            pass
    addresses = {option for command, _ in started for option in command if "ip=" in str(option)}
    assert addresses == {"--ip=127.0.0.1"}
    locks = {lock for _, lock in started}
    assert len(locks) == 2
    assert all(re.fullmatch("[0-9a-f]{32}", lock) for lock in locks)
