//! Checks that stacks whose planes are channels, slices and times, as ImageJ, OME, tifffile and SCIFIO describe them,
//! are read as the planes that were meant, or refused in words; and that no description makes a reader panic.
//!
//! `GLAUBER_FUZZ=50` writes fifty times as many (100,000 of each), from another seed.
#![allow(clippy::unwrap_used)]

mod tiffs;

use glauber_data::images::{ImageLimits, Pick, SeriesChoice, read_series};
use proptest::prelude::*;
use std::fmt::Write as _;
use tiffs::{Kind, kinds, runner, written};

/// Who describes the planes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Maker {
    ImageJ,
    /// OME, and whether every plane is given its place, in an order of its own.
    Ome {
        placed: bool,
    },
    /// tifffile, with the names of the axes or without.
    Tifffile {
        named: bool,
    },
    Scifio,
    Nobody,
}

/// A stack, and how it is described.
#[derive(Clone, Debug)]
struct Stack {
    kind: Kind,
    maker: Maker,
    /// Channels, slices, times.
    sizes: [usize; 3],
    /// Which of these varies fastest in the file, then which.
    order: [usize; 3],
    choice: SeriesChoice,
    /// For an OME file whose planes have places: where each lies.
    shuffled: Vec<usize>,
}

const ORDERS: [[usize; 3]; 6] = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
const LETTERS: [char; 3] = ['C', 'Z', 'T'];

impl Stack {
    fn by_imagej(&self) -> bool {
        matches!(self.maker, Maker::ImageJ | Maker::Scifio)
    }

    /// Which plane, in the described order, shows this channel, slice and time.
    fn place(&self, at: [usize; 3]) -> usize {
        self.order.iter().rev().fold(0, |place, axis| place * self.sizes[*axis] + at[*axis])
    }

    /// Which page of the file it is.
    fn page(&self, at: [usize; 3]) -> usize {
        let place = self.place(at);
        if self.maker == (Maker::Ome { placed: true }) { self.shuffled[place] } else { place }
    }

    fn describe(&self) -> Option<String> {
        let [channels, slices, times] = self.sizes;
        let Kind { width, height, samples, .. } = self.kind;
        let planes = channels * slices * times;
        let letters: String = self.order.iter().map(|axis| LETTERS[*axis]).collect();
        Some(match self.maker {
            Maker::Nobody => return None,
            Maker::ImageJ => {
                let mut text = format!("ImageJ=1.54f\nimages={planes}\n");
                for (key, count) in [("channels", channels), ("slices", slices), ("frames", times)] {
                    if count > 1 {
                        let _ = writeln!(text, "{key}={count}");
                    }
                }
                text + "hyperstack=true\nloop=false\n"
            }
            Maker::Ome { placed } => {
                let mut places = String::new();
                for (place, at) in every(self.sizes).iter().map(|at| (self.place(*at), at)) {
                    let [c, z, t] = at;
                    let _ = write!(
                        places,
                        "<TiffData FirstC=\"{c}\" FirstZ=\"{z}\" FirstT=\"{t}\" IFD=\"{}\" PlaneCount=\"1\"/>",
                        self.shuffled[place]
                    );
                }
                format!(
                    "<?xml version=\"1.0\" encoding=\"UTF-8\"?><OME xmlns=\"http://www.openmicroscopy.org/Schemas/OME/2016-06\">\
                     <Image ID=\"Image:0\"><Pixels ID=\"Pixels:0\" DimensionOrder=\"XY{letters}\" Type=\"uint8\" SizeX=\"{width}\" \
                     SizeY=\"{height}\" SizeC=\"{channels}\" SizeZ=\"{slices}\" SizeT=\"{times}\">\
                     <Channel ID=\"Channel:0:0\" SamplesPerPixel=\"1\"/>{}</Pixels></Image></OME>",
                    if placed { places.as_str() } else { "<TiffData/>" }
                )
            }
            Maker::Tifffile { named } => {
                let mut shape: Vec<usize> = self.order.iter().rev().map(|axis| self.sizes[*axis]).collect();
                shape.extend([height, width]);
                let mut axes: String = letters.chars().rev().chain("YX".chars()).collect();
                if samples > 1 {
                    shape.push(samples);
                    axes.push('S');
                }
                let names = if named { format!(", \"axes\": \"{axes}\"") } else { String::new() };
                format!("{{\"shape\": {shape:?}{names}}}")
            }
            Maker::Scifio => {
                let names = self.order.map(|axis| ["Channel", "Z", "Time"][axis]).join(",");
                let sizes = self.order.map(|axis| self.sizes[axis].to_string()).join(",");
                format!(
                    "SCIFIO=0.46.0\naxes=X,Y,{names}\nlengths={width},{height},{sizes}\nimages={planes}\n"
                )
            }
        })
    }

