from __future__ import annotations

import numpy as np
import pytest

from insula_tensorflow.signature import UNHOLDABLE, Signature, SignatureError, TensorInfo, choose


def _named(*keys: str) -> dict[str, Signature]:
    return {key: Signature(key, {}, {}) for key in keys}


@pytest.mark.parametrize(
    "keys, key, chosen",
    [
        (["a"], None, "a"),
        (["a", "b"], "b", "b"),
        (["a", "predict", "serving_default"], None, "predict"),
        (["a", "serving_default"], None, "serving_default"),
        (["__saved_model_init_op", "a"], None, "a"),
    ],
)
def test_the_signature_that_is_meant(keys: list[str], key: str | None, chosen: str) -> None:
    assert choose(_named(*keys), key, "model m").key == chosen


@pytest.mark.parametrize(
    "keys, key, told",
    [
        ([], None, "model m: it has no signature; export it with one"),
        (["__saved_model_init_op"], None, "model m: it has no signature; export it with one"),
        (["b", "a"], None, "model m: it has several signatures, name one of them as signature_key: a, b"),
        (["b", "a"], "c", "model m: it has no signature 'c'; its signatures are a, b"),
    ],
)
def test_otherwise_they_are_listed(keys: list[str], key: str | None, told: str) -> None:
    with pytest.raises(SignatureError) as caught:
        choose(_named(*keys), key, "model m")
    assert str(caught.value).startswith(told)


def test_what_numpy_cannot_hold_is_named() -> None:
    inputs = {"x": TensorInfo("x", np.dtype("f4"), (1,)), "s": TensorInfo("s", UNHOLDABLE, None)}
    assert Signature("k", inputs, {"t": TensorInfo("t", UNHOLDABLE, None)}).unholdable == ["s", "t"]
