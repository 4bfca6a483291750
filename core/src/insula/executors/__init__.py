"""Executors start workers and carry messages; they decide nothing.

Nothing is imported here, so that an interpreter can be started (`launching`) before anything heavy is.
"""
