// A formula that is wider than the page scrolls in its own box: let the keyboard reach the box.
"use strict";

function reachWideFormulas() {
  for (const box of document.querySelectorAll('mjx-container[display="true"]')) {
    if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
    else box.removeAttribute("tabindex");
  }
}

window.addEventListener("load", async () => {
  await window.MathJax?.startup?.promise;
  reachWideFormulas();
  window.addEventListener("resize", reachWideFormulas);
});
