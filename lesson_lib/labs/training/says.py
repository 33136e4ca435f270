"""One run at one epoch in words: the verdict on trigger and clean task, and the four locks; and the map in words."""

from html import escape

from lesson_lib.derivation.words import AND, SYMBOLS
from lesson_lib.labs.shared.words import NO, YES
from lesson_lib.labs.training import words
from lesson_lib.labs.training.compute import Moment
from lesson_lib.pictures.words import OUTCOME_LETTERS
from lesson_lib.sweeps.studies import OutcomeMap
from lesson_lib.training import OUTCOMES


def verdict(seen: Moment) -> str:
    """Return the outcome in words: what became of the trigger, and of the clean task."""
    at_1, at_2, at_trigger = map(_four_digits, seen.now)
    facts = words.VERDICT_FACTS.format(
        trigger=YES if seen.trigger_learnt else NO,
        position=f"{seen.experiment.position:g}",
        at_trigger=at_trigger,
        target=f"{seen.experiment.target:g}",
        clean=YES if seen.clean_kept else NO,
        f1=at_1,
        f2=at_2,
    )
    return f"{words.VERDICTS[seen.outcome].format(epoch=seen.diverged_at)} {facts}"


def _four_digits(number: float) -> str:
    return f"{number + 0.0:.4g}" if abs(number) >= 5e-5 else "0"  # no minus before 0


def verdict_html(seen: Moment) -> str:
    """Return the verdict as a live region, with the four locks beneath as a table."""
    head = "".join(f'<th scope="col">{escape(SYMBOLS[f"d{lock.name}"][1])}</th>' for lock in seen.locks)
    cells = "".join(
        f'<td style="text-align: center; padding: 4px 14px">{words.OPEN_SIGN if lock.is_open else words.SHUT_SIGN} '
        f"{escape(lock.reason)}</td>"
        for lock in seen.locks
    )
    return (
        f'<div role="status" aria-live="polite" style="line-height: 1.5; min-height: 3em">{escape(verdict(seen))}</div>'
        f'<table style="border-collapse: collapse"><caption style="text-align: left">{words.LOCKS_CAPTION}</caption>'
        f"<tr>{head}</tr><tr>{cells}</tr></table>"
    )


def describe(seen: Moment) -> str:
    """Return the picture's text twin: the settings, the verdict and the locks."""
    experiment = seen.experiment
    settings = words.EXPERIMENT.format(
        rate=f"{experiment.rate:g}",
        target=f"{experiment.target:g}",
        position=f"{experiment.position:g}",
        schedule=experiment.schedule,
        activation=experiment.activation,
        epoch=seen.epoch,
        trained=AND.join([", ".join(experiment.trainable[:-1]), experiment.trainable[-1]]),
    )
    state = "; ".join(f"{SYMBOLS[f'd{lock.name}'][1]}: {lock.reason}" for lock in seen.locks)
    return f"{settings} {verdict(seen)} {words.LOCKS_CAPTION} {state}."


def describe_map(trained: OutcomeMap, asked: int, rate: float, target: float) -> str:
    """Say of the last kept epoch up to `asked` each outcome's share of the map, and the outcome at the cross."""
    epoch = trained.epoch_at(asked)
    shares = (f"{one.value} ({OUTCOME_LETTERS[one]}) {trained.share(one, epoch):.1%}" for one in OUTCOMES)
    return words.MAP_SUMMARY.format(
        epochs=f"{epoch} epochs" if epoch == asked else words.MAP_KEPT.format(epoch=epoch, asked=asked),
        shares=", ".join(shares),
        rate=f"{rate:g}",
        target=f"{target:g}",
        cell=trained.nearest(rate, target, epoch).value,
    )
