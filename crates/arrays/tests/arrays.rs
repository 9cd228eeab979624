//! Checks that arrays survive files: NumPy's own, ours, written in pieces, and those that are broken or hostile.
#![allow(clippy::unwrap_used)]

use glauber_arrays::{
    Array, ElementType, NpzReader, NpzWriter, ReadLimits, Slice, Values, read_arrays, read_npy, write_npz,
};
use glauber_files::{DataErrorKind, Overwrite};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/arrays").join(name)
}

fn counting() -> Vec<f64> {
    (0..24).map(f64::from).collect()
}

#[test]
fn numpys_orders_and_types_are_read() {
    for (name, element) in [
        ("c_int64.npy", ElementType::I64),
        ("fortran_float32.npy", ElementType::F32),
        ("big_endian_uint16.npy", ElementType::U16),
    ] {
        let array = read_npy(fixture(name), ReadLimits::default()).unwrap();
        assert_eq!((array.shape(), array.element_type()), (&[2, 3, 4][..], element), "{name}");
        assert_eq!(array.to_f64(), counting(), "{name}");
    }
    let scalar = read_npy(fixture("bool_scalar.npy"), ReadLimits::default()).unwrap();
    assert_eq!(scalar, Array::new(vec![], vec![true]).unwrap());
}

#[test]
fn numpys_archives_are_read() {
    for name in ["stored.npz", "deflated.npz"] {
        let arrays = read_arrays(fixture(name), ReadLimits::default()).unwrap();
        let names: Vec<_> = arrays.iter().map(|(n, _)| n.as_str()).collect();
        assert_eq!(names, ["aware", "height"], "{name}");
        assert_eq!(arrays[0].1.element_type(), ElementType::U8);
        assert_eq!(arrays[0].1.to_f64(), counting().iter().map(|v| v % 2.0).collect::<Vec<_>>());
        assert_eq!(arrays[1].1.to_f64(), counting().iter().map(|v| v * 0.5).collect::<Vec<_>>());

        let mut archive = NpzReader::open(fixture(name), ReadLimits::default()).unwrap();
        assert_eq!(archive.header("height").unwrap().shape, [2, 3, 4]);
        let error = archive.read("hieght").unwrap_err();
        assert_eq!(error.kind(), DataErrorKind::Missing);
        assert!(error.remedy().contains("the nearest is `height`"), "{error}");
    }
}

#[test]
fn an_npy_file_is_one_array_named_as_the_file() {
    let arrays = read_arrays(fixture("c_int64.npy"), ReadLimits::default()).unwrap();
    assert_eq!(arrays.len(), 1);
    assert_eq!(arrays[0].0, "c_int64");
}

#[test]
fn pickles_records_and_complex_numbers_are_refused() {
    for (name, word) in [("objects.npy", "pickled"), ("records.npy", "records"), ("complex.npy", "complex")] {
        let error = read_npy(fixture(name), ReadLimits::default()).unwrap_err();
        assert_eq!(error.kind(), DataErrorKind::Unsupported);
        assert!(error.found().contains(word), "{error}");
    }
}

#[test]
fn the_same_data_give_the_same_bytes_however_they_are_written() {
    let folder = tempfile::tempdir().unwrap();
    let aware = Array::new(vec![2, 3, 4], (0..24u8).collect::<Vec<_>>()).unwrap();
    let height = Array::new(vec![24], counting()).unwrap();
    let at_once = folder.path().join("at_once.npz");
    write_npz(&at_once, [("aware", &aware), ("height", &height)], Overwrite::Refuse).unwrap();

    // Two runs that advance together, and a second layer in single numbers.
    let in_pieces = folder.path().join("in_pieces.npz");
    let mut writer = NpzWriter::create(&in_pieces, Overwrite::Refuse).unwrap();
    writer.announce("aware", &[2, 3, 4], ElementType::U8).unwrap();
    writer.announce("height", &[24], ElementType::F64).unwrap();
    for time in 0..3 {
        for run in [1, 0] {
            let part = aware.outer_slice(&[run, time]).unwrap();
            writer.write_at("aware", (run * 3 + time) * 4, part).unwrap();
        }
    }
    for value in counting() {
        writer.append("height", &[value][..]).unwrap();
    }
    writer.finish().unwrap();

    assert_eq!(fs::read(&at_once).unwrap(), fs::read(&in_pieces).unwrap());
    let arrays = read_arrays(&in_pieces, ReadLimits::default()).unwrap();
    assert_eq!(arrays, [("aware".to_string(), aware), ("height".to_string(), height)]);
}

