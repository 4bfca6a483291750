"""A predictor type without user code and a third hardware target, from packages that the core has never heard of."""

from __future__ import annotations

from pathlib import Path

from insula.descriptors import NO_CLIENT, Assignment, Predictions, WorkerContext
from insula.plugins import compose, find, hardware_target, load, predictor_type
from insula.plugins.listing import list_plugins
from insula.spec import ApiSpec, ComputeSpec, ModelSpec, PredictorSpec

ACME = '''
import attrs
import insula
from insula.descriptors import Client, Completed, Model, Predictions, Predictor, PredictorType


@attrs.frozen
class Settings:
    factor: int = 2


class Acme:
    """Multiplies, on whatever chip there is."""

    @insula.hookimpl
    def insula_predictor_type(self):
        return PredictorType("acme", class_name=None, settings=Settings, models="required", hardware=("abacus",))

    @insula.hookimpl
    def insula_load_model(self, model):
        return Model(model.name, "on the cpu")

    @insula.hookimpl
    def insula_create_client(self, models):
        return Client("acme_client", models[0].object)

    @insula.hookimpl
    def insula_create_predictor(self, context, client):
        return Predictor((context.api.predictor.settings.factor, client.object))

    @insula.hookimpl
    def insula_predict_batch(self, predictor, payload):
        factor, where = predictor.object
        return Predictions.each([f"{factor * sample} {where}" for sample in payload])


plugin = Acme()
'''

ABACUS = '''
import attrs
import insula
from insula.descriptors import Assignment, HardwareTarget, Model


@attrs.frozen
class Settings:
    beads: int = 0
    rows: int = 0


class Abacus:
    """Beads for each worker."""

    @insula.hookimpl
    def insula_hardware_target(self):
        return HardwareTarget("abacus", keys=("beads", "rows"), settings=Settings)

    @insula.hookimpl
    def insula_assign_devices(self, compute, workers):
        beads = compute.targets["abacus"].beads
        return [Assignment(n, environment={"BEADS": str(beads)}, devices=(f"abacus:{n}",)) for n in range(workers or 1)]

    @insula.hookimpl
    def insula_load_model(self, context, model):
        return Model(model.name, "on beads " + context.assignment.environment["BEADS"])


plugin = Abacus()
'''


def test_both_are_found_described_and_work_together(site) -> None:
    site.install("acme", entry_points={"insula.predictors": {"acme": "acme_type:plugin"}}, acme_type=ACME)
    keys = {"beads": "abacus_target:plugin", "rows": "abacus_target:plugin"}
    site.install("abacus", entry_points={"insula.hardware": keys}, abacus_target=ABACUS)

    kind = find("insula.predictors", "acme", site.path)
    targets = [find("insula.hardware", key, site.path) for key in ("beads", "rows")]
    acme, beads, rows = map(load, (kind, *targets))
    assert beads is rows
    described = predictor_type(kind, acme)
    target = hardware_target(targets[1], rows)
    assert (described.class_name, described.hardware) == (None, (target.name,))

    names = [str(reference) for reference in (kind, *targets)]
    hooks = compose(list(zip(names, (acme, beads, rows), strict=True)))
    compute = ComputeSpec(targets={"abacus": target.settings(beads=7)})
    assignments = hooks.assign_devices(compute, 2)
    assert assignments[1] == Assignment(1, environment={"BEADS": "7"}, devices=("abacus:1",))

    api = ApiSpec("api", PredictorSpec("acme", settings=described.settings(factor=3)), compute)
    context = WorkerContext(api, {}, {}, Path(), assignments[0])
    client = hooks.create_client(context, [hooks.load_model(context, ModelSpec("m", "m.bin"))])
    assert client != NO_CLIENT
    predictor = hooks.create_predictor(context, client)
    predictions = hooks.predict_batch(context=context, predictor=predictor, payload=[1, 2], batch_id="b")
    assert predictions == Predictions.each(["3 on beads 7", "6 on beads 7"])


def test_bad_neighbours_harm_nobody(site) -> None:
    predictors = "insula.predictors"
    site.install("acme", entry_points={predictors: {"acme": "acme_type:plugin"}}, acme_type=ACME)
    site.install("broken", entry_points={predictors: {"broken": "broken_type:plugin"}}, broken_type="1 / 0")
    site.install("left", entry_points={predictors: {"twice": "left:plugin"}})
    site.install("right", entry_points={predictors: {"twice": "right:plugin"}})
    site.install("early", entry_points={predictors: {"early": "early:plugin"}}, requires=["insula>=8,<9"])
    reference = find(predictors, "acme", site.path)
    assert predictor_type(reference, load(reference)).name == "acme"
    assert [(one.name, one.status) for one in list_plugins(60, site.path)] == [
        ("acme", "ok"),
        ("broken", "broken"),
        ("early", "too new"),
        ("twice", "duplicate"),
        ("twice", "duplicate"),
    ]
