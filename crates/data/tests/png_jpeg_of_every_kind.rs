//! Checks that PNG files of every kind, written by a writer of this test's own, are read as the numbers that were written,
//! that JPEGs come within their losses, and that no damage makes a reader panic.
//!
//! `GLAUBER_FUZZ=50` writes fifty times as many (100,000 PNGs, as many damaged ones), from another seed.
#![allow(clippy::unwrap_used)]

use glauber_data::images::{ImageLimits, read_image};
use image::codecs::jpeg::JpegEncoder;
use image::{ExtendedColorType, ImageEncoder};
use proptest::prelude::*;
use proptest::test_runner::{RngAlgorithm, TestRng, TestRunner};
use std::io::Write;

/// What is written.
#[derive(Clone, Debug)]
struct Kind {
    width: usize,
    height: usize,
    /// 0 grey, 2 colour, 3 numbers of colours, 4 grey and alpha, 6 colour and alpha.
    colour: u8,
    bits: usize,
    interlaced: bool,
    /// Gamma, significant bits, transparency, a text: chunks that change no number.
    chunks: [bool; 4],
    /// Filters of the rows, one after the other.
    filters: Vec<u8>,
    /// Bytes of an IDAT chunk.
    split: usize,
    seed: u64,
}

impl Kind {
    fn samples(&self) -> usize {
        match self.colour {
            2 => 3,
            4 => 2,
            6 => 4,
            _ => 1,
        }
    }

    fn sample(&self, x: usize, y: usize, sample: usize) -> u16 {
        let at = ((y * self.width + x) * 4 + sample) as u64;
        let mixed = (self.seed ^ at).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 31;
        (mixed & ((1 << self.bits) - 1)) as u16
    }

    fn value(&self, x: usize, y: usize) -> f64 {
        let s = |i| u64::from(self.sample(x, y, i));
        match self.colour {
            2 | 6 => ((19595 * s(0) + 38470 * s(1) + 7471 * s(2) + 32768) >> 16) as f64,
            _ => s(0) as f64,
        }
    }
}

fn chunk(file: &mut Vec<u8>, name: &[u8; 4], data: &[u8]) {
    file.extend((data.len() as u32).to_be_bytes());
    file.extend(name);
    file.extend(data);
    let mut crc = flate2::Crc::new();
    crc.update(name);
    crc.update(data);
    file.extend(crc.sum().to_be_bytes());
}

/// The rows of a picture of some of the pixels, filtered.
fn rows(kind: &Kind, xs: &[usize], ys: &[usize], filtered: &mut Vec<u8>) {
    if xs.is_empty() {
        return;
    }
    let row_bytes = (xs.len() * kind.samples() * kind.bits).div_ceil(8);
    let stride = (kind.samples() * kind.bits).div_ceil(8);
    let mut above = vec![0u8; row_bytes];
    for (number, y) in ys.iter().enumerate() {
        let mut row = vec![0u8; row_bytes];
        for (place, x) in xs.iter().enumerate() {
            for sample in 0..kind.samples() {
                let (value, index) = (kind.sample(*x, *y, sample), place * kind.samples() + sample);
                match kind.bits {
                    16 => row[2 * index..2 * index + 2].copy_from_slice(&value.to_be_bytes()),
                    bits => row[index * bits / 8] |= (value as u8) << (8 - bits - index * bits % 8),
                }
            }
        }
        let filter = kind.filters[number % kind.filters.len()];
        filtered.push(filter);
        for at in 0..row_bytes {
            let left = if at >= stride { row[at - stride] } else { 0 };
            let corner = if at >= stride { above[at - stride] } else { 0 };
            let (a, b, c) = (i32::from(left), i32::from(above[at]), i32::from(corner));
            let estimate = a + b - c;
            let (near_a, near_b, near_c) = ((estimate - a).abs(), (estimate - b).abs(), (estimate - c).abs());
            let paeth = if near_a <= near_b && near_a <= near_c {
                a
            } else if near_b <= near_c {
                b
            } else {
                c
            };
            let guess = [0, a, b, (a + b) / 2, paeth][usize::from(filter)];
            filtered.push(row[at].wrapping_sub(guess as u8));
        }
        above = row;
    }
}

