"""The project: its files, its environment, its predictor class."""
