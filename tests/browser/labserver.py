"""A JupyterLab server on loopback that reads and writes no setting of the person who runs the tests."""

import json
import os
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.request import ProxyHandler, Request, build_opener

SETTINGS = {"@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False}}
# What the live slides need is for those who ask for it: the other tests see JupyterLab as a learner does.
FONTS = ["fonts", "font-anonymous-pro", "font-atkinson-hyperlegible", "font-dejavu-sans-mono", "font-fira-code"]
NOT_LIVE = ["jupyterlab-slideshow", *(f"@deathbeds/jupyterlab-{name}" for name in FONTS)]
OPTIONS = [
    "--no-browser",
    "--allow-root",
    "--ip=127.0.0.1",
    "--port=0",  # the system picks a free one
    "--LabApp.expose_app_in_browser=True",
    "--LabApp.news_url=None",
    "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    "--LabApp.extension_manager=readonly",
]
PRIVATE_FOLDERS = [
    "JUPYTER_CONFIG_DIR",
    "JUPYTER_DATA_DIR",
    "JUPYTER_RUNTIME_DIR",
    "JUPYTERLAB_SETTINGS_DIR",
    "JUPYTERLAB_WORKSPACES_DIR",
    "IPYTHONDIR",
]


class Server(NamedTuple):
    url: str
    token: str
    folder: Path


@contextmanager
def jupyter_server(folder: Path, timeout: float = 60, live_slides: bool = False) -> Iterator[Server]:
    """Serve a folder with this Python's JupyterLab; on leaving, the server and its kernels are gone."""
    token = secrets.token_hex(16)
    command = [sys.executable, "-m", "jupyterlab", *OPTIONS, f"--ServerApp.root_dir={folder}"]
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch:
        environment = {**isolated_environment(Path(scratch), live_slides), "JUPYTER_TOKEN": token}
        log = Path(scratch, "server.log")
        with log.open("wb") as output:
            process = subprocess.Popen(command, env=environment, stdout=output, stderr=output, start_new_session=True)
        try:
            url = wait_for_url(process, Path(environment["JUPYTER_RUNTIME_DIR"]), token, log, timeout)
            yield Server(url, token, folder)
        finally:
            stop(process)


def isolated_environment(scratch: Path, live_slides: bool = False) -> dict[str, str]:
    folders = {name: str(scratch / name.lower()) for name in PRIVATE_FOLDERS}
    config = Path(folders["JUPYTER_CONFIG_DIR"], "labconfig")
    config.mkdir(parents=True)
    disabled = {} if live_slides else dict.fromkeys(NOT_LIVE, True)
    (config / "default_setting_overrides.json").write_text(json.dumps(SETTINGS), encoding="utf-8")
    (config / "page_config.json").write_text(json.dumps({"disabledExtensions": disabled}), encoding="utf-8")
    return {**os.environ, **folders, "JUPYTER_PREFER_ENV_PATH": "1"}


def wait_for_url(process: subprocess.Popen, runtime: Path, token: str, log: Path, timeout: float) -> str:
    """Return the address that the server wrote into its runtime folder, as soon as it answers there."""
    direct = build_opener(ProxyHandler({}))
    deadline = time.monotonic() + timeout
    while process.poll() is None and time.monotonic() < deadline:
        try:
            url = json.loads(next(runtime.glob("jpserver-*.json")).read_text(encoding="utf-8"))["url"]
            direct.open(Request(f"{url}api/status", headers={"Authorization": f"token {token}"}), timeout=10).close()
            return url
        except (StopIteration, ValueError, OSError):
            time.sleep(0.1)
    raise RuntimeError(f"JupyterLab did not answer within {timeout} s:\n{log.read_text(encoding='utf-8')}")


def stop(process: subprocess.Popen) -> None:
    """Ask the server to end its kernels and itself; kernels of a killed server end by themselves."""
    process.terminate()
    try:
        process.wait(timeout=20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
