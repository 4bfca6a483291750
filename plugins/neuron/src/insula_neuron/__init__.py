"""AWS Neuron for insula."""
