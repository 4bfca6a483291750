"""The TensorFlow predictor type of insula."""
