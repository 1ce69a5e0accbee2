"""What importing and exporting mail can fail with."""

from __future__ import annotations

from termmail.errors import ErrorCode, UserError


class TransferError(UserError):
    """A file or folder cannot be read or written."""

    code = ErrorCode.CANNOT_CREATE


class DiskError(TransferError):
    """The disk is full: what was written so far is there, the rest is not."""

    code = ErrorCode.DISK_FULL
