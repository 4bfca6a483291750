"""The predictor class, as far as its source tells: no user code is run here.

Only what is certain is a fault. Whatever this cannot see (classes that are imported, inherited, decorated or made by
code) is left to the first worker, which has the class itself.
"""

from __future__ import annotations

import ast
import inspect
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from insula.errors import ProjectError
from insula.project.contract import CONSTRUCTOR, PREDICT, unknown_parameters
from insula.records import frozen
from insula.structure import nearest

# Names by which a module can bind others that stand nowhere in it.
_DYNAMIC = frozenset(
    {
        "__dict__",
        "__getattr__",
        "eval",
        "exec",
        "globals",
        "import_module",
        "locals",
        "modules",
        "setattr",
        "vars",
    }
)


# Extension modules, with whatever tag their suffix has, end in these.
_PYTHON = frozenset({".py", ".pyc", ".so"})


def check_predictor(project: Path, path: str, class_name: str, arguments: Sequence[str] = ()) -> None:
    """Check the file and the class that a project names.

    Args:
        project: the project folder.
        path: `predictor.path`, from there.
        class_name: the class that the predictor type asks for.
        arguments: what the predictor type and the hardware target add to the constructor's arguments.

    Raises:
        ProjectError: with every fault that is certain, each with its line.
    """
    module = _parse(project, path)
    if module is None:
        return
    faults = _Checked(module, class_name, (*CONSTRUCTOR, *arguments)).faults()
    if faults:
        raise ProjectError("\n".join(f"{path}:{line}: {message}" for line, message in faults))


def check_python_path(project: Path, python_path: str | None) -> None:
    """Check the folder that a project wants on `sys.path`.

    Raises:
        ProjectError: if there is no such folder.
    """
    if python_path is not None and not (project / python_path).is_dir():
        raise ProjectError(f"predictor.python_path: there is no folder {python_path} in {project}")


def _parse(project: Path, path: str) -> ast.Module | None:
    if Path(path).suffix not in _PYTHON and (project / path).is_file():
        raise ProjectError(f"predictor.path: {path} is no Python file; name one that ends in .py")
    try:
        source = (project / path).read_bytes()
    except (FileNotFoundError, NotADirectoryError) as error:
        raise ProjectError(_missing(project, path)) from error
    except IsADirectoryError as error:
        raise ProjectError(f"predictor.path: {path} is a folder; name the file in it") from error
    except (OSError, ValueError) as error:
        raise ProjectError(f"predictor.path: {path} cannot be read: {error}") from error
    try:
        return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        # The worker's interpreter may be another, to which this is good Python.
        return None


def _missing(project: Path, path: str) -> str:
    folder = (project / path).parent
    names = sorted(name for name in os.listdir(folder) if name.endswith(".py")) if folder.is_dir() else []
    near = nearest(Path(path).name, names)
    hint = f"; did you mean {Path(path).with_name(near)}?" if near else ""
    return f"predictor.path: there is no file {path} in {project}{hint}"


