//! Checks that no reader panics, hangs or takes memory on arbitrary bytes, on files that begin right, and on valid
//! files with bytes changed, cut out or cut off.
#![allow(clippy::unwrap_used)]

use glauber_data::DataError;
use glauber_data::arrays::{NpzReader, ReadLimits, read_arrays, read_npy};
use glauber_data::images::{ImageLimits, read_image};
use glauber_data::tracks::{
    Bootstrap, TrackLimits, TrackOptions, mean_squared_displacement, read_msd_curve, read_tracks,
};
use proptest::prelude::*;
use proptest::test_runner::{RngAlgorithm, TestRng, TestRunner};
use std::fs;
use std::path::{Path, PathBuf};

/// Beginnings that lead a reader past its first look.
const BEGINNINGS: [&[u8]; 20] = [
    b"",
    b"P1 4 3 ",
    b"P2 3 2 255\n",
    b"P5 4 4 255\n",
    b"P6 2 2 65535\n",
    b"\x93NUMPY\x01\x00\x76\x00{'descr': '<f8', 'fortran_order': False, 'shape': (",
    b"\x93NUMPY\x02\x00",
    b"PK\x03\x04",
    b"PK\x05\x06",
    b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
    b"\xFF\xD8\xFF\xE0",
    b"II*\0\x08\0\0\0",
    b"MM\0*\0\0\0\x08",
    b"II+\0\x08\0\0\0\x10\0\0\0\0\0\0\0",
    b"id,t,x,y\n1,0,0,0\n",
    b"TRACK_ID,POSITION_X,POSITION_Y,POSITION_T\n",
    b"<TrackMate><Model><AllSpots>",
    b"<Tracks frameInterval=\"1\"><particle>",
    b"lag,msd\n1,",
    b"1;2;3;4\n",
];

fn fixtures() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    for folder in ["../arrays/tests/fixtures/arrays", "tests/fixtures/images", "tests/fixtures/tracks"] {
        files.extend(fs::read_dir(root.join(folder)).unwrap().map(|e| e.unwrap().path()));
    }
    files.sort();
    files
}

/// Every reader on one file; how many of them took it. An error must say something and what to do.
fn read_by_all(path: &Path) -> usize {
    let limits = ReadLimits { bytes: 1 << 20 };
    let mut taken = 0;
    let mut judge = |result: Result<(), DataError>| match result {
        Ok(()) => taken += 1,
        Err(error) => {
            assert!(!error.found().is_empty() && !error.remedy().is_empty());
            assert!(error.to_string().len() < 2000, "{error}");
        }
    };
    judge(read_npy(path, limits).map(drop));
    judge(read_arrays(path, limits).map(drop));
    judge(NpzReader::open(path, limits).map(drop));
    judge(read_image(path, ImageLimits { pixels: 1 << 20 }).map(drop));
    judge(read_msd_curve(path).map(drop));
    let named = ["csv", "trackmate", "napari"].map(|name| Some(name.parse().unwrap()));
    for format in named.into_iter().chain([None]) {
        let limits = TrackLimits { bytes: 1 << 20, points: 1 << 12 };
        let options = TrackOptions { format, limits, ..TrackOptions::default() };
        judge(read_tracks(path, &options).map(|tracks| {
            let _ = tracks.summary().to_string();
            let _ = mean_squared_displacement(&tracks, 3, Bootstrap { replicates: 2, seed: 0 });
        }));
    }
    taken
}

/// A runner from a pinned seed; `GLAUBER_FUZZ=20` runs twenty times the cases, from another seed.
fn runner(cases: u32) -> TestRunner {
    let times: u8 = std::env::var("GLAUBER_FUZZ").ok().and_then(|t| t.parse().ok()).unwrap_or(1);
    let cases = cases * u32::from(times);
    let config = ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() };
    TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &[times; 32]))
}

#[test]
fn arbitrary_bytes_never_panic() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bytes");
    let bytes = (0..BEGINNINGS.len(), proptest::collection::vec(any::<u8>(), 0..300));
    runner(400)
        .run(&bytes, |(beginning, rest)| {
            fs::write(&path, [BEGINNINGS[beginning], &rest].concat()).unwrap();
            read_by_all(&path);
            Ok(())
        })
        .unwrap();
}

#[test]
fn arbitrary_tables_never_panic() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("table.csv");
    let number = prop_oneof![
        (-5i32..5).prop_map(|i| i.to_string()),
        any::<f64>().prop_map(|f| f.to_string()),
        Just("1e308".to_owned()),
        Just("-1e308".to_owned()),
        Just("\"".to_owned()),
        Just(String::new()),
    ];
    let row = proptest::collection::vec(number, 4..6).prop_map(|fields| fields.join(","));
    let table = proptest::collection::vec(row, 0..12).prop_map(|rows| rows.join("\n"));
    runner(400)
        .run(&(any::<bool>(), table), |(header, table)| {
            fs::write(&path, format!("{}{table}", if header { "id,t,x,y\n" } else { "" })).unwrap();
            read_by_all(&path);
            Ok(())
        })
        .unwrap();
}

#[test]
fn damaged_files_never_panic() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("damaged");
    let files: Vec<Vec<u8>> = fixtures().iter().map(|f| fs::read(f).unwrap()).collect();
    let change =
        (0..files.len(), any::<prop::sample::Index>(), any::<u8>(), any::<prop::sample::Index>(), 0..4u8);
    runner(800)
        .run(&change, |(file, at, byte, to, how)| {
            let mut bytes = files[file].clone();
            let (at, to) = (at.index(bytes.len()), to.index(bytes.len()));
            match how {
                0 => bytes[at] = byte,
                1 => bytes[at] = if byte % 2 == 0 { 0 } else { 0xFF },
                2 => drop(bytes.drain(at.min(to)..at.max(to))),
                _ => bytes.insert(at, byte),
            }
            fs::write(&path, &bytes).unwrap();
            read_by_all(&path);
            Ok(())
        })
        .unwrap();
}

#[test]
fn files_cut_anywhere_never_panic() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cut");
    for file in fixtures() {
        let whole = fs::read(&file).unwrap();
        let step = (whole.len() / 60).max(1);
        let mut taken = 0;
        for length in (0..whole.len()).step_by(step) {
            fs::write(&path, &whole[..length]).unwrap();
            taken += read_by_all(&path);
        }
        // Text may be cut between lines and images after their pixels, but most cuts hurt most readers.
        assert!(taken < 5 * whole.len() / step, "{}", file.display());
    }
}

#[test]
fn whole_fixtures_are_taken_by_a_reader() {
    let refused = ["complex.npy", "objects.npy", "records.npy", "four_channels.tif", "unlike.tif"];
    for file in fixtures() {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        let expected = !refused.contains(&name.as_str());
        assert_eq!(read_by_all(&file) > 0, expected, "{name}");
    }
}
