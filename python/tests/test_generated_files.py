"""Writes pictures and stacks of every kind by tifffile and Pillow, from seeds, and compares every value that glauber reads.

Pictures are read as data per site and compared with the independent reader's numbers, site by site; stacks are read as
states at successive times, chosen by `data.channel` and `data.slice`, and the likelihood of one step has to be, to the
last bit, that of the planes that NumPy picks by their axes. What is not read must be refused in words. (Tables of tracks are
compared with pandas in `test_track_tables.py`.)
"""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path
from typing import Any

import glauber
import numpy as np
import pytest

tifffile = pytest.importorskip("tifffile", reason="tifffile is not installed, so its TIFFs were not compared")
Image = pytest.importorskip("PIL.Image", reason="Pillow is not installed, so its files were not compared")

CODECS = importlib.util.find_spec("imagecodecs") is not None
"""Without it tifffile writes no LZW and no predictors; Pillow writes LZW, and the test in Rust both."""

TIMES = 10 if os.environ.get("GLAUBER_FULL") else 1
"""With `cargo xtask python --full` ten times as many files are written."""

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")

GROUPS = range(10)
"""Files are written in groups, a test each."""

REFUSED = (glauber.InputError, glauber.ModelError)


class Draws:
    """What a file is like, drawn from a seed."""

    def __init__(self, seed: int) -> None:
        self.random = np.random.default_rng(seed)

    def of(self, *choices: Any) -> Any:
        return choices[int(self.random.integers(len(choices)))]

    def one_in(self, n: int) -> bool:
        return int(self.random.integers(n)) == 0

    def below(self, n: int) -> int:
        return int(self.random.integers(n))

    def numbers(self, dtype: str, shape: tuple[int, ...]) -> np.ndarray:
        """Numbers over the whole range of a type, as far as doubles hold them."""
        kind = np.dtype(dtype)
        if kind.kind == "f":
            return (self.random.integers(-1000, 1000, shape) / 8).astype(kind)
        most = min(int(np.iinfo(kind).max), 2**53)
        least = max(int(np.iinfo(kind).min), -(2**53))
        values = self.random.integers(least, most, shape, dtype=np.int64, endpoint=True)
        values.flat[0] = most // 2 + 1
        return values.astype(kind)