@frozen
class _Checked:
    module: ast.Module
    class_name: str
    arguments: tuple[str, ...]

    def faults(self) -> list[tuple[int, str]]:
        """Line and message of each fault."""
        words = set(_words(self.module))
        if self.class_name not in words:
            return [] if words & _DYNAMIC or "*" in words else [(1, self._absent())]
        cls = self._plain_class()
        if cls is None:
            return []
        found = [
            *self._method_faults(cls, "__init__", self.arguments),
            *self._method_faults(cls, "predict", PREDICT),
        ]
        return sorted(found + self._without_predict(cls))

    def _absent(self) -> str:
        classes = [node.name for node in self.module.body if isinstance(node, ast.ClassDef)]
        near = nearest(self.class_name, classes)
        hint = f"; did you mean to name {near} so?" if near else ""
        return f"it defines no class {self.class_name}{hint}"

    def _plain_class(self) -> ast.ClassDef | None:
        """The class, if nothing can have changed it: no bases, no decorators, not touched by the module's other code."""
        found = [node for node in self.module.body if isinstance(node, ast.ClassDef) and node.name == self.class_name]
        if len(found) != 1 or found[0].decorator_list or found[0].keywords or _real_bases(found[0]):
            return None
        rest = [node for node in self.module.body if node is not found[0] and not _is_main_block(node)]
        words = {word for node in rest for word in _words(node)}
        return None if self.class_name in words or "*" in words or words & _DYNAMIC else found[0]

    def _method_faults(self, cls: ast.ClassDef, name: str, accepted: Sequence[str]) -> Iterator[tuple[int, str]]:
        method = _plain_method(cls, name)
        if method is None:
            return
        title = f"{self.class_name}.{name}"
        parameters = _parameters(method)
        if parameters is None:
            yield method.lineno, f"{title}: its first parameter must be self"
            return
        for message in unknown_parameters(parameters, accepted, title):
            yield method.lineno, message

    def _without_predict(self, cls: ast.ClassDef) -> list[tuple[int, str]]:
        bound = {name for node in cls.body for name in _bound(node)} | set(_assigned_attributes(cls))
        if "predict" in bound or set(_words(cls)) & _DYNAMIC:
            return []
        near = nearest("predict", [node.name for node in cls.body if isinstance(node, ast.FunctionDef)])
        hint = f"; did you mean to name {near} so?" if near else ""
        return [(cls.lineno, f"{self.class_name}: it has no method predict{hint}")]


def _words(root: ast.AST) -> Iterator[str]:
    """Every name that stands somewhere in the source, in strings too; `*` for an import of everything."""
    for node in ast.walk(root):
        for _, value in ast.iter_fields(node):
            for word in value if isinstance(value, list) else [value]:
                if isinstance(word, str):
                    yield word


def _real_bases(cls: ast.ClassDef) -> list[ast.expr]:
    return [base for base in cls.bases if not (isinstance(base, ast.Name) and base.id == "object")]


def _is_main_block(node: ast.stmt) -> bool:
    # `if __name__ == "__main__":` never runs in a worker.
    return isinstance(node, ast.If) and not node.orelse and ast.unparse(node.test) == "__name__ == '__main__'"


def _plain_method(cls: ast.ClassDef, name: str) -> ast.FunctionDef | None:
    """The method, if it is a plain `def` and its name is bound nowhere else in the class."""
    found = [node for node in cls.body if isinstance(node, ast.FunctionDef) and node.name == name]
    if len(found) != 1 or found[0].decorator_list:
        return None
    others = [node for node in cls.body if node is not found[0]]
    return None if any(name in _bound(node) for node in others) else found[0]


def _bound(node: ast.stmt) -> set[str]:
    """The names that a statement of a class body may bind; what its functions do inside is not looked at."""
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return {node.name}
    return set(_words(node))


def _assigned_attributes(cls: ast.ClassDef) -> Iterator[str]:
    for node in ast.walk(cls):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.attr


def _parameters(method: ast.FunctionDef) -> list[inspect.Parameter] | None:
    """The parameters without `self`; None if there is none for it."""
    given = method.args
    plain = [*given.posonlyargs, *given.args]
    if not plain and not given.vararg:
        return None
    filled = [False] * (len(plain) - len(given.defaults)) + [True] * len(given.defaults)
    named = list(zip(plain, filled, strict=True))[1:]
    named += [(one, default is not None) for one, default in zip(given.kwonlyargs, given.kw_defaults, strict=True)]
    return [_parameter(one, has_default) for one, has_default in named]


def _parameter(argument: ast.arg, has_default: bool) -> inspect.Parameter:
    default = None if has_default else inspect.Parameter.empty
    return inspect.Parameter(argument.arg, inspect.Parameter.KEYWORD_ONLY, default=default)
