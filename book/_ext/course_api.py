"""The package's reference: the directive ``api`` writes it from docstrings, each chapter lists what it took from it."""

import ast
import dataclasses
import importlib
import inspect
import pkgutil
import re
from collections.abc import Callable, Iterator
from types import ModuleType

from docutils import nodes
from docutils.parsers.rst import Directive
from docutils.statemachine import StringList
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.domains.python import PyObject

PACKAGE = "course_utils"
NOT_LISTED = ("checks", "__main__")     # marks exercises; the command line
EXERCISES = f"{PACKAGE}.checks."         # a module for each chapter, which defines nothing but marks
RESULTS = ("Returns:", "Yields:")       # sections of a docstring
FIELD = re.compile(r"^:(?:param (\w+)|(returns)): ")


class Api(Directive):
    """Describe rooms of the package, named one a line; every module under a heading of its own."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        """Write what autodoc reads, and have it read."""
        modules = [module for room in self.content for module in modules_of(f"{PACKAGE}.{room.strip()}")]
        lines = [line for module in modules for line in entry(importlib.import_module(module))]
        self.state.nested_parse(StringList(lines, source=__file__), 0, self.state.parent, match_titles=True)
        return []


def modules_of(room: str) -> Iterator[str]:
    """A room by its full name, then the modules in it if it is a package, without those of the chapters' exercises."""
    yield room
    folder = getattr(importlib.import_module(room), "__path__", [])
    names = [module.name for module in pkgutil.iter_modules(folder, f"{room}.")]
    yield from (name for name in names
                if not name.startswith(EXERCISES) or defined_in(importlib.import_module(name)))


def defined_in(module: ModuleType) -> list[str]:
    """The public functions and classes that are written in a module, in the order of the file."""
    public = [(name, value) for name, value in vars(module).items()
              if not name.startswith("_") and (inspect.isfunction(value) or inspect.isclass(value))]
    own = [(name, value) for name, value in public if value.__module__ == module.__name__]
    return [name for name, value in sorted(own, key=lambda item: inspect.getsourcelines(item[1])[1])]


def entry(module: ModuleType) -> list[str]:
    """What autodoc is to read for a module: heading, docstring, and all that is defined in it."""
    title = module.__name__.removeprefix(f"{PACKAGE}.")
    lines = ["", title, "-" * len(title), "", f".. automodule:: {module.__name__}", ""]
    for name in defined_in(module):
        value = getattr(module, name)
        lines += [f".. auto{kind_of(value)}:: {module.__name__}.{name}"]
        lines += [f"   :members: {', '.join(methods)}" for methods in [methods_of(value)] if methods]
        lines += [""]
    return lines


def kind_of(value: type | Callable) -> str:
    """What autodoc calls it."""
    if not inspect.isclass(value):
        return "function"
    return "exception" if issubclass(value, BaseException) else "class"


def methods_of(value: type | Callable) -> list[str]:
    """Public methods and properties that a class adds and that its own docstring does not describe."""
    if not inspect.isclass(value):
        return []
    described = re.findall(r"^ *(\w+): ", value.__doc__ or "", re.MULTILINE)
    kinds = (property, classmethod, staticmethod)
    return [name for name, part in vars(value).items() if not name.startswith("_") and name not in described
            and (inspect.isfunction(part) or isinstance(part, kinds)) and part.__doc__]


def readable(app: Sphinx, what: str, name: str, obj: object, options: dict, signature: str | None, returns: str | None):
    """Write as Python what is none in a signature: defaults that a dataclass makes anew, paths, classes.

    What a protocol is made from says nothing.
    """
    if getattr(obj, "_is_protocol", False):
        return "", returns
    if signature:
        for field in dataclasses.fields(obj) if dataclasses.is_dataclass(obj) else ():
            if field.default_factory is not dataclasses.MISSING:
                signature = signature.replace("<factory>", f"{field.default_factory.__name__}()", 1)
        signature = re.sub(r"<class '(?:\w+\.)*(\w+)'>", r"\1", signature).replace("PosixPath(", "Path(")
    return signature, returns


