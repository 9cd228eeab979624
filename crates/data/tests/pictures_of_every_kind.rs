//! Checks that TIFF files of every kind, written by a writer of this test's own, are read as the numbers that were
//! written, or refused in words; and that no combination makes a reader panic.
//!
//! `GLAUBER_FUZZ=50` writes fifty times as many, from another seed.
#![allow(clippy::unwrap_used)]

mod tiffs;

use glauber_data::images::{ImageLimits, read_image};
use proptest::prelude::*;
use tiffs::{kinds, runner, written};

/// ITU-R 601 luma to the nearest integer.
fn luma(rgb: &[u64]) -> f64 {
    ((19595 * rgb[0] + 38470 * rgb[1] + 7471 * rgb[2] + 32768) >> 16) as f64
}

#[test]
fn what_was_written_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.tif");
    runner(2000)
        .run(&kinds(), |kind| {
            let (bytes, pages) = written(&kind);
            std::fs::write(&path, bytes).unwrap();
            let stack = match read_image(&path, ImageLimits { pixels: 1 << 16 }) {
                Ok(stack) => stack,
                Err(error) => return Err(TestCaseError::fail(error.to_string())),
            };
            prop_assert_eq!(stack.array().shape(), [kind.pages, kind.height, kind.width]);
            let expected: Vec<f64> = pages
                .iter()
                .flat_map(|samples| samples.chunks_exact(kind.samples))
                .map(|pixel| if kind.photometric == 2 { luma(pixel) } else { kind.value(pixel[0]) })
                .collect();
            prop_assert_eq!(stack.to_f64(), expected);
            let notes = stack.notes().join("\n");
            prop_assert_eq!(notes.contains("not inverted"), kind.photometric == 0);
            prop_assert_eq!(notes.contains("transparency"), kind.alpha);
            prop_assert_eq!(notes.contains("turned or mirrored"), kind.orientation != 1);
            Ok(())
        })
        .unwrap();
}

#[test]
fn files_with_a_byte_changed_never_panic() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.tif");
    runner(2000)
        .run(&(kinds(), any::<prop::sample::Index>(), any::<u8>()), |(kind, at, byte)| {
            let (mut bytes, _) = written(&kind);
            let at = at.index(bytes.len());
            bytes[at] = byte;
            std::fs::write(&path, bytes).unwrap();
            if let Err(error) = read_image(&path, ImageLimits { pixels: 1 << 16 }) {
                prop_assert!(!error.found().is_empty() && !error.remedy().is_empty());
            }
            Ok(())
        })
        .unwrap();
}
