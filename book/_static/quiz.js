// Shows the feedback of the chosen answers of a quiz; the questions and the feedback are already on the page.
"use strict";

// The rule of a numeric question that a number meets; the last one with type "default" catches the rest.
function matchingRule(number, { rules, precision }) {
  const rounded = precision ? Number(number.toPrecision(precision)) : number;
  const close = (a, b) => Math.abs(a - b) <= 1e-9 * Math.max(1, Math.abs(b));
  const met = rules.findIndex((rule) =>
    rule.type === "value" ? close(rounded, rule.value)
      : rule.type === "range" ? rounded >= rule.range[0] && rounded < rule.range[1] : false);
  return met >= 0 ? met : rules.findIndex((rule) => rule.type === "default");
}

function show(fieldset, chosen) {
  for (const feedback of fieldset.querySelectorAll(".quiz-feedback > div")) {
    feedback.hidden = !chosen.includes(Number(feedback.dataset.answer));
  }
}

function answer(fieldset) {
  const numeric = fieldset.querySelector("[data-numeric]");
  if (!numeric) {
    show(fieldset, [...fieldset.querySelectorAll("input:checked")].map((input) => Number(input.value)));
    return;
  }
  const number = Number(numeric.value.trim().replace(",", "."));
  const isNumber = numeric.value.trim() !== "" && !Number.isNaN(number);
  numeric.setAttribute("aria-invalid", String(!isNumber));
  show(fieldset, isNumber ? [matchingRule(number, JSON.parse(numeric.dataset.numeric))] : []);
}

for (const quiz of document.querySelectorAll("form.quiz")) {
  quiz.reset();
  quiz.addEventListener("change", (event) => {
    if (event.target.type !== "text") answer(event.target.closest("fieldset"));
  });
  quiz.addEventListener("submit", (event) => {
    event.preventDefault();
    // Enter in a field submits with the form's first button: the focus tells which question is meant.
    answer(document.activeElement.closest("fieldset") ?? event.submitter.closest("fieldset"));
  });
}
