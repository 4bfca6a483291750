from __future__ import annotations

import functools
import itertools
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import attrs
import pytest

from insula.errors import ProjectError
from insula.project.contract import CONSTRUCTOR, PREDICT, UNUSED, CallPlan, bind, plan

VALUES = {"payload": [1], "batch_id": "id", **UNUSED}


def call(function: Callable[..., Any], accepted: tuple[str, ...] = PREDICT) -> Any:
    return bind(plan(function, accepted), function)(VALUES)


def passes_on(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    return wrapper


def payload_only(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def wrapper(self: Any, payload: Any) -> Any:
        return function(self, payload, "by the wrapper")

    return wrapper


class Base:
    def predict(self, batch_id: str, payload: list[int]) -> Any:
        return payload, batch_id


class Inherited(Base):
    pass


class Decorated:
    @passes_on
    def predict(self, payload: list[int]) -> Any:
        return payload

    @payload_only
    def other(self, payload: list[int], more: str) -> Any:
        return payload, more

    @staticmethod
    def static(payload: list[int]) -> Any:
        return payload

    @classmethod
    def of_class(cls, payload: list[int]) -> Any:
        return payload


def test_any_subset_in_any_order() -> None:
    for length in range(len(PREDICT) + 1):
        for names in itertools.permutations(PREDICT, length):
            function = eval(f"lambda {', '.join(names)}: ({''.join(f'{name}, ' for name in names)})")
            assert call(function) == tuple(VALUES[name] for name in names)


@pytest.mark.parametrize(
    "function, answer",
    [
        (lambda payload, /: payload, [1]),
        (lambda payload, /, batch_id: (payload, batch_id), ([1], "id")),
        (lambda payload, other=3, /, batch_id=4: (payload, other, batch_id), ([1], 3, "id")),
        (lambda other=3, payload=4, /: (other, payload), (3, 4)),
        (lambda *, batch_id: batch_id, "id"),
        (lambda payload, other=3: (payload, other), ([1], 3)),
        (lambda *args: args, ()),
        (lambda **kwargs: kwargs, VALUES),
        (lambda payload, **kwargs: (payload, sorted(kwargs)), ([1], ["batch_id", "headers", "query_params"])),
        (
            lambda payload, /, **kwargs: (payload, sorted(kwargs)),
            ([1], ["batch_id", "headers", "query_params"]),
        ),
        (Inherited().predict, ([1], "id")),
        (Decorated().predict, [1]),
        (Decorated().other, ([1], "by the wrapper")),
        (Decorated().static, [1]),
        (Decorated().of_class, [1]),
        (functools.partial(lambda payload, more: (payload, more), more=3), ([1], 3)),
    ],
)
def test_calls(function: Callable[..., Any], answer: Any) -> None:
    assert call(function) == answer


class Empty:
    pass


class Plain:
    def __init__(self, job_spec: Any, config: Any) -> None:
        self.got = (job_spec, config)


@attrs.frozen
class Attrs:
    config: Any
    onnx_client: Any = None


def test_constructors() -> None:
    values = {"config": 1, "api_spec": 2, "job_spec": 3, "onnx_client": 4}
    accepted = ("onnx_client", *CONSTRUCTOR)
    assert plan(Empty, accepted) == CallPlan()
    assert plan(Plain, accepted).takes("job_spec")
    assert not plan(Plain, accepted).takes("api_spec")
    assert bind(plan(Plain, accepted), Plain)(values).got == (3, 1)
    assert bind(plan(Attrs, accepted), Attrs)(values) == Attrs(1, 4)


def test_keyword_arguments_take_all() -> None:
    assert all(plan(lambda **kwargs: None, PREDICT).takes(name) for name in PREDICT)


def test_unknown_parameters() -> None:
    def predict(payloads: Any, extra: Any, *, batch_id: Any, other: Any = 1) -> None: ...

    with pytest.raises(ProjectError) as raised:
        plan(predict, PREDICT, "PythonPredictor.predict")
    first, second = str(raised.value).splitlines()
    assert "PythonPredictor.predict: the parameter payloads is unknown" in first
    assert "did you mean payload?" in first
    assert "accepted: payload, batch_id, headers, query_params" in second


def test_what_hides_its_parameters() -> None:
    with pytest.raises(ProjectError, match="cannot be seen"):
        plan(dict.update, PREDICT)


def test_it_imports_little() -> None:
    code = (
        "import sys, insula.project.contract as _; "
        "print({'cattrs', 'yaml', 'pathspec', 'rich', 'orjson', 'insula.documents'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "set()"
