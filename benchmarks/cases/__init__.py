"""One module a case; each has `run(options)`, which answers with its figures."""
