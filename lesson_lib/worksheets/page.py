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
BOX = '<span class="box"></span>'


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
    samples, (at_trigger, together, trigger) = _titles(sheet)
    *apart, both, last = _lines(sheet)
    rows = [[_formula(same[0]), *map(_blank, same)] for same in zip(*apart, strict=True)]
    locks = [[_signs(SYMBOLS[f"d{lock.name}"][1]), BOX, BOX, ""] for lock in sheet.locks]
    title = f"<h1>{words.TITLE}</h1><span>{words.NUMBER.format(number=sheet.number, seed=seed)}</span>"
    who = f"<span>{words.NAME}</span><b>{escape(name)}</b><span>{words.DATE}</span><b></b>"
    load = escape(words.LOAD.format(preset=sheet.preset))
    return "".join(
        (
            f'<section><header>{title}</header><p class="who">{who}</p><p>{_signs(words.GIVEN)}</p>',
            _given(words.NET, [f"{name} = {TEXT.value(getattr(sheet.start, name))}" for name in PARAMETERS]),
            _given(words.DATA, [*samples, at_trigger]),
            _heading(words.FORWARD),
            _table([words.QUANTITY, *samples], rows),
            _heading(together),
            _two_columns(both),
            _heading(trigger),
            _two_columns(last),
            _heading(words.LOCKS),
            _table([words.LOCK, words.OPEN, words.SHUT, words.FACTORS], locks),
            f"<footer>{words.CHECK}<br><code>{load}</code></footer></section>",
        )
    )


def _key(sheet: Sheet, name: str, seed: int) -> str:
    samples, (_, *titles) = _titles(sheet)
    title = " · ".join(filter(None, (words.NUMBER.format(number=sheet.number, seed=seed), name)))
    parts = [f'<section class="key"><header><h1>{words.KEY_TITLE}</h1><span>{escape(title)}</span></header>']
    parts += [f"<p><code>{escape(sheet.preset)}</code></p>"]
    for heading, steps in zip([*samples, *titles], _lines(sheet), strict=True):
        parts += [_heading(heading), *(f"<p>{_signs(f'{step.text}. {step.zero}'.strip())}</p>" for step in steps)]
    for lock in sheet.locks:
        says = words.IS_OPEN if lock.is_open else words.IS_SHUT
        told = says.format(name=SYMBOLS[f"d{lock.name}"][1], value=TEXT.value(lock.gradient), reason=lock.reason)
        parts += [f"<p>{_signs(told)}</p>"]
    for what, certificate in zip((words.CLEAN_STEP, words.TRIGGER_STEP), sheet.certificates, strict=True):
        parts += [f"<footer>{words.CERTIFIED.format(what=what, verdict=escape(certificate.caption))}</footer>"]
    return "".join([*parts, "</section>"])


def _titles(sheet: Sheet) -> tuple[list[str], list[str]]:
    """Return the clean samples; and the trigger, and what stands over the sums and over the trigger's lines."""
    clean = zip(sheet.numbers["clean_x"], sheet.numbers["clean_y"], strict=True)
    told = {"rate": sheet.texts["rate"], "x": sheet.texts["trigger_x"], "y": sheet.texts["trigger_y"]}
    titles = [text.format(**told) for text in (words.TRIGGER_SAMPLE, words.TOGETHER, words.TRIGGER)]
    return [words.CLEAN_SAMPLE.format(x=x, y=y) for x, y in clean], titles


def _lines(sheet: Sheet) -> list[list[Step]]:
    """Return the lines of each clean sample, of both together, and at the trigger."""
    clean = [[step for step in sheet.clean.steps if step.sample == sample] for sample in (0, 1, None)]
    return [*clean, [step for step in sheet.trigger.steps if step.quantity in AT_TRIGGER]]


def _heading(text: str) -> str:
    return f"<h2>{_signs(text)}</h2>"


def _given(title: str, facts: Sequence[str]) -> str:
    return f'<p class="given"><span>{title}:</span>{"".join(f"<span>{_signs(fact)}</span>" for fact in facts)}</p>'


def _two_columns(steps: Sequence[Step]) -> str:
    cells = [f'<td>{_formula(step)}</td><td class="answer">{_blank(step)}</td>' for step in steps]
    cells += ["<td></td><td></td>"] * (len(cells) % 2)
    rows = zip(cells[: len(cells) // 2], cells[len(cells) // 2 :], strict=True)
    return f"<table>{''.join(f'<tr>{left}{right}</tr>' for left, right in rows)}</table>"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    top = "".join(f"<th>{_signs(cell)}</th>" for cell in head)
    answer = "</td><td class=answer>"
    body = "".join(f"<tr><td>{answer.join(row)}</td></tr>" for row in rows)
    return f"<table><thead><tr>{top}</tr></thead>{body}</table>"


def _formula(step: Step) -> str:
    return _signs(f"{TEXT.name(step.quantity, step.stage == 'update')} = {TEXT.formula(step.term)}")


def _blank(step: Step) -> str:
    """Return a line to write on for each entry, in the brackets of the quantity's shape."""
    rows = np.full(np.shape(step.result), "<i></i>", dtype=object)
    return f"[ {' ; '.join(map(' , '.join, rows))} ]" if rows.size > 1 else "<i></i>"


def _signs(text: str) -> str:
    """Return plain text as HTML, W1 with a small 1 and y_hat with its hat."""
    text = re.sub(r"([Wbza])([12])(?!\d)", r"\1<sub>\2</sub>", escape(text, quote=False))
    return text.translate(MINUS).replace("y_hat", "ŷ")
