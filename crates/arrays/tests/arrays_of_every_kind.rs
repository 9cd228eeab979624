//! Checks that NPY and NPZ files of every kind, written by a writer of this test's own, are read as the numbers that were
//! written or refused in words, and that no damage makes a reader panic.
//!
//! `GLAUBER_FUZZ=25` writes 100,000 of each, from the same seeds on.
// What is read must be exactly what was written.
#![allow(clippy::unwrap_used, clippy::float_cmp)]

use glauber_arrays::{ReadLimits, read_arrays};
use std::fs::{self, File};
use std::io::Write;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// Numbers from a seed (SplitMix64).
struct Draws(u64);

impl Draws {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }

    fn of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }
}

/// Types that are read, with the bytes of an element.
const READ: [(&str, usize); 12] = [
    ("b1", 1),
    ("u1", 1),
    ("i1", 1),
    ("u2", 2),
    ("i2", 2),
    ("u4", 4),
    ("i4", 4),
    ("u8", 8),
    ("i8", 8),
    ("f2", 2),
    ("f4", 4),
    ("f8", 8),
];

/// Types that are refused, with the bytes of an element.
const REFUSED: [(&str, usize); 10] = [
    ("'<c8'", 8),
    ("'>c16'", 16),
    ("'|O'", 8),
    ("'<U4'", 16),
    ("'|S5'", 5),
    ("'<M8[s]'", 8),
    ("'<m8[D]'", 8),
    ("'|V3'", 3),
    ("'<f16'", 16),
    ("[('a', '<f8'), ('b', '<i4')]", 12),
];

/// One array: its file, and its numbers in C order where it can be read.
struct Written {
    bytes: Vec<u8>,
    shape: Vec<usize>,
    numbers: Option<Vec<f64>>,
}

fn number(kind: &str, raw: u64, big: bool, bytes: &mut Vec<u8>) -> f64 {
    macro_rules! put {
        ($value:expr) => {{
            let value = $value;
            bytes.extend(if big { value.to_be_bytes().to_vec() } else { value.to_le_bytes().to_vec() });
            value as f64
        }};
    }
    match kind {
        "b1" => {
            bytes.push(u8::from(raw % 2 == 1));
            (raw % 2) as f64
        }
        "u1" => put!(raw as u8),
        "i1" => put!(raw as i8),
        "u2" => put!(raw as u16),
        "i2" => put!(raw as i16),
        "u4" => put!(raw as u32),
        "i4" => put!(raw as i32),
        "u8" => put!(raw),
        "i8" => put!(raw as i64),
        "f2" => {
            // 1 to 2047 as half precision, exactly.
            let whole = 1 + raw % 2047;
            let power = 63 - whole.leading_zeros();
            let mantissa = (whole << (10 - power)) & 0x3FF;
            let _ = put!((u64::from(power + 15) << 10 | mantissa) as u16);
            whole as f64
        }
        "f4" => put!((raw as i32 as f32) / 64.0),
        _ => put!((raw as i64 as f64) / 1024.0),
    }
}

