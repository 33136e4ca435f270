"""A browser page that shows one notebook in JupyterLab, driven and read as a person would."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

if TYPE_CHECKING:
    from labserver import Server
    from playwright.sync_api import Browser, ConsoleMessage, Error, Locator, Route

# The kernel reports an error the same way from a cell, from an Output widget and from a callback that no cell shows.
OPEN = """async () => {
    const app = window.jupyterapp;
    await app.restored;
    app.shell.collapseLeft();
    const session = app.shell.currentWidget.sessionContext;
    await session.ready;
    window.kernelErrors ??= [];
    session.iopubMessage.connect((_, { header, content }) => {
        if (header.msg_type === 'error') window.kernelErrors.push(`${content.ename}: ${content.evalue}`);
    });
}"""
BRING = """async (path) => {
    const { commands, shell } = window.jupyterapp;
    shell.activateById((await commands.execute('docmanager:open', { path })).id);
}"""
LEAVE = """async () => {
    const { serviceManager, shell } = window.jupyterapp;
    await serviceManager.sessions.shutdownAll();
    for (const widget of [...shell.widgets('main')]) {
        if (widget.context) widget.context.model.dirty = false;
        widget.dispose();
    }
    window.kernelErrors = [];
}"""
IS_IDLE = "() => window.jupyterapp.shell.currentWidget.sessionContext.session?.kernel?.status === 'idle'"
RUN_ALL = """(command) => {
    window.runAllDone = false;
    window.jupyterapp.commands.execute(command).finally(() => { window.runAllDone = true; });
}"""
HAS_RUN = """() => window.runAllDone
    && ![...document.querySelectorAll('.jp-Notebook .jp-InputPrompt')].some(p => p.textContent.includes('[*]'))"""
COMPUTE = """async (value) => {
    const { kernel } = window.jupyterapp.shell.currentWidget.sessionContext.session;
    const reply = await kernel.requestExecute({ code: '', user_expressions: { value } }).done;
    return reply.content.user_expressions.value.data['text/plain'];
}"""
MATH_ERRORS = r"""() => {
    const errors = [...document.querySelectorAll('mjx-merror')].map(node => node.dataset.mjxError);
    for (const shown of document.querySelectorAll('.jupyter-widgets, .jp-RenderedHTMLCommon, .jp-RenderedLatex')) {
        const texts = document.createTreeWalker(shown, NodeFilter.SHOW_TEXT);
        while (texts.nextNode())
            if (/\\[(\[]|\\[a-zA-Z]{2,}|\$\$/.test(texts.currentNode.data)
                && !texts.currentNode.parentElement.closest('pre, code, script, style, [data-mjx-error]'))
                errors.push(texts.currentNode.data.trim());
    }
    return [...new Set(errors)];
}"""
SETTLED = """async (mathErrors) => {
    const until = performance.now() + 5000, errors = eval(mathErrors);
    while (errors().length && performance.now() < until) await new Promise(requestAnimationFrame);
    return errors();
}"""
# JupyterLab covers the page with a splash until the theme's colours are there.
THEMED = """name => document.body.dataset.jpThemeName === name && !document.getElementById('jupyterlab-splash')"""
SETTLE = """async () => {
    const place = () => JSON.stringify([...document.querySelectorAll('.jp-Notebook, .jp-Cell-outputWrapper')]
        .map(node => [node.scrollWidth, node.scrollHeight]));
    const fits = () => document.getElementById('jp-main-content-panel').offsetWidth === window.innerWidth;
    for (let calm = 0, frames = 0, before = ''; calm < 10; before = place()) {
        if (frames++ > 1000) throw new Error('JupyterLab does not settle');
        await new Promise(requestAnimationFrame);
        calm = fits() && place() === before ? calm + 1 : 0;
    }
}"""
# The promise is handed over inside an object, because a bare promise would be waited for before the action.
WATCH = """([condition, event, timeout]) => {
    const holds = () => eval(condition);
    if (holds()) throw new Error(`true before the action: ${condition}`);
    let start = null;
    document.addEventListener(event, (e) => { start = e.timeStamp; }, { capture: true, once: true });
    return { painted: new Promise((resolve, reject) => {
        const observer = new MutationObserver(() => {
            if (start === null || !holds()) return;
            observer.disconnect();
            clearTimeout(timer);
            requestAnimationFrame(() => {
                const afterPaint = new MessageChannel();
                afterPaint.port1.onmessage = () => resolve(performance.now() - start);
                afterPaint.port2.postMessage(null);
            });
        });
        const timer = setTimeout(() => {
            observer.disconnect();
            reject(new Error(`never true after ${event}: ${condition}`));
        }, timeout);
        observer.observe(document.body, { subtree: true, childList: true, characterData: true, attributes: true });
    }) };
}"""


class LabPage:
    """One notebook in a fresh browser context; what it asks of any other address is recorded and refused."""

    # Harmless errors that JupyterLab itself raises: its core loses a node when two notebooks are drawn at once, and its
    # debugger asks a kernel that is being restarted.
    console_noise: tuple[str, ...] = (
        "Failed to execute 'removeChild' on 'Node'",
        "Could not restore the debugger state: Canceled future for debug_request",
    )

    def __init__(self, browser: Browser, server: Server, timeout: float = 60) -> None:
        self.server, self.timeout = server, 1000 * timeout
        self.outside_requests: list[str] = []
        self.console_errors: list[str] = []
        size = {"width": 1400, "height": 1000}
        self.context = browser.new_context(viewport=size, device_scale_factor=1, service_workers="block")
        self.context.set_default_timeout(self.timeout)
        outside = re.compile(rf"^(?!(http|ws)://{re.escape(urlsplit(server.url).netloc)}/)")
        self.context.route(outside, self._refuse)
        self.context.route_web_socket(outside, lambda socket: self.outside_requests.append(socket.url))
        self.page = self.context.new_page()
        self.page.on("console", self._note)
        self.page.on("pageerror", self._note_error)

    def _refuse(self, route: Route) -> None:
        self.outside_requests.append(route.request.url)
        route.abort()

    def _note_error(self, error: Error) -> None:
        if not any(noise in (error.message or "") for noise in self.console_noise):
            self.console_errors.append(f"{error}\n{error.stack}")

    def _note(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not any(noise in message.text for noise in self.console_noise):
            self.console_errors.append(message.text)

    def close(self) -> None:
        """End the kernels, so that the next page starts fresh ones, and close the context."""
        try:
            self.page.evaluate("() => window.jupyterapp?.serviceManager.sessions.shutdownAll()")
        finally:
            self.context.close()

    def open(self, notebook_path: str) -> None:
        """Open a notebook, named by its path in the served folder, and wait until its kernel is idle."""
        workspace = f"{self.server.url}lab/workspaces/test-{secrets.token_hex(4)}"
        self.page.goto(f"{workspace}/tree/{quote(notebook_path)}?reset&token={self.server.token}")
        self.page.wait_for_function("() => window.jupyterapp?.shell.currentWidget?.sessionContext")
        self.page.evaluate(OPEN)
        self.page.wait_for_function(IS_IDLE)

    def open_next(self, notebook_path: str) -> None:
        """Open a notebook as `open` does, without loading JupyterLab again if it is there."""
        if self.page.evaluate("() => Boolean(window.jupyterapp)"):
            self.bring(notebook_path)
        else:
            self.open(notebook_path)

    def leave(self) -> None:
        """End the kernels and close the notebooks, without saving; forget what was noted."""
        self.page.evaluate(LEAVE)
        self.console_errors.clear()
        self.outside_requests.clear()

    def bring(self, notebook_path: str) -> None:
        """Bring a notebook to the front, opened beside the others if it is not yet, and wait for its kernel."""
        self.page.evaluate(BRING, notebook_path)
        self.page.evaluate(OPEN)
        self.page.wait_for_function(IS_IDLE)

    def run_all(self, timeout: float = 120) -> None:
        """Run all cells and wait until none is running; JupyterLab stops at the first that fails."""
        self.start_running()
        self.wait_until_run(timeout)

    def start_running(self) -> None:
        """Begin to run all cells, and return at once."""
        self.page.evaluate(RUN_ALL, "notebook:run-all-cells")

    def restart_and_run_all(self) -> None:
        """Restart the kernel, agree to the question whether to, and run all cells."""
        self.page.evaluate(RUN_ALL, "notebook:restart-run-all")
        self.page.locator(".jp-Dialog .jp-mod-accept").click()
        self.wait_until_run()

    def wait_until_run(self, timeout: float = 120) -> None:
        """Wait until no cell is running."""
        self.page.wait_for_function(HAS_RUN, timeout=1000 * timeout)
        self.page.wait_for_function(IS_IDLE)

    def cell(self, index: int) -> Locator:
        """Return a cell of the notebook in front."""
        return self.page.locator(".jp-NotebookPanel:not(.lm-mod-hidden) .jp-Cell").nth(index)

    def output(self, index: int) -> Locator:
        """Return the output of a cell that shows one lab or exercise."""
        return self.cell(index).locator(".jp-OutputArea-output:has(.jupyter-widgets)")

    def check(self) -> None:
        """Check that nothing went wrong since `open`, and that nothing was asked from outside."""
        assert self.errors() == []
        assert self.math_errors() == []
        assert self.console_errors == []
        assert self.outside_requests == []

    def errors(self) -> list[str]:
        """Return each error of the kernel since `open`, raised in a cell or in a widget's callback."""
        return self.page.evaluate("() => window.kernelErrors")

    def math_errors(self) -> list[str]:
        """Return what MathJax reported, and LaTeX that was left as text, though MathJax had time to come and set it."""
        return self.page.evaluate(SETTLED, MATH_ERRORS)

    def compute(self, expression: str) -> str:
        """Return what an expression gives in the kernel, as text."""
        return self.page.evaluate(COMPUTE, expression)

    def live_nodes(self) -> int:
        """Return how many nodes the page holds, on show or not, once what nothing refers to is gone."""
        devtools = self.context.new_cdp_session(self.page)
        devtools.send("HeapProfiler.collectGarbage")
        counts = devtools.send("Memory.getDOMCounters")
        devtools.detach()
        return counts["nodes"]

    def theme(self, name: str) -> None:
        """Change to "JupyterLab Light" or "JupyterLab Dark"."""
        self.page.evaluate("theme => window.jupyterapp.commands.execute('apputils:change-theme', { theme })", name)
        self.page.wait_for_function(THEMED, arg=name)

    def resize(self, width: int, height: int = 900) -> None:
        """Change the size of the page, and wait until JupyterLab has laid itself out."""
        self.page.set_viewport_size({"width": width, "height": height})
        self.page.evaluate(SETTLE)

    def screenshot(self, path: Path, locator: Locator | None = None) -> None:
        (locator or self.page).screenshot(path=path)

    def time_until(self, action: Callable[[], object], condition: str, event: str = "click") -> float:
        """Return the milliseconds from the action's first such event to the first frame painted with a condition true.

        The condition is a JavaScript expression on the document, false before the action.
        """
        watch = self.page.evaluate_handle(WATCH, [condition, event, self.timeout])
        action()
        return watch.evaluate("watch => watch.painted")
