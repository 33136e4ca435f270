"""Print, as JSON, what labs, exercises, tables and lines show that stands in no brackets: run by the test beside it."""

import json
import re

from lesson_lib import ARTICLE, CLEAN, certify, derive_step, fix_matrix, labs, prove_frozen, prove_homogeneous
from lesson_lib.exercises.catalogue import question_texts
from lesson_lib.exercises.drawn import DRAWN

NAMES = {  # the code's own, and the field's
    *("relu", "tanh", "raw", "mad", "effect", "permutation", "drag", "AUC", "ASR", "rate", "sd", "bh", "identity"),
    *("clean", "poisoned", "planted", "quiet", "loud", "simulation", "frozen", "attack", "true", "false"),
}


def texts(widget):
    """Yield every text of a widget and of those inside."""
    options = getattr(widget, "_options_full", ())  # whose value is a name, not a text
    yield from (str(text) for text, _ in options)
    for name in ("description", "tooltip", "placeholder", "marks", "frame", *(() if options else ("value",))):
        if isinstance(text := getattr(widget, name, None), str):
            yield text
    for child in getattr(widget, "children", ()) or ():
        yield from texts(child)


def left(text):
    """Return the words of a text outside all brackets, formulas, presets and tags, apart from names."""
    text = re.sub(
        r"<style.*?</style>|\$\$.*?\$\$|\$[^$]*\$|[a-z]\w+=\w[\w ,.]*|\\begin\{aligned.*?end\{aligned\}",
        "",
        text,
        flags=re.DOTALL,
    )
    text = re.sub(r'aria-label="([^"]*)"|<title>(.*?)</title>', r">\1\2<", text)
    before, text = "", re.sub(r"<[^>]*>", " ", text)
    while before != text:
        before, text = text, re.sub(r"⟦[^⟦⟧]*⟧", " ", text)
    return sorted({*re.findall(r"[A-Za-z]{3,}", text)} - NAMES)


def main():
    found = {}
    for name in ("FirstLook", "HandCalculationLab", "TriggerLab", "BiasLab", "NAALab", "PruningLab"):
        lab = getattr(labs, name)()
        found[name] = left(" ".join([*texts(lab.box), lab.summary]))
    exercises = labs.Exercises()
    for name in question_texts():
        asked = exercises.ask(f"{name} #1" if name in DRAWN else name)
        found[name] = left(" ".join(texts(asked.box)))
    found["progress"] = left(exercises.progress)
    step = derive_step(ARTICLE, CLEAN, rate=0.1)
    found["lines"] = left(" ".join(f"{line.title} {line.text} {line.zero}" for line in step.steps))
    for table in (certify(ARTICLE, CLEAN), fix_matrix(), prove_frozen(), prove_homogeneous()):
        found[repr(table)[:20]] = left(table._repr_html_())
    print(json.dumps(found))


if __name__ == "__main__":
    main()