fn written(draws: &mut Draws) -> Written {
    let axes = draws.below(5);
    let shape: Vec<usize> =
        (0..axes).map(|_| if draws.below(12) == 0 { 0 } else { 1 + draws.below(4) }).collect();
    let count: usize = shape.iter().product();
    let fortran = draws.below(3) == 0;
    let big = draws.below(3) == 0;
    let refused = draws.below(6) == 0;
    let mut data = Vec::new();
    let (descriptor, numbers) = if refused {
        let (descriptor, size) = draws.of(&REFUSED);
        data.resize(count * size, 7);
        (descriptor.to_owned(), None)
    } else {
        let (kind, size) = draws.of(&READ);
        let order = match (size, big) {
            (1, _) => draws.of(&["|", "<", ">", "="]),
            (_, true) => ">",
            (_, false) => draws.of(&["<", "<", "="]),
        };
        let in_file: Vec<f64> = (0..count).map(|_| number(kind, draws.next(), big, &mut data)).collect();
        // The place in the file of each element in C order.
        let place = |mut flat: usize| {
            let mut indices = vec![0; shape.len()];
            for axis in (0..shape.len()).rev() {
                indices[axis] = flat % shape[axis];
                flat /= shape[axis];
            }
            let axes: Vec<usize> =
                if fortran { (0..shape.len()).rev().collect() } else { (0..shape.len()).collect() };
            axes.into_iter().fold(0, |at, axis| at * shape[axis] + indices[axis])
        };
        let numbers = (0..count).map(|flat| in_file[place(flat)]).collect();
        (format!("'{order}{kind}'"), Some(numbers))
    };
    let lengths: Vec<String> = shape.iter().map(usize::to_string).collect();
    let shape_text = match &lengths[..] {
        [one] => format!("({one},)"),
        several => format!("({})", several.join(", ")),
    };
    let fortran_text = if fortran { "True" } else { "False" };
    let mut entries = [
        format!("'descr': {descriptor}"),
        format!("'fortran_order': {fortran_text}"),
        format!("'shape': {shape_text}"),
    ];
    if draws.below(4) == 0 {
        entries.swap(0, 2);
    }
    let comma = if draws.below(2) == 0 { ", " } else { "" };
    let mut header = format!("{{{}{comma}}}", entries.join(", ")).into_bytes();
    let version = 1 + draws.below(3) as u8;
    let front = if version == 1 { 10 } else { 12 };
    while (front + header.len() + 1) % draws.of(&[16, 64]) != 0 {
        header.push(b' ');
    }
    header.push(b'\n');
    let mut bytes = b"\x93NUMPY".to_vec();
    bytes.extend([version, 0]);
    match version {
        1 => bytes.extend((header.len() as u16).to_le_bytes()),
        _ => bytes.extend((header.len() as u32).to_le_bytes()),
    }
    bytes.extend(header);
    bytes.extend(data);
    Written { bytes, shape, numbers }
}

fn times() -> u64 {
    std::env::var("GLAUBER_FUZZ").ok().and_then(|t| t.parse().ok()).unwrap_or(1)
}

#[test]
fn what_was_written_is_read_or_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a");
    let (mut read, mut refused) = (0u64, 0u64);
    for seed in 0..4000 * times() {
        let mut draws = Draws(seed);
        let arrays: Vec<Written> = (0..draws.of(&[1, 1, 1, 2, 3])).map(|_| written(&mut draws)).collect();
        let archive = arrays.len() > 1 || draws.below(4) == 0;
        if archive {
            let mut zip = ZipWriter::new(File::create(&path).unwrap());
            for (number, array) in arrays.iter().enumerate() {
                let how = draws.of(&[CompressionMethod::Stored, CompressionMethod::Deflated]);
                zip.start_file(
                    format!("arr_{number}.npy"),
                    SimpleFileOptions::default().compression_method(how),
                )
                .unwrap();
                zip.write_all(&array.bytes).unwrap();
            }
            zip.finish().unwrap();
        } else {
            fs::write(&path, &arrays[0].bytes).unwrap();
        }
        let readable = arrays.iter().all(|array| array.numbers.is_some());
        match read_arrays(&path, ReadLimits { bytes: 1 << 20 }) {
            Ok(found) => {
                read += 1;
                assert!(readable, "seed {seed}: an array of a type that is not read was read");
                for ((_, own), array) in found.iter().zip(&arrays) {
                    assert_eq!(own.shape(), array.shape, "seed {seed}");
                    assert_eq!(Some(own.to_f64()), array.numbers, "seed {seed}");
                }
                assert_eq!(found.len(), arrays.len(), "seed {seed}");
            }
            Err(error) => {
                refused += 1;
                assert!(!readable, "seed {seed}: {error}");
                assert!(!error.found().is_empty() && !error.remedy().is_empty(), "seed {seed}");
            }
        }
    }
    assert!(read > 2000 * times() && refused > 400 * times(), "{read} read, {refused} refused");
}

#[test]
fn damaged_arrays_never_panic() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.npy");
    for seed in 0..4000 * times() {
        let mut draws = Draws(seed ^ 0xDA_3A_6E);
        let mut bytes = written(&mut draws).bytes;
        let at = draws.below(bytes.len());
        match draws.below(4) {
            0 => bytes[at] = draws.next() as u8,
            1 => bytes[at] ^= 1 << draws.below(8),
            2 => bytes.truncate(at),
            _ => bytes.insert(at, draws.next() as u8),
        }
        fs::write(&path, bytes).unwrap();
        if let Err(error) = read_arrays(&path, ReadLimits { bytes: 1 << 20 }) {
            assert!(!error.found().is_empty() && !error.remedy().is_empty(), "seed {seed}");
        }
    }
}
