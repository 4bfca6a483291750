"""Which notes are played? Basic-pitch's network, run by ONNX Runtime."""

from notes import joined, notes, windows

# What the outputs say of each of 88 keys: StatefulPartitionedCall:0 is a finer pitch, which notes do not need.
SOUNDING, STRUCK = "StatefulPartitionedCall:1", "StatefulPartitionedCall:2"


class ONNXPredictor:
    def __init__(self, onnx_client):
        self.client = onnx_client
        (session,) = onnx_client.sessions.values()
        self.outputs = [output.name for output in session.get_outputs()]

    def predict(self, payload):
        return [{"file": path, "notes": self.transcribe(path)} for path in payload]

    def transcribe(self, path):
        made, length = windows(path)
        answers = dict(zip(self.outputs, self.client.predict(made)))
        return notes(joined(answers[SOUNDING], length), joined(answers[STRUCK], length))
