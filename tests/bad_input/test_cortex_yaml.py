"""cortex.yaml as nobody should write it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

PREDICTOR = "predictor:\n  type: python\n  path: predictor.py\n"
GOOD = f"name: api\n{PREDICTOR}"
BOMB = "a: &a [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{this}: &{this} [{','.join([f'*{last}'] * 10)}]\n" for last, this in zip("abcdefg", "bcdefgh", strict=True)
)

# What it is, what must be said of it: file, line and column, field, what was found, what is allowed.
TABLE: dict[str, tuple[str | bytes, list[str]]] = {
    "misspelt name": (f"nmae: api\n{PREDICTOR}", ["cortex.yaml:1:1: nmae: ", "name?"]),
    "misspelt section": ("name: api\npredictr:\n  type: python\n", ["cortex.yaml:2:1: predictr: ", "predictor?"]),
    "misspelt type": ("name: api\npredictor:\n  tpye: python\n  path: p.py\n", ["yaml:3:3: predictor.tpye: ", "type?"]),
    "misspelt path": ("name: api\npredictor:\n  type: python\n  paht: p.py\n", ["yaml:4:3: predictor.paht: ", "path?"]),
    "misspelt compute": (f"{GOOD}comptue: {{cpu: 1}}\n", ["cortex.yaml:5:1: comptue: ", "compute?"]),
    "misspelt mem": (f"{GOOD}compute: {{memm: 1G}}\n", ["cortex.yaml:5:11: compute.memm: ", "mem?"]),
    "misspelt kind": (f"{GOOD}kind: BatchApi\n", ["cortex.yaml:5:1: kind: ", '"BatchApi"', "BatchAPI?"]),
    "misspelt model key": (
        f"{GOOD}  models: {{pths: [{{name: a, path: b}}]}}\n",
        ["cortex.yaml:5:12: predictor.models.pths: ", "paths?"],
    ),
    "another kind": (f"{GOOD}kind: RealtimeAPI\n", ["cortex.yaml:5:1: kind: ", "RealtimeAPI", "BatchAPI"]),
    "no predictor": ("name: api\n", ["cortex.yaml: predictor: missing", "mapping"]),
    "a word for a section": ("name: api\npredictor: python\n", ["yaml:2:1: predictor: ", "mapping", '"python"']),
    "a list for a section": ("name: api\npredictor:\n- type: python\n", ["yaml:2:1: predictor: ", "mapping", "a list"]),
    "a name with a blank": (f"name: my api\n{PREDICTOR}", ["cortex.yaml:1:1: name: ", '"my api"', "letters"]),
    "a number for a name": (f"name: 3\n{PREDICTOR}", ["cortex.yaml:1:1: name: ", "string", "3", "quotes"]),
    "a list for config": (f"{GOOD}  config: [1]\n", ["cortex.yaml:5:3: predictor.config: ", "mapping", "a list"]),
    "a number in env": (f"{GOOD}  env: {{A: 1}}\n", ["cortex.yaml:5:9: predictor.env.A: ", "string", "quotes"]),
    "a NUL in env": (f'{GOOD}  env: {{A: "x\\0"}}\n', ["cortex.yaml:5:3: predictor.env: ", "A", "NUL"]),
    "no name in env": (f'{GOOD}  env: {{"A=B": x}}\n', ["cortex.yaml:5:3: predictor.env: ", "A=B", "name"]),
    "an unknown choice": (f"{GOOD}  returns: eech\n", ["yaml:5:3: predictor.returns: ", '"eech"', '"whole"', "each?"]),
    "too much": (f"{GOOD}compute: {{mem: much}}\n", ["cortex.yaml:5:11: compute.mem: ", "much", "512Mi"]),
    "less than nothing": (f"{GOOD}compute: {{cpu: -1}}\n", ["cortex.yaml:5:11: compute.cpu: ", "-1", "over 0"]),
    "a tab": ("name: api\npredictor:\n\ttype: python\n", ["cortex.yaml:3:1: ", "YAML", "tabs", "spaces"]),
    "a bracket not closed": (f"name: [api\n{PREDICTOR}", ["cortex.yaml:2:10: ", "line 1, column 7", "]"]),
    "a quote not closed": (f"name: 'api\n{PREDICTOR}", ["cortex.yaml:5:1: ", "line 1, column 7", "quoted"]),
    "wrong indentation": ("name: api\n  predictor:\n   type: python\n", ["cortex.yaml:2:12: ", "YAML"]),
    "a key twice": (f"name: api\nname: b\n{PREDICTOR}", ["cortex.yaml:2:1: name: ", "second"]),
    "an unknown tag": (f"name: !x api\n{PREDICTOR}", ["cortex.yaml:1:7: name: ", "!x"]),
    "Python in YAML": (
        f"name: !!python/object:os.system api\n{PREDICTOR}",
        ["cortex.yaml:1:7: name: ", "python/object:os.system"],
    ),
    "an unknown alias": (f"name: *a\n{PREDICTOR}", ["cortex.yaml:1:7: ", "alias"]),
    "two documents": (f"{GOOD}---\n{GOOD}", ["cortex.yaml:5:1: ", "single document"]),
    "a number for a key": (f"1: api\n{PREDICTOR}", ["cortex.yaml:1:1: ", "1", "quotes"]),
    "nothing": ("", ["cortex.yaml: ", "empty"]),
    "comments": ("# later\n", ["cortex.yaml: ", "comments"]),
    "one word": ("hello\n", ["cortex.yaml:1: ", "mapping", "single value"]),
    "no APIs": ("[]\n", ["cortex.yaml: ", "API", "none"]),
    "a list of words": ("- a\n- b\n", ["cortex.yaml: ", "list", "name"]),
    "not UTF-8": (b"name: \xff\n", ["cortex.yaml:1:7: ", "UTF-8", "0xff"]),
    "UTF-16": (GOOD.encode("utf-16"), ["cortex.yaml:1:1: ", "UTF-8"]),
    "a control character": (b"name: a\0pi\n", ["cortex.yaml:1:8: ", "control characters"]),
    "a bomb of aliases": (BOMB, ["cortex.yaml: ", "aliases"]),
    "too deep": ("a: " + "[" * 5000, ["cortex.yaml:1:", "too deeply"]),
    "a type that is misspelt": (
        "name: api\npredictor: {type: pyhton, path: predictor.py}\n",
        ["cortex.yaml:2:13: predictor.type: ", '"pyhton"', '"python"?'],
    ),
    "hardware that is misspelt": (f"{GOOD}compute: {{gpuu: 1}}\n", ["yaml:5:11: compute.gpuu: ", '"gpu"?', "cpu"]),
    "no such Python path": (f"{GOOD}  python_path: libs\n", ["predictor.python_path: ", "libs", "folder"]),
    "a NUL in a path": (
        'name: api\npredictor: {type: python, path: "a\\0"}\n',
        ["yaml:2:27: predictor.path: ", "path"],
    ),
    "a path too long": (
        f"name: api\npredictor: {{type: python, path: {'a' * 5000}}}\n",
        ["yaml:2:27: predictor.path: ", "path"],
    ),
    "no such model": (f"{GOOD}  model_path: m.onnx\n", ["predictor", "model", "m.onnx", "no such file"]),
    "two shapes of models": (f"{GOOD}  models: {{path: a, dir: b}}\n", ["yaml:5:3: predictor.models: ", "path", "dir"]),
    "a model without path": (f"{GOOD}  models: [{{name: a}}]\n", ["cortex.yaml:5:12: predictor.models[0]: ", "path"]),
    "no model for a type that needs one": (
        "name: api\npredictor: {type: onnx, path: predictor.py}\n",
        ["cortex.yaml:2:1: predictor.models: missing", "onnx", "model_path"],
    ),
    "several APIs": (
        "- {name: a, predictor: {type: python, path: p.py}}\n- {name: b, predictor: {type: python, path: p.py}}\n",
        ["cortex.yaml: ", "a, b", "--api"],
    ),
}


@pytest.mark.parametrize("what", TABLE)
def test_bad_cortex_yaml(what: str, refused: Callable[..., None]) -> None:
    content, words = TABLE[what]
    refused({"cortex.yaml": content}, words, lines=1, characters=420)


def test_all_faults_at_once(refused: Callable[..., None]) -> None:
    text = (
        "nam: api\n"
        "predictor: {type: pyton, path: 3, env: {A: 1}, log_level: loud}\n"
        "compute: {mem: x, gpuu: 2}\n"
    )  # fmt: skip
    words = [
        "cortex.yaml:1:1: nam: ",
        "cortex.yaml:2:13: predictor.type: ",
        "cortex.yaml:2:26: predictor.path: ",
        "cortex.yaml:2:41: predictor.env.A: ",
        "cortex.yaml:2:48: predictor.log_level: ",
        "cortex.yaml:3:11: compute.mem: ",
        "cortex.yaml:3:19: compute.gpuu: ",
    ]
    refused({"cortex.yaml": text}, words, lines=len(words), characters=1200)


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"cortex.yaml": None}, ["there is no cortex.yaml"]),
        ({"cortex.yaml": None, "cortex.yml": GOOD}, ["there is no cortex.yaml", "cortex.yml", "rename"]),
        ({"cortex.yaml": None, "cortex.yaml/x": ""}, ["cortex.yaml", "folder"]),
    ],
    ids=str,
)
def test_no_cortex_yaml(files: dict[str, str | None], words: list[str], refused: Callable[..., None]) -> None:
    refused(files, words, lines=1)
