"""The sheets and their key as HTML that prints a page each, on A4 and on Letter."""

import re
from collections.abc import Iterable, Sequence
from html import escape

import numpy as np

from lesson_lib.derivation.printer import Printer
from lesson_lib.derivation.step import Step
from lesson_lib.derivation.words import SYMBOLS
from lesson_lib.language import now
from lesson_lib.network import PARAMETERS
from lesson_lib.proofs.lock import Lock
from lesson_lib.worksheets import words
from lesson_lib.worksheets.draw import Sheet

AT_TRIGGER = ("z1", "a1", "y_hat", "dy_hat", "da1", "phi_prime")  # the lines that the locks are read from
STYLE = """
@page { margin: 9mm 14mm }
* { box-sizing: border-box }
body { margin: 0 auto; max-width: 182mm; font: 10pt/1.3 system-ui, "Segoe UI", "Noto Sans", sans-serif; color: #000 }
section { break-after: page; padding: 1mm 0 }
sub { font-size: 72%; line-height: 0 }
section:last-of-type { break-after: auto }
h1 { font-size: 15pt; margin: 0 } h2 { font-size: 10.5pt; margin: 2.6mm 0 0.8mm }
header { display: flex; justify-content: space-between; align-items: baseline; gap: 6mm }
p { margin: 1mm 0 } .who { display: flex; gap: 6mm } .who b { flex: 1; border-bottom: 0.3mm solid #000 }
.who b + span + b { flex: 0 0 34mm }
.given { display: flex; flex-wrap: wrap; gap: 0.5mm 7mm; font-weight: 600 }
table { border-collapse: collapse; width: 100% }
th, td { border: 0.25mm solid #777; padding: 0.3mm 2mm; text-align: left; font-weight: 400; vertical-align: middle }
thead th { font-weight: 600; background: #eee } .answer { white-space: nowrap; height: 7.5mm }
i { display: inline-block; width: 14mm; border-bottom: 0.3mm dotted #000; height: 4.4mm; vertical-align: baseline }
.box { display: inline-block; width: 3.2mm; height: 3.2mm; border: 0.3mm solid #000 }
code { font: 8pt/1.3 ui-monospace, "DejaVu Sans Mono", monospace; overflow-wrap: anywhere }
.key { font-size: 9.2pt; line-height: 1.3 } .key p { margin: 0.35mm 0 } .key h2 { margin-top: 2mm }
footer { font-size: 8.5pt; margin-top: 2.5mm }
@media screen { section { border-bottom: 1px solid #999 } }
"""
TEXT = Printer("text")
MINUS = str.maketrans("-", "−")


def sheets_page(sheets: Sequence[Sheet], names: Sequence[str], seed: int) -> str:
    """Return the sheets as one HTML document, a printed page for each."""
    return _document(words.TITLE, (_sheet(sheet, name, seed) for sheet, name in zip(sheets, names, strict=True)))


def key_page(sheets: Sequence[Sheet], names: Sequence[str], seed: int) -> str:
    """Return the key as one HTML document: every line of every sheet, its locks and its certificates."""
    return _document(words.KEY_TITLE, (_key(sheet, name, seed) for sheet, name in zip(sheets, names, strict=True)))


def _document(title: str, sections: Iterable[str]) -> str:
    head = f'<meta charset="utf-8"><title>{title}</title><style>{STYLE}</style>'
    return f'<!DOCTYPE html><html lang="{now.tag}"><head>{head}</head><body>{"".join(sections)}</body></html>\n'


def _sheet(sheet: Sheet, name: str, seed: int) -> str:
    texts, clean = sheet.texts, sheet.clean.steps
    [rate], [x], [y] = (sheet.numbers[what] for what in ("rate", "trigger_x", "trigger_y"))
    title = f"<h1>{words.TITLE}</h1><span>{words.NUMBER.format(number=sheet.number, seed=seed)}</span>"
    who = f"<span>{words.NAME}</span><b>{escape(name)}</b><span>{words.DATE}</span><b></b>"
    given = f"<p>{_signs(words.GIVEN)}</p>"
    samples = [words.CLEAN_SAMPLE.format(x=x, y=y) for x, y in _samples(sheet)]
    together = [step for step in clean if step.sample is None]
    trigger = [step for step in sheet.trigger.steps if step.quantity in AT_TRIGGER]
    return "".join(
        (
            f'<section><header>{title}</header><p class="who">{who}</p>{given}',
            _given(words.NET, [f"{name} = {TEXT.value(np.array(_shaped(sheet, name)))}" for name in PARAMETERS]),
            _given(words.DATA, [*samples, words.TRIGGER_SAMPLE.format(x=texts["trigger_x"], y=texts["trigger_y"])]),
            f"<h2>{words.FORWARD}</h2>",
            _table([words.QUANTITY, *samples], _by_sample([step for step in clean if step.sample is not None])),
            f"<h2>{_signs(words.TOGETHER.format(rate=rate))}</h2>{_two_columns(together)}",
            f"<h2>{_signs(words.TRIGGER.format(x=x, y=y))}</h2>{_two_columns(trigger)}",
            f"<h2>{_signs(words.LOCKS)}</h2>",
            _table([words.LOCK, words.OPEN, words.SHUT, words.FACTORS], map(_lock_row, sheet.locks)),
            f"<footer>{words.CHECK}<br><code>{escape(words.LOAD.format(preset=sheet.preset))}</code></footer></section>",
        )
    )


