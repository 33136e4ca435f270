"""What pages and slides say around a notebook, in its language, and the words by which they know its parts."""

import json
from functools import cache
from pathlib import Path

LANGUAGES = Path(__file__).parents[2] / "lesson_lib" / "languages"
CONTEXT = "presenting.words"  # of these texts in a language's catalogue
TEXTS = {
    "course": "Backdoor by Hand",
    "skip": "Skip to the content",
    "notebooks": "Notebooks",
    "all": "All notebooks",
    "contents": "Contents",
    "as_slides": "The same as slides",
    "as_page": "The same as a page",
    "before": "Previous notebook",
    "after": "Next notebook",
    "slide": "slide",
    "count": "{number} of {count}",
    "keys": "Move with the arrow keys, Space, Page Up and Down, Home and End.",
    "numbers": "The picture in numbers",
    "about": "Every notebook as a page to read, and as slides to project. Nothing here needs a network.",
    "slides": "slides",
    "slides_of": "Slides of {title}",
    "page lab": "A still picture of the lab in the notebook <b>{name}</b>.",
    "page question": "The notebook <b>{name}</b> checks your answer.",
    "slides lab": "▶ Switch to the live lab in the notebook <b>{name}</b>",
    "slides question": "The notebook <b>{name}</b> checks your answer.",
}
PREDICT = "**Predict"  # what follows must not be seen with it
ALONE = ("**Time", "**You need", "**Predict before you look", "**Symbols and words")  # for those who read alone


def in_language(language: str) -> dict[str, str]:
    """Return the texts in a language, "en" or the name of a folder of notebooks; English where one is missing."""
    return {name: _catalogue(language).get(text, text) for name, text in TEXTS.items()}


def everywhere(*texts: str) -> tuple[str, ...]:
    """Return texts in every language of the course: a notebook holds those of its own."""
    others = (_catalogue(path.stem) for path in sorted(LANGUAGES.glob("*.json")))
    return (*texts, *(known[text] for known in others for text in texts if text in known))


@cache
def _catalogue(language: str) -> dict[str, str]:
    path = LANGUAGES / f"{language}.json"
    known = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return known.get(CONTEXT, {})
