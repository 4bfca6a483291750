"""Which notes are played? Basic-pitch's network, run by TensorFlow."""

from notes import joined, notes, windows


class TensorFlowPredictor:
    def __init__(self, tensorflow_client):
        self.client = tensorflow_client

    def predict(self, payload):
        return [{"file": path, "notes": self.transcribe(path)} for path in payload]

    def transcribe(self, path):
        made, length = windows(path)
        answers = self.client.predict(made)
        return notes(joined(answers["note"], length), joined(answers["onset"], length))
