"""The jobs of one user: made, run, resumed, listed, stopped."""
