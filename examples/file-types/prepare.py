"""Copy magika's model, and what belongs to it, out of the installed package into `model/`."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path

HERE = Path(__file__).parent
FILES = ("models/standard_v3_3/model.onnx", "models/standard_v3_3/config.min.json", "config/content_types_kb.min.json")


def main() -> None:
    found = importlib.util.find_spec("magika")
    if found is None or found.origin is None:
        raise SystemExit("the package magika is not installed: pip install magika")
    (HERE / "model").mkdir(exist_ok=True)
    for name in FILES:
        shutil.copy(Path(found.origin).parent / name, HERE / "model")


if __name__ == "__main__":
    main()
