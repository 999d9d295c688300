"use strict";

// The few lines that the search shows of a page it has found. Sphinx's own takes a page's text as one string, in which
// neighbours run together and formulas are TeX, and looks there for the stem of a word ("accuraci").

// A site opened as files cannot read its pages: show titles alone.
if (location.protocol === "file:") DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;

const NO_PROSE = "h1, .chapter-facts, .headerlink, script, style, summary, .solution, .quiz-count, .quiz-feedback";
const INLINE = "a, b, code, em, i, span, strong, sub, sup, wbr";
const LONGEST = 240;        // characters of an excerpt
const BEFORE = 80;          // of these stand before the first word that was searched for
const stems = new Map();

function stemOf(word) {
  if (!stems.has(word)) stems.set(word, new Stemmer().stemWord(word.toLowerCase()));
  return stems.get(word);
}

// The page, or the part of it that an anchor names; with a term goes what it means.
function found(html, anchor) {
  const page = new DOMParser().parseFromString(html, "text/html");
  const part = (anchor && page.getElementById(anchor.slice(1))) || page.querySelector("article");
  if (!part.matches("dt")) return part;
  const entry = page.createElement("div");
  entry.append(...part.childNodes, ": ", part.nextElementSibling);
  return entry;
}

// What a reader reads: words of neighbouring blocks are apart; of the formulas, the simple ones.
function textOf(part) {
  for (const formula of part.querySelectorAll(".math")) {
    const tex = formula.textContent.replace(/^\s*\\[([]|\\[)\]]\s*$/g, "");
    formula.textContent = /[\\{]/.test(tex) ? "…" : tex;
  }
  for (const block of part.querySelectorAll(`:not(${INLINE})`)) block.before(" "), block.after(" ");
  return part.textContent.replace(/\s+/g, " ").trim();
}

// Where in a text the most of the words stand together, and how many of them.
function place(text, words) {
  const isIn = (sought, word) => stemOf(word) === sought || (sought.length > 2 && word.toLowerCase().includes(sought));
  const hits = [...text.matchAll(/[\p{Letter}\p{Number}_]+/gu)].flatMap(({ 0: word, index }) =>
    words.filter((sought) => isIn(sought, word)).map((sought) => ({ index, sought })));
  const near = (hit) => hits.filter(({ index }) => index >= hit.index && index < hit.index + LONGEST - BEFORE);
  return hits.reduce((best, hit) => {
    const count = new Set(near(hit).map(({ sought }) => sought)).size;
    return count > best.count ? { index: hit.index, count } : best;
  }, { index: 0, count: 0 });
}

// Whole words around a place.
function excerpt(text, index) {
  const start = Math.min(index - BEFORE, text.length - LONGEST) <= 0 ? 0 : text.indexOf(" ", index - BEFORE) + 1;
  const end = start + LONGEST >= text.length ? text.length : text.lastIndexOf(" ", start + LONGEST);
  return (start ? "… " : "") + text.slice(start, end) + (end < text.length ? " …" : "");
}

// Sentences first: code and tables are shown where more of the words stand in them.
Search.makeSearchSummary = (html, keywords, anchor) => {
  const part = found(html, anchor), words = [...keywords];
  part.querySelectorAll(NO_PROSE).forEach((box) => box.remove());
  const whole = textOf(part);
  part.querySelectorAll("pre, table").forEach((box) => box.remove());
  const prose = textOf(part);
  const [inWhole, inProse] = [whole, prose].map((text) => place(text, words));
  const lines = document.createElement("p");
  lines.className = "context";
  lines.textContent = inWhole.count > inProse.count ? excerpt(whole, inWhole.index) : excerpt(prose, inProse.index);
  return lines;
};

// Words of one or two letters are not marked, here and on the page that is opened: the U of U-Net stands everywhere.
const parse = Search._parseQuery;
Search._parseQuery = (query) => {
  const parsed = parse(query), marked = parsed[3];
  marked.forEach((word) => word.length < 3 && marked.delete(word));
  localStorage.setItem("sphinx_highlight_terms", [...marked].join(" "));
  return parsed;
};

// A long name breaks at its dots.
const perform = Search._performSearch;
Search._performSearch = (...sought) => perform(...sought).map(
  ([page, title, ...rest]) => [page, title.replace(/\.(?=\w)/g, ".<wbr>"), ...rest]);
