"""Quizzes on the site: the questions of `display_quiz`, as a form that a keyboard and a screen reader can use.

In JupyterLab jupyterquiz shows the quiz itself. Its output carries the questions; here they become plain HTML,
and `_static/quiz.js` shows the feedback of the chosen answer.
"""

import html
import json
import random
import re

from course_spaces import SHORT_CODE
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError

QUESTIONS = re.compile(r"\bvar questions\w+\s*=\s*(?=\[)")
MATH = re.compile(r"\$\$(?P<block>[^$]+)\$\$|\$(?P<inline>[^$]+)\$")
LINK = re.compile(r"\[([^\]]+)\]\(([^)\s]+)\)")
OWNER = re.compile(r"(?<=\w\w)'(?=s\b)")           # the model's; strings in code look otherwise
CODE = re.compile(rf"<code>(?=[^<]{{1,{SHORT_CODE}}}</code>)")      # in one line, as in the prose
INPUTS = {"multiple_choice": "radio", "many_choice": "checkbox"}


def rich_text(text: str) -> str:
    r"""A quiz's text as HTML: `$x$` and `$$x$$` become formulas, `[text](url)` a link, 's has a curved apostrophe.

    Example:
        >>> rich_text("Is $x$ <b>big</b>?")
        'Is <span class="math notranslate nohighlight">\\(x\\)</span> <b>big</b>?'
    """

    def formula(match: re.Match) -> str:
        if match["block"]:
            return f'<span class="math notranslate nohighlight">\\[{html.escape(match["block"])}\\]</span>'
        return f'<span class="math notranslate nohighlight">\\({html.escape(match["inline"])}\\)</span>'

    text = MATH.sub(formula, OWNER.sub("\N{RIGHT SINGLE QUOTATION MARK}", text))
    return CODE.sub('<code class="unbroken">', LINK.sub(r'<a href="\2">\1</a>', text))


def answer_field(question: dict, name: str) -> str:
    """The inputs of one question and the feedback of each of its answers (hidden until it is chosen).

    Choices stand in an order that looks random and is the same in every build: authors write the right one first.
    """
    kind, answers = question["type"], list(question["answers"])
    if kind in INPUTS:
        random.Random(question["question"]).shuffle(answers)
    if kind == "numeric" and not any(answer["type"] == "default" for answer in answers):
        answers.append({"type": "default"})
    feedback = "".join(
        f'<div hidden data-answer="{i}" class="{"right" if a.get("correct") else "wrong"}">'
        f"{rich_text(a.get('feedback') or ('Correct.' if a.get('correct') else 'Not this one.'))}</div>"
        for i, a in enumerate(answers)
    )
    status = f'<div class="quiz-feedback" role="status">{feedback}</div>'
    if kind == "numeric":
        rules = [{key: a[key] for key in ("type", "value", "range") if key in a} for a in answers]
        data = html.escape(json.dumps({"rules": rules, "precision": question.get("precision")}))
        return (
            f'<div class="quiz-number"><label>Your number <input type="text" inputmode="decimal" name="{name}" '
            f'autocomplete="off" data-numeric="{data}"></label> <button type="submit">Check</button></div>{status}'
        )
    if kind not in INPUTS:
        raise ExtensionError(f"quiz question of type {kind!r}: expected multiple_choice, many_choice or numeric")
    options = "".join(
        f'<label><input type="{INPUTS[kind]}" name="{name}" value="{i}"> <span>{rich_text(a.get("answer", ""))}'
        + (f"<code>{a['code']}</code>" if "code" in a else "")
        + "</span></label>"
        for i, a in enumerate(answers)
    )
    return f'<div class="quiz-answers">{options}</div>{status}'


def quiz_html(questions: list[dict]) -> str:
    """A whole quiz as an HTML form, one fieldset per question.

    Args:
        questions: jupyterquiz's list, of types multiple_choice, many_choice and numeric.

    Returns:
        The HTML; it works without a script except that feedback stays hidden.

    Raises:
        ExtensionError: if a question is of another type or has no correct answer.
    """
    fields = []
    for number, question in enumerate(questions, start=1):
        if not any(answer.get("correct") for answer in question["answers"]):
            raise ExtensionError(f"quiz question {number} has no correct answer: {question['question']!r}")
        code = f'<pre><code>{question["code"]}</code></pre>' if "code" in question else ""
        fields.append(
            f'<fieldset><legend><span class="quiz-count">{number} of {len(questions)}</span> '
            f"{rich_text(question['question'])}</legend>{code}{answer_field(question, f'quiz-{number}')}</fieldset>"
        )
    return f'<form class="quiz" aria-label="Quiz">{"".join(fields)}</form>'


def replace_quizzes(app: Sphinx, doctree: nodes.document) -> None:
    """Replace each output of `display_quiz` on the page by the form made from the same questions."""
    containers = doctree.findall(nodes.container)
    for bundle in [node for node in containers if node.get("nb_element") == "mime_bundle"]:
        texts = [raw.astext() for raw in bundle.findall(nodes.raw)]
        if any("data-shufflequestions=" in text for text in texts):
            bundle.parent.remove(bundle)
            continue
        for text in texts:
            start = QUESTIONS.search(text)
            if start:
                questions, _ = json.JSONDecoder().raw_decode(text, start.end())
                rendered = quiz_html(questions)
                bundle.replace_self(nodes.raw("", rendered, format="html"))
                if r"\(" in rendered or r"\[" in rendered:
                    app.env.get_domain("math").data["has_equations"][app.env.docname] = True
