"""What is in a file? Magika's model reads 1,024 bytes of each end."""

import json
from pathlib import Path

import numpy as np


class ONNXPredictor:
    def __init__(self, onnx_client, config):
        folder = Path(config["model_folder"])
        self.client = onnx_client
        self.model = json.loads((folder / "config.min.json").read_text())
        self.kinds = json.loads((folder / "content_types_kb.min.json").read_text())

    def predict(self, payload):
        labels = [None] * len(payload)
        features = {}
        for position, path in enumerate(payload):
            start, stop, size = self.read(path)
            if size < self.model["min_file_size_for_dl"] or len(start) < self.model["min_file_size_for_dl"]:
                labels[position] = self.of_few_bytes(path, size)
            else:
                features[position] = self.tokens(start, stop)
        if features:
            (scores,) = self.client.predict(np.stack(list(features.values())))
            for position, row in zip(features, scores):
                labels[position] = self.label(row)
        return [{"path": path, "type": label} for path, label in zip(payload, labels)]

    def read(self, path):
        """Return the first and last bytes of a file without the white space around them, and its size."""
        block = self.model["block_size"]
        with open(path, "rb") as file:
            start = file.read(block)
            size = file.seek(0, 2)
            file.seek(max(0, size - block))
            stop = file.read(block)
        return start.lstrip()[: self.model["beg_size"]], stop.rstrip()[-self.model["end_size"] :], size

    def tokens(self, start, stop):
        """Return both ends as numbers, padded on the inner side."""
        first, last = self.model["beg_size"], self.model["end_size"]
        row = np.full(first + last, self.model["padding_token"], dtype=np.int32)
        row[: len(start)] = np.frombuffer(start, np.uint8)
        row[first + last - len(stop) :] = np.frombuffer(stop, np.uint8)
        return row

    def of_few_bytes(self, path, size):
        if size == 0:
            return "empty"
        with open(path, "rb") as file:
            try:
                file.read(self.model["block_size"]).decode()
            except UnicodeDecodeError:
                return "unknown"
        return "txt"

    def label(self, scores):
        """Return the likeliest type, or what it is at least if the model is not sure enough."""
        best = int(scores.argmax())
        found = self.model["target_labels_space"][best]
        label = self.model["overwrite_map"].get(found, found)
        if scores[best] >= self.model["thresholds"].get(found, self.model["medium_confidence_threshold"]):
            return label
        return "txt" if self.kinds[label]["is_text"] else "unknown"
