"""Which digit is it? A classifier compiled for Neuron over images of 8 by 8 pixels."""

import os

import numpy as np


class PythonPredictor:
    def __init__(self, neuron_client):
        self.client = neuron_client
        self.cores = os.environ["NEURON_RT_VISIBLE_CORES"]

    def predict(self, payload):
        pixels = np.array([row["pixels"] for row in payload], np.float32) / 16
        chances = self.client.predict(pixels)
        return [{"digit": int(one.argmax()), "chance": one.max(), "cores": self.cores} for one in chances]
