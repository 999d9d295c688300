"use strict";

// What is wider than the page scrolls in its own box: let the keyboard reach the box. The theme does so for code, but
// not for what is folded away when the page loads.
const WIDE = 'mjx-container[display="true"], .highlight pre, .bd-article table, .cell_output .text_html, figure';

function reachWideBoxes() {
  for (const box of document.querySelectorAll(WIDE)) {
    if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
    else box.removeAttribute("tabindex");
  }
}

window.addEventListener("load", async () => {
  await window.MathJax?.startup?.promise;
  reachWideBoxes();
  window.addEventListener("resize", reachWideBoxes);
  document.addEventListener("click", reachWideBoxes);
  document.addEventListener("toggle", reachWideBoxes, { capture: true });
});

// Paper is white: what is printed from the dark is printed as in the light.
const root = document.documentElement;
window.addEventListener("beforeprint", () => {
  root.dataset.shown = root.dataset.theme;
  root.dataset.theme = "light";
});
window.addEventListener("afterprint", () => {
  root.dataset.theme = root.dataset.shown;
});
