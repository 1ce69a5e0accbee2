"""Attached pictures as pixels for the screen: decoded by a process of their own, within bounds."""

from __future__ import annotations

import base64
import sys
from typing import TYPE_CHECKING, NamedTuple

from termmail.engine import picture_decoder, piping
from termmail.engine.picture_decoder import Failure
from termmail.errors import ErrorCode, UserError

if TYPE_CHECKING:
    from termmail.mail.message import Part

TYPES = {"image/png", "image/jpeg", "image/jpg", "image/pjpeg", "image/gif", "image/webp"}
SUFFIXES = (".png", ".jpg", ".jpeg", ".gif", ".webp")
MOST_BYTES = 40_000_000
"""Bytes of a file that is decoded."""
WIDEST, HIGHEST = 400, 400
"""Pixels that are asked for at most: more than a terminal shows as half blocks."""
SECONDS = 20.0
"""Seconds that decoding may take; `picture_decoder.SECONDS` of them computing."""


class Pixels(NamedTuple):
    """A picture scaled to `width` times `height` pixels, and its `full_width` and `full_height` in the file.

    `rgb` has three bytes for each pixel, row by row.
    """

    full_width: int
    full_height: int
    width: int
    height: int
    rgb: bytes


class PictureError(UserError):
    """A picture cannot be shown here."""

    code = ErrorCode.DATA
    advice = "o opens it with the desktop."


def is_picture(part: Part) -> bool:
    """Return whether a part says that it is a picture of a kind that can be decoded."""
    return part.content_type in TYPES or (
        part.content_type == "application/octet-stream" and part.name.lower().endswith(SUFFIXES)
    )


async def decode(data: bytes, width: int, height: int) -> Pixels:
    """Return the first frame of a PNG, JPEG, GIF or WebP file, scaled down to fit in `width` times `height` pixels.

    When the caller is cancelled, the process is killed. Raises PictureError.
    """
    if len(data) > MOST_BYTES:
        raise PictureError(f"This file is larger than {MOST_BYTES // 1_000_000} MB.")
    box = (max(1, min(width, WIDEST)), max(1, min(height, HIGHEST)))
    argv = [sys.executable, "-P", picture_decoder.__file__, *map(str, box)]
    try:
        ran = await piping.run(argv, data, SECONDS)
    except piping.TooLongError:
        raise PictureError(f"This picture could not be decoded within {SECONDS:g} seconds.") from None
    except piping.ProgramError as error:
        raise PictureError(f"This picture cannot be decoded: {error.message}") from None
    if ran.code == Failure.NO_PILLOW:
        raise PictureError(
            "Showing pictures needs Pillow, which is not installed here.",
            "pip install 'termmail[images]' adds it. o opens the picture with the desktop.",
            code=ErrorCode.PROGRAM,
        )
    if ran.code == Failure.NO_PICTURE:
        raise PictureError("This file is no PNG, JPEG, GIF or WebP picture, whatever its name says.")
    if ran.code == Failure.TOO_LARGE or ran.code < 0:  # ended by a signal: by one of its own bounds
        raise PictureError("This picture is too large to be decoded here: it takes too much memory or time.")
    try:
        return _pixels(ran.output)
    except ValueError:
        raise PictureError("This picture is damaged or incomplete.") from None


def _pixels(output: str) -> Pixels:
    """Return what the decoder printed. Raises ValueError where that is no picture."""
    *numbers, encoded = output.split(" ")
    full_width, full_height, width, height = map(int, numbers)
    rgb = base64.b64decode(encoded, validate=True)
    if not 0 < width <= WIDEST or not 0 < height <= HIGHEST or len(rgb) != width * height * 3:
        raise ValueError
    return Pixels(full_width, full_height, width, height, rgb)
