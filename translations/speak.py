"""Run a command of lesson_lib in another language: `python translations/speak.py zh_CN worksheets --students 30`."""

import sys
from pathlib import Path
from runpy import run_module

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import lesson_lib

if __name__ == "__main__":
    _, language, command, *sys.argv[1:] = sys.argv
    lesson_lib.use(language)
    run_module(f"lesson_lib.{command}", run_name="__main__")
