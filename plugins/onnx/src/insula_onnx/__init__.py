"""The ONNX predictor type of insula."""
