from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from insula.errors import PluginError
from insula.plugins import Reference, find, installed

PREDICTORS = "insula.predictors"


def test_a_name_is_found_with_who_offers_it(site) -> None:
    site.install("acme-models", "2.1", entry_points={PREDICTORS: {"acme": "acme.plugin:plugin"}})
    expected = Reference(PREDICTORS, "acme", "acme.plugin:plugin", "acme-models", "2.1")
    assert find(PREDICTORS, "acme", site.path) == expected
    assert installed(PREDICTORS, site.path) == (expected,)
    assert installed("insula.sources", site.path) == ()


def test_nothing_is_imported_by_finding(site) -> None:
    site.install("acme", entry_points={PREDICTORS: {"acme": "acme_broken:plugin"}}, acme_broken="raise OSError")
    assert find(PREDICTORS, "acme", site.path).value == "acme_broken:plugin"
    assert "acme_broken" not in sys.modules


def test_an_unknown_name_gets_the_nearest_and_the_installed(site) -> None:
    site.install("acme", entry_points={PREDICTORS: {"acme": "a:p", "zeta": "a:z"}})
    with pytest.raises(PluginError) as error:
        find(PREDICTORS, "acne", site.path)
    assert str(error.value) == (
        'predictor.type: there is no predictor type "acne"; did you mean "acme"? Installed: acme, zeta.'
    )


@pytest.mark.parametrize(
    ("group", "name", "word", "package"),
    [
        (PREDICTORS, "onnx", "predictor.type", "insula-onnx"),
        ("insula.hardware", "inf", "compute", "insula-neuron"),
        ("insula.hardware", "neuron_cores", "compute", "insula-neuron"),
        ("insula.executors", "process", "--executor", "insula"),
    ],
)
def test_a_known_name_gets_the_package_to_install(
    tmp_path: Path, group: str, name: str, word: str, package: str
) -> None:
    with pytest.raises(PluginError) as error:
        find(group, name, [str(tmp_path)])
    assert str(error.value).startswith(f'{word}: "{name}" ')
    assert f"pip install {package}." in str(error.value)
    assert str(error.value).endswith("Installed: none.")


def test_a_misspelt_known_name_gets_the_package_too(tmp_path: Path) -> None:
    with pytest.raises(PluginError, match=r'did you mean "tensorflow" \(pip install insula-tensorflow\)\?'):
        find(PREDICTORS, "tensorflw", [str(tmp_path)])


def test_a_name_unlike_any_other_gets_no_guess(tmp_path: Path) -> None:
    with pytest.raises(PluginError, match=r'no observer "zzz"\. Installed: none\.$'):
        find("insula.observers", "zzz", [str(tmp_path)])


def test_two_distributions_with_one_name_are_both_named(site) -> None:
    site.install(
        "insula",
        "0.1.0",
        entry_points={"insula.hardware": {"cpu": "insula.hardware.cpu:plugin"}},
        requires=(),
    )
    site.install("rival", "3.0", entry_points={"insula.hardware": {"cpu": "rival:cpu"}})
    with pytest.raises(PluginError) as error:
        find("insula.hardware", "cpu", site.path)
    for text in (
        "compute: ",
        '"cpu"',
        "insula 0.1.0 (insula.hardware.cpu:plugin)",
        "rival 3.0 (rival:cpu)",
        "uninstall",
    ):
        assert text in str(error.value)


def test_a_name_that_one_distribution_gives_twice_is_refused(site) -> None:
    site.install("acme", entry_points={PREDICTORS: {"acme": "acme:a"}})
    entry_points = next(site.folder.glob("*.dist-info")) / "entry_points.txt"
    entry_points.write_text(f"[{PREDICTORS}]\nacme = acme:a\nacme = acme:b\n")
    with pytest.raises(PluginError, match="acme:a.*acme:b"):
        find(PREDICTORS, "acme", site.path)


