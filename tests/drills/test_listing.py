"""No loader and no writer can escape the drills: every public function that takes a path is in one of their lists."""

import ast
from pathlib import Path

import course_utils
from tests.drills.loaders import LOADERS
from tests.drills.writers import WRITERS

PACKAGE = Path(course_utils.__file__).parent
NEITHER = {
    "checkpoint.require_parts": "takes what was read; the path is for its message",
    "checkpoint.require_settings": "takes what was read; the path is for its message",
    "data.cached.shared_twin": "names a folder",
    "data.npz.read_npz": "read with by the loaders of such files",
    "data.folders.refuse_existing": "looks, and reads nothing",
    "data.folders.settle": "renames what the writers of folders have filled",
    "data.folders.warn_not_kept": "warns; the path is for its message",
    "deploy.build.build": "starts compilers, which write",
    "files.digest": "sums up bytes, whatever they are",
    "files.plain_file": "looks, and reads nothing",
    "sim2real.landsat8.landsat8": "reads by data.real.read_labelled_npz",
    "sim2real.sky.sky": "reads by data.sky.read_sky_folder",
}


def public_functions(path):
    """Functions, methods and classes of a module that take or hold a path."""
    module = ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__")

    def takes_path(arguments):
        return any("Path" in ast.unparse(one.annotation) and "Callable" not in ast.unparse(one.annotation)
                   for one in arguments if one.annotation is not None)

    def visit(nodes, prefix):
        for node in nodes:
            if isinstance(node, ast.FunctionDef):
                public = node.name == "__init__" or not node.name.startswith("_")
                if public and takes_path([*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]):
                    yield prefix if node.name == "__init__" else f"{prefix}.{node.name}"
            elif isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                yield from visit(node.body, f"{prefix}.{node.name}")

    yield from visit(ast.parse(path.read_text(encoding="utf-8")).body, module)


def test_every_function_that_takes_a_path_is_drilled():
    found = {name for path in PACKAGE.rglob("*.py") for name in public_functions(path)}
    drilled = {name for one in LOADERS.values() for name in one.reads} | {
        name for one in WRITERS.values() for name in one.writes}
    assert sorted(found - drilled - set(NEITHER)) == []
