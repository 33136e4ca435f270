// What is too wide for the screen can be scrolled with the keyboard too.
function makeWideReachable() {
  for (const box of document.querySelectorAll('pre, .output, .wide')) {
    if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
    else box.removeAttribute('tabindex');
  }
}
addEventListener('resize', makeWideReachable);
makeWideReachable();
