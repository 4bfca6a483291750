"""Plugins of a third party, on the public hooks alone."""
