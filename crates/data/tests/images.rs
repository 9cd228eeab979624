//! Checks that pictures of every kind become the right grey planes, and that damaged or absurd ones are refused.
#![allow(clippy::unwrap_used)]

use glauber_data::arrays::{ElementType, Slice, Values};
use glauber_data::images::{
    ImageLimits, ImageStack, read_image, read_image_folder, read_images, write_grey_png, write_labels_tiff,
    write_mask_png,
};
use glauber_data::{DataError, DataErrorKind, Overwrite};
use std::fs;
use std::path::{Path, PathBuf};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/images").join(name)
}

fn read(name: &str) -> Result<ImageStack, DataError> {
    read_image(fixture(name), ImageLimits::default())
}

/// The value of the fixtures at a plane, row and column.
fn value(plane: usize, y: usize, x: usize) -> f64 {
    (plane * 60 + y * 10 + x) as f64
}

fn expected(planes: usize, of: impl Fn(f64) -> f64) -> Vec<f64> {
    let mut all = Vec::new();
    for plane in 0..planes {
        for y in 0..4 {
            all.extend((0..5).map(|x| of(value(plane, y, x))));
        }
    }
    all
}

#[test]
fn grey_pictures_keep_their_values_and_depth() {
    for (name, planes, element, bits, scale) in [
        ("grey8.png", 1, ElementType::U8, 8, 1.0),
        ("grey16.png", 1, ElementType::U16, 16, 257.0),
        ("stack8.tif", 3, ElementType::U8, 8, 1.0),
        ("stack16_big_endian.tif", 3, ElementType::U16, 16, 257.0),
        ("bigtiff.tif", 3, ElementType::U8, 8, 1.0),
        ("lzw.tif", 1, ElementType::U8, 8, 1.0),
        ("deflate.tif", 1, ElementType::U8, 8, 1.0),
        ("float32.tif", 1, ElementType::F32, 32, 0.5),
        ("signed.tif", 1, ElementType::I16, 16, 1.0),
    ] {
        let stack = read(name).unwrap();
        assert_eq!((stack.planes(), stack.height(), stack.width()), (planes, 4, 5), "{name}");
        assert_eq!((stack.array().element_type(), stack.bit_depth()), (element, bits), "{name}");
        assert_eq!(stack.to_f64(), expected(planes, |v| v * scale), "{name}");
        assert!(stack.notes().is_empty(), "{name}: {:?}", stack.notes());
    }
}

#[test]
fn white_is_zero_turns_no_number_round_and_is_said() {
    let stack = read("white_is_zero.tif").unwrap();
    assert_eq!(stack.to_f64(), expected(1, |v| 255.0 - v), "what Pillow shows, turned back");
    assert!(stack.notes()[0].contains("not inverted"), "{:?}", stack.notes());
}

#[test]
fn the_unit_scale_does_not_depend_on_the_depth() {
    let eight = read("grey8.png").unwrap().to_unit();
    assert_eq!(eight, expected(1, |v| v / 255.0));
    for (a, b) in read("grey16.png").unwrap().to_unit().iter().zip(&eight) {
        assert!((a - b).abs() < 1e-15);
    }
    assert_eq!(read("float32.tif").unwrap().to_unit(), expected(1, |v| v / 2.0));
}

/// What Pillow's `convert("L")` gives for the colour fixtures.
const PILLOW_LUMA: [u8; 20] =
    [12, 13, 14, 15, 17, 24, 25, 26, 28, 29, 36, 38, 39, 40, 41, 49, 50, 51, 52, 53];

#[test]
fn colour_becomes_pillows_luma() {
    for name in ["rgb8.png", "rgba8.png", "rgb8.tif", "planar_rgb.tif"] {
        let stack = read(name).unwrap();
        assert_eq!(stack.plane(0), Some(Slice::U8(&PILLOW_LUMA)), "{name}");
        assert!(stack.notes()[0].contains("luma"), "{name}");
    }
    assert!(read("rgba8.png").unwrap().notes()[1].contains("transparency"));
}

#[test]
fn colour_tables_and_bits_are_expanded() {
    let palette = read("palette.png").unwrap();
    assert_eq!(palette.to_f64()[..4], [0.0, 1.0, 2.0, 3.0], "the file's own numbers");
    let shown: Vec<f64> = palette.to_unit()[..4].iter().map(|v| (v * 255.0).round()).collect();
    assert_eq!(shown, [0.0, 76.0, 150.0, 29.0], "the luma of their colours");
    let colours = palette.table_colours().unwrap();
    assert_eq!(colours[..3], [(0, [0, 0, 0]), (1, [255, 0, 0]), (2, [0, 255, 0])], "what they are drawn in");
    assert_eq!(read("rgb8.png").unwrap().table_colours(), None);
    let tiff = read("palette.tif").unwrap();
    assert_eq!((tiff.to_f64(), tiff.to_unit()), (palette.to_f64(), palette.to_unit()));
    assert_eq!(read("bit.png").unwrap().to_unit(), expected(1, |v| v % 2.0));
    let bit = read("bit.tif").unwrap();
    assert_eq!((bit.bit_depth(), bit.to_unit()), (1, expected(1, |v| v % 2.0)));
}

