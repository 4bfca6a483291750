"""Whether a path lies on a network file system."""

from __future__ import annotations

from pathlib import Path

_NETWORK = {
    "nfs",
    "nfs4",
    "cifs",
    "smb3",
    "smbfs",
    "9p",
    "afs",
    "ceph",
    "glusterfs",
    "lustre",
    "fuse.sshfs",
    "fuse.s3fs",
}


def on_network(path: Path, mounts: Path = Path("/proc/self/mounts")) -> bool:
    """Return whether `path` lies on a network file system, as far as this system says."""
    try:
        lines = mounts.read_text().splitlines()
    except OSError:
        return False
    kinds = {_unescape(mount): kind for _, mount, kind, *_ in map(str.split, lines)}
    where = path.resolve()
    nearest = next((str(folder) for folder in (where, *where.parents) if str(folder) in kinds), "")
    return kinds.get(nearest, "") in _NETWORK


def _unescape(mount: str) -> str:
    return mount.replace("\\040", " ").replace("\\011", "\t")
