// A picture of marks over a frame. What is dragged, clicked, hovered or keyed on a mark goes to the kernel, in pixels of
// the picture; the kernel answers with new marks, and says when it is done.

const BUSY_AFTER = 200; // milliseconds
const NARROW = 640; // pixels
const LARGEST = 1.2; // times as large as drawn
const KEYS = ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "PageUp", "PageDown", "Home", "End"];

function render({ model, el }) {
    el.innerHTML = `<svg class="by-hand-picture" xmlns="http://www.w3.org/2000/svg" role="group"><g></g><g></g>
        <g class="waiting"><circle r="4" class="fill purple"/></g></svg><p role="alert" class="by-hand-gone" hidden></p>`;
    const [svg, gone] = el.children, [frame, marks, waiting] = svg.children;

    const show = (place, text) => { place.innerHTML = text; };
    const showFrame = () => {
        const [width, height] = model.get("size");
        svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
        svg.style.maxWidth = `${width * LARGEST}px`;
        waiting.setAttribute("transform", `translate(${width - 8},8)`);
        show(frame, model.get("frame"));
    };
    const showMarks = () => {
        const key = document.activeElement?.closest?.("[data-touch]");
        const held = key && svg.contains(key) ? key.dataset.touch : null;
        show(marks, model.get("marks"));
        svg.setAttribute("aria-label", model.get("alt"));
        if (held) svg.querySelector(`[data-touch="${held}"]`)?.focus({ preventScroll: true });
    };
    model.on("change:frame", showFrame);
    model.on("change:marks", showMarks);
    model.on("change:alt", () => svg.setAttribute("aria-label", model.get("alt")));
    showFrame();
    showMarks();

    // Busy, from a move until the kernel has shown it. Two events are under way at most; the newest of the others waits.
    // Two, and the end of a drag at once, because Jupyter's server holds an answer back until the page has sent something
    // since the last, or for 40 ms (Nagle's algorithm): one event lets the answer to the one before through.
    let timer = null, underWay = 0, next = null;
    const begin = () => { timer ??= setTimeout(() => svg.classList.add("busy"), BUSY_AFTER); };
    const send = (event, most = 2) => {
        next = underWay < most ? null : event;
        if (next) return;
        underWay += 1;
        begin();
        model.send(event);
    };
    model.on("msg:custom", ({ done, answered }) => {
        if (!done && !answered) return;
        clearTimeout(timer);
        timer = null;
        svg.classList.remove("busy");
        if (answered) underWay = Math.max(0, underWay - 1);
        if (next) send(next);
    });

    // The controls beside the picture: a move of theirs makes it busy, and if their kernel goes, the picture says so.
    let controls = [];
    const died = () => {
        if (!controls.length || controls[0].comm_live) return;
        gone.textContent = model.get("gone");
        gone.hidden = false;
        svg.classList.add("stale");
    };
    Promise.all(model.get("controls").map((id) => model.widget_manager.get_model(id.replace("IPY_MODEL_", ""))))
        .then((found) => {
            controls = found;
            for (const control of found) control.on("change:value", begin);
            found[0]?.on("comm_live_update", died);
        });

    // How much room there is: a new width, not a new height, may change the picture.
    let width = 0;
    const room = new ResizeObserver(() => {
        if (!el.clientWidth || el.clientWidth === width) return;
        width = el.clientWidth;
        model.set("is_narrow", width < NARROW);
        model.save_changes();
    });
    room.observe(el);

    // Where a pointer is, in pixels of the picture.
    const at = ({ clientX, clientY }) => {
        const point = new DOMPoint(clientX, clientY).matrixTransform(svg.getScreenCTM().inverse());
        return { x: point.x, y: point.y };
    };
    let dragged = null;
    const touched = (event) => event.target.closest?.("[data-touch]");
    svg.addEventListener("pointerdown", (event) => {
        const mark = touched(event);
        if (!mark || event.button) return;
        dragged = mark.dataset.touch;
        svg.setPointerCapture(event.pointerId);
        mark.focus({ preventScroll: true });
        event.preventDefault();
        send({ touch: dragged, ...at(event) });
    });
    svg.addEventListener("pointermove", (event) => {
        const name = dragged ?? touched(event)?.closest("[data-hover]")?.dataset.touch;
        if (name) send({ touch: name, ...at(event) });
    });
    svg.addEventListener("pointerup", (event) => {
        if (dragged) send({ touch: dragged, ...at(event) }, Infinity);
        dragged = null;
    });
    svg.addEventListener("pointercancel", () => { dragged = null; });
    svg.addEventListener("keydown", (event) => {
        const mark = touched(event);
        if (!mark || !KEYS.includes(event.key) || event.ctrlKey || event.metaKey || event.altKey) return;
        event.preventDefault();
        event.stopPropagation();
        send({ touch: mark.dataset.touch, key: event.key });
    });
    return () => {
        room.disconnect();
        controls.forEach((control) => { control.off("change:value", begin); control.off("comm_live_update", died); });
    };
}

export default { render };