#[test]
fn jpegs_are_read_within_their_losses() {
    for name in ["grey.jpg", "rgb.jpg"] {
        let stack = read(name).unwrap();
        assert_eq!((stack.planes(), stack.height(), stack.width()), (1, 16, 16));
        for (i, v) in stack.to_f64().iter().enumerate() {
            let exact = if i % 16 < 8 { 40.0 } else { 200.0 };
            assert!((v - exact).abs() <= 3.0, "{name}: {v} at {i}");
        }
    }
}

#[test]
fn imagejs_hyperstacks_are_read_in_its_order_and_said() {
    let stack = read("imagej.tif").unwrap();
    assert_eq!(stack.planes(), 6);
    assert!(stack.notes()[0].contains("2 channels × 3 frames"), "{:?}", stack.notes());
}

#[test]
fn what_is_not_read_says_how_to_convert_it() {
    for (name, word) in [("four_channels.tif", "5 channels"), ("unlike.tif", "plane 2 is 5 × 3")] {
        let error = read(name).unwrap_err();
        assert_eq!(error.kind(), DataErrorKind::Unsupported, "{error}");
        assert!(error.found().contains(word), "{error}");
        assert!(!error.remedy().is_empty());
    }
}

#[test]
fn other_files_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.png");
    for (bytes, word) in [
        (&b""[..], "empty"),
        (b"GIF89a", "GIF"),
        (b"id,t,x,y\n", "a text of numbers"),
        (b"hello", "neither PNG, JPEG, TIFF"),
        (b"\x89HDF\r\n", "HDF5"),
        (b"MATLAB 5.0 MAT-file", "MATLAB"),
        (b"\x93NUMPY\x01\x00", "NPY"),
        (b"%PDF-1.7", "PDF"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "WebP"),
    ] {
        fs::write(&path, bytes).unwrap();
        let error = read_image(&path, ImageLimits::default()).unwrap_err();
        assert!(error.found().contains(word), "{error}");
    }
    let missing = read_images(folder.path().join("no.png"), ImageLimits::default()).unwrap_err();
    assert_eq!(missing.kind(), DataErrorKind::Missing);
}

#[test]
fn pictures_cut_short_are_refused_wherever_they_are_cut() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cut");
    for name in [
        "grey8.png",
        "rgba8.png",
        "palette.png",
        "grey.jpg",
        "rgb.jpg",
        "lzw.tif",
        "stack8.tif",
        "imagej.tif",
    ] {
        let whole = fs::read(fixture(name)).unwrap();
        let full = read(name).unwrap();
        let mut refused = 0;
        let step = if whole.len() > 500 { 7 } else { 1 };
        let cuts = (0..whole.len()).step_by(step).collect::<Vec<_>>();
        for &length in &cuts {
            fs::write(&path, &whole[..length]).unwrap();
            match read_image(&path, ImageLimits::default()) {
                Err(_) => refused += 1,
                // Bytes after the picture may be missing; the picture itself may not.
                Ok(stack) => assert_eq!(stack.array(), full.array(), "{name} cut at {length}"),
            }
        }
        assert!(refused * 10 > cuts.len() * 8, "{name}: {refused} of {} cuts refused", cuts.len());
    }
}

#[test]
fn a_size_beyond_the_limit_is_refused_by_the_header_alone() {
    let limit = ImageLimits { pixels: 19 };
    for name in ["grey8.png", "grey.jpg", "lzw.tif", "stack8.tif"] {
        let error = read_image(fixture(name), limit).unwrap_err();
        assert_eq!(error.kind(), DataErrorKind::TooLarge, "{error}");
    }
    // Three planes of 20 pixels fit into 60, not into 59.
    assert!(read_image(fixture("stack8.tif"), ImageLimits { pixels: 60 }).is_ok());
    assert!(read_image(fixture("stack8.tif"), ImageLimits { pixels: 59 }).is_err());

    // A PNG whose header claims 2³¹ − 1 pixels a side, with a right checksum of the header.
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("huge.png");
    let huge = [
        &b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\x7f\xff\xff\xff\x7f\xff\xff\xff\x08\0\0\0\0"[..],
        &[0x31, 0xA2, 0x54, 0xBA],
        &b"\0\0\0\0IDAT"[..],
    ]
    .concat();
    fs::write(&path, huge).unwrap();
    let error = read_image(&path, ImageLimits::default()).unwrap_err();
    assert_eq!(error.kind(), DataErrorKind::TooLarge, "{error}");
}

