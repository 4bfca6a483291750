from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from insula.cli.group import insula as commands

PREDICTOR = """
import logging

log = logging.getLogger("mine")


class Predictor:
    def __init__(self):
        log.warning("begins")

    def predict(self, payload):
        print("printed", payload[0]["a"])
        log.info("sees %d", payload[0]["a"])
        if payload[0]["a"] == 2:
            raise ValueError("no twos")
        return [0 for _ in payload]
"""


def test_what_was_printed_and_what_happened(
    insula: Callable[..., subprocess.CompletedProcess[str]],
    rows: Callable[[list[dict[str, object]]], None],
    project: Path,
) -> None:
    rows([{"a": number} for number in range(3)])
    project.joinpath("predictor.py").write_text(PREDICTOR)
    asked = ["--input", project / "rows.jsonl", "--batch-size", 1, "--workers", 1, "--json"]
    job_id = json.loads(insula("run", project, *asked).stdout)["job_id"]
    printed = insula("logs", job_id)
    assert printed.returncode == 0, printed.stderr
    plain = [re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}", "TIME", line) for line in printed.stdout.splitlines()]
    assert plain[0] == f"TIME insula    INFO job {job_id} begins"
    assert "TIME worker 0  WARNING mine: begins" in plain
    first = plain.index(f"{' ' * 23} worker 0  printed 0")
    assert "TIME worker 0  INFO mine: [batch 0] sees 0" in plain[first:]
    assert "TIME insula    ERROR batch 2: gave up on 1 sample from 2 after 2 attempts: ValueError: no twos" in plain
    assert plain[-1].startswith("TIME insula    INFO job_ended: status completed_with_failures")
    # Of a job that has ended, all there is is all that will come.
    assert sorted(insula("logs", job_id, "-f").stdout.splitlines()) == sorted(printed.stdout.splitlines())
    assert "printed" in insula("logs", job_id, "--worker", 0).stdout
    refused = insula("logs", job_id, "--worker", 1)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert f"job {job_id} had no worker 1; it had: 0" in refused.stderr


@pytest.mark.parametrize("flags", [[], ["-f"]])
def test_a_job_without_logs(flags: list[str], make_job: Callable[..., Any], runner: CliRunner) -> None:
    _, record = make_job(status="stopped")
    done = runner.invoke(commands, ["logs", record.job_id, *flags])
    assert (done.exit_code, done.stdout) == (0, "")
