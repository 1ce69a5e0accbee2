"""Pictures are decoded by a process of their own: scaled, turned upright, and what harms is a sentence."""

from __future__ import annotations

import asyncio
import io
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import pytest
from PIL import Image

from termmail.engine import picture_decoder, picture_pixels
from termmail.engine.picture_pixels import PictureError, decode, is_picture
from termmail.errors import ErrorCode
from termmail.mail.message import Part

RED, GREEN, BLUE = (255, 0, 0), (0, 255, 0), (0, 0, 255)


def saved(image: Image.Image, kind: str, **options) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def two_halves(width: int = 400, height: int = 200) -> Image.Image:
    """Red at the left, blue at the right."""
    image = Image.new("RGB", (width, height), RED)
    image.paste(BLUE, (width // 2, 0, width, height))
    return image


def near(colour: bytes, other: tuple[int, int, int]) -> bool:
    """JPEG and WebP change colours a little."""
    return all(abs(one - two) < 12 for one, two in zip(colour, other, strict=True))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP"])
async def test_a_picture_is_scaled_to_the_room_that_it_has(kind):
    pixels = await decode(saved(two_halves(), kind), 100, 100)
    assert pixels[:4] == (400, 200, 100, 50)
    assert len(pixels.rgb) == 100 * 50 * 3
    assert near(pixels.rgb[:3], RED)
    assert near(pixels.rgb[-3:], BLUE)


async def test_a_small_picture_is_not_made_larger():
    assert (await decode(saved(two_halves(8, 6), "PNG"), 100, 100))[:4] == (8, 6, 8, 6)


async def test_a_line_of_pixels_keeps_its_height():
    assert (await decode(saved(Image.new("RGB", (3000, 2)), "PNG"), 100, 100))[:4] == (3000, 2, 100, 1)


async def test_a_photograph_is_turned_as_its_camera_was_held():
    exif = Image.Exif()
    exif[picture_decoder.ORIENTATION] = 6  # the first row of the file is the right side
    pixels = await decode(saved(two_halves(), "JPEG", exif=exif, quality=95), 100, 100)
    assert pixels[:4] == (200, 400, 50, 100)
    assert near(pixels.rgb[:3], RED)
    assert near(pixels.rgb[-3:], BLUE)


async def test_broken_exif_does_not_hide_a_picture():
    pixels = await decode(saved(two_halves(), "JPEG", exif=b"Exif\0\0MM\0*\xff\xff\xff\xff"), 100, 100)
    assert pixels[:4] == (400, 200, 100, 50)


async def test_of_a_photograph_with_a_second_picture_the_first_is_shown():
    """As many telephones save them: two JPEGs in one file (MPO)."""
    data = saved(two_halves(1200, 600), "MPO", save_all=True, append_images=[Image.new("RGB", (300, 150), GREEN)])
    pixels = await decode(data, 100, 100)
    assert pixels[:4] == (1200, 600, 100, 50)
    assert near(pixels.rgb[:3], RED)


async def test_only_the_first_frame_of_an_animation_is_shown():
    frames = [Image.new("RGB", (20, 20), colour) for colour in (GREEN, RED, BLUE)]
    for kind in ("GIF", "WEBP", "PNG"):
        data = saved(frames[0], kind, save_all=True, append_images=frames[1:])
        assert near((await decode(data, 20, 20)).rgb[:3], GREEN), kind


@pytest.mark.parametrize(
    ("image", "colour"),
    [
        (Image.new("RGBA", (9, 9), (255, 0, 0, 0)), (255, 255, 255)),
        (Image.new("RGBA", (9, 9), (255, 0, 0, 255)), RED),
        (Image.new("LA", (9, 9), (100, 255)), (100, 100, 100)),
        (Image.new("I;16", (9, 9), 40_000), (156, 156, 156)),
        (Image.new("1", (9, 9), 1), (255, 255, 255)),
    ],
    ids=["transparent", "opaque", "grey with alpha", "16 bits", "1 bit"],
)
async def test_every_kind_of_pixel_becomes_a_colour_and_transparent_ones_are_white(image, colour):
    assert tuple((await decode(saved(image, "PNG"), 9, 9)).rgb[:3]) == colour


def a_png_that_says(width: int, height: int) -> bytes:
    """A PNG of a few bytes that promises so many pixels."""
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(bytes(1000))), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )


@pytest.mark.parametrize(
    "data",
    [
        a_png_that_says(100_000, 100_000),
        a_png_that_says(8_001, 8_000),
        saved(Image.new("1", (12_000, 12_000)), "PNG"),
        saved(Image.new("P", (9_000, 9_000)), "GIF"),
    ],
    ids=["says 10 000 megapixels", "says 64 megapixels", "black PNG", "black GIF"],
)
async def test_a_decompression_bomb_is_a_sentence(data):
    """SECURITY.md, M26."""
    assert len(data) < 1_000_000
    with pytest.raises(PictureError, match="too large to be decoded"):
        await decode(data, 100, 100)


async def test_what_needs_too_much_memory_ends_the_decoder_alone(monkeypatch):
    """The bounds hold in the process itself, whatever a decoder does."""
    wasteful = "import sys; from termmail.engine import picture_decoder as d; d._limit(); bytearray(2 << 30)"
    ran = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-c", wasteful], capture_output=True, cwd=Path(__file__).parents[2]
    )
    assert ran.returncode != 0
    assert ran.stderr == b"", "what it would say goes nowhere"


async def test_a_text_in_a_picture_that_unpacks_to_hundreds_of_megabytes_harms_nothing():
    text = b"zTXt", b"Comment\0\0" + zlib.compress(bytes(300_000_000), 1)
    chunk = struct.pack(">I", len(text[1])) + text[0] + text[1] + struct.pack(">I", zlib.crc32(text[0] + text[1]))
    data = saved(two_halves(), "PNG")
    with pytest.raises(PictureError, match="damaged or incomplete"):
        await decode(data[:33] + chunk + data[33:], 100, 100)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP"])
async def test_a_truncated_picture_is_a_sentence(kind):
    noise = Image.effect_noise((300, 300), 60).convert("RGB")
    data = saved(noise, kind)
    with pytest.raises(PictureError, match="damaged or incomplete") as caught:
        await decode(data[: len(data) // 2], 100, 100)
    assert caught.value.advice == "o opens it with the desktop."


@pytest.mark.parametrize(
    "data", [b"", b"not a picture", b"<svg/>", saved(two_halves(), "TIFF"), saved(two_halves(), "BMP")]
)
async def test_no_other_format_is_tried(data):
    with pytest.raises(PictureError, match="no PNG, JPEG, GIF or WebP"):
        await decode(data, 100, 100)


async def test_a_file_of_more_bytes_is_not_decoded():
    with pytest.raises(PictureError, match="larger than 40 MB"):
        await decode(bytes(picture_pixels.MOST_BYTES + 1), 100, 100)


async def test_without_pillow_the_words_say_what_to_install(tmp_path: Path, monkeypatch):
    (tmp_path / "PIL").mkdir()
    (tmp_path / "PIL" / "__init__.py").write_text("raise ImportError('no such module')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(PictureError, match="needs Pillow") as caught:
        await decode(saved(two_halves(), "PNG"), 100, 100)
    assert "pip install 'termmail[images]'" in caught.value.advice
    assert caught.value.code is ErrorCode.PROGRAM


@pytest.mark.parametrize("output", ["", "1 1 1 1 AAA", "1 1 1 1 AAAAAAAA", "1 1 0 0 ", "9 9 900 1 AAAA", "a b c d e"])
def test_what_the_decoder_prints_is_checked(output):
    with pytest.raises(ValueError):
        picture_pixels._pixels(output)


def test_pillow_is_never_loaded_into_termmail():
    code = "import sys, termmail.ui.app, termmail.ui.screens.attachments; sys.exit('PIL' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[2])


@pytest.mark.parametrize(
    ("content_type", "name", "shown"),
    [
        ("image/png", "a.png", True),
        ("image/jpeg", "no name", True),
        ("image/webp", "a", True),
        ("application/octet-stream", "A.JPG", True),
        ("application/octet-stream", "a.exe", False),
        ("image/svg+xml", "a.svg", False),
        ("image/tiff", "a.tiff", False),
        ("text/html", "a.png", False),
    ],
)
def test_the_kinds_that_are_shown(content_type, name, shown):
    assert is_picture(Part("1", content_type, name, 1)) is shown