#[test]
fn a_folder_is_a_time_series_in_natural_order() {
    let folder = tempfile::tempdir().unwrap();
    for time in [1u8, 2, 9, 10, 11] {
        let name = folder.path().join(format!("frame{time}.png"));
        write_grey_png(&name, 1, 2, &[time, 0], Overwrite::Refuse).unwrap();
    }
    fs::write(folder.path().join("notes.txt"), "x").unwrap();
    fs::write(folder.path().join(".hidden.png"), "x").unwrap();
    let stack = read_images(folder.path(), ImageLimits::default()).unwrap();
    assert_eq!(stack.array().shape(), [5, 1, 2]);
    assert_eq!(stack.array().values(), &Values::U8(vec![1, 0, 2, 0, 9, 0, 10, 0, 11, 0]));
    let notes = stack.notes().join("\n");
    assert!(notes.contains("1 files") && notes.contains("between `frame2` and `frame9`"), "{notes}");
    assert!(read_images(folder.path(), ImageLimits { pixels: 9 }).is_err());
}

#[test]
fn folders_with_unlike_pictures_are_refused() {
    let refused = |files: &[&str], word: &str| {
        let folder = tempfile::tempdir().unwrap();
        for (i, name) in files.iter().enumerate() {
            let ending = name.rsplit('.').next().unwrap();
            fs::copy(fixture(name), folder.path().join(format!("{i}.{ending}"))).unwrap();
        }
        let error = read_image_folder(folder.path(), ImageLimits::default()).unwrap_err();
        assert!(error.to_string().contains(word), "{error}");
    };
    refused(&[], "no pictures");
    refused(&["grey8.png", "grey.jpg"], "is 16 × 16 pixels");
    refused(&["grey8.png", "grey16.png"], "uint16");
    refused(&["grey8.png", "stack8.tif"], "stack of 3 planes");
}

#[test]
fn masks_and_labels_come_back() {
    let folder = tempfile::tempdir().unwrap();
    let mask: Vec<bool> = (0..20).map(|i| i % 3 == 0).collect();
    let path = folder.path().join("mask.png");
    write_mask_png(&path, 4, 5, &mask, Overwrite::Refuse).unwrap();
    let back = read_image(&path, ImageLimits::default()).unwrap().to_unit();
    assert!(back.iter().zip(&mask).all(|(v, m)| (*v > 0.5) == *m && (*v < 0.5) != *m));

    let labels: Vec<u16> = (0..40).map(|i| i * 1000).collect();
    for planes in [1, 2] {
        let path = folder.path().join(format!("labels{planes}.tif"));
        write_labels_tiff(&path, planes, 4, 5, &labels[..planes * 20], Overwrite::Refuse).unwrap();
        let back = read_image(&path, ImageLimits::default()).unwrap();
        assert_eq!(back.array().shape(), [planes, 4, 5]);
        assert_eq!(back.array().values(), &Values::U16(labels[..planes * 20].to_vec()));
        assert_eq!(
            write_labels_tiff(&path, planes, 4, 5, &labels[..planes * 20], Overwrite::Refuse)
                .unwrap_err()
                .kind(),
            DataErrorKind::Exists
        );
    }
    for (height, width) in [(4, 4), (0, 5), (usize::MAX, 2)] {
        let error =
            write_mask_png(folder.path().join("no"), height, width, &mask, Overwrite::Refuse).unwrap_err();
        assert_eq!(error.kind(), DataErrorKind::Value);
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3);
}

#[test]
fn void_beside_numbers_of_objects_is_asked_about() {
    use glauber_data::arrays::Array;
    use glauber_data::images::{ImageStack, Threshold};
    let inside = |pixels: &[u8], given: Option<f64>| {
        let stack =
            ImageStack::of_array(Array::new(vec![2, 6], pixels.to_vec()).unwrap(), "truth.npy").unwrap();
        let found = stack.inside(Threshold { given, key: "--truth-threshold" }, "truth.npy");
        let told =
            |f: &glauber_data::images::Inside| f.notes.iter().any(|note| note.contains("what nobody knows"));
        assert!(given.is_none() || found.as_ref().is_ok_and(told), "the threshold is given for what is void");
        found.map(|f| f.inside.iter().filter(|i| **i).count()).map_err(|e| e.to_string())
    };
    let void = [0, 1, 1, 1, 255, 0, 0, 2, 2, 2, 255, 255];
    let error = inside(&void, None).unwrap_err();
    assert!(error.contains("void") && error.contains("--truth-threshold"), "{error}");
    assert_eq!((inside(&void, Some(0.0)), inside(&void, Some(2.0))), (Ok(9), Ok(3)));
    // A mask with rims or specks, labels without void, two values.
    assert_eq!(inside(&[0, 0, 90, 255, 255, 255, 0, 0, 0, 3, 255, 255], None), Ok(5));
    assert_eq!(inside(&[0, 1, 1, 0, 2, 2, 0, 1, 1, 3, 3, 2], None), Ok(9));
    assert_eq!(inside(&[0, 255, 255, 0, 0, 0, 0, 255, 255, 0, 0, 0], None), Ok(4));
    let flat = ImageStack::of_array(Array::new(vec![4], vec![0u8; 4]).unwrap(), "truth.npy");
    assert!(flat.unwrap_err().to_string().contains("not an array of pixels"));
}
