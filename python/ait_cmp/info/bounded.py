"""Small files of other programs, read without surprise: regular ones, no larger than they say."""

from __future__ import annotations

import os
import stat

from ait_cmp.errors import FormatError


def read_bytes(path: str, most: int | None = None) -> bytes:
    """All bytes of a regular file.

    Args:
        path: The file.
        most: Files of more bytes are refused; None takes any size.

    Raises:
        FormatError: It is no regular file, too large, or shrinks while it is read.
        OSError: It cannot be read; it names the file.
    """
    try:
        return _read(path, most)
    except OSError as error:  # of a descriptor: it has no name
        raise OSError(error.errno, error.strerror, path) from error


def _read(path: str, most: int | None) -> bytes:
    # A pipe would wait for somebody who writes.
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    with open(descriptor, "rb", buffering=0) as file:  # noqa: PTH123  # of a descriptor
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            message = f"{path}: this is no regular file"
            raise FormatError(message)
        if most is not None and status.st_size > most:
            message = f"{path}: at most {most} bytes expected, found {status.st_size}"
            raise FormatError(message)
        content = bytearray(status.st_size)
        view, done = memoryview(content), 0
        while done < len(content):
            n = file.readinto(view[done:])
            if not n:
                message = f"{path}: {len(content)} bytes expected, found {done} (cut short?)"
                raise FormatError(message)
            done += n
        view.release()
    return bytes(content)
