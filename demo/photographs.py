"""Drawn photographs: skin, wounds, an eye, a printed ECG. Nobody was photographed, and each picture says so.

Pillow comes with reportlab. The same name gives the same bytes as long as Pillow keeps its JPEG encoder.
"""

from __future__ import annotations

import io
import math
from collections.abc import Iterator
from importlib import resources
from random import Random

from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageFont

MARK = "DÉMONSTRATION - document fictif"
_SIZE = (1600, 1200)
_QUALITY = 88
_SKINS = ((232, 190, 165), (214, 165, 135), (176, 125, 95), (122, 82, 60), (240, 205, 185))
_SPREAD = frozenset({"tronc", "bras", "rash", "urticaire", "joues", "plis", "mains"})
"""Names whose picture shows many small lesions rather than one."""

Colour = tuple[int, int, int]
Point = tuple[float, float]


def photograph(name: str, random: Random) -> bytes:
    """Return a JPEG of 200 to 600 kB, 1600 by 1200, for a file name such as `photo_dos_regle.jpg`."""
    stem = name.rpartition(".")[0]
    if stem == "ecg":
        return _jpeg(_paper_ecg(random))
    skin = random.choice(_SKINS)
    image = _skin(skin, random)
    subject = stem.split("_")[0]
    if subject == "oeil":
        _draw_eye(image, random)
    elif subject in _SPREAD:
        _draw_spots(image, skin, random)
    elif subject in {"plaie", "jambe", "pied"}:
        _draw_wound(image, random, scale=0.8 if stem.endswith("j30") else 1.0)
    else:
        _draw_lesion(image, random, scale=0.35 if "ensemble" in stem else 1.0)
    image = _grain(image, random)
    if "regle" in stem:
        _draw_ruler(image)
    return _jpeg(_marked(image))


def ecg_millivolts(seconds: float, *, period: float = 0.86) -> float:
    """Return a plausible lead II at an instant: P, Q, R, S and T as bumps (amplitude mV, centre s, width s)."""
    beat = seconds % period
    waves = ((0.12, 0.10, 0.022), (-0.10, 0.185, 0.008), (1.05, 0.21, 0.011), (-0.22, 0.24, 0.010), (0.28, 0.42, 0.045))
    return sum(height * math.exp(-((beat - centre) ** 2) / (2 * width**2)) for height, centre, width in waves)


# --- matter --------------------------------------------------------------------------------------------------------


def _skin(colour: Colour, random: Random) -> Image.Image:
    """A surface lit unevenly."""
    lit = Image.new("RGB", _SIZE, colour)
    dark = Image.new("RGB", _SIZE, _darker(colour, 0.72))
    shade = Image.frombytes("L", (8, 6), random.randbytes(48)).resize(_SIZE, Image.Resampling.BICUBIC)
    return Image.composite(dark, lit, shade.point(lambda level: level * 0.5))


def _grain(image: Image.Image, random: Random) -> Image.Image:
    """Pores and sensor noise, around the middle grey."""
    width, height = _SIZE
    noise = Image.frombytes("L", _SIZE, random.randbytes(width * height)).filter(ImageFilter.GaussianBlur(0.9))
    soft = noise.point(lambda level: 128 + (level - 128) * 0.33)
    return ImageChops.overlay(image, Image.merge("RGB", (soft, soft, soft)))


def _darker(colour: Colour, factor: float) -> Colour:
    red, green, blue = colour
    return int(red * factor), int(green * factor), int(blue * factor)


def _blob(centre: Point, radius: float, random: Random, *, irregular: float = 0.25) -> list[Point]:
    """An uneven outline around a centre."""
    x, y = centre
    reach = [radius * (1 + irregular * (random.random() - 0.5) * 2) for _ in range(14)]
    angles = [2 * math.pi * step / len(reach) for step in range(len(reach))]
    return [(x + r * math.cos(angle), y + r * math.sin(angle)) for r, angle in zip(reach, angles, strict=True)]


def _stain(image: Image.Image, outline: list[Point], colour: Colour, *, blur: float) -> None:
    """Paint a soft shape; only its surroundings are blurred."""
    margin = 3 * blur
    left, top = (int(min(point[axis] for point in outline) - margin) for axis in (0, 1))
    right, bottom = (int(max(point[axis] for point in outline) + margin) for axis in (0, 1))
    mask = Image.new("L", (right - left, bottom - top), 0)
    ImageDraw.Draw(mask).polygon([(x - left, y - top) for x, y in outline], fill=215)
    image.paste(Image.new("RGB", mask.size, colour), (left, top), mask.filter(ImageFilter.GaussianBlur(blur)))


# --- subjects ------------------------------------------------------------------------------------------------------


def _draw_lesion(image: Image.Image, random: Random, *, scale: float) -> None:
    """A pigmented lesion: uneven border, two browns."""
    centre = (random.uniform(700, 900), random.uniform(520, 680))
    _stain(image, _blob(centre, 190 * scale, random), (118, 72, 50), blur=9)
    _stain(image, _blob((centre[0] + 40 * scale, centre[1] - 20 * scale), 105 * scale, random), (66, 38, 30), blur=7)


