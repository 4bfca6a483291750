"""The Python predictor type of insula."""
