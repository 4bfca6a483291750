from __future__ import annotations

import pytest

from insula.model_names import SINGLE, ModelNameError, NamedModels


@pytest.mark.parametrize(
    "names, name, chosen", [(["a"], None, "a"), (["a"], "a", "a"), (["a", "b"], "b", "b"), ([SINGLE], None, SINGLE)]
)
def test_the_model_that_is_meant(names: list[str], name: str | None, chosen: str) -> None:
    assert NamedModels({one: one for one in names}).choose(name) == chosen


@pytest.mark.parametrize(
    "names, name, told",
    [
        (["a", "b"], None, "model_name is missing; the models are a, b"),
        (["a", "b"], "c", "there is no model 'c'; the models are a, b"),
        (["a"], "", "there is no model ''; the models are a"),
        ([SINGLE], "c", "there is no model 'c': the only model was given no name, so leave model_name out"),
    ],
)
def test_otherwise_the_names_are_listed(names: list[str], name: str | None, told: str) -> None:
    with pytest.raises(ModelNameError) as caught:
        NamedModels({one: one for one in names}).choose(name)
    assert str(caught.value) == told
