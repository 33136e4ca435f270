"""What tests and notebooks share: how a notebook is run, see tests/sealed_notebooks.py."""

pytest_plugins = ["sealed_notebooks"]
