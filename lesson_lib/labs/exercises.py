"""Questions to answer in the notebook: a box, a check that knows typical slips, hints one by one, and a solution."""

import secrets
from collections.abc import Callable
from html import escape
from itertools import takewhile
from typing import Any

import ipywidgets as widgets

from lesson_lib.exercises import words
from lesson_lib.exercises.answers import Answers, Record, own_file
from lesson_lib.exercises.catalogue import question
from lesson_lib.exercises.marking import mark_answer, shuffled
from lesson_lib.labs.shared.parts import button, field, named, show, status, style, without_kernel

# ipywidgets marks what has lost its kernel.
LOST = (
    "<style>.by-hand-lost { display: none; line-height: 1.5 } "
    ".jupyter-widgets-disconnected .by-hand-lost { display: block }</style>"
    f'<div class="by-hand-lost" role="alert">{words.LOST}</div>'
)


class Exercises:
    """The exercises of one notebook; what was answered is kept, in the learner's own file too.

    The choices of a question come in another order for each learner, or, with a `seed`, in the same for all who use it.
    """

    def __init__(self, seed: int | None = None) -> None:
        self.seed = secrets.randbits(32) if seed is None else seed
        self.answers = Answers(own_file())
        self._asked: dict[str, Exercise] = {}
        self.box: widgets.Box | None = None  # the line of progress, once it is shown

    def ask(self, name: str) -> "Exercise":
        """Show the exercise of this name, with whatever was answered before."""
        if str(name) not in self._asked:
            self._asked[name] = Exercise(name, self)
        return self._asked[name]

    @property
    def progress(self) -> str:
        """How many of the exercises shown so far are solved, and how many of them at the first try."""
        solved = [exercise for exercise in self._asked.values() if exercise.solved]
        told = words.PROGRESS.format(solved=len(solved), asked=len(self._asked))
        first = sum(exercise.record.right_at_first for exercise in solved)
        return f"{told} {words.AT_FIRST.format(first=first)}" if solved else told

    def progress_line(self) -> None:
        """Show the progress and where the answers are, kept up to date, with a button to start over."""
        self.box = self.box or self._line()
        self.follow()
        show(self, without_kernel(self.progress))

    def start_over(self) -> None:
        """Forget what was done with the exercises shown so far, here and in the file."""
        self.answers.forget(list(self._asked))
        for exercise in self._asked.values():
            exercise.forget()
        self.follow()

    def follow(self) -> None:
        """Bring the line of progress up to date, if there is one."""
        if self.box:
            self.told.value = status(self.progress)
            self.place.value = f'<div style="line-height: 1.5">{escape(self.answers.place)}</div>{LOST}'

    def _line(self) -> widgets.Box:
        self.told, self.place, self.question = widgets.HTML(), widgets.HTML(), widgets.HTML()
        self.again = button(words.AGAIN, words.AGAIN_TIP, lambda: self._ask_whether_sure(True), "100px")
        yes = button(words.YES, words.YES_TIP, self.start_over, "100px")
        no = button(words.NO, words.NO_TIP, lambda: self._ask_whether_sure(False), "100px")
        yes.on_click(lambda _: no.click())
        self.sure = widgets.VBox([self.question, widgets.HBox([yes, no])])
        self._ask_whether_sure(False)
        return style(widgets.VBox([self.told, self.place, self.again, self.sure]))

    def _ask_whether_sure(self, wanted: bool) -> None:
        self.question.value = status(words.SURE if wanted else "")
        self.sure.layout.display = "" if wanted else "none"
        self.again.disabled = wanted


