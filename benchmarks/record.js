// Note when a key came, and when each new picture, or formula, is decoded and painted. A picture is the marks in an SVG,
// an image, or a canvas.
async ([index, withFormula]) => {
    const content = window.jupyterapp.shell.currentWidget.content;
    await content.scrollToItem(index, 'start');
    const cell = content.widgets[index].node.querySelector('.jp-Cell-outputWrapper');
    const large = (selector) => [...cell.querySelectorAll(selector)].find(one => one.clientWidth > 400);
    const picture = () => large('svg.by-hand-picture') ?? large('img') ?? large('canvas');
    while (!picture() || !cell.querySelector('.noUi-handle')) await new Promise(requestAnimationFrame);

    const first = picture(), note = { cell, picture: first, pictures: [], formulas: [], pressed: 0, released: 0 };
    const painted = (then) => requestAnimationFrame(() => {
        const channel = new MessageChannel();
        channel.port1.onmessage = () => then(performance.now());
        channel.port2.postMessage(null);
    });
    const paints = () => painted(now => note.pictures.push(now));
    const watch = (node, look, more) => new MutationObserver(look).observe(node, { childList: true, ...more });

    if (first.matches('svg')) {
        watch(first.children[1], paints);
        const ours = window.notes?.[0].picture;
        if (ours) first.style.width = `${ours.clientWidth}px`;  // as large as the lab's
    }
    if (first.matches('img')) {
        let seen = first.src;
        const look = () => {
            const image = large('img');
            if (!image || image.src === seen) return;
            seen = image.src;
            image.decode().then(paints, () => { seen = ''; look(); });  // it was replaced before it was decoded
        };
        cell.addEventListener('load', look, { capture: true });  // a new image has no size before
        watch(cell, look, { subtree: true, attributes: true, attributeFilter: ['src'] });
    }
    const context = first.matches('canvas') && first.getContext('2d');
    if (context) {
        let bytes = null;
        const draw = context.drawImage;
        context.drawImage = (...all) => {
            draw.apply(context, all);
            painted(now => {
                const pixels = context.getImageData(0, 0, first.width, first.height).data;
                const sum = new Uint32Array(pixels.buffer).reduce((sum, one) => (31 * sum + one) | 0, 7);
                if (sum !== bytes) note.pictures.push(now);
                bytes = sum;
            });
        };
    }

    if (withFormula) {
        const formula = () => cell.querySelector('mjx-assistive-mml')?.textContent;
        while (!formula()) await new Promise(requestAnimationFrame);
        let math = formula();
        watch(cell, () => {
            const next = formula();
            if (!next || next === math) return;
            math = next;
            painted(now => note.formulas.push(now));
        }, { subtree: true });
    }

    document.addEventListener('keydown', (event) => { note.pressed = event.timeStamp; }, { capture: true });
    document.addEventListener('pointerup', (event) => { note.released = event.timeStamp; }, { capture: true });
    window.notes = { ...window.notes, [index]: note };
}
