"""Runs one job: leases batches, commits what comes back, replaces what dies."""
