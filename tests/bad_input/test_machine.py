"""What a machine may lack: file descriptors, room on a disk, folders that can be written, locks."""

from __future__ import annotations

import errno
import fcntl
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from insula.errors import JobError
from insula.jobs.lock import JobLock
from insula.jobs.shortages import shortage

MANY = "".join(f"{number}\n" for number in range(100_000))
LINES = '{"delimited_files": {"paths": ["rows.jsonl"]}, "workers": 1}'
# A namespace of its own lets anyone mount; where even that is not allowed, the tests on disks of a few kB are not there.
APART = ["unshare", "--user", "--map-root-user", "--mount"]


def _may_mount() -> bool:
    probe = [*APART, "mount", "-t", "tmpfs", "none", "/mnt"]
    try:
        return subprocess.run(probe, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


# ------------------------------------------------------------------------------------------------ descriptors


@pytest.mark.parametrize("most", [6, 9, 12])
@pytest.mark.parametrize("soft", [True, False], ids=["soft", "hard"])
def test_too_few_descriptors(most: int, soft: bool, trial: Any) -> None:
    trial.write({"job.json": LINES, "rows.jsonl": "1\n2\n"})
    said = trial.say_outside(shell=f"ulimit {'-S ' if soft else ''}-n {most}")
    remedy = "`ulimit -n 1024`" if soft else "hard limit"
    # Where a job was begun, it can be resumed.
    kept = [f"insula resume {job}" for job in trial.jobs]
    said.must("too few file descriptors", f"{most} files", remedy, *kept, code=1 if kept else 2, lines=2)


@pytest.mark.parametrize("command", [["check"], ["run", "--dry-run"], ["run", "--executor", "inline"]], ids=str)
def test_too_few_descriptors_for_other_commands(command: list[str], trial: Any) -> None:
    trial.write({"job.json": LINES, "rows.jsonl": "1\n2\n"})
    said = trial.say_outside(command[0], trial.project, *command[1:], shell="ulimit -n 4")
    # So few that hardly Python starts; whoever says it, says it briefly.
    assert said.code != 0
    assert "Too many open files" in said.err or "too few file descriptors" in said.err
    assert "fault of insula" not in said.err


def test_enough_descriptors(trial: Any) -> None:
    trial.write({"job.json": LINES, "rows.jsonl": "1\n2\n"})
    assert trial.say_outside(shell="ulimit -n 40").code == 0


def test_shortages_behind_other_errors() -> None:
    behind = JobError(".env cannot be read: Too many open files")
    behind.__cause__ = OSError(errno.EMFILE, os.strerror(errno.EMFILE))
    assert "ulimit -n" in str(shortage(behind))
    assert "fs.file-max" in str(shortage(OSError(errno.ENFILE, "")))
    assert "ulimit -n" in str(shortage(ImportError(f"x.so: {os.strerror(errno.EMFILE)}")))
    assert "quota" in str(shortage(OSError(errno.EDQUOT, "", "/data/x"), []))
    assert shortage(OSError(errno.EACCES, "")) is None


# ------------------------------------------------------------------------------------------------ disks


@pytest.mark.parametrize("step", ["write_all", "sync_data"])
def test_a_disk_that_fills_up(step: str, trial: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    trial.write({})
    monkeypatch.setattr(f"insula.results.parts.{step}", full)
    trial.say().must("disk is full", str(trial.home), "make room", lines=1)
    assert trial.jobs == []


SMALL: dict[str, tuple[str, str, list[str], int]] = {
    "full from the start": ("64k", "head -c 64k /dev/zero >small/x", ["disk is full", "small/out", "make room"], 2),
    "read-only": ("64k", "mount -o remount,ro small", ["small/out", "Read-only file system", "--output"], 2),
    "fills up": ("2m", "true", ["disk is full", "small/out", "make room", "insula resume"], 1),
}


@pytest.mark.parametrize("what", SMALL if _may_mount() else ())
def test_results_on_a_small_disk(what: str, trial: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    size, prepare, words, code = SMALL[what]
    trial.write({"job.json": LINES, "rows.jsonl": MANY})
    trial.home.with_name("small").mkdir()
    monkeypatch.chdir(trial.home.parent)
    resume = "$0 -m insula resume $(ls home/jobs) >later 2>&1"
    later = f"mount -o remount,rw,size=64m small && {resume}; wc -l small/out/p*l >>later"
    script = f'mount -t tmpfs -o size={size} none small; {prepare}; "$@"; code=$?; {later}; exit $code'
    shell = f"""set -- {" ".join(APART)} sh -c '{script}' "$1" "$@" """
    said = trial.say_outside("run", trial.project, "--output", "small/out", shell=shell)
    said.must(*words, code=code, lines=2)
    assert len(trial.jobs) == (code == 1)
    if code == 1:
        # With room again it goes on, and nothing is lost.
        told = trial.home.with_name("later").read_text()
        assert "100,000 samples = 100,000 predictions + 0 dead letters" in told
        assert "100000 small/out/predictions.jsonl" in told


# ------------------------------------------------------------------------------------------------ folders


@pytest.mark.parametrize("home", ["/sys/insula", "/proc/insula", "/dev/null"])
@pytest.mark.parametrize("command", [["run"], ["run", "--dry-run"], ["check"]], ids=str)
def test_a_home_that_cannot_be_written(
    home: str, command: list[str], trial: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    trial.write({})
    monkeypatch.setenv("INSULA_HOME", home)
    said = trial.say(command[0], trial.project, "--executor", "inline", *command[1:])
    said.must(home, "INSULA_HOME", "writable", lines=1)


@pytest.mark.parametrize("command", ["jobs", "status", "resume", "results"])
def test_a_home_that_is_a_file(command: str, trial: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INSULA_HOME", "/dev/null")
    trial.say(command, *(() if command == "jobs" else ("x",))).must("/dev/null", "INSULA_HOME", lines=1)


def test_standard_output_that_is_full(trial: Any) -> None:
    trial.write({})
    said = trial.say_outside("check", trial.project, "--executor", "inline", shell="exec >/dev/full")
    said.must("standard output", "No space left", lines=1)


# ------------------------------------------------------------------------------------------------ network file systems


def test_a_network_file_system_without_locks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "lockf", refuse)
    monkeypatch.setattr("insula.jobs.lock.on_network", lambda path: path == tmp_path)
    with pytest.raises(JobError, match=f"{tmp_path} lies on a network file system, .*locked.*INSULA_HOME.*local disk"):
        JobLock(tmp_path / "lock")


def test_locks_that_are_refused_elsewhere(trial: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    trial.write({})
    monkeypatch.setattr(fcntl, "lockf", refuse)
    said = trial.say()
    said.must("No locks available", lines=2)
    assert "running already" not in said.err


@pytest.mark.parametrize("full", [True, False])
def test_a_lock_is_given_up_where_its_holder_cannot_be_written(
    full: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC if full else errno.EMFILE, "")

    with monkeypatch.context() as patched:
        patched.setattr("insula.jobs.lock.replace", refuse)
        with pytest.raises(OSError, match="Errno"):
            JobLock(tmp_path / "lock")
    JobLock(tmp_path / "lock").release()
