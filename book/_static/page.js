"use strict";

// The search reads each page it has found, for a few lines of it. A site opened as files may not: show titles alone.
if (location.protocol === "file:") DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;

// What is wider than the page scrolls in its own box: let the keyboard reach the box. The theme does so for code, but
// not for what is folded away when the page loads.
function reachWideBoxes() {
  for (const box of document.querySelectorAll('mjx-container[display="true"], .highlight pre')) {
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
