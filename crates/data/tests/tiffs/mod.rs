//! Writes TIFF files of every kind, bit by bit: what the tests of reading know to be in them.
#![allow(clippy::unwrap_used, dead_code)] // Each of the tests that share this uses a part of it.

use proptest::prelude::*;
use proptest::test_runner::{RngAlgorithm, TestRng, TestRunner};
use std::io::Write;

/// A runner from a pinned seed; `GLAUBER_FUZZ=50` runs fifty times the cases, from another seed.
pub fn runner(cases: u32) -> TestRunner {
    let times = times();
    let config = ProptestConfig {
        cases: cases * u32::from(times),
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &[times; 32]))
}

/// How many times the usual number of inputs is tried.
pub fn times() -> u8 {
    std::env::var("GLAUBER_FUZZ").ok().and_then(|t| t.parse().ok()).unwrap_or(1)
}

/// What is written.
#[derive(Clone, Debug)]
pub struct Kind {
    pub width: usize,
    pub height: usize,
    pub pages: usize,
    /// 1 unsigned, 2 signed, 3 real.
    pub format: u16,
    pub bits: usize,
    pub photometric: u16,
    /// Samples of a pixel: 1, 3 for colours.
    pub samples: usize,
    pub alpha: bool,
    pub separate: bool,
    /// Tile sides; none for strips of so many rows.
    pub tile: Option<(usize, usize)>,
    pub rows: usize,
    /// 1 none, 8 Deflate, 32773 PackBits.
    pub compression: u16,
    pub predictor: u16,
    pub big_endian: bool,
    pub wide: bool,
    pub reversed: bool,
    pub seed: u64,
    /// What the first page says of all of them.
    pub description: Option<String>,
    /// Pixels a unit, across and down, and the unit: they change no number.
    pub resolution: Option<([u32; 2], u16)>,
    /// How the picture is to be shown: 1 as it is.
    pub orientation: u16,
    /// Whether the planes lie one after the other behind one directory.
    pub one_directory: bool,
}

impl Kind {
    pub fn interleaved(&self) -> usize {
        if self.separate { 1 } else { self.samples }
    }