    /// The channels, slices and times that a reader must give, one plane after the other, and the slices of a time; none
    /// where it must ask.
    fn meant(&self) -> Option<(Vec<[usize; 3]>, usize)> {
        let [channels, slices, times] = self.sizes;
        let long = self.sizes.iter().filter(|n| **n > 1).count();
        let SeriesChoice { channel, slice, depth } = &self.choice;
        if matches!(self.maker, Maker::Nobody | Maker::Tifffile { named: false }) {
            // Planes that nobody names are times where there is one axis of them, and nothing can be picked.
            let planes = channels * slices * times;
            let several = long > 1 && self.maker != Maker::Nobody;
            let none = |pick: &Option<Pick>| {
                pick.as_ref().is_none_or(|pick| matches!(pick, Pick::Number(0) | Pick::Name(_)))
            };
            if several || !none(channel) || !none(slice) {
                return None;
            }
            let mut at = every(self.sizes);
            at.sort_by_key(|at| self.place(*at));
            let deep = *depth == Some(planes) && planes > 1;
            return Some((at, if deep { planes } else { 1 }));
        }
        // What each axis is used for: one of its places, or all of them as times or as slices of a time.
        let picked = |pick: &Option<Pick>, count: usize| match pick {
            Some(Pick::Number(number)) if *number < count => Some(Some(*number)),
            Some(Pick::Number(_)) => None,
            Some(Pick::Name(_)) => Some(if count > 1 { None } else { Some(0) }),
            None if count == 1 => Some(Some(0)),
            None => None,
        };
        // ImageJ calls the planes of every stack slices.
        let as_time = self.by_imagej() && long == 1 && slices > 1 && slice.is_none();
        let as_depth = depth.is_some() && slices > 1 && slice.is_none();
        let channel = picked(channel, channels)?;
        let slice = if as_depth || as_time { None } else { picked(slice, slices)? };
        let series = usize::from(channel.is_none())
            + usize::from(slice.is_none() && !as_depth)
            + usize::from(times > 1);
        if series > 1 {
            return None;
        }
        let of = |pick: Option<usize>, count: usize| pick.map_or((0..count).collect(), |one| vec![one]);
        let (channels, all) = (of(channel, channels), of(slice, slices));
        let mut planes = Vec::new();
        for time in 0..times {
            for channel in &channels {
                planes.extend(all.iter().map(|slice| [*channel, *slice, time]));
            }
        }
        let deep = as_depth || (*depth == Some(planes.len()) && planes.len() > 1);
        let slices = if as_depth { self.sizes[1] } else { planes.len() };
        Some((planes, if deep { slices } else { 1 }))
    }
}

/// Every channel, slice and time.
fn every(sizes: [usize; 3]) -> Vec<[usize; 3]> {
    let [channels, slices, times] = sizes;
    let of_slice = |z, t| (0..channels).map(move |c| [c, z, t]);
    (0..times).flat_map(|t| (0..slices).flat_map(move |z| of_slice(z, t))).collect()
}

fn stacks() -> impl Strategy<Value = Stack> {
    let maker = prop_oneof![
        3 => Just(Maker::ImageJ),
        2 => Just(Maker::Ome { placed: false }),
        2 => Just(Maker::Ome { placed: true }),
        2 => Just(Maker::Tifffile { named: true }),
        1 => Just(Maker::Tifffile { named: false }),
        1 => Just(Maker::Scifio),
        1 => Just(Maker::Nobody),
    ];
    let size = || prop_oneof![2 => Just(1usize), 1 => Just(2), 1 => Just(3), 1 => Just(4)];
    let pick = || {
        prop_oneof![
            3 => Just(None),
            3 => (0usize..4).prop_map(|number| Some(Pick::Number(number))),
            1 => Just(Some(Pick::Name("time".to_owned()))),
        ]
    };
    let choice = (pick(), pick(), proptest::option::weighted(0.3, 1usize..5));
    (kinds(), maker, [size(), size(), size()], 0..6usize, choice, any::<u64>(), any::<bool>()).prop_map(
        |(kind, maker, sizes, order, (channel, slice, depth), seed, one_directory)| {
            let order = match maker {
                // ImageJ's channels vary fastest, then slices.
                Maker::ImageJ | Maker::Nobody => ORDERS[0],
                _ => ORDERS[order],
            };
            let pages = sizes.iter().product();
            let mut shuffled: Vec<usize> = (0..pages).collect();
            shuffled.sort_by_key(|page| (*page as u64 ^ seed).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 20);
            let one_directory = one_directory
                && pages > 1
                && matches!(maker, Maker::ImageJ | Maker::Tifffile { named: true })
                && kind.compression == 1
                && kind.tile.is_none()
                && !kind.separate;
            // Small pictures of at least two pixels, so that planes differ; alpha is the test of single pictures.
            let bits = if kind.bits < 4 { 8 } else { kind.bits };
            let colours = if kind.photometric == 2 { 1 } else { kind.photometric };
            let (photometric, samples) = (if bits > 8 { colours % 3 } else { colours }, 1);
            let (width, height) = (kind.width.max(4), kind.height.max(2));
            let mut kind =
                Kind { width, height, pages, bits, photometric, samples, one_directory, seed, ..kind };
            (kind.alpha, kind.separate) = (false, false);
            let choice = SeriesChoice { channel, slice, depth };
            let mut stack = Stack { kind, maker, sizes, order, choice, shuffled };
            stack.kind.description = stack.describe();
            stack
        },
    )
}

