"""Decode a picture and scale it down: a program of its own, so that a hostile file can hurt no other.

It reads a file from standard input, and prints the size of the picture, the size that it was scaled to, and the pixels
(8-bit RGB, row by row) in base64. Its exit code is 0 or a Failure. It imports nothing of termmail.
"""

from __future__ import annotations

import base64
import contextlib
import io
import os
import resource
import sys
import warnings
from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image

FORMATS = ("PNG", "JPEG", "GIF", "WEBP")
MOST_PIXELS = 64_000_000
MEMORY = 1 << 30
"""Bytes of address space, enough for the largest picture in the widest mode twice."""
SECONDS = 10
"""Seconds of processor time."""
ORIENTATION = 0x0112
"""The EXIF tag that says how a camera was held."""
TURNED_SIDEWAYS = range(5, 9)
"""Orientations that exchange width and height."""
PAPER = (255, 255, 255)
"""What shines through transparent pixels: mail is drawn for white paper."""


class Failure(IntEnum):
    """Why there are no pixels: the exit code."""

    NO_PILLOW = 10
    NO_PICTURE = 11
    TOO_LARGE = 12
    DAMAGED = 13


def main() -> int:
    """Decode standard input for a box of `argv[1]` times `argv[2]` pixels."""
    _limit()
    box = (int(sys.argv[1]), int(sys.argv[2]))
    try:
        from PIL import Image, UnidentifiedImageError  # noqa: PLC0415 - an extra that may be missing
    except ImportError:
        return Failure.NO_PILLOW
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    Image.MAX_IMAGE_PIXELS = MOST_PIXELS
    try:
        picture, size = _upright(Image.open(io.BytesIO(sys.stdin.buffer.read()), formats=FORMATS), box)
    except (Image.DecompressionBombWarning, Image.DecompressionBombError, MemoryError):
        return Failure.TOO_LARGE
    except UnidentifiedImageError:
        return Failure.NO_PICTURE
    except Exception:  # noqa: BLE001 - decoders raise anything at bytes that are not as they should be
        return Failure.DAMAGED
    numbers = " ".join(map(str, (*size, *picture.size)))
    sys.stdout.write(f"{numbers} {base64.b64encode(picture.tobytes()).decode('ascii')}")
    return 0


def _limit() -> None:
    """Bound memory and time, write no file, and drop what the decoders would say."""
    for what, most in (
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_CPU, SECONDS),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        with contextlib.suppress(OSError, ValueError):  # macOS refuses to bound the address space
            resource.setrlimit(what, (most, most))
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)


def _upright(picture: Image, box: tuple[int, int]) -> tuple[Image, tuple[int, int]]:
    """Return the first frame as RGB, turned as its camera was held and within the box, and its size before scaling."""
    from PIL import Image, ImageOps  # noqa: PLC0415

    orientation, size = 1, picture.size
    with contextlib.suppress(Exception):  # broken EXIF is no reason to show nothing
        orientation = picture.getexif().get(ORIENTATION, 1)
    if orientation in TURNED_SIDEWAYS:
        size, box = (size[1], size[0]), (box[1], box[0])
    picture.draft("RGB", (2 * box[0], 2 * box[1]))  # a JPEG is decoded no larger than needed
    picture.load()
    if picture.mode.startswith("I;16"):
        picture = picture.point(lambda value: value / 256, "L")
    picture = picture.convert("RGBA" if picture.has_transparency_data else "RGB")
    picture.thumbnail(box, Image.Resampling.LANCZOS)
    with contextlib.suppress(Exception):
        ImageOps.exif_transpose(picture, in_place=True)
    if picture.mode == "RGBA":
        picture = Image.alpha_composite(Image.new("RGBA", picture.size, PAPER), picture).convert("RGB")
    return picture, size


if __name__ == "__main__":
    sys.exit(main())