    /// The bits of a sample; never all alike.
    pub fn sample(&self, page: usize, index: usize) -> u64 {
        let mixed = (self.seed ^ (page * 7919 + index) as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let mask = u64::MAX >> (64 - self.bits);
        match self.format {
            // Small whole numbers of every precision, so that their values are exact in all of them.
            3 => {
                let small = ((mixed >> 40) % 2048) as f32;
                match self.bits {
                    16 => u64::from(half(small)),
                    32 => u64::from(small.to_bits()),
                    _ => f64::from(small).to_bits(),
                }
            }
            _ => (mixed >> 13) & mask,
        }
    }

    /// The value that the bits stand for.
    pub fn value(&self, bits: u64) -> f64 {
        match (self.format, self.bits) {
            (3, 16) => f64::from(unhalf(bits as u16)),
            (3, 32) => f64::from(f32::from_bits(bits as u32)),
            (3, _) => f64::from_bits(bits),
            (2, 8) => f64::from(bits as u8 as i8),
            (2, 16) => f64::from(bits as u16 as i16),
            (2, 32) => f64::from(bits as u32 as i32),
            (2, _) => bits as i64 as f64,
            _ => bits as f64,
        }
    }
}

fn half(value: f32) -> u16 {
    if value < 1.0 {
        return 0;
    }
    let bits = value.to_bits();
    (((bits >> 23) - 112) << 10 | (bits >> 13 & 0x3FF)) as u16
}

fn unhalf(bits: u16) -> f32 {
    let exponent = i32::from(bits >> 10 & 0x1F);
    if exponent == 0 { 0.0 } else { (1.0 + f32::from(bits & 0x3FF) / 1024.0) * 2f32.powi(exponent - 15) }
}

fn bytes_of(value: u64, count: usize, big_endian: bool) -> Vec<u8> {
    let little = value.to_le_bytes()[..count].to_vec();
    if big_endian { little.into_iter().rev().collect() } else { little }
}

/// Samples of a row as bytes, predicted and packed.
fn row_bytes(kind: &Kind, row: &[u64]) -> Vec<u8> {
    let stride = kind.interleaved();
    let size = kind.bits / 8;
    if kind.predictor == 3 {
        // Bytes of one significance together, then differences.
        let mut planes: Vec<u8> = (0..size)
            .flat_map(|byte| row.iter().map(move |v| (v >> (8 * (size - 1 - byte))) as u8))
            .collect();
        for index in (stride..planes.len()).rev() {
            planes[index] = planes[index].wrapping_sub(planes[index - stride]);
        }
        return planes;
    }
    let mut row = row.to_vec();
    if kind.predictor == 2 {
        let mask = u64::MAX >> (64 - kind.bits);
        for index in (stride..row.len()).rev() {
            row[index] = row[index].wrapping_sub(row[index - stride]) & mask;
        }
    }
    if matches!(kind.bits, 8 | 16 | 24 | 32 | 64) {
        return row.iter().flat_map(|v| bytes_of(*v, size, kind.big_endian)).collect();
    }
    let mut bytes = vec![0u8; (row.len() * kind.bits).div_ceil(8)];
    for (index, value) in row.iter().enumerate() {
        for bit in 0..kind.bits {
            let place = index * kind.bits + bit;
            bytes[place / 8] |= ((value >> (kind.bits - 1 - bit) & 1) as u8) << (7 - place % 8);
        }
    }
    bytes
}

fn packed(kind: &Kind, bytes: &[u8]) -> Vec<u8> {
    let mut packed = match kind.compression {
        8 => {
            let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
            encoder.write_all(bytes).unwrap();
            encoder.finish().unwrap()
        }
        5 => weezl::encode::Encoder::with_tiff_size_switch(weezl::BitOrder::Msb, 8).encode(bytes).unwrap(),
        32773 => bytes.chunks(128).flat_map(|c| [&[(c.len() - 1) as u8][..], c].concat()).collect(),
        _ => bytes.to_vec(),
    };
    if kind.reversed {
        packed.iter_mut().for_each(|b| *b = b.reverse_bits());
    }
    packed
}

/// A whole file, and the bits of every sample: by page, then pixel, then sample.
pub fn written(kind: &Kind) -> (Vec<u8>, Vec<Vec<u64>>) {
    let (offset_bytes, count_bytes, entry_count) = if kind.wide { (8, 8, 8) } else { (4, 4, 2) };
    let mut file = if kind.big_endian { b"MM".to_vec() } else { b"II".to_vec() };
    let put =
        |file: &mut Vec<u8>, value: u64, bytes: usize| file.extend(bytes_of(value, bytes, kind.big_endian));
    put(&mut file, if kind.wide { 43 } else { 42 }, 2);
    if kind.wide {
        put(&mut file, 8, 2);
        put(&mut file, 0, 2);
    }
    let mut next_at = file.len();
    put(&mut file, 0, offset_bytes);
    let mut pages = Vec::new();
    let mut first_chunks = None;
    for page in 0..kind.pages {
        let pixels = kind.width * kind.height;
        let samples: Vec<u64> = (0..pixels * kind.samples).map(|i| kind.sample(page, i)).collect();
        let at = |x: usize, y: usize, s: usize| samples[(y * kind.width + x) * kind.samples + s];
        let (tile_width, tile_height) = kind.tile.unwrap_or((kind.width, kind.rows));
        let (mut offsets, mut counts) = (Vec::new(), Vec::new());
        for plane in 0..if kind.separate { kind.samples } else { 1 } {
            for top in (0..kind.height).step_by(tile_height) {
                for left in (0..kind.width).step_by(tile_width) {
                    let rows =
                        if kind.tile.is_some() { tile_height } else { tile_height.min(kind.height - top) };
                    let mut bytes = Vec::new();
                    for y in top..top + rows {
                        let pixel = |x: usize, s: usize| {
                            if x < kind.width && y < kind.height { at(x, y, s) } else { 0 }
                        };
                        let row: Vec<u64> = (left..left + tile_width)
                            .flat_map(|x| match kind.separate {
                                true => vec![pixel(x, plane)],
                                false => (0..kind.samples).map(|s| pixel(x, s)).collect(),
                            })
                            .collect();
                        bytes.extend(row_bytes(kind, &row));
                    }
                    let packed = packed(kind, &bytes);
                    offsets.push(file.len() as u64);
                    counts.push(packed.len() as u64);
                    file.extend(packed);
                }
            }
        }
        pages.push(samples);
        if kind.one_directory {
            first_chunks.get_or_insert((offsets.clone(), counts.clone()));
            if page + 1 < kind.pages {
                continue;
            }
            (offsets, counts) = first_chunks.take().unwrap();
        }
        let alike = |value: usize| vec![value as u64; kind.samples];
        let mut tags: Vec<(u16, u16, Vec<u64>)> = vec![
            (256, 4, vec![kind.width as u64]),
            (257, 4, vec![kind.height as u64]),
            (258, 3, alike(kind.bits)),
            (259, 3, vec![kind.compression.into()]),
            (262, 3, vec![kind.photometric.into()]),
            (266, 3, vec![if kind.reversed { 2 } else { 1 }]),
            (277, 3, vec![kind.samples as u64]),
            (284, 3, vec![if kind.separate { 2 } else { 1 }]),
            (317, 3, vec![kind.predictor.into()]),
            (339, 3, alike(kind.format.into())),
        ];
        if kind.alpha {
            tags.push((338, 3, vec![2]));
        }
        if let Some(text) = kind.description.as_ref().filter(|_| page == 0 || kind.one_directory) {
            tags.push((270, 2, text.bytes().chain([0]).map(u64::from).collect()));
        }
        if let Some(([across, down], unit)) = kind.resolution {
            // A rational is two numbers of four bytes, the first above the second.
            let rational = |over: u32| {
                let (over, under) = (u64::from(over), 1000);
                vec![if kind.big_endian { over << 32 | under } else { under << 32 | over }]
            };
            tags.extend([(282, 5, rational(across)), (283, 5, rational(down)), (296, 3, vec![unit.into()])]);
        }
        if kind.orientation != 1 {
            tags.push((274, 3, vec![kind.orientation.into()]));
        }
        if kind.photometric == 3 {
            tags.push((320, 3, (0..3 << kind.bits).map(|i| i * 257 % 65536).collect()));
        }
        match kind.tile {
            Some((width, height)) => tags.extend([
                (322, 4, vec![width as u64]),
                (323, 4, vec![height as u64]),
                (324, if kind.wide { 16 } else { 4 }, offsets),
                (325, 4, counts),
            ]),
            None => tags.extend([
                (273, if kind.wide { 16 } else { 4 }, offsets),
                (278, 3, vec![kind.rows as u64]),
                (279, 4, counts),
            ]),
        }
        tags.sort_by_key(|tag| tag.0);
        let size = |kind: u16| match kind {
            2 => 1,
            3 => 2,
            5 | 16 => 8,
            _ => 4,
        };
        // Values that do not fit into an entry lie before the directory.
        let mut entries = Vec::new();
        for (tag, of, values) in &tags {
            let bytes: Vec<u8> =
                values.iter().flat_map(|v| bytes_of(*v, size(*of), kind.big_endian)).collect();
            let mut entry = Vec::new();
            put(&mut entry, u64::from(*tag), 2);
            put(&mut entry, u64::from(*of), 2);
            put(&mut entry, values.len() as u64, count_bytes);
            if bytes.len() <= offset_bytes {
                entry.extend(&bytes);
                entry.resize(4 + count_bytes + offset_bytes, 0);
            } else {
                put(&mut entry, file.len() as u64, offset_bytes);
                file.extend(&bytes);
            }
            entries.push(entry);
        }
        let directory = file.len() as u64;
        file.splice(next_at..next_at + offset_bytes, bytes_of(directory, offset_bytes, kind.big_endian));
        put(&mut file, tags.len() as u64, entry_count);
        file.extend(entries.concat());
        next_at = file.len();
        put(&mut file, 0, offset_bytes);
    }
    (file, pages)
}

pub fn kinds() -> impl Strategy<Value = Kind> {
    let size = (1usize..20, 1usize..20, 1usize..3);
    let numbers = prop_oneof![
        Just((1u16, 1usize)),
        Just((1, 2)),
        Just((1, 4)),
        Just((1, 8)),
        Just((1, 12)),
        Just((1, 16)),
        Just((1, 24)),
        Just((1, 32)),
        Just((1, 64)),
        Just((2, 8)),
        Just((2, 16)),
        Just((2, 32)),
        Just((2, 64)),
        Just((3, 16)),
        Just((3, 32)),
        Just((3, 64)),
    ];
    let packing = (prop_oneof![Just(1u16), Just(5), Just(8), Just(32773)], 1u16..4);
    let colours = (0u16..4, any::<bool>(), any::<bool>());
    let chunks = (proptest::option::of((1usize..3, 1usize..3)), 1usize..20);
    let order = (any::<bool>(), any::<bool>(), any::<bool>(), any::<u64>());
    let beside = (proptest::option::of(([1..300_000u32, 1..300_000u32], 1u16..4)), 1u16..9);
    (size, numbers, packing, colours, chunks, order, beside).prop_map(
        |(
            (width, height, pages),
            (format, bits),
            (compression, predictor),
            (photometric, alpha, separate),
            (tile, rows),
            order,
            (resolution, orientation),
        )| {
            let (big_endian, wide, reversed, seed) = order;
            let photometric = if photometric == 3 && (format != 1 || bits > 8) { 1 } else { photometric };
            // Colours are read in 8 and 16 bits.
            let photometric =
                if photometric == 2 && !(format == 1 && matches!(bits, 8 | 16)) { 0 } else { photometric };
            let colours = if photometric == 2 { 3 } else { 1 };
            let predictor = match predictor {
                2 if matches!(bits, 8 | 16 | 32 | 64) => 2,
                3 if format == 3 => 3,
                _ => 1,
            };
            let tile = tile.map(|(a, b)| (16 * a, 16 * b));
            let samples = colours + usize::from(alpha);
            let separate = separate && samples > 1;
            Kind {
                width,
                height,
                pages,
                format,
                bits,
                photometric,
                samples,
                alpha,
                separate,
                tile,
                rows,
                compression,
                predictor,
                big_endian,
                wide,
                reversed,
                seed,
                description: None,
                resolution,
                orientation,
                one_directory: false,
            }
        },
    )
}