#[test]
fn arrays_larger_than_memory_buffers_are_written_through_the_disk() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("large.npz");
    let block: Vec<u16> = (0..1_000_000).map(|i| (i % 7) as u16).collect();
    let mut writer = NpzWriter::create(&path, Overwrite::Refuse).unwrap();
    writer.announce("a", &[12, 1_000_000], ElementType::U16).unwrap();
    for _ in 0..12 {
        writer.append("a", &block).unwrap();
    }
    writer.finish().unwrap();
    let array = NpzReader::open(&path, ReadLimits::default()).unwrap().read("a").unwrap();
    assert_eq!(array.shape(), [12, 1_000_000]);
    for run in 0..12 {
        assert_eq!(array.outer_slice(&[run]), Some(Slice::U16(&block)));
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn what_was_not_announced_is_refused_and_nothing_is_left() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.npz");
    let mut writer = NpzWriter::create(&path, Overwrite::Refuse).unwrap();
    writer.announce("a", &[2, 2], ElementType::U8).unwrap();
    let message = |result: Result<(), glauber_files::DataError>| result.unwrap_err().to_string();
    assert!(message(writer.append("b", &[1u8][..])).contains("not announced"));
    assert!(message(writer.append("a", &[1.0][..])).contains("is of uint8, not float64"));
    assert!(message(writer.append("a", &[1u8; 5][..])).contains("do not fit"));
    assert!(message(writer.write_at("a", usize::MAX, &[1u8; 5][..])).contains("do not fit"));
    writer.write_at("a", 1, &[1u8; 2][..]).unwrap();
    for start in 0..3 {
        assert!(message(writer.write_at("a", start, &[1u8; 2][..])).contains("twice"), "{start}");
    }
    assert!(message(writer.announce("a", &[1], ElementType::U8)).contains("already"));
    assert!(message(writer.announce("x/y", &[1], ElementType::U8)).contains("cannot name"));
    assert!(message(writer.announce("", &[1], ElementType::U8)).contains("cannot name"));
    assert!(message(writer.announce("z", &[usize::MAX, 2], ElementType::U8)).contains("too large"));
    assert!(message(writer.finish()).contains("has 2 of its 4 elements"));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn an_archive_that_is_there_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.npz");
    fs::write(&path, "precious").unwrap();
    let array = Array::new(vec![1], vec![1u8]).unwrap();
    let error = write_npz(&path, [("a", &array)], Overwrite::Refuse).unwrap_err();
    assert_eq!(error.kind(), DataErrorKind::Exists);
    assert_eq!(fs::read(&path).unwrap(), b"precious");
    write_npz(&path, [("a", &array)], Overwrite::Replace).unwrap();
    assert_eq!(read_arrays(&path, ReadLimits::default()).unwrap()[0].1, array);
}

/// An archive with one deflated entry of the given name and content.
fn archive(folder: &Path, entries: &[(&str, &[u8])]) -> PathBuf {
    let path = folder.join("hostile.npz");
    let mut zip = zip::ZipWriter::new(fs::File::create(&path).unwrap());
    for (name, content) in entries {
        zip.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(content).unwrap();
    }
    zip.finish().unwrap();
    path
}

#[test]
fn bombs_are_refused_before_they_are_unpacked() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bomb.npz");
    let zeros = Array::new(vec![8 << 20], vec![0u8; 8 << 20]).unwrap();
    write_npz(&path, [("a", &zeros), ("b", &zeros)], Overwrite::Refuse).unwrap();
    assert!(path.metadata().unwrap().len() < 1 << 15);

    let below = ReadLimits { bytes: (8 << 20) - 1 };
    let error = NpzReader::open(&path, below).unwrap().read("a").unwrap_err();
    assert_eq!((error.kind(), error.place()), (DataErrorKind::TooLarge, Some("array `a`")));
    // Each fits, both together do not.
    let between = ReadLimits { bytes: 12 << 20 };
    assert_eq!(NpzReader::open(&path, between).unwrap().read("a").unwrap(), zeros);
    assert_eq!(read_arrays(&path, between).unwrap_err().kind(), DataErrorKind::TooLarge);
}

#[test]
fn an_array_that_claims_more_than_its_entry_holds_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let mut npy = fs::read(fixture("c_int64.npy")).unwrap();
    let text = b"(2, 3, 4)";
    let at = npy.windows(text.len()).position(|w| w == text).unwrap();
    npy[at..at + text.len()].copy_from_slice(b"(2,93,99)");
    let path = archive(folder.path(), &[("a.npy", &npy)]);
    let error = read_arrays(&path, ReadLimits::default()).unwrap_err();
    assert_eq!(error.kind(), DataErrorKind::Truncated);
    assert!(error.found().contains("claims the shape 2 × 93 × 99"), "{error}");
}

#[test]
fn archives_without_arrays_and_cut_archives_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = archive(folder.path(), &[("readme.txt", b"hello")]);
    assert_eq!(read_arrays(&path, ReadLimits::default()).unwrap_err().kind(), DataErrorKind::Missing);

    let whole = fs::read(fixture("deflated.npz")).unwrap();
    for length in 0..whole.len() {
        fs::write(&path, &whole[..length]).unwrap();
        let error = read_arrays(&path, ReadLimits::default()).unwrap_err();
        assert!(!error.remedy().is_empty());
    }
}

#[test]
fn a_changed_byte_of_the_data_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("changed.npz");
    let mut bytes = fs::read(fixture("stored.npz")).unwrap();
    // The last data byte of the first array lies right before the second local header.
    let second = bytes.windows(4).skip(4).position(|w| w == b"PK\x03\x04").unwrap() + 4;
    bytes[second - 1] ^= 1;
    fs::write(&path, &bytes).unwrap();
    assert!(read_arrays(&path, ReadLimits::default()).is_err());
}

#[test]
fn values_convert_as_they_say() {
    let array = Array::new(vec![3], vec![true, false, true]).unwrap();
    assert_eq!(array.to_f64(), [1.0, 0.0, 1.0]);
    assert_eq!(array.to_f32(), [1.0, 0.0, 1.0]);
    assert_eq!(array.values(), &Values::Bool(vec![true, false, true]));
}

/// One pickled array is enough to refuse an archive; nothing of it is run.
#[test]
fn archives_with_pickles_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mixed.npz");
    let mut archive = zip::ZipWriter::new(std::fs::File::create(&path).unwrap());
    for name in ["first", "second"] {
        let member =
            std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/arrays/objects.npy");
        archive.start_file(format!("{name}.npy"), zip::write::SimpleFileOptions::default()).unwrap();
        archive.write_all(&std::fs::read(member).unwrap()).unwrap();
    }
    archive.finish().unwrap();
    let error = read_arrays(&path, ReadLimits::default()).unwrap_err().to_string();
    assert!(error.contains("mixed.npz") && error.contains("pickled"), "{error}");
}
