"""Printed output as it was printed.

A kernel sends one `print` in several pieces when it is busy. myst-nb's own `nb_merge_streams` ends every piece with a
new line, so that "653 pixels" may become two lines; here the pieces are joined as they are.
"""

from docutils import nodes
from sphinx.application import Sphinx


def is_printed(node: nodes.Node) -> bool:
    """Whether a node is a piece of what a cell printed."""
    return isinstance(node, nodes.literal_block) and {"output", "stream"} <= set(node["classes"])


def join_streams(app: Sphinx, doctree: nodes.document) -> None:
    """Join the pieces of printed output that follow each other directly."""
    for block in [node for node in doctree.findall(nodes.literal_block) if is_printed(node)]:
        position = block.parent.index(block)
        before = block.parent[position - 1] if position else None
        if before is not None and is_printed(before):
            text = before.astext() + block.astext()
            joined = nodes.literal_block(text, text, **before.attributes)
            joined.source, joined.line = before.source, before.line
            block.parent.remove(block)
            before.replace_self(joined)
