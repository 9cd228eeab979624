"""Compares what glauber reads of pictures with what tifffile, Pillow and NumPy read of the same files.

A model file holds the picture as one covariate and the independent reader's numbers as another; a site where
they differ comes alive. Files that glauber does not read must be refused with a message, by exit code 2.
"""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from command import binary

tifffile = pytest.importorskip("tifffile", reason="tifffile is not installed, so its TIFFs were not compared")
Image = pytest.importorskip("PIL.Image", reason="Pillow is not installed, so its files were not compared")

SHAPE = (9, 13)
SHADES = 255.0
"""Pictures of 8 bits that are no maps (PNG, JPEG, colours) are grey values from 0 to 1."""


def run(folder: Path, picture: Path, expected: np.ndarray) -> tuple[int, str, int]:
    """The exit code, what was printed, and at how many sites the picture differs from what is expected."""
    np.save(folder / "expected.npy", np.asarray(expected, dtype=np.float64))
    shape = list(np.shape(expected))
    (folder / "compare.toml").write_text(
        f"""states = ["same", "other"]
[lattice]
shape = {shape}
[covariates]
picture = "{picture.name}"
expected = "expected.npy"
[start]
other = "0"
[transitions]
"same -> other" = "1 - (picture == expected)"
""",
        encoding="utf-8",
    )
    command = [binary(), "simulate", "compare.toml", "--steps", "1", "--precision", "f64", "--out", "out.npz"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    printed = done.stdout + done.stderr
    assert "panicked" not in printed
    if done.returncode != 0:
        return done.returncode, printed, 0
    with np.load(folder / "out.npz") as out:
        states = out["state"].reshape(-1, *shape)
    (folder / "out.npz").unlink()
    return 0, printed, int(states[-1].sum())


def same(folder: Path, picture: Path, expected: np.ndarray, *words: str) -> None:
    """Every number is as the independent reader has it, and one that is changed is found."""
    code, printed, differ = run(folder, picture, expected)
    assert (code, differ) == (0, 0), printed
    assert all(word in printed for word in words), printed
    changed = np.array(expected, dtype=np.float64)
    middle = changed.size // 2
    changed.flat[middle] += max(0.25, 4 * np.spacing(abs(changed.flat[middle])))
    assert run(folder, picture, changed)[2] == 1


def refused(folder: Path, picture: Path, *words: str) -> None:
    code, printed, _ = run(folder, picture, np.zeros(SHAPE))
    assert code == 2 and all(word in printed for word in words), printed


def numbers(dtype: str, shape: tuple[int, ...] = SHAPE, seed: int = 1) -> np.ndarray:
    random = np.random.default_rng(seed)
    kind = np.dtype(dtype)
    if kind.kind == "f":
        return (random.integers(-1000, 1000, shape) / 8).astype(kind)
    # Doubles hold whole numbers to 2⁵³.
    most = min(int(np.iinfo(kind).max), 2**53)
    values = random.integers(max(int(np.iinfo(kind).min), -(2**53)), most, shape, dtype=np.int64)
    values.flat[0] = most // 2 + 1
    return values.astype(kind)


TIFFS: list[tuple[str, str, dict[str, Any]]] = [
    *((f"{dtype} plain", dtype, {}) for dtype in "u1 u2 u4 u8 i1 i2 i4 i8 f2 f4 f8".split()),
    *((f"{dtype} big-endian", dtype, {"byteorder": ">"}) for dtype in ["u2", "i4", "f2", "f4", "f8"]),
    *((f"{dtype} zlib", dtype, {"compression": "zlib"}) for dtype in ["u1", "u2", "f4"]),
    *((f"{c} {p}", "u2", {"compression": c, "predictor": p}) for c in ["zlib", "lzw"] for p in [False, True]),
    *((f"float predictor {d}", d, {"compression": "zlib", "predictor": True}) for d in ["f2", "f4", "f8"]),
    ("packbits", "u1", {"compression": "packbits"}),
    ("tiles", "u2", {"tile": (16, 16)}),
    ("small tiles, lzw", "u1", {"tile": (16, 16), "compression": "lzw"}),
    ("strips of two rows", "f4", {"rowsperstrip": 2}),
    ("strips of two rows, zlib", "i2", {"rowsperstrip": 2, "compression": "zlib"}),
    ("bigtiff", "u2", {"bigtiff": True}),
    ("white is zero", "u1", {"photometric": "miniswhite"}),
    ("white is zero, 16 bits", "u2", {"photometric": "miniswhite"}),
    ("imagej", "u2", {"imagej": True}),
    ("ome", "u2", {"ome": True}),
    *((c, "u1", {"compression": c}) for c in ["zstd", "lzma", "webp", "lerc", "jpegxl", "jpeg2000"]),
]


@pytest.mark.parametrize(("name", "dtype", "options"), TIFFS, ids=[name for name, *_ in TIFFS])
def test_tiffs_are_read_as_tifffile_reads_them(
    tmp_path: Path, name: str, dtype: str, options: dict[str, Any]
) -> None:
    path = tmp_path / "a.tif"
    try:
        tifffile.imwrite(path, numbers(dtype), **{"photometric": "minisblack", **options})
    except (ImportError, ValueError, KeyError, RuntimeError) as error:
        pytest.skip(f"tifffile cannot write {name} here: {error}")
    if options.get("compression") in {"zstd", "lzma", "webp", "lerc", "jpegxl", "jpeg2000"}:
        refused(tmp_path, path, "compress")
        return
    expected = numbers(dtype) if options.get("compression") == "lzw" else tifffile.imread(path)
    assert np.array_equal(expected, numbers(dtype))
    same(tmp_path, path, expected)


@pytest.mark.parametrize(
    "options", [{}, {"imagej": True}, {"ome": True}, {"tile": (16, 16)}, {"compression": "zlib"}]
)
def test_stacks_are_read_plane_by_plane(tmp_path: Path, options: dict[str, Any]) -> None:
    path = tmp_path / "stack.tif"
    stack = numbers("u2", (4, *SHAPE))
    tifffile.imwrite(path, stack, photometric="minisblack", metadata={"axes": "ZYX"}, **options)
    same(tmp_path, path, tifffile.imread(path))


@pytest.mark.parametrize("planar", ["contig", "separate"])
@pytest.mark.parametrize("tile", [None, (16, 16)])
def test_colours_are_pillows_luma(tmp_path: Path, planar: str, tile: tuple[int, int] | None) -> None:
    path = tmp_path / "rgb.tif"
    colours = numbers("u1", (*SHAPE, 3))
    written = np.moveaxis(colours, -1, 0) if planar == "separate" else colours
    tifffile.imwrite(path, written, photometric="rgb", planarconfig=planar, tile=tile)
    expected = np.asarray(Image.fromarray(colours).convert("L"))
    same(tmp_path, path, expected / SHADES, "luma")


def test_several_channels_name_no_key_that_is_not_there(tmp_path: Path) -> None:
    path = tmp_path / "channels.tif"
    two = numbers("u2", (*SHAPE, 2))
    tifffile.imwrite(
        path, two, photometric="minisblack", planarconfig="contig", extrasamples=["unspecified"]
    )
    refused(tmp_path, path, "2 channels a pixel", "image of its own")
    assert "data.channel" not in run(tmp_path, path, np.zeros(SHAPE))[1]


def gdal(items: str) -> list[tuple[int, str, int, str, bool]]:
    return [(42112, "s", 0, f"<GDALMetadata>\n  {items}\n</GDALMetadata>\n", True)]


def test_scale_and_offset_of_gdal_are_applied(tmp_path: Path) -> None:
    path = tmp_path / "dem.tif"
    raw = numbers("i2")
    scale = '<Item name="SCALE" sample="0" role="scale">{}</Item>'
    both = scale.format(0.5) + '<Item name="OFFSET" sample="0" role="offset">-100</Item>'
    tifffile.imwrite(path, raw, extratags=gdal(both))
    same(tmp_path, path, raw * 0.5 - 100, "multiplied by 0.5")
    for wrong in ["0", "nan", "much"]:
        tifffile.imwrite(path, raw, extratags=gdal(scale.format(wrong)))
        refused(tmp_path, path, "apply it")
    tifffile.imwrite(path, raw, extratags=[(42113, "s", 0, str(raw[3, 4]), True)])
    refused(tmp_path, path, "no data")


PILLOWS: list[tuple[str, str, dict[str, Any]]] = [
    ("1", "png", {}),
    ("L", "png", {}),
    ("LA", "png", {}),
    ("P", "png", {}),
    ("P", "png", {"bits": 4}),
    ("RGB", "png", {}),
    ("RGBA", "png", {}),
    ("I;16", "png", {}),
    ("1", "tif", {}),
    ("1", "tif", {"compression": "group4"}),
    ("L", "tif", {"compression": "tiff_lzw"}),
    ("L", "tif", {"compression": "tiff_adobe_deflate"}),
    ("L", "tif", {"compression": "packbits"}),
    ("P", "tif", {}),
    ("I;16", "tif", {"compression": "tiff_lzw"}),
    ("F", "tif", {"compression": "tiff_lzw"}),
    ("RGB", "tif", {"compression": "tiff_lzw"}),
    ("L", "jpg", {"quality": 90}),
]


@pytest.mark.parametrize(("mode", "ending", "options"), PILLOWS)
def test_pictures_are_read_as_pillow_reads_them(
    tmp_path: Path, mode: str, ending: str, options: dict[str, Any]
) -> None:
    path = tmp_path / f"a.{ending}"
    depth = {"I;16": "u2", "F": "f4"}.get(mode, "u1")
    grey = numbers(depth)
    if mode == "P":
        picture = Image.fromarray(grey % 16).convert("L")
        table = Image.new("P", picture.size)
        table.putpalette([(37 * i) % 256 for i in range(48)])
        table.putdata(list(picture.tobytes()))
        picture = table
    elif mode in {"1", "L", "I;16", "F"}:
        picture = Image.fromarray(grey)
        picture = picture.convert(mode) if mode in {"1"} else picture
    else:
        picture = Image.fromarray(numbers("u1", (*SHAPE, len(mode))), mode=mode)
    picture.save(path, **options)
    with Image.open(path) as found:
        assert found.size == SHAPE[::-1]
        if mode in {"RGB", "RGBA"}:
            expected = np.asarray(found.convert("RGB").convert("L")) / SHADES
        elif mode == "LA":
            expected = np.asarray(found)[..., 0] / SHADES
        elif mode == "L" and ending != "tif":
            expected = np.asarray(found) / SHADES
        else:
            expected = np.asarray(found).astype(np.float64)
    if ending == "jpg":
        # Decoders may round otherwise: within two grey values of Pillow's, at every site.
        code, printed, _ = run(tmp_path, path, expected)
        assert code == 0, printed
        written = (tmp_path / "compare.toml").read_text(encoding="utf-8")
        for shift in (-2.5, 2.5):
            sign = ">" if shift > 0 else "<"
            text = written.replace("1 - (picture == expected)", f"picture {sign} expected")
            assert text != written
            np.save(tmp_path / "expected.npy", expected + shift / SHADES)
            (tmp_path / "compare.toml").write_text(text, encoding="utf-8")
            command = [binary(), "simulate", "compare.toml", "--steps", "1", "--out", f"jpg{shift}.npz"]
            subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, timeout=60)
            with np.load(tmp_path / f"jpg{shift}.npz") as out:
                assert out["state"].reshape(-1, *SHAPE)[-1].sum() == 0
        return
    same(tmp_path, path, expected)


