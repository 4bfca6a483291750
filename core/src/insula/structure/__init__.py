"""From plain data to the classes of the specs, with every fault of the data at once."""

from insula.structure.converter import structure
from insula.structure.wording import did_you_mean, nearest, quoted

__all__ = ["did_you_mean", "nearest", "quoted", "structure"]
