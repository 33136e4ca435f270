"""The language of what learners read: English, unless `use` asks for another one before anything is shown."""

import json
import sys
from collections.abc import Iterator
from importlib import import_module
from importlib.resources import files
from pkgutil import walk_packages
from runpy import run_module
from types import SimpleNamespace
from typing import Any

import lesson_lib

FOLDER = files(__package__) / "languages"  # a file a language
UNTRANSLATED = "[en] {}"  # how an English text is shown among those of another language
OF_NOTEBOOKS = "code"  # the context of texts in the notebooks' code
_now = SimpleNamespace(language="en", texts={})  # texts: context: {English: translation}; none for English


def use(language: str) -> None:
    """Show labs, exercises, tables, pictures and what they say in a language, such as "zh_CN"; "en" is English.

    Errors for programmers stay English. Raises ValueError for a language that there is not, and RuntimeError if some
    texts have been taken in another language already: the first cell of a notebook is the place to choose.
    """
    found = {file.name.removesuffix(".json"): file for file in FOLDER.iterdir() if file.name.endswith(".json")}
    if language not in ("en", *found):
        raise ValueError(f"language must be one of {', '.join(map(repr, ('en', *sorted(found))))}; got {language!r}")
    if language == _now.language:
        return
    if _now.texts or any(name in sys.modules for name in words_modules()):
        raise RuntimeError(
            f"texts were taken in {_now.language!r} already: restart the kernel, and let use() come first"
        )
    _now.language, _now.texts = language, json.loads(found[language].read_text(encoding="utf-8"))
    for name in words_modules():
        module = vars(import_module(name))
        texts = {constant: text for constant, text in module.items() if constant.isupper()}
        module |= translated(texts, context_of(name))


def chosen() -> str:
    """Return the language in use, as pages name it: "en", "zh-CN"."""
    return str(_now.language).replace("_", "-")


def words_modules() -> Iterator[str]:
    """Yield the names of the modules that hold nothing but texts."""
    packages = walk_packages(lesson_lib.__path__, f"{lesson_lib.__name__}.")
    return (module.name for module in packages if module.name.endswith(".words"))


def context_of(module: str) -> str:
    """Return the context of a module's texts: "labs.naa.words"."""
    return module.removeprefix(f"{lesson_lib.__name__}.")


def translated(value: Any, context: str) -> Any:
    """Return a text, or texts in tuples, lists and dictionaries, in the language in use; names stay as they are."""
    if not _now.texts or not value:
        return value
    if isinstance(value, str):
        return _now.texts.get(context, {}).get(value) or UNTRANSLATED.format(value)
    if isinstance(value, dict):
        return {name: translated(text, context) for name, text in value.items()}
    return type(value)(translated(text, context) for text in value) if isinstance(value, tuple | list) else value


def of_notebook(text: str) -> str:
    """Return a text of a notebook's code in the language in use; it may be a number, so that it is never marked."""
    return str(_now.texts.get(OF_NOTEBOOKS, {}).get(text, text))


if __name__ == "__main__":  # python -m lesson_lib.language zh_CN worksheets --students 30
    from lesson_lib.language import use as speak  # of the module that all others import, which this is not

    _, language, command, *sys.argv[1:] = sys.argv
    speak(language)
    run_module(f"{lesson_lib.__name__}.{command}", run_name="__main__")