def _key(sheet: Sheet, name: str, seed: int) -> str:
    clean, trigger = sheet.certificates
    title = " · ".join(filter(None, (words.NUMBER.format(number=sheet.number, seed=seed), name)))
    parts = [f'<section class="key"><header><h1>{words.KEY_TITLE}</h1><span>{escape(title)}</span></header>']
    parts += [f"<p><code>{escape(sheet.preset)}</code></p>"]
    for sample, (x, y) in enumerate(_samples(sheet)):
        parts += [f"<h2>{_signs(words.CLEAN_SAMPLE.format(x=x, y=y))}</h2>"]
        parts += [_line(step) for step in sheet.clean.steps if step.sample == sample]
    [rate], [x], [y] = (sheet.numbers[what] for what in ("rate", "trigger_x", "trigger_y"))
    parts += [f"<h2>{_signs(words.TOGETHER.format(rate=rate))}</h2>"]
    parts += [_line(step) for step in sheet.clean.steps if step.sample is None]
    parts += [f"<h2>{_signs(words.TRIGGER.format(x=x, y=y))}</h2>"]
    parts += [_line(step) for step in sheet.trigger.steps if step.quantity in AT_TRIGGER]
    for lock in sheet.locks:
        says = words.IS_OPEN if lock.is_open else words.IS_SHUT
        told = says.format(name=SYMBOLS[f"d{lock.name}"][1], value=TEXT.value(lock.gradient), reason=lock.reason)
        parts += [f"<p>{_signs(told)}</p>"]
    for what, certificate in ((words.CLEAN_STEP, clean), (words.TRIGGER_STEP, trigger)):
        parts += [f"<footer>{words.CERTIFIED.format(what=what, verdict=escape(certificate.caption))}</footer>"]
    return "".join([*parts, "</section>"])


def _samples(sheet: Sheet) -> list[tuple[object, object]]:
    return list(zip(sheet.numbers["clean_x"], sheet.numbers["clean_y"], strict=True))


def _shaped(sheet: Sheet, name: str) -> list[list[object]]:
    """Return a parameter's numbers in its own shape: a row into the hidden layer, a column out of it."""
    given = sheet.numbers[name]
    return [list(given)] if name in ("W1", "b1") else [[number] for number in given]


def _given(title: str, facts: Sequence[str]) -> str:
    return f'<p class="given"><span>{title}:</span>{"".join(f"<span>{_signs(fact)}</span>" for fact in facts)}</p>'


def _by_sample(steps: Sequence[Step]) -> Iterable[list[str]]:
    """Yield a row for each quantity: its formula, then a blank for each sample."""
    for quantity in dict.fromkeys(step.quantity for step in steps):
        same = [step for step in steps if step.quantity == quantity]
        yield [_formula(same[0]), *map(_blank, same)]


def _two_columns(steps: Sequence[Step]) -> str:
    cells = [f'<td>{_formula(step)}</td><td class="answer">{_blank(step)}</td>' for step in steps]
    cells += ["<td></td><td></td>"] * (len(cells) % 2)
    half = len(cells) // 2
    rows = zip(cells[:half], cells[half:], strict=True)
    return f"<table>{''.join(f'<tr>{left}{right}</tr>' for left, right in rows)}</table>"


def _lock_row(lock: Lock) -> list[str]:
    return [_signs(SYMBOLS[f"d{lock.name}"][1]), '<span class="box"></span>', '<span class="box"></span>', ""]


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    top = "".join(f"<th>{_signs(cell)}</th>" for cell in head)
    body = (
        f"<tr><td>{first}</td>{''.join(f'<td class=answer>{cell}</td>' for cell in rest)}</tr>" for first, *rest in rows
    )
    return f"<table><thead><tr>{top}</tr></thead>{''.join(body)}</table>"


def _formula(step: Step) -> str:
    is_new = step.stage == "update"
    return _signs(f"{TEXT.name(step.quantity, is_new)} = {TEXT.formula(step.term)}")


def _blank(step: Step) -> str:
    """Return a line to write on for each entry, in the brackets of the quantity's shape."""
    blanks = np.full(np.shape(step.result), "<i></i>", dtype=object)
    if blanks.size == 1:
        return str(blanks.item())
    return f"[ {' ; '.join(' , '.join(row) for row in blanks)} ]"


def _line(step: Step) -> str:
    return f"<p>{_signs(f'{step.text}. {step.zero}'.strip())}</p>"


def _signs(text: str) -> str:
    """Return plain text as HTML, W1 with a small 1 and y_hat with its hat."""
    return (
        re.sub(r"([Wbza])([12])(?!\d)", r"\1<sub>\2</sub>", escape(text, quote=False))
        .translate(MINUS)
        .replace("y_hat", "ŷ")
    )
