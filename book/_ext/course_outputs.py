"""Printed output as it was printed.

A kernel sends one `print` in several pieces when it is busy. myst-nb's own `nb_merge_streams` ends every piece with a
new line, so that "653 pixels" may become two lines; here the pieces are joined as they are. A check breaks its lines
for a terminal; the page breaks them itself, for every width.
"""

import re

from docutils import nodes
from sphinx.application import Sphinx

TERMINAL = 76               # letters in a line of a check (course_utils.checks.core)
VERDICT = re.compile(r"(?m)^[✓✗] ")
CONTINUED = re.compile(r" {4}(\S+)")


def is_printed(node: nodes.Node) -> bool:
    """Whether a node is a piece of what a cell printed."""
    return isinstance(node, nodes.literal_block) and {"output", "stream"} <= set(node["classes"])


def unwrap(text: str) -> str:
    """What a check printed, without the breaks of its long lines."""
    lines, row = [], ""
    for following in text.split("\n"):
        rest = CONTINUED.match(following)
        if rest and len(row) + 1 + len(rest[1]) > TERMINAL:
            lines[-1] += " " + following.strip()
        else:
            lines.append(following)
        row = following
    return "\n".join(lines)


def rewrite(block: nodes.literal_block, text: str) -> None:
    """Put a block with another text in the place of one."""
    new = nodes.literal_block(text, text, **block.attributes)
    new.source, new.line = block.source, block.line
    block.replace_self(new)


def join_streams(app: Sphinx, doctree: nodes.document) -> None:
    """Join the pieces of printed output that follow each other directly, and the lines of a check."""
    for block in [node for node in doctree.findall(nodes.literal_block) if is_printed(node)]:
        position = block.parent.index(block)
        before = block.parent[position - 1] if position else None
        if before is not None and is_printed(before):
            block.parent.remove(block)
            rewrite(before, before.astext() + block.astext())
    for block in [node for node in doctree.findall(nodes.literal_block) if is_printed(node)]:
        if VERDICT.search(block.astext()):
            rewrite(block, unwrap(block.astext()))
