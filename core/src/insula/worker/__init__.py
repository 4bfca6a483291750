"""What runs beside the user's code: composes plugins, reads, predicts, writes, reports."""
