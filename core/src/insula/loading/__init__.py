"""From the user's documents to specs: `cortex.yaml` to an ApiSpec, a submission to a Submission."""

from insula.loading.api import CONFIG_FILE, load_api, read_config, structure_api
from insula.loading.overrides import merge, parse_overrides
from insula.loading.submission import load_submission

__all__ = ["CONFIG_FILE", "load_api", "load_submission", "merge", "parse_overrides", "read_config", "structure_api"]