fn written(kind: &Kind) -> Vec<u8> {
    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    let mut header = Vec::new();
    header.extend((kind.width as u32).to_be_bytes());
    header.extend((kind.height as u32).to_be_bytes());
    header.extend([kind.bits as u8, kind.colour, 0, 0, u8::from(kind.interlaced)]);
    chunk(&mut file, b"IHDR", &header);
    let [gamma, significant, transparent, text] = kind.chunks;
    if gamma {
        chunk(&mut file, b"gAMA", &45455u32.to_be_bytes());
    }
    if significant {
        let of = |count: usize| vec![if kind.colour == 3 { 8 } else { kind.bits as u8 }; count];
        chunk(&mut file, b"sBIT", &of(if kind.colour == 3 { 3 } else { kind.samples() }));
    }
    if kind.colour == 3 {
        let palette: Vec<u8> = (0..3usize << kind.bits).map(|i| (i * 89) as u8).collect();
        chunk(&mut file, b"PLTE", &palette);
    }
    if transparent {
        match kind.colour {
            0 => chunk(&mut file, b"tRNS", &[0, 1]),
            2 => chunk(&mut file, b"tRNS", &[0, 1, 0, 1, 0, 1]),
            3 => chunk(&mut file, b"tRNS", &[0, 128]),
            _ => {}
        }
    }
    if text {
        chunk(&mut file, b"tEXt", b"Title\0something");
    }
    let mut filtered = Vec::new();
    // Adam7: where each pass begins, and its steps.
    let passes: &[(usize, usize, usize, usize)] = match kind.interlaced {
        false => &[(0, 0, 1, 1)],
        true => &[
            (0, 0, 8, 8),
            (4, 0, 8, 8),
            (0, 4, 4, 8),
            (2, 0, 4, 4),
            (0, 2, 2, 4),
            (1, 0, 2, 2),
            (0, 1, 1, 2),
        ],
    };
    for &(left, top, across, down) in passes {
        let xs: Vec<usize> = (left..kind.width).step_by(across).collect();
        let ys: Vec<usize> = (top..kind.height).step_by(down).collect();
        rows(kind, &xs, &ys, &mut filtered);
    }
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(&filtered).unwrap();
    for part in encoder.finish().unwrap().chunks(kind.split) {
        chunk(&mut file, b"IDAT", part);
    }
    chunk(&mut file, b"IEND", &[]);
    file
}

fn kinds() -> impl Strategy<Value = Kind> {
    const ALLOWED: [(u8, usize); 15] = [
        (0, 1),
        (0, 2),
        (0, 4),
        (0, 8),
        (0, 16),
        (2, 8),
        (2, 16),
        (3, 1),
        (3, 2),
        (3, 4),
        (3, 8),
        (4, 8),
        (4, 16),
        (6, 8),
        (6, 16),
    ];
    let filters = proptest::collection::vec(0u8..5, 1..6);
    let size = (1usize..20, 1usize..20, 0..ALLOWED.len());
    (size, any::<bool>(), any::<[bool; 4]>(), filters, 1usize..200, any::<u64>()).prop_map(
        |((width, height, kind), interlaced, chunks, filters, split, seed)| {
            let (colour, bits) = ALLOWED[kind];
            Kind { width, height, colour, bits, interlaced, chunks, filters, split, seed }
        },
    )
}

fn runner(cases: u32) -> TestRunner {
    let times: u8 = std::env::var("GLAUBER_FUZZ").ok().and_then(|t| t.parse().ok()).unwrap_or(1);
    let cases = cases * u32::from(times);
    let config = ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() };
    TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &[times; 32]))
}

