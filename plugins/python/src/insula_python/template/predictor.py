class PythonPredictor:
    def __init__(self, config):
        # Called once in each worker: load your model here.
        self.threshold = config["threshold"]

    def predict(self, payload):
        # Called once for each batch, with a list of samples: return a list with one prediction for each.
        return [self.classify(sample) for sample in payload]

    def classify(self, sample):
        return "long" if sample["petal_length"] > self.threshold else "short"
