"""Storage in processes of their own: workers, a coordinator that is killed in an upload, an interpreter without backends."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROWS = b"".join(b'{"n": %d}\n' % number for number in range(2000))


def insula(project: Any, *arguments: str, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "insula", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "INSULA_HOME": str(project.home), **environment},
    )


def test_workers_read_from_s3_and_results_go_there(bucket: Any, project: Any) -> None:
    bucket.put("in/a.jsonl", ROWS)
    output = bucket.url("out")
    ran = insula(
        project, "run", str(project.folder), "--input", bucket.url("in/"), "--output", output, "--json", "--quiet"
    )
    answer, faults = ran.communicate(timeout=120)
    assert (ran.returncode, faults) == (0, "")
    assert json.loads(answer)["output"] == output
    assert len(bucket.get("out/predictions.jsonl").splitlines()) == 2000


def test_a_coordinator_killed_in_an_upload_uploads_again(web: Any, project: Any) -> None:
    url, output = web.put("/in", ROWS), f"{web.address}/out"
    web.faults["/out/predictions.jsonl"] = ["stall"]
    first = insula(project, "run", str(project.folder), "--input", url, "--output", output, INSULA_STORAGE_TIMEOUT="60")
    while ("PUT", "/out/predictions.jsonl", None) not in web.requests:
        assert first.poll() is None
    first.kill()
    first.communicate()
    web.stopped.set()
    (job,) = (project.home / "jobs").iterdir()
    again = insula(project, "resume", job.name, "--json")
    answer, faults = again.communicate(timeout=120)
    assert again.returncode == 0, faults
    assert json.loads(answer)["samples"] == 2000
    assert len(web.files["/out/predictions.jsonl"].splitlines()) == 2000
    assert (project.folder / "completed").read_text().count("\n") == 1


WITHOUT = """
import sys
class Missing:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name.partition(".")[0] in {"fsspec", "s3fs", "zstandard"}:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Missing)
from insula.cli import main
main()
"""


@pytest.mark.parametrize("name, extra", [("s3://bucket/in", "s3"), ("https://host/in", "http"), ("in.zst", "zstd")])
def test_a_missing_backend_is_named_with_what_to_install(project: Any, name: str, extra: str) -> None:
    path = name
    if "://" not in name:
        path = str(project.folder / name)
        Path(path).write_bytes(b"\x28\xb5\x2f\xfd")
    command = [sys.executable, "-c", WITHOUT, "run", str(project.folder), "--input", path]
    done = subprocess.run(
        command, capture_output=True, text=True, env={**os.environ, "INSULA_HOME": str(project.home)}, timeout=60
    )
    assert done.returncode == 2
    assert f'pip install "insula[{extra}]"' in done.stderr
    assert path in done.stderr
    assert "Traceback" not in done.stderr


def test_local_jobs_import_no_backend(project: Any) -> None:
    (project.folder / "in.jsonl").write_bytes(ROWS)
    listing = (
        "import atexit, sys\n"
        "atexit.register(lambda: print(*sys.modules, file=open('modules', 'w')))\n"
        "from insula.cli import main\nmain()"
    )
    command = [sys.executable, "-c", listing, "run", ".", "--input", "in.jsonl", "--executor", "inline", "--quiet"]
    environment = {**os.environ, "INSULA_HOME": str(project.home)}
    subprocess.run(command, check=True, env=environment, cwd=project.folder, capture_output=True, timeout=60)
    modules = set((project.folder / "modules").read_text().split())
    assert "insula.sources.reading" in modules
    assert not {"fsspec", "s3fs", "aiohttp", "asyncio", "zstandard", "urllib.request", "insula.storage.store"} & modules