def keep_result_whole(app: Sphinx, what: str, name: str, obj: object, options: dict, lines: list[str]):
    """Leave what a docstring says of a result in one piece; napoleon would take the words before a colon for a type.

    The docstring of a property is all of it about a result.

    Example:
        >>> lines = ["Returns:", "    (H, W): a mask."]
        >>> keep_result_whole(None, "function", "", None, {}, lines)
        >>> lines[1]
        '    : (H, W): a mask.'
    """
    for number in range(1, len(lines)):
        if lines[number - 1] in RESULTS:
            lines[number] = re.sub(r"(?=\S)", ": ", lines[number], count=1)
    if what == "property":
        lines[0] = f": {lines[0]}"


def shorten_types(app: Sphinx, what: str, name: str, obj: object, options: dict, lines: list[str]) -> None:
    """Show only the last word of an attribute's type, as signatures do.

    Example:
        >>> lines = [":vartype files: tuple[course_utils.data.registry.RemoteFile, ...]"]
        >>> shorten_types(None, "class", "", None, {}, lines)
        >>> lines
        [':vartype files: tuple[~course_utils.data.registry.RemoteFile, ...]']
    """
    for number, line in enumerate(lines):
        if line.startswith(":vartype "):
            lines[number] = re.sub(r"(?:\w+\.)+\w+", r"~\g<0>", line)


def list_shared(app: Sphinx, what: str, name: str, obj: object, options: dict, lines: list[str]) -> None:
    """List what the functions of a module share, said in its docstring; Sphinx sets such fields for functions only.

    Example:
        >>> lines = [":param size: pixels", "             along a side."]
        >>> list_shared(None, "module", "", None, {}, lines)
        >>> lines
        ['- **size** – pixels along a side.']
    """
    if what != "module":
        return
    whole = []
    for line in lines:
        if whole and FIELD.match(whole[-1]) and line.startswith(" "):
            whole[-1] += f" {line.strip()}"
        else:
            whole.append(line)
    lines[:] = [FIELD.sub(lambda field: f"- **{field[1] or field[2]}** – ", line) for line in whole]


def say_attributes() -> None:
    """Head the list of a class's attributes as the docstrings do; Sphinx says "Variables"."""
    next(field for field in PyObject.doc_field_types if field.name == "variable").label = "Attributes"


def names_used(code: str) -> list[str]:
    """What some code takes from the package, in order of first use.

    Args:
        code: Python, as in the cells of a chapter; cells that are no Python (magics) are to be left out.

    Returns:
        Full names of the modules' functions and classes, under the module that defines them.
    """
    tree = ast.parse(code)
    imported = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == PACKAGE:
            imported |= {alias.asname or alias.name: find(node.module, alias.name) for alias in node.names}
    used = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            used.setdefault((node.lineno, node.col_offset), imported.get(node.id))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            module = imported.get(node.value.id)
            if isinstance(module, ModuleType):
                used[node.lineno, node.col_offset] = getattr(module, node.attr, None)
    found = [value for _, value in sorted(used.items()) if inspect.isfunction(value) or inspect.isclass(value)]
    return list(dict.fromkeys(f"{value.__module__}.{value.__qualname__}" for value in found))


def find(module: str, name: str) -> object:
    """What ``from module import name`` gives."""
    value = getattr(importlib.import_module(module), name, None)
    return importlib.import_module(f"{module}.{name}") if value is None else value


def list_names(app: Sphinx, doctree: nodes.document) -> None:
    """Close each chapter with links to what it took from the package."""
    docname = app.env.docname
    if "chapter" not in app.env.metadata.get(docname, {}):
        return
    cells = [block.astext() for block in doctree.findall(nodes.literal_block) if block.get("language") == "ipython3"]
    code = "\n".join(cell for cell in cells if is_python(cell))
    names = [name for name in names_used(code) if name.split(".")[1] not in NOT_LISTED]
    if not names:
        return
    line = nodes.paragraph("", "", nodes.strong("", "From the package: "), classes=["from-the-package"])
    for name in names:
        link = addnodes.pending_xref("", nodes.literal("", name.rpartition(".")[2]), refdomain="py", reftype="obj",
                                     reftarget=name, refdoc=docname, refwarn=True)
        line += [link, nodes.Text(", " if name != names[-1] else "")]
    next(doctree.findall(nodes.section)).append(line)


def is_python(cell: str) -> bool:
    """Whether a cell is Python alone, without the shell's or IPython's own commands."""
    try:
        ast.parse(cell)
    except SyntaxError:
        return False
    return True