@pytest.mark.parametrize("dtype", ["?", "u1", ">u2", "<i4", ">i8", "<f2", ">f4", "<f8"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_arrays_are_read_as_numpy_reads_them(tmp_path: Path, dtype: str, order: str) -> None:
    path = tmp_path / "a.npy"
    array = numbers("u1") > 100 if dtype == "?" else numbers(dtype)
    np.save(path, np.asarray(array, order=order))
    same(tmp_path, path, np.load(path).astype(np.float64))


@pytest.mark.parametrize("dtype", ["c8", "U1", "M8[s]", "f4,i2"])
def test_arrays_of_no_numbers_are_refused(tmp_path: Path, dtype: str) -> None:
    path = tmp_path / "a.npy"
    np.save(path, np.zeros(SHAPE, dtype))
    refused(tmp_path, path, "a.npy")


@pytest.mark.parametrize(
    ("ending", "mode", "dtype"),
    [("pgm", "L", "u1"), ("pgm", "I;16", "u2"), ("ppm", "RGB", "u1"), ("pbm", "1", "u1")],
)
def test_netpbm_is_read_as_pillow_reads_it(tmp_path: Path, ending: str, mode: str, dtype: str) -> None:
    path = tmp_path / f"a.{ending}"
    shape = (*SHAPE, 3) if mode == "RGB" else SHAPE
    values = numbers(dtype, shape)
    if mode == "1":
        Image.fromarray(values > 100).save(path)
        # Pillow turns a PBM round, in which 1 is black; here its numbers are as they stand in the file.
        same(tmp_path, path, 1.0 - np.asarray(Image.open(path), dtype=float), "1 is black")
        return
    Image.fromarray(values).save(path)
    read = Image.open(path)
    if mode == "RGB":
        same(tmp_path, path, np.asarray(read.convert("L")) / SHADES)
    else:
        same(tmp_path, path, np.asarray(read) / (SHADES if dtype == "u1" else 1.0))
