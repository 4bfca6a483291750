"""A hardware target that nothing in the repository has heard of, in a package of its own."""

from __future__ import annotations

import os
from typing import Any

import pytest

from insula.hardware.locks import VARIABLE, reserve

PLUGIN = """
import attrs
from insula import hookimpl
from insula.descriptors import Assignment, HardwareTarget
Tpu = attrs.make_class("Tpu", {"tpu": attrs.field(default=0, type=int)}, frozen=True)
class Target:
    @hookimpl
    def insula_hardware_target(self): return HardwareTarget("tpu", ("tpu",), Tpu, predictors=("*",))
    @hookimpl
    def insula_assign_devices(self, compute, workers):
        return [Assignment(n, {"TPU_CHIPS": str(n), "LIBTPU": None}, (f"tpu:{n}",)) for n in range(workers or 2)]
plugin = Target()
"""


def test_ten_lines_make_a_hardware_target(bench: Any) -> None:
    bench.offer("third-kind", "[insula.hardware]\ntpu = third_kind:plugin\n")
    (bench.root / "packages" / "third_kind.py").write_text(PLUGIN)
    bench.write({"tpu": 1}, "TPU_CHIPS", "LIBTPU")
    assert "tpu:1" in bench.run("check", str(bench.project))
    bench.run(LIBTPU="old")
    found = {(one["TPU_CHIPS"], one["LIBTPU"]) for one in bench.predictions()}
    assert found == {("0", None), ("1", None)}
    assert sorted(file.name for file in (bench.root / "locks" / "taken").iterdir()) == ["tpu%3A0", "tpu%3A1"]


BUSY = """
import attrs
from insula import hookimpl
from insula.descriptors import Assignment, HardwareTarget
Tpu = attrs.make_class("Tpu", {"tpu": attrs.field(default=0, type=int)}, frozen=True)
class Target:
    answers = iter(%s)
    @hookimpl
    def insula_hardware_target(self): return HardwareTarget("tpu", ("tpu",), Tpu, predictors=("*",))
    @hookimpl
    def insula_assign_devices(self, compute, workers):
        number = next(self.answers)
        return [Assignment(0, {"TPU_CHIPS": str(number)}, (f"tpu:{number}",))]
plugin = Target()
"""


@pytest.mark.parametrize("answers, code", [("[0, 1]", 0), ("[0, 0]", 2)])
def test_who_was_a_moment_too_late_for_a_device_is_given_another(
    bench: Any, monkeypatch: pytest.MonkeyPatch, answers: str, code: int
) -> None:
    bench.offer("third-kind", "[insula.hardware]\ntpu = third_kind:plugin\n")
    (bench.root / "packages" / "third_kind.py").write_text(BUSY % answers)
    bench.write({"tpu": 1}, "TPU_CHIPS", workers=1)
    monkeypatch.setenv(VARIABLE, bench.environment[VARIABLE])
    with reserve(["tpu:0"], "another"):
        said = bench.run(code=code)
    if code:
        assert f"device tpu:0 is in use by job another (process {os.getpid()})" in said
    else:
        assert {one["TPU_CHIPS"] for one in bench.predictions()} == {"1"}