class Exercise:
    """One question with its answer box. Nothing that is typed is evaluated as code."""

    def __init__(self, name: str, exercises: Exercises) -> None:
        self.name, self.exercises, self.question = name, exercises, question(name)
        self.record = exercises.answers.records.get(name, Record())
        self.feedback, self.hints = widgets.HTML(), widgets.HTML()
        check = button(words.CHECK, words.CHECK_TIP, self.check)
        hint = button(words.HINT, words.HINT_TIP, self.hint)
        buttons = [check, hint, button(words.SOLUTION, words.SOLUTION_TIP, self.solve)]
        self.answer: Any
        if self.question.choices:
            options = shuffled(self.question, exercises.seed)
            self.answer = widgets.RadioButtons(options=options, value=None, **named(words.ANSWER, "60px", "auto"))
            controls = [self.answer, widgets.HBox(buttons)]
        else:
            self.answer = field(words.ANSWER, "", "60px", "260px")
            controls = [widgets.HBox([self.answer, *buttons], layout={"flex_flow": "row wrap"})]
        self._restore()
        self.answer.observe(self._answered, names="value")
        told = f'<div style="font-weight: 600; line-height: 1.5">{escape(self.question.prompt)}</div>{LOST}'
        self.box = style(widgets.VBox([widgets.HTML(told), *controls, self.feedback, self.hints]))

    @property
    def solved(self) -> bool:
        """Whether the learner found the answer: before the solution was seen, and not as the last choice left."""
        before = takewhile(lambda each: not each.right, self.record.own)
        tried = {each.answer for each in before}
        return self.record.right and not len(tried) >= len(self.question.choices) - 1 > 0

    def check(self) -> None:
        """Judge the answer and say what is right or which slip it looks like."""
        given = self.answer.value
        correct = mark_answer(self.question, given).correct
        if correct is not None:
            self._note(lambda record: record.tried(given, correct))
        self._judge()

    def hint(self) -> None:
        """Show one more hint."""
        count = min(self.record.hints + 1, len(self.question.hints))
        self._note(lambda record: record.hinted(count))

    def solve(self) -> None:
        """Show the solution; whoever has found it keeps the mark."""
        self._note(Record.shown)
        told = words.RIGHT if self.solved else words.SOLUTION_IS
        self._say(told.format(solution=self.question.solution))

    def forget(self) -> None:
        """Show the question as if it had never been answered."""
        self.record = Record()
        with self.feedback.hold_sync():  # only the last word is told
            self._restore()

    def _note(self, change: Callable[[Record], Record]) -> None:
        self.record = self.exercises.answers.change(self.name, change)
        self.exercises.follow()
        self._show_hints()

    def _restore(self) -> None:
        choices, last = self.question.choices, self.record.tries[-1].answer if self.record.tries else ""
        is_known = last in choices if choices else last != ""
        self.answer.value = last if is_known else None if choices else ""
        if is_known:
            self._judge()
        else:
            self._say(words.UNANSWERED)
        self._show_hints()

    def _answered(self, _change: Any) -> None:
        if self.question.choices:
            self._say(words.UNCHECKED)  # no verdict on another answer
        else:
            self.check()

    def _judge(self) -> None:
        feedback = mark_answer(self.question, self.answer.value)
        after = words.RIGHT_LAST if self.record.right else words.RIGHT_AFTER
        is_late = feedback.correct and not self.solved
        self._say(after.format(solution=self.question.solution) if is_late else feedback.message)

    def _show_hints(self) -> None:
        hints = self.question.hints
        shown = "".join(f"<li>{escape(hint)}</li>" for hint in hints[: self.record.hints])
        more = words.NO_MORE_HINTS if self.record.hints >= len(hints) else ""
        told = f'<div role="status" style="line-height: 1.5"><ol style="margin: 0">{shown}</ol>{escape(more)}</div>'
        self.hints.value = told if shown else ""

    def _say(self, text: str) -> None:
        self.feedback.value = status(text)

    @property
    def summary(self) -> str:
        """The question in words, for pages without a kernel."""
        return "\n ( ) ".join([self.question.prompt, *shuffled(self.question)])

    def _ipython_display_(self) -> None:
        show(self, without_kernel(self.summary))
