// In every front end: while a box lives, the still picture before it gives way, keys that it may use are its own, and the
// notebook says in which language it is.

const FRAMES = 600; // how long a box waits until it stands on the page

function render({ model, el }) {
    let box = null, still = null, frames = 0;
    // The still of a box is the last one before it, in the nearest place that holds both.
    const before = (place) => [...place.querySelectorAll(".lesson-still")]
        .filter((each) => each.compareDocumentPosition(el) & Node.DOCUMENT_POSITION_FOLLOWING).at(-1);
    const settle = () => {
        box = el.closest(".by-hand");
        for (let place = box; place && !still; place = place.parentElement) still = before(place);
        (el.closest(".jp-Notebook") ?? box)?.setAttribute("lang", model.get("language"));  // the text around it, too
        if (still) still.hidden = true;
        else if (frames++ < FRAMES) requestAnimationFrame(settle);
    };
    settle();

    // A letter or an arrow is no shortcut here: some front ends take one on its way up, others before it gets here.
    const isOwn = ({ key, ctrlKey, metaKey, altKey }) => key !== "Enter" && !(ctrlKey || metaKey || altKey);
    const up = (event) => { if (isOwn(event)) event.stopPropagation(); };
    const down = (event) => {
        if (!box?.contains(event.target)) return;
        event.target.toggleAttribute("data-lm-suppress-shortcuts", isOwn(event));
        box.addEventListener("keydown", up);
    };
    window.addEventListener("keydown", down, true);
    return () => {
        window.removeEventListener("keydown", down, true);
        if (still) still.hidden = false;
    };
}

export default { render };
