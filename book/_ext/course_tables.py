"""Tables that a phone can show: three columns of words become, on a narrow screen, one block for each row.

The stylesheet does the stacking (`table.stack`); here such tables are found, and each cell is given the head of its
column to say what it holds, which only the narrow screen shows.
"""

from docutils import nodes
from sphinx.application import Sphinx

MANY_COLUMNS = 3
WORDY = 20                  # characters in the longest cell of a column that needs room


def holds_words(table: nodes.table) -> bool:
    """Whether at least two columns beside the first are too wide to stand side by side on a phone."""
    rows = [row.children for body in table.findall(nodes.tbody) for row in body.findall(nodes.row)]
    columns = list(zip(*rows, strict=False))
    if len(columns) < MANY_COLUMNS:
        return False
    return sum(max(len(cell.astext()) for cell in column) > WORDY for column in columns[1:]) > 1


def stack_tables(app: Sphinx, doctree: nodes.document) -> None:
    """Mark the tables of a page that are stacked on narrow screens."""
    for table in doctree.findall(nodes.table):
        if not (table.next_node(nodes.thead) and holds_words(table)):
            continue
        table["classes"].append("stack")
        heads = [entry.astext() for entry in table.next_node(nodes.thead).findall(nodes.entry)]
        for row in table.next_node(nodes.tbody).findall(nodes.row):
            for head, entry in list(zip(heads, row.children, strict=False))[1:]:
                text = entry.next_node(nodes.paragraph)
                if head and text:
                    text.insert(0, nodes.inline("", f"{head}: ", classes=["column-head"]))
