"""Which iris is it? A small Keras model is asked."""

FEATURES = ("sepal_length", "sepal_width", "petal_length", "petal_width")


class TensorFlowPredictor:
    def __init__(self, tensorflow_client, config):
        self.client = tensorflow_client
        self.labels = config["labels"]

    def predict(self, payload):
        rows = [[iris[feature] for feature in FEATURES] for iris in payload]
        said = self.client.predict({"features": rows})
        # Each class is an array of one element, which is an index as it is.
        return [
            {"species": self.labels[found], "sure": float(sure)} for found, sure in zip(said["class"], said["sure"])
        ]