#[test]
fn pngs_are_read_as_they_were_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.png");
    runner(2000)
        .run(&kinds(), |kind| {
            std::fs::write(&path, written(&kind)).unwrap();
            let picture = read_image(&path, ImageLimits { pixels: 1 << 16 })
                .map_err(|error| TestCaseError::fail(error.to_string()))?;
            let expected: Vec<f64> = (0..kind.height)
                .flat_map(|y| (0..kind.width).map(move |x| (x, y)))
                .map(|(x, y)| kind.value(x, y))
                .collect();
            prop_assert_eq!(picture.to_f64(), expected);
            prop_assert_eq!(usize::from(picture.bit_depth()), kind.bits);
            let notes = picture.notes().join("\n");
            let alpha = kind.colour >= 4 || kind.chunks[2];
            prop_assert_eq!(notes.contains("transparency"), alpha, "{}", notes);
            prop_assert_eq!(notes.contains("luma"), matches!(kind.colour, 2 | 6), "{}", notes);
            Ok(())
        })
        .unwrap();
}

#[test]
fn damaged_pngs_and_jpegs_never_panic() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a");
    let change = (any::<prop::sample::Index>(), any::<u8>(), 0..4u8, any::<bool>());
    runner(2000)
        .run(&(kinds(), change), |(kind, (at, byte, how, jpeg))| {
            let mut bytes = if jpeg { jpeg_of(&kind, 90).0 } else { written(&kind) };
            let at = at.index(bytes.len());
            match how {
                0 => bytes[at] = byte,
                1 => bytes[at] ^= 1 << (byte % 8),
                2 => bytes.truncate(at),
                _ => bytes.insert(at, byte),
            }
            std::fs::write(&path, bytes).unwrap();
            if let Err(error) = read_image(&path, ImageLimits { pixels: 1 << 16 }) {
                prop_assert!(!error.found().is_empty() && !error.remedy().is_empty());
            }
            Ok(())
        })
        .unwrap();
}

/// A smooth picture as JPEG, grey or in colour, and its grey values.
fn jpeg_of(kind: &Kind, quality: u8) -> (Vec<u8>, Vec<f64>) {
    let (base, slope) = ((kind.seed % 100) as usize, 1 + (kind.seed >> 8) as usize % 3);
    let level = |x: usize, y: usize, s: usize| (40 + base + slope * (x + y) + 9 * s).min(255) as u8;
    let pixels = || (0..kind.height).flat_map(|y| (0..kind.width).map(move |x| (x, y)));
    let colour = kind.colour % 4 != 0;
    let (bytes, grey): (Vec<u8>, Vec<f64>) = match colour {
        false => {
            let bytes: Vec<u8> = pixels().map(|(x, y)| level(x, y, 0)).collect();
            let grey = bytes.iter().map(|v| f64::from(*v)).collect();
            (bytes, grey)
        }
        true => {
            let rgb = |(x, y): (usize, usize)| [0, 1, 2].map(|s| level(x, y, s));
            let luma =
                |p: [u8; 3]| 0.299 * f64::from(p[0]) + 0.587 * f64::from(p[1]) + 0.114 * f64::from(p[2]);
            (pixels().flat_map(rgb).collect(), pixels().map(|p| luma(rgb(p))).collect())
        }
    };
    let mut file = Vec::new();
    let of = if colour { ExtendedColorType::Rgb8 } else { ExtendedColorType::L8 };
    let encoder = JpegEncoder::new_with_quality(&mut file, quality);
    encoder.write_image(&bytes, kind.width as u32, kind.height as u32, of).unwrap();
    (file, grey)
}

#[test]
fn jpegs_are_read_within_their_losses() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.jpg");
    runner(1000)
        .run(&kinds(), |kind| {
            let (bytes, expected) = jpeg_of(&kind, 100);
            std::fs::write(&path, bytes).unwrap();
            let picture = read_image(&path, ImageLimits { pixels: 1 << 16 })
                .map_err(|error| TestCaseError::fail(error.to_string()))?;
            for (found, wanted) in picture.to_f64().into_iter().zip(&expected) {
                prop_assert!((found - wanted).abs() <= 3.0, "{found} for {wanted}");
            }
            prop_assert_eq!(picture.to_f64().len(), expected.len());
            Ok(())
        })
        .unwrap();
}