def differing(folder: Path, picture: Path, expected: np.ndarray) -> int:
    """At how many sites the picture, read as data per site, is not what is expected."""
    np.save(folder / "expected.npy", np.asarray(expected, dtype=np.float64))
    (folder / "compare.toml").write_text(
        f"""states = ["same", "other"]
[lattice]
shape = {list(np.shape(expected))}
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
    made = glauber.load(folder / "compare.toml").simulate(steps=1, precision="f64")
    return int(np.asarray(made["state"])[0, -1].sum())


def tiff(draws: Draws, path: Path) -> tuple[dict[str, Any], np.ndarray]:
    """One picture or stack of some kind by tifffile, and what tifffile reads of it."""
    shape = (1 + draws.below(20), 2 + draws.below(20))
    dtype = draws.of(*"u1 u2 u4 u8 i1 i2 i4 i8 f2 f4 f8".split())
    if draws.one_in(4):
        shape = (2 + draws.below(3), *shape)
    options: dict[str, Any] = {
        "photometric": draws.of("minisblack", "minisblack", "miniswhite"),
        "byteorder": draws.of("<", ">"),
        "bigtiff": draws.one_in(4),
        "compression": draws.of(None, None, "zlib", *(["lzw", "packbits"] if CODECS else [])),
        "metadata": draws.of(None, {"axes": "ZYX"[-len(shape) :]}),
    }
    if draws.one_in(3):
        options["tile"] = (16 * (1 + draws.below(2)), 16 * (1 + draws.below(2)))
    elif draws.one_in(2):
        options["rowsperstrip"] = 1 + draws.below(shape[-2])
    if CODECS and options["compression"] in {"zlib", "lzw"} and draws.one_in(2):
        options["predictor"] = True
    if draws.one_in(3):
        options["resolution"] = (1 + draws.below(600), 0.5 + draws.below(600))
        options["resolutionunit"] = draws.of("NONE", "INCH", "CENTIMETER")
    if draws.one_in(4):
        options["software"] = "µ-scope\n2".encode()
        options["description"] = draws.of(None, "two\nlines", "{not json", "<OM", "ImageJ") if options["metadata"] is None else None
    if draws.one_in(6):
        dtype = draws.of("u1", "u2")
        colours = draws.numbers(dtype, (*shape[-2:], 3))
        options |= {"photometric": "rgb", "planarconfig": draws.of("contig", "separate"), "metadata": None}
        options.pop("description", None)
        written = np.moveaxis(colours, -1, 0) if options["planarconfig"] == "separate" else colours
        tifffile.imwrite(path, written, **options)
        read = tifffile.imread(path).astype(np.int64)
        red, green, blue = np.moveaxis(read, -1, 0) if options["planarconfig"] == "contig" else read
        luma = (19595 * red + 38470 * green + 7471 * blue + 32768) >> 16
        # Colours are a picture: 0 is black, 1 white.
        return options, luma / np.iinfo(dtype).max
    if draws.one_in(8) and options["photometric"] == "minisblack" and len(shape) == 2:
        bits = draws.random.integers(0, 2, shape).astype(bool)
        options |= {"predictor": None, "photometric": "minisblack"}
        if options["compression"] == "lzw":
            options["compression"] = None
        tifffile.imwrite(path, bits, **options)
        return options, tifffile.imread(path).astype(np.float64)
    values = draws.numbers(dtype, shape)
    tifffile.imwrite(path, values, **options)
    return options | {"dtype": dtype}, tifffile.imread(path).astype(np.float64)


@pytest.mark.parametrize("group", GROUPS)
def test_tiffs_of_every_kind_have_tifffiles_numbers(tmp_path: Path, group: int) -> None:
    for number in range(20 * TIMES):
        draws = Draws(1_000_003 * group + number)
        path = tmp_path / f"{number}.tif"
        options, expected = tiff(draws, path)
        assert differing(tmp_path, path, expected) == 0, (group, number, options)
        # The comparison finds a single site that is otherwise.
        middle = expected.size // 2
        changed = expected.copy()
        changed.flat[middle] += max(0.25, 4 * np.spacing(abs(changed.flat[middle])))
        assert differing(tmp_path, path, changed) == 1, (group, number, options)
        path.unlink()


def by_pillow(draws: Draws, folder: Path) -> tuple[Path, np.ndarray, dict[str, Any]]:
    """A picture of some kind by Pillow, and what Pillow reads of it, in the numbers that glauber gives."""
    shape = (1 + draws.below(20), 1 + draws.below(20))
    ending = draws.of("png", "tif", "pgm")
    mode = draws.of("L", "I;16") if ending == "pgm" else draws.of("1", "L", "LA", "P", "RGB", "RGBA", "I;16")
    options: dict[str, Any] = {}
    if ending == "tif":
        mode = draws.of("F", mode) if mode not in {"LA", "RGBA"} else "RGB"
        options["compression"] = draws.of(None, "tiff_lzw", "tiff_adobe_deflate", "packbits")
        if mode == "1":
            options["compression"] = draws.of(None, "group4", "group3", "tiff_ccitt")
        options["dpi"] = (72 + draws.below(500), 72 + draws.below(500))
    if ending == "png":
        options["compress_level"] = draws.below(10)
    channels = {"LA": 2, "RGB": 3, "RGBA": 4}.get(mode, 0)
    size = (*shape, channels) if channels else shape
    values = draws.numbers({"I;16": "u2", "F": "f4"}.get(mode, "u1"), size)
    if mode == "P":
        picture = Image.new("P", shape[::-1])
        colours = draws.of(2, 4, 16, 256)
        picture.putpalette([draws.below(256) for _ in range(3 * colours)])
        picture.putdata([int(value) % colours for value in values.flat])
    elif mode == "1":
        picture = Image.fromarray(values > 100)
    elif channels:
        picture = Image.fromarray(values, mode=mode)
    else:
        picture = Image.fromarray(values)
    path = folder / f"a.{ending}"
    picture.save(path, **options)
    with Image.open(path) as found:
        assert found.size == shape[::-1]
        if mode in {"RGB", "RGBA"}:
            expected = np.asarray(found.convert("RGB").convert("L")) / 255
        elif mode == "LA":
            expected = np.asarray(found)[..., 0] / 255
        elif mode == "L" and ending != "tif":
            expected = np.asarray(found) / 255
        else:
            expected = np.asarray(found).astype(np.float64)
    return path, expected, {"mode": mode, "ending": ending, **options}


@pytest.mark.parametrize("group", GROUPS)
def test_pictures_of_every_kind_have_pillows_numbers(tmp_path: Path, group: int) -> None:
    for number in range(15 * TIMES):
        draws = Draws(2_000_003 * (group + 1) + number)
        path, expected, options = by_pillow(draws, tmp_path)
        if options.get("compression") in {"group3", "tiff_ccitt"}:
            # Fax of one dimension is not read: that is said, with what to do.
            with pytest.raises(REFUSED, match="compression method .* is unsupported; save it without compression"):
                differing(tmp_path, path, expected)
            continue
        assert differing(tmp_path, path, expected) == 0, (group, number, options)
        changed = expected.copy()
        changed.flat[expected.size // 2] += 0.25
        assert differing(tmp_path, path, changed) == 1, (group, number, options)


AXES = {"T": "frames", "Z": "slices", "C": "channels"}


def stack(draws: Draws, path: Path) -> tuple[np.ndarray, str, str]:
    """Masks of 0 and 255 along drawn axes, as tifffile writes them in one of its ways; and the order of the axes."""
    way = draws.of("imagej", "ome", "shaped", "plain")
    sizes = {"T": draws.of(1, 3, 4), "Z": draws.of(1, 1, 2, 3), "C": draws.of(1, 1, 2, 3)}
    letters = "TZC" if way == "imagej" else "".join(draws.random.permutation(list("TZC")))
    if way == "plain":
        sizes = {"T": 4, "Z": 1, "C": 1}
    shape = (*(sizes[letter] for letter in letters), 5, 7)
    masks = np.where(draws.random.random(shape) < 0.4, 255, 0).astype(np.uint8)
    written = masks
    options: dict[str, Any] = {"photometric": draws.of("minisblack", "miniswhite")}
    if way != "imagej":
        options["bigtiff"] = draws.one_in(4)
        options["compression"] = draws.of(None, "zlib")
        if draws.one_in(3):
            options["tile"] = (16, 16)
    if way in {"imagej", "ome"}:
        options["photometric"] = "minisblack"
        options[way] = True
        options["metadata"] = {"axes": f"{letters}YX"}
        if draws.one_in(2):
            options["metadata"] |= {"finterval": 2.0} if way == "imagej" else {"PhysicalSizeX": 0.5, "TimeIncrement": 2.0}
    elif way == "shaped":
        options["metadata"] = {"axes": f"{letters}YX"}
    else:
        written = masks.reshape(-1, 5, 7)
        options["metadata"] = None
    tifffile.imwrite(path, written, **options)
    return masks, letters, way


FIT = """task = "transition"
model = "noise.toml"
[data]
states = "{states}"
[start]
p = 0.3
[loss]
name = "likelihood"
[optimizer]
steps = 1
"""

NOISE = """states = ["out", "in"]
[lattice]
shape = [5, 7]
[parameters]
p = [0.0, 1.0]
[start]
"in" = "0.5"
[transitions]
"out -> in" = "0.1 + 0.5 * p * x / 7 + 0.02 * count(in)"
"in -> out" = "0.2 + 0.3 * p * y / 5 + 0.03 * count(in)"
"""


def likelihood(folder: Path, states: str, choice: dict[str, Any]) -> float:
    (folder / "fit.toml").write_text(FIT.format(states=states), encoding="utf-8")
    result = glauber.fit_file(folder / "fit.toml", {f"data.{key}": value for key, value in choice.items()})
    return float(result.trace["loss"][0])


@pytest.mark.parametrize("group", GROUPS)
def test_stacks_of_every_kind_are_the_planes_their_axes_say(tmp_path: Path, group: int) -> None:
    (tmp_path / "noise.toml").write_text(NOISE, encoding="utf-8")
    read = asked = 0
    for number in range(12 * TIMES):
        draws = Draws(3_000_017 * (group + 1) + number)
        path = tmp_path / "stack.tif"
        masks, letters, way = stack(draws, path)
        sizes = dict(zip(letters, masks.shape))
        if way != "plain":
            # tifffile's own word on the axes, where it has them.
            with tifffile.TiffFile(path) as file:
                told = file.series[0]
                assert [sizes[axis] for axis in told.axes if axis in AXES] == [n for n in told.shape[:-2]]
        choice = {}
        for axis, key in [("C", "channel"), ("Z", "slice")]:
            if sizes[axis] > 1 and not draws.one_in(4):
                choice[key] = draws.below(sizes[axis])
        planes = masks
        for axis, key in [("C", "channel"), ("Z", "slice")]:
            at = letters.index(axis)
            planes = np.take(planes, [choice.get(key, 0)] if key in choice or sizes[axis] == 1 else range(sizes[axis]), axis=at)
        order = [letters.index(axis) for axis in "TZC"]
        planes = np.transpose(planes, (*order, 3, 4))
        about = (group, number, way, letters, sizes, choice)
        several = [n for n in planes.shape[:3] if n > 1]
        alone = sum(n > 1 for n in masks.shape[:3]) == 1
        slices_alone = way == "imagej" and alone and sizes["Z"] > 1 and "slice" not in choice
        series = planes.reshape(-1, 5, 7)
        open_choice = (planes.shape[1] > 1 and not slices_alone) or planes.shape[2] > 1
        if open_choice or len(several) > 1 or len(series) < 2:
            with pytest.raises(REFUSED) as refused:
                likelihood(tmp_path, "stack.tif", choice)
            assert any(word in str(refused.value) for word in ["channel", "slice", "states", "one"]), (about, refused.value)
            asked += 1
            continue
        np.save(tmp_path / "planes.npy", (series > 0).astype(np.uint8))
        ours, theirs = (likelihood(tmp_path, states, chosen) for states, chosen in [("stack.tif", choice), ("planes.npy", {})])
        assert ours == theirs, about
        # Planes in another order, or turned, have another likelihood.
        for other in [series[::-1], series[:, ::-1], series[:, :, ::-1]]:
            if not np.array_equal(other, series):
                np.save(tmp_path / "planes.npy", (other > 0).astype(np.uint8))
                assert likelihood(tmp_path, "planes.npy", {}) != ours, about
        read += 1
    assert read > 2 * TIMES and asked > 0