def _draw_wound(image: Image.Image, random: Random, *, scale: float) -> None:
    """An ulcer: red halo, raw edge, yellow fibrin."""
    centre = (800.0, 600.0)
    for radius, colour, blur in ((330, (190, 110, 95), 30), (230, (160, 55, 50), 10), (150, (205, 180, 110), 12)):
        _stain(image, _blob(centre, radius * scale, random, irregular=0.18), colour, blur=blur)


def _draw_spots(image: Image.Image, skin: Colour, random: Random) -> None:
    """A rash."""
    red = (min(skin[0] + 5, 255), int(skin[1] * 0.68), int(skin[2] * 0.68))
    for _ in range(70):
        centre = (random.uniform(80, 1520), random.uniform(80, 1080))
        _stain(image, _blob(centre, random.uniform(14, 46), random), red, blur=6)


def _draw_eye(image: Image.Image, random: Random) -> None:
    """A red eye: sclera, vessels, iris, pupil."""
    draw = ImageDraw.Draw(image)
    draw.ellipse((320, 330, 1280, 870), fill=(238, 226, 222))
    for _ in range(60):
        angle, start = random.uniform(0, 2 * math.pi), random.uniform(0.55, 0.7)
        draw.line(
            [_on_eye(angle, start), _on_eye(angle + random.uniform(-0.1, 0.1), 0.97)], fill=(205, 90, 85), width=3
        )
    draw.ellipse((615, 415, 985, 785), fill=(92, 120, 96))
    draw.ellipse((725, 525, 875, 675), fill=(14, 12, 12))
    draw.ellipse((850, 500, 895, 545), fill=(250, 250, 250))


def _on_eye(angle: float, reach: float) -> Point:
    return 800 + 480 * reach * math.cos(angle), 600 + 270 * reach * math.sin(angle)


def _draw_ruler(image: Image.Image) -> None:
    """A scale of 3 cm, 40 pixels a millimetre: the lesion drawn is 9 to 10 mm wide."""
    draw = ImageDraw.Draw(image)
    draw.rectangle((180, 960, 1420, 1070), fill=(245, 245, 240))
    for millimetre in range(31):
        x = 200 + millimetre * 40
        draw.line((x, 960, x, 1010 if millimetre % 10 == 0 else 985), fill=(20, 20, 20), width=3)
        if millimetre % 10 == 0:
            draw.text((x - 12, 1014), f"{millimetre // 10}", fill=(20, 20, 20), font=_font(40))


def _paper_ecg(random: Random) -> Image.Image:
    """A printed trace photographed flat: 25 mm/s, 10 mm/mV, 8 pixels a millimetre."""
    image = Image.new("RGB", _SIZE, (252, 240, 238))
    draw = ImageDraw.Draw(image)
    for step in range(0, _SIZE[0], 8):
        colour = (236, 150, 150) if step % 40 == 0 else (248, 212, 210)
        draw.line((step, 0, step, _SIZE[1]), fill=colour)
        draw.line((0, step, _SIZE[0], step), fill=colour)
    for row in range(4):
        base, gain = 240 + row * 240, random.uniform(70, 95)
        trace = [(x, base - gain * ecg_millivolts(x / 200 + row * 0.3)) for x in range(40, 1560)]
        draw.line(trace, fill=(25, 25, 60), width=3)
        draw.text((44, base - 120), ("I", "II", "III", "V2")[row], fill=(25, 25, 60), font=_font(34))
    return _marked(_grain(image, random))


def frames(random: Random, count: int) -> Iterator[bytes]:
    """Yield small JPEG pictures of a pen drawing a trembling spiral: a handwriting test, frame by frame."""
    spiral = [_spiral(turn / 20, random) for turn in range(20 * count)]
    for shown in range(1, count + 1):
        image = Image.new("RGB", (640, 480), (250, 248, 240))
        draw = ImageDraw.Draw(image)
        draw.line(spiral[: 20 * shown], fill=(30, 40, 120), width=4)
        draw.text((16, 440), MARK, fill=(160, 30, 30), font=_font(24))
        yield _jpeg(image)


def _spiral(turn: float, random: Random) -> Point:
    radius = 12 + 5.5 * turn + random.uniform(-3, 3)
    return 320 + radius * math.cos(turn), 230 + radius * math.sin(turn)


# --- ink -----------------------------------------------------------------------------------------------------------


def _marked(image: Image.Image) -> Image.Image:
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 1130, 1600, 1200), fill=(255, 255, 255))
    draw.text((40, 1142), MARK, fill=(160, 30, 30), font=_font(44))
    return image


def _font(size: int) -> ImageFont.FreeTypeFont:
    with resources.as_file(resources.files("reportlab") / "fonts" / "VeraBd.ttf") as path:
        return ImageFont.truetype(str(path), size)


def _jpeg(image: Image.Image) -> bytes:
    output = io.BytesIO()
    image.save(output, "JPEG", quality=_QUALITY)
    return output.getvalue()
