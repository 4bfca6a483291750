"""Exit codes."""

SUCCEEDED = 0
# A job exists and did not succeed, or insula itself failed.
UNFINISHED = 1
# Nothing was predicted and no job is left.
REFUSED = 2
INTERRUPTED = 130