def test_names_of_other_groups_do_not_collide(site) -> None:
    site.install("acme", entry_points={PREDICTORS: {"word": "acme:p"}, "insula.executors": {"word": "acme:e"}})
    assert find(PREDICTORS, "word", site.path).value == "acme:p"
    assert find("insula.executors", "word", site.path).value == "acme:e"


def test_the_first_of_two_installations_hides_the_second(site, tmp_path: Path) -> None:
    site.install("acme", "2.0", entry_points={PREDICTORS: {"acme": "acme:plugin"}})
    other = type(site)(tmp_path / "other")
    other.folder.mkdir()
    other.install("Acme", "1.0", entry_points={PREDICTORS: {"acme": "acme:plugin", "old": "acme:old"}})
    both = [*site.path, *other.path]
    assert find(PREDICTORS, "acme", both).version == "2.0"
    assert [reference.name for reference in installed(PREDICTORS, both)] == ["acme"]


def test_a_broken_installation_hides_no_other(site) -> None:
    site.install("acme", entry_points={PREDICTORS: {"acme": "acme:plugin"}})
    nameless = site.folder / "nameless-1.0.dist-info"
    nameless.mkdir()
    (nameless / "entry_points.txt").write_text(f"[{PREDICTORS}]\nacme = nameless:plugin\n")
    leftover = site.folder / "~cme-0.9.dist-info"
    leftover.mkdir()
    (leftover / "METADATA").write_text("Name: acme\nVersion: 0.9\n")
    (leftover / "entry_points.txt").write_text(f"[{PREDICTORS}]\nacme = old:plugin\n")
    malformed = site.folder / "malformed-1.0.dist-info"
    malformed.mkdir()
    (malformed / "METADATA").write_text("Name: malformed\nVersion: 1.0\n")
    (malformed / "entry_points.txt").write_text(f"[{PREDICTORS}]\nno equals sign\n# a comment\n[other]\nx = y:z\n")
    latin = site.folder / "latin-1.0.dist-info"
    latin.mkdir()
    (latin / "METADATA").write_text("Name: latin\nVersion: 1.0\n")
    (latin / "entry_points.txt").write_bytes(f"[{PREDICTORS}]\nacme = caf\xe9:plugin\n".encode("latin-1"))
    assert [(one.name, one.value) for one in installed(PREDICTORS, site.path)] == [
        ("acme", "acme:plugin"),
        ("no equals sign", ""),
    ]


@pytest.mark.parametrize("requirement", ["insula>=0.2,<1", "insula==9.*", "Insula~=7.0", "insula>=9.0a1"])
def test_a_plugin_for_a_newer_insula_is_refused_with_both_versions(site, requirement: str) -> None:
    site.install("acme", "4.0", entry_points={PREDICTORS: {"acme": "acme:plugin"}}, requires=["numpy", requirement])
    with pytest.raises(PluginError, match=r"acme 4\.0.*this is insula .*: upgrade insula$") as error:
        find(PREDICTORS, "acme", site.path)
    assert all(part in str(error.value) for part in requirement.lower().removeprefix("insula").split(","))


def test_the_path_is_read_once_a_process(site) -> None:
    site.install("acme", entry_points={PREDICTORS: {"acme": "acme:plugin"}})
    before = installed(PREDICTORS, site.path)
    site.install("late", entry_points={PREDICTORS: {"late": "late:plugin"}})
    assert installed(PREDICTORS, site.path) == before


def test_only_a_scan_imports_what_it_takes_to_scan() -> None:
    code = (
        "import sys, insula.plugins as p; heavy = {'importlib_metadata', 'packaging', 'email', 'difflib'};"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules);"
        "p.installed('insula.predictors'); assert 'importlib_metadata' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_leftover_without_metadata_hides_nothing(site, tmp_path: Path) -> None:
    site.install("acme", "2.0", entry_points={PREDICTORS: {"acme": "acme:plugin"}})
    leftover = tmp_path / "before"
    (leftover / "acme-1.0.dist-info").mkdir(parents=True)
    assert find(PREDICTORS, "acme", [str(leftover), *site.path]).version == "2.0"
