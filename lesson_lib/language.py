"""The language of what learners read: English, unless `use` asks for another one before anything is shown."""

import json
import sys
from importlib import import_module
from importlib.resources import files
from types import SimpleNamespace
from typing import Any

ROOMS = "derivation proofs sweeps naa gate pictures exercises worksheets"
LABS = "shared hand_calculation training naa pruning"
WORDS = [f"{room}.words" for room in (*ROOMS.split(), *(f"labs.{lab}" for lab in LABS.split()))]  # nothing but texts
FOLDER = files(__package__) / "languages"  # a file a language: context: {English text: its translation}
UNTRANSLATED = "[en] {}"  # how an English text is shown among those of another language
OF_NOTEBOOKS = "code"  # the context of texts in the notebooks' code, which may be numbers and are never marked
now = SimpleNamespace(language="en", tag="en", texts={})  # what is in use: its name, the pages' name for it, its file


def use(language: str) -> None:
    """Show labs, exercises, tables, pictures and what they say in a language, such as "zh_CN"; "en" is English.

    Errors for programmers stay English. Raises ValueError for a language that there is not, and RuntimeError if some
    texts have been taken in another language already: the first cell of a notebook is the place to choose.
    """
    found = {file.name.removesuffix(".json"): file for file in FOLDER.iterdir() if file.name.endswith(".json")}
    if language not in ("en", *found):
        raise ValueError(f"language must be one of {', '.join(map(repr, ('en', *sorted(found))))}; got {language!r}")
    if language == now.language:
        return
    if now.texts or any(f"{__package__}.{name}" in sys.modules for name in WORDS):
        raise RuntimeError(f"texts are in {now.language!r} already: restart the kernel, and let use() come first")
    texts = json.loads(found[language].read_text(encoding="utf-8"))
    now.language, now.tag, now.texts = language, language.replace("_", "-"), texts
    for name in WORDS:
        module = vars(import_module(f"{__package__}.{name}"))
        module |= translated({constant: text for constant, text in module.items() if constant.isupper()}, name)


def translated(value: Any, context: str) -> Any:
    """Return a text, or texts in tuples, lists and dictionaries, in the language in use; names stay as they are."""
    if not now.texts or not value:
        return value
    if isinstance(value, str):
        return now.texts.get(context, {}).get(value, value if context == OF_NOTEBOOKS else UNTRANSLATED.format(value))
    if isinstance(value, dict):
        return {name: translated(text, context) for name, text in value.items()}
    return type(value)(translated(text, context) for text in value) if isinstance(value, tuple | list) else value
