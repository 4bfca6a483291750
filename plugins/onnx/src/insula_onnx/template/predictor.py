MEASURES = ("sepal_length", "sepal_width", "petal_length", "petal_width")


class ONNXPredictor:
    def __init__(self, onnx_client, config):
        # Called once in each worker: onnx_client has loaded the model.
        self.client = onnx_client
        self.kinds = config["kinds"]

    def predict(self, payload):
        # Called once for each batch, with a list of samples: return a list with one prediction for each.
        rows = [[sample[measure] for measure in MEASURES] for sample in payload]
        [scores] = self.client.predict(rows)
        return [self.kinds[best] for best in scores.argmax(axis=1)]
