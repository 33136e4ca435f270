"""Exercises that go on where they were: the next kernel shows the last answer, what was said of it, and the hints."""

import re
from html import unescape

import pytest

from lesson_lib.exercises import words
from lesson_lib.exercises.answers import read_file
from lesson_lib.exercises.catalogue import question
from lesson_lib.labs import Exercises

NUMBERS, CHOICES = "W2 after the clean step", "will the trigger be learnt"


@pytest.fixture
def file(tmp_path, monkeypatch):
    monkeypatch.setenv("LESSON_ANSWERS", str(tmp_path / "my_answers.json"))
    return tmp_path / "my_answers.json"


def said(exercise):
    return unescape(re.sub("<[^>]*>", "", exercise.feedback.value))


def choose(exercise, choice):
    exercise.answer.value = choice
    exercise.check()


def test_the_next_kernel_shows_what_was_done(file):
    first = Exercises()
    exercise = first.ask(NUMBERS)
    exercise.hint()
    exercise.answer.value = "7/8, -1"
    exercise.answer.value = "９／８，－１"
    choose(first.ask(CHOICES), question(CHOICES).choices[0])

    later = Exercises()
    again, other = later.ask(NUMBERS), later.ask(CHOICES)
    assert again.answer.value == "９／８，－１"
    assert said(again) == said(exercise) == words.RIGHT.format(solution=question(NUMBERS).solution)
    assert again.hints.value == exercise.hints.value != ""
    assert other.answer.value == question(CHOICES).choices[0]
    assert said(other).startswith("✗ Not yet.")
    assert later.progress == first.progress == "1 of 2 exercises solved. 0 at the first try."
    assert len(read_file(file).answers[NUMBERS].tries) == 2  # showing it again is no try


def test_an_answer_that_cannot_be_read_is_no_try(file):
    exercise = Exercises().ask(NUMBERS)
    exercise.answer.value = "x"
    exercise.check()
    assert not file.exists()
    exercise.answer.value = "9/8, -1"
    assert exercise.record.right_at_first


def test_the_solution_does_not_take_an_earned_mark(file):
    exercises = Exercises()
    earned, copied = exercises.ask(NUMBERS), exercises.ask("dW2 at x = 2")
    earned.answer.value = "9/8, -1"
    earned.solve()
    assert said(earned).startswith("✓ Right.")
    copied.solve()
    assert said(copied).startswith("Solution: ")
    copied.answer.value = "-1, 0"
    assert said(copied).startswith("✓ Right, after a look at the solution.")
    assert (earned.solved, copied.solved) == (True, False)
    assert [Exercises().ask(name).solved for name in (NUMBERS, "dW2 at x = 2")] == [True, False]


def test_clicking_through_all_choices_does_not_solve_a_question(file):
    asked = question(CHOICES)
    wrong = [choice for choice in asked.choices if choice != asked.correct]
    assert len(wrong) == 2
    through = Exercises().ask(CHOICES)
    for choice in (*wrong, asked.correct):
        choose(through, choice)
    assert not through.solved
    assert "after every other choice" in said(through)
    assert "after every other choice" in said(Exercises().ask(CHOICES))

    file.unlink()
    second = Exercises().ask(CHOICES)
    for choice in (wrong[0], asked.correct, wrong[1]):
        choose(second, choice)
    assert second.solved
    assert not second.record.right_at_first


def press(line, name):
    found = [each for box in (line.box, *line.sure.children) for each in getattr(box, "children", ())]
    [button] = [each for each in found if getattr(each, "description", "") == name]
    button.click()


def test_starting_over_asks_first_and_forgets_only_what_is_shown(file):
    before = Exercises()
    before.ask("f of 4").answer.value = "27/8"
    exercises = Exercises()
    exercise, choice = exercises.ask(NUMBERS), exercises.ask(CHOICES)
    exercise.answer.value = "9/8, -1"
    exercise.hint()
    choose(choice, question(CHOICES).choices[0])
    line = exercises
    line.progress_line()
    assert "1 of 2 exercises solved. 1 at the first try." in line.told.value
    assert str(file) in line.place.value
    assert line.sure.layout.display == "none"

    press(line, words.AGAIN)
    assert line.sure.layout.display == ""
    assert "cannot be undone" in line.question.value
    press(line, words.NO)
    assert line.sure.layout.display == "none"
    assert set(read_file(file).answers) == {"f of 4", NUMBERS, CHOICES}

    press(line, words.AGAIN)
    press(line, words.YES)
    assert set(read_file(file).answers) == {"f of 4"}
    assert "0 of 2 exercises solved." in line.told.value
    assert (exercise.answer.value, choice.answer.value) == ("", None)
    assert said(exercise) == said(choice) == words.UNANSWERED
    assert exercise.hints.value == ""
    assert Exercises().ask("f of 4").solved
    exercise.answer.value = "9/8, -1"
    assert exercise.record.right_at_first


def test_progress_that_is_shown_follows_every_answer(monkeypatch):
    shown = []
    monkeypatch.setattr("lesson_lib.labs.exercises.show", lambda line, still: shown.append((line.box, still)))
    exercises = Exercises()
    exercise = exercises.ask(NUMBERS)
    exercises.progress_line()
    [(box, still)] = shown
    assert still["text/plain"] == "0 of 1 exercises solved."
    exercise.answer.value = "9/8, -1"
    assert "1 of 1 exercises solved." in box.children[0].value
    assert words.NOT_KEPT in box.children[1].value


def test_a_question_that_has_changed_since_shows_no_old_choice(file):
    exercises = Exercises()
    exercises.answers.change(CHOICES, lambda record: record.tried("a choice of last year", True))
    again = Exercises().ask(CHOICES)
    assert again.answer.value is None
    assert said(again) == words.UNANSWERED
