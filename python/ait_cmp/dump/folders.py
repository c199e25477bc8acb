"""Dump folders: a new one for every dump, writable, the same one for all ranks of a run."""

from __future__ import annotations

import errno
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path
from types import ModuleType

from ait_cmp.dump.errors import ConfigTypeError
from ait_cmp.errors import ConfigError

# Written to see that the disk takes data: more than file systems keep inside an inode.
_PROBE = bytes(64 * 1024)


def make_dump_folder(dump_path: str | os.PathLike[str], kind: str) -> Path:
    """Create `{dump_path}/dump_{YYYYmmdd_HHMMSS}`, new for every call.

    A name in use gets a suffix `_1`, `_2`, ... When torch.distributed runs with several ranks,
    the n-th call of each rank gives the folder that the first of them made.

    Args:
        dump_path: Folder of the dumps, made if missing; "" is the current directory.
        kind: "ge" or "fx"; ranks meet only in calls of the same kind.

    Returns:
        The absolute path of the folder.

    Raises:
        ConfigTypeError: `dump_path` is no path.
        ConfigError: `dump_path` cannot be the name of a folder.
        OSError: The system does not let us create it or write there; the message tells what to do.
    """
    parent = _parent_folder(dump_path)
    try:
        parent.mkdir(parents=True, exist_ok=True)
        folder = _make_unique(parent)
        try:
            check_writable(folder)
        except OSError:
            folder.rmdir()
            raise
    except OSError as error:
        raise type(error)(error.errno, _explain(error), str(parent)) from error
    return _agree_between_ranks(folder, kind)


def _parent_folder(dump_path: object) -> Path:
    if not isinstance(dump_path, (str, os.PathLike)):
        msg = f"dump_path should be a string, found {type(dump_path).__name__} {dump_path!r}"
        raise ConfigTypeError(msg)
    text = os.fspath(dump_path)
    if not isinstance(text, str) or "\0" in text:
        msg = f"dump_path: expected the name of a folder, found {text!r}"
        raise ConfigError(msg)
    return absolute_path(text, "dump_path")


def absolute_path(path: str | os.PathLike[str], argument: str) -> Path:
    """The path with `~` filled in, valid after a change of the current directory.

    Raises:
        ConfigError: It begins with the home of a user that does not exist.
    """
    try:
        return Path(path).expanduser().absolute()
    except RuntimeError as error:
        msg = f"{argument}: {os.fspath(path)!r}: {error}"
        raise ConfigError(msg) from error


def _make_unique(parent: Path) -> Path:
    name = time.strftime("dump_%Y%m%d_%H%M%S")
    folder = parent / name
    n = 0
    while True:
        try:
            # mkdir either makes the folder or fails: two processes never get the same one.
            folder.mkdir(mode=0o750)
        except FileExistsError:
            n += 1
            folder = parent / f"{name}_{n}"
        else:
            return folder


def check_writable(folder: Path) -> None:
    """Write a small file and remove it.

    Raises:
        OSError: The disk is full, read-only, or the folder not ours.
    """
    with tempfile.NamedTemporaryFile(dir=folder, prefix=".ait_cmp_probe_") as probe:
        probe.write(_PROBE)
        probe.flush()
        os.fsync(probe.fileno())


def _explain(error: OSError) -> str:
    reason = f"dump_path: cannot make a dump folder that takes data: {error.strerror}"
    if isinstance(error, (FileExistsError, NotADirectoryError)):
        return f"{reason}; a file is in the way, expected a folder"
    if isinstance(error, PermissionError):
        return f"{reason}; choose a dump_path that this user may write to"
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EROFS):
        return f"{reason}; choose a dump_path on another disk"
    return reason


def free_bytes(folder: Path) -> int:
    """Bytes that this user may still write to the disk of `folder`."""
    return shutil.disk_usage(folder).free


# What stands beside tensors in a dump folder: graph texts, and what the helpers write.
_BESIDE = ("dynamo_", "ge_proto_", "ge_onnx_", "fx_sources_", "fusion_", "mapping.csv", ".")


def contents(folder: Path) -> tuple[int, int]:
    """Number of files of tensors below `folder` and their bytes, 0 if there is no such folder."""
    n_files = size_bytes = 0
    for root, _, names in os.walk(folder):
        for name in names:
            if name.startswith(_BESIDE):
                continue
            n_files += 1
            try:
                size_bytes += (Path(root) / name).lstat().st_size
            except FileNotFoundError:
                n_files -= 1  # a running dump or conversion removed it
    return n_files, size_bytes


def distributed() -> ModuleType | None:
    """torch.distributed if this process runs it with more than one rank, without importing it."""
    torch = sys.modules.get("torch")
    dist: ModuleType | None = getattr(torch, "distributed", None)
    if dist is None or not dist.is_available() or not dist.is_initialized():
        return None
    return dist if dist.get_world_size() > 1 else None


def _agree_between_ranks(folder: Path, kind: str) -> Path:
    """The folder that the first rank proposed in this call; our own if there is one rank.

    The store of torch.distributed decides without waiting, so a rank that never calls
    the helper does not stop the others.
    """
    dist = distributed()
    if dist is None:
        return folder
    store = dist.distributed_c10d._get_default_store()
    call = store.add(f"ait_cmp/{kind}/{folder.parent}/calls_of_rank_{dist.get_rank()}", 1)
    key = f"ait_cmp/{kind}/{folder.parent}/folder_{call}"
    name: bytes = store.compare_set(key, "", folder.name)
    agreed = folder.parent / name.decode()
    if agreed != folder:
        folder.rmdir()
        agreed.mkdir(mode=0o750, exist_ok=True)  # on another host it does not exist yet
    return agreed
