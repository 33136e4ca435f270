"""Questions to answer in the notebook: a box, a check that knows typical slips, hints one by one, and a solution."""

from collections.abc import Callable
from html import escape
from typing import Any

import ipywidgets as widgets
from IPython.display import display

from lesson_lib.exercises import words
from lesson_lib.exercises.catalogue import question
from lesson_lib.exercises.marking import Question, mark_answer
from lesson_lib.labs.shared.parts import button, field, show, status, style, without_kernel


class Exercises:
    """The exercises of one notebook; it keeps what was answered when a cell is run again."""

    def __init__(self) -> None:
        self._asked: dict[str, Exercise] = {}
        self._line: Any = None  # the progress on the page

    def ask(self, name: str) -> "Exercise":
        """Show the exercise of this name, with whatever was answered before."""
        if name not in self._asked:
            self._asked[name] = Exercise(question(name), self._follow)
        return self._asked[name]

    @property
    def progress(self) -> str:
        """How many of the exercises shown so far are solved."""
        solved = sum(exercise.solved for exercise in self._asked.values())
        return words.PROGRESS.format(solved=solved, asked=len(self._asked))

    def progress_line(self) -> None:
        """Show the progress, and keep it up to date where it is shown."""
        self._line = display(self._bundle(), raw=True, display_id=True)  # type: ignore[no-untyped-call]

    def _follow(self) -> None:
        if self._line:
            self._line.update(self._bundle(), raw=True)

    def _bundle(self) -> dict[str, str]:
        return {"text/html": status(self.progress), "text/plain": self.progress}


class Exercise:
    """One question with its answer box. Nothing that is typed is evaluated as code."""

    def __init__(self, asked: Question, checked: Callable[[], None]) -> None:
        self.question, self.solved, self.hints_shown, self._checked = asked, False, 0, checked
        self.feedback, self.hints = widgets.HTML(status(words.UNANSWERED)), widgets.HTML()
        buttons = [
            button(words.CHECK, words.CHECK_TIP, self.check),
            button(words.HINT, words.HINT_TIP, self.hint),
            button(words.SOLUTION, words.SOLUTION_TIP, self.solve),
        ]
        self.answer: Any
        if asked.choices:
            self.answer = widgets.RadioButtons(options=asked.choices, value=None, description=words.ANSWER)
            self.answer.style.description_width, self.answer.layout.width = "60px", "auto"
            self.answer.observe(lambda _: self._say(words.UNCHECKED), names="value")  # no verdict on another answer
            controls = [self.answer, widgets.HBox(buttons)]
        else:
            self.answer = field(words.ANSWER, "", label_width="60px", width="260px")
            self.answer.observe(lambda _: self.check(), names="value")
            controls = [widgets.HBox([self.answer, *buttons], layout=widgets.Layout(flex_flow="row wrap"))]
        prompt = widgets.HTML(f'<div style="font-weight: 600; line-height: 1.5">{escape(asked.prompt)}</div>')
        self.box = widgets.VBox([prompt, *controls, self.feedback, self.hints])
        style(self.box)

    def check(self) -> None:
        """Judge the answer and say what is right or which slip it looks like."""
        feedback = mark_answer(self.question, self.answer.value)
        self.solved = self.solved or bool(feedback.correct)
        self._say(feedback.message)
        self._checked()

    def hint(self) -> None:
        """Show one more hint."""
        self.hints_shown = min(self.hints_shown + 1, len(self.question.hints))
        shown = "".join(f"<li>{escape(hint)}</li>" for hint in self.question.hints[: self.hints_shown])
        more = words.NO_MORE_HINTS if self.hints_shown == len(self.question.hints) else ""
        self.hints.value = (
            f'<div role="status" style="line-height: 1.5"><ol style="margin: 0">{shown}</ol>{escape(more)}</div>'
        )

    def solve(self) -> None:
        """Show the solution."""
        self._say(words.SOLUTION_IS.format(solution=self.question.solution))

    def _say(self, text: str) -> None:
        self.feedback.value = status(text)

    @property
    def summary(self) -> str:
        """The question in words, for pages without a kernel."""
        options = "".join(f"\n ( ) {choice}" for choice in self.question.choices)
        return f"{self.question.prompt}{options}"

    def _ipython_display_(self) -> None:
        show(self.box, without_kernel(self.summary))
