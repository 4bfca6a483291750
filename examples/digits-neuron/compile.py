"""Trains a linear classifier of handwritten digits, compiles it for the machine's Neuron chips, and writes the job's rows.

usage: python compile.py        on a machine with torch-neuronx, or torch-neuron
"""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import torch
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression

try:
    import torch_neuronx as neuron
except ImportError:
    import torch_neuron as neuron

HERE = Path(__file__).parent
BATCH = 8


def train() -> torch.nn.Module:
    """Train on the even rows."""
    digits = load_digits()
    fitted = LogisticRegression(max_iter=200).fit(digits.data[0::2] / 16, digits.target[0::2])
    layer = torch.nn.Linear(64, 10)
    layer.weight.data = torch.tensor(fitted.coef_, dtype=torch.float32)
    layer.bias.data = torch.tensor(fitted.intercept_, dtype=torch.float32)
    return torch.nn.Sequential(layer, torch.nn.Softmax(1)).eval()


def write_rows() -> None:
    """Write the odd rows, and which digit each one is."""
    digits = load_digits()
    rows = range(1, len(digits.data), 2)
    lines = (json.dumps({"digit": int(digits.target[row]), "pixels": digits.data[row].tolist()}) for row in rows)
    (HERE / "digits.jsonl").write_text("".join(f"{line}\n" for line in lines))


if __name__ == "__main__":
    warnings.simplefilter("ignore", DeprecationWarning)  # of TorchScript, which AWS's compilers write
    compiled = neuron.trace(train(), torch.zeros(BATCH, 64))
    torch.jit.save(compiled, HERE / "digits.pt", _extra_files={"neuron.json": json.dumps({"batch_size": BATCH})})
    write_rows()
