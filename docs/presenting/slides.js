// Keys move through the slides; the address names the slide that is shown. Without this script the deck still scrolls.
const slides = [...document.querySelectorAll('section')];
const steps = { ArrowRight: 1, ArrowDown: 1, PageDown: 1, ' ': 1, ArrowLeft: -1, ArrowUp: -1, PageUp: -1 };
let shown = 0;

const isTall = () => slides[shown].offsetHeight > innerHeight + 1;

function mark(index) {
  shown = index;
  history.replaceState(null, '', `#${slides[shown].id}`);
}

function show(index) {
  mark(Math.max(0, Math.min(slides.length - 1, index)));
  slides[shown].scrollIntoView();
  slides[shown].focus({ preventScroll: true });
}

function target({ key, shiftKey }) {
  if (key === 'Home') return 0;
  if (key === 'End') return slides.length - 1;
  if (/Arrow(Up|Down)/.test(key) && isTall()) return undefined; // these scroll what does not fit
  return key in steps ? shown + (shiftKey && key === ' ' ? -1 : steps[key]) : undefined;
}

addEventListener('keydown', (event) => {
  const index = target(event);
  if (index === undefined || event.ctrlKey || event.altKey || event.metaKey) return;
  event.preventDefault();
  show(index);
});

// Whoever scrolls instead: the slide in the middle of the screen is the one shown.
addEventListener('scroll', () => {
  const middle = slides.findIndex((slide) => slide.getBoundingClientRect().bottom > innerHeight / 2);
  if (middle >= 0 && middle !== shown) mark(middle);
});
addEventListener('resize', () => slides[shown].scrollIntoView());