#[test]
fn the_planes_that_were_meant_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.tif");
    let (read, asked) = (std::cell::Cell::new(0u32), std::cell::Cell::new(0u32));
    runner(2000)
        .run(&stacks(), |stack| {
            let (bytes, pages) = written(&stack.kind);
            std::fs::write(&path, bytes).unwrap();
            match (read_series(&path, &stack.choice, ImageLimits { pixels: 1 << 17 }), stack.meant()) {
                (Ok(series), Some((meant, slices))) => {
                    read.set(read.get() + 1);
                    let expected: Vec<f64> = meant
                        .iter()
                        .flat_map(|at| &pages[stack.page(*at)])
                        .map(|bits| stack.kind.value(*bits))
                        .collect();
                    prop_assert_eq!(series.stack.to_f64(), expected);
                    prop_assert_eq!(series.slices, slices);
                    let notes = series.stack.notes().join("\n");
                    // A guess is said.
                    let [channels, slices, times] = stack.sizes;
                    let guessed = stack.by_imagej()
                        && stack.choice.slice.is_none()
                        && slices > 1
                        && channels * times == 1;
                    prop_assert!(
                        !guessed || stack.choice.depth.is_some() || notes.contains("taken for times")
                    );
                    prop_assert!(
                        !stack.kind.one_directory || notes.contains("behind one directory"),
                        "{}",
                        notes
                    );
                }
                (Err(error), None) => {
                    asked.set(asked.get() + 1);
                    let text = error.to_string();
                    prop_assert!(!error.remedy().is_empty() && text.len() < 2000, "{}", text);
                }
                (Ok(_), None) => return Err(TestCaseError::fail("read without asking")),
                (Err(error), Some(_)) => return Err(TestCaseError::fail(error.to_string())),
            }
            Ok(())
        })
        .unwrap();
    // Both happen often, so both are tested.
    let all = 2000 * u32::from(tiffs::times());
    assert!(read.get() > all / 5 && asked.get() > all / 5, "{read:?} read, {asked:?} asked for");
}

#[test]
fn descriptions_with_changes_never_panic() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.tif");
    let change = (any::<prop::sample::Index>(), any::<prop::sample::Index>(), 0x20u8..0x7F, 0..4u8);
    runner(2000)
        .run(&(stacks(), proptest::collection::vec(change, 1..4)), |(mut stack, changes)| {
            let mut text = stack.kind.description.take().unwrap_or_default().into_bytes();
            for (at, to, byte, how) in changes {
                if text.is_empty() {
                    break;
                }
                let (at, to) = (at.index(text.len()), to.index(text.len()));
                match how {
                    0 => text[at] = byte,
                    1 => text[at] = b"0923"[usize::from(byte % 4)],
                    2 => drop(text.drain(at.min(to)..at.max(to))),
                    _ => text.insert(at, byte),
                }
            }
            stack.kind.description = Some(String::from_utf8(text).unwrap());
            let (bytes, pages) = written(&stack.kind);
            std::fs::write(&path, bytes).unwrap();
            let planes: Vec<Vec<f64>> =
                pages.iter().map(|page| page.iter().map(|bits| stack.kind.value(*bits)).collect()).collect();
            match read_series(&path, &stack.choice, ImageLimits { pixels: 1 << 17 }) {
                // Whatever the description says, what is read are planes of the file.
                Ok(series) => {
                    let size = stack.kind.width * stack.kind.height;
                    for plane in series.stack.to_f64().chunks_exact(size) {
                        prop_assert!(planes.iter().any(|own| own == plane));
                    }
                }
                Err(error) => prop_assert!(!error.found().is_empty() && !error.remedy().is_empty()),
            }
            Ok(())
        })
        .unwrap();
}

/// ImageJ's numbers that do not multiply to the planes there are: which plane is which cannot be known.
#[test]
fn contradictions_are_never_read_in_silence() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.tif");
    let numbers = (2usize..13, 1usize..4, 1usize..4, 1usize..4);
    runner(500)
        .run(&(kinds(), numbers), |(kind, (pages, channels, slices, frames))| {
            let mut kind =
                Kind { pages, width: 4, height: 3, rows: 3, samples: 1, bits: 8, format: 1, ..kind };
            (kind.photometric, kind.alpha, kind.separate, kind.predictor) = (1, false, false, 1);
            kind.description = Some(format!(
                "ImageJ=1.53t\nimages={pages}\nchannels={channels}\nslices={slices}\nframes={frames}\n"
            ));
            std::fs::write(&path, written(&kind).0).unwrap();
            // Without numbers of channels, slices or frames a stack is a series.
            let planes = channels * slices * frames;
            let told = planes == pages || planes == 1;
            match read_series(&path, &SeriesChoice::default(), ImageLimits { pixels: 1 << 17 }) {
                Err(error) => prop_assert!(!error.remedy().is_empty()),
                Ok(series) => prop_assert!(
                    told || series.stack.notes().iter().any(|note| note.contains("channel")),
                    "{} pages, {:?}",
                    pages,
                    series.stack.notes()
                ),
            }
            Ok(())
        })
        .unwrap();
}
