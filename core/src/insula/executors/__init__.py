"""Executors start workers and carry messages; they decide nothing."""

from insula.executors.interface import Cause, Died, Executor, Frame, Handle, Start

__all__ = ["Cause", "Died", "Executor", "Frame", "Handle", "Start"]
