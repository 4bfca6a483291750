"""Which digit is it? A scikit-learn classifier over images of 8 by 8 pixels."""

import json
from pathlib import Path

import joblib
import train


class PythonPredictor:
    def __init__(self, config, job_spec):
        folder = Path(config["model_folder"])
        path = train.model_path(folder)
        self.model = joblib.load(path if path.exists() else train.train(folder))
        self.output = Path(job_spec["output"])

    def predict(self, payload):
        digits = self.model.predict([row["pixels"] for row in payload])
        return [{"id": row["id"], "digit": int(digit)} for row, digit in zip(payload, digits)]

    def on_job_complete(self):
        labels = json.loads(Path("labels.json").read_text())
        with open(self.output / "predictions.jsonl") as lines:
            found = [json.loads(line)["prediction"] for line in lines]
        right = sum(labels[str(one["id"])] == one["digit"] for one in found)
        report = {"samples": len(found), "right": right, "accuracy": right / max(len(found), 1)}
        print(report)
        (self.output / "accuracy.json").write_text(json.dumps(report) + "\n")
