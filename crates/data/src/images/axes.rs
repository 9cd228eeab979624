//! Reads what a TIFF file says its planes are: channels, slices, times, as ImageJ, OME, tifffile or SCIFIO write it.
//!
//! | text of the first plane | what is read |
//! |---|---|
//! | `ImageJ=…` | `images`, `channels`, `slices`, `frames`: channels vary fastest, frames slowest |
//! | `<OME …>` | `SizeC`, `SizeZ`, `SizeT`, `DimensionOrder`, and `TiffData` where it orders the planes otherwise |
//! | `{"shape": […], "axes": "TCYX"}` (tifffile) | the axes before Y and X, the last fastest |
//! | `SCIFIO=…` | `axes` and `lengths` beyond X and Y, the first fastest |

use super::refusal::Refusal;
use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};
use std::fmt;

/// What one goes along from plane to plane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Axis {
    Time,
    Slice,
    Channel,
    /// Positions of the stage, tiles, or something the file gives no usual name.
    Other(String),
}

impl Axis {
    /// In words, of so many.
    pub(super) fn words(&self, count: usize) -> String {
        let (one, many) = match self {
            Axis::Time => ("frame", "frames"),
            Axis::Slice => ("slice", "slices"),
            Axis::Channel => ("channel", "channels"),
            Axis::Other(name) => return format!("{count} along `{name}`"),
        };
        format!("{count} {}", if count == 1 { one } else { many })
    }
}

/// The axes that the planes of a stack have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Axes {
    /// The axes that are longer than one, the slowest first.
    pub(super) lengths: Vec<(Axis, usize)>,
    /// For each plane in the order of `lengths`, which plane of the file it is; none where it is the same.
    pub(super) order: Option<Vec<usize>>,
    /// Who says so.
    pub(super) said_by: String,
    planes: usize,
}

impl fmt::Display for Axes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words: Vec<String> = self.lengths.iter().rev().map(|(axis, count)| axis.words(*count)).collect();
        f.write_str(&words.join(" × "))
    }
}

impl Axes {
    pub(super) fn new(lengths: Vec<(Axis, usize)>, said_by: &str) -> Axes {
        let planes = lengths.iter().map(|(_, n)| *n).fold(1, usize::saturating_mul);
        let lengths = lengths.into_iter().filter(|(_, n)| *n > 1).collect();
        Axes { lengths, order: None, said_by: said_by.to_string(), planes }
    }

    /// How many planes there must be.
    pub(super) fn planes(&self) -> usize {
        self.planes
    }

    /// The length of an axis; 1 where there is none.
    pub(super) fn length(&self, axis: &Axis) -> usize {
        self.lengths.iter().find(|(own, _)| own == axis).map_or(1, |(_, n)| *n)
    }
}

/// What a description says of the planes; none where it says nothing, or only what the planes say themselves.
///
/// # Errors
/// If it cannot be understood, or speaks of planes in other files.
pub(super) fn axes_of(
    description: &str,
    (height, width, samples): (usize, usize, usize),
    pages: usize,
) -> Result<Option<Axes>, Refusal> {
    let text = description.trim_start_matches('\u{FEFF}').trim();
    if text.starts_with("ImageJ=") {
        imagej(text, samples, pages)
    } else if text.starts_with("SCIFIO=") {
        scifio(text)
    } else if text.starts_with('{') {
        tifffile(text, [height, width, samples])
    } else if text.starts_with('<') && text.contains("<OME") {
        ome(text)
    } else {
        Ok(None)
    }
}

fn imagej(text: &str, samples: usize, pages: usize) -> Result<Option<Axes>, Refusal> {
    let number = |key: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
        line.and_then(|value| value.trim().parse::<usize>().ok())
    };
    let images = number("images").map(|images| images.max(1));
    let count = |key: &str| number(key).unwrap_or(1).max(1);
    // The red, green and blue of one plane may be counted as its channels.
    let channels = count("channels");
    let channels = if samples > 1 && channels == samples { 1 } else { channels };
    let lengths =
        vec![(Axis::Time, count("frames")), (Axis::Slice, count("slices")), (Axis::Channel, channels)];
    let axes = Axes::new(lengths, "ImageJ");
    let said = images.unwrap_or(pages);
    if axes.planes == said {
        return Ok(Some(axes));
    }
    if axes.planes > 1 {
        let found =
            format!("says (ImageJ) that its {said} planes are {axes}, which would be {}", axes.planes);
        let remedy =
            "give them their axes anew (ImageJ: Image > Hyperstacks > Stack to Hyperstack) and save it again";
        return Err(Refusal::unsupported(found, remedy));
    }
    // A stack without further numbers is a series; one image may have been joined with others later.
    Ok((said > 1 && said != pages).then(|| Axes::new(vec![(Axis::Time, said)], "ImageJ")))
}

/// Refuses planes that a file says are not of rows `y` and columns `x`; `axes` the slowest first, without those of one.
fn upright(said_by: &str, axes: &[String]) -> Result<(), Refusal> {
    if axes.is_empty() || axes.ends_with(&["Y".to_owned(), "X".to_owned()]) {
        return Ok(());
    }
    Err(Refusal::unsupported(
        format!(
            "says ({said_by}) that its axes are {}, so that its planes are not of rows Y and columns X",
            axes.join(", ")
        ),
        "put the axes into the order T, Y, X (numpy: transpose) and save it again, or correct what it says of them",
    ))
}

fn scifio(text: &str) -> Result<Option<Axes>, Refusal> {
    let list = |key: &str| -> Option<Vec<&str>> {
        let line = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='))?;
        Some(line.split(',').map(str::trim).collect())
    };
    let (Some(names), Some(sizes)) = (list("axes"), list("lengths")) else { return Ok(None) };
    if names.len() != sizes.len() {
        return Ok(None);
    }
    let (mut lengths, mut long) = (Vec::new(), Vec::new());
    for (name, size) in names.iter().zip(sizes) {
        let Some(size) = size.parse::<usize>().ok().filter(|n| *n > 0) else { return Ok(None) };
        let name = name.to_lowercase();
        let inside = matches!(name.as_str(), "x" | "y");
        if inside || size > 1 {
            long.push(name.to_uppercase());
        }
        match name.as_str() {
            _ if inside => {}
            "time" | "t" => lengths.push((Axis::Time, size)),
            "z" => lengths.push((Axis::Slice, size)),
            "channel" | "c" => lengths.push((Axis::Channel, size)),
            other => lengths.push((Axis::Other(other.to_string()), size)),
        }
    }
    lengths.reverse();
    long.reverse();
    upright("ImageJ (SCIFIO)", &long)?;
    Ok(Some(Axes::new(lengths, "ImageJ (SCIFIO)")))
}

fn tifffile(text: &str, inside: [usize; 3]) -> Result<Option<Axes>, Refusal> {
    let shape = |object: &serde_json::Value| -> Option<Vec<usize>> {
        let sizes = object.get("shape")?.as_array()?.iter();
        sizes.map(|n| n.as_u64().and_then(|n| usize::try_from(n).ok())).collect()
    };
    let Ok(object) = serde_json::from_str::<serde_json::Value>(text) else { return Ok(None) };
    let Some(shape) = shape(&object) else { return Ok(None) };
    let named = object.get("axes").and_then(|axes| axes.as_str()).map(|a| a.to_uppercase());
    let named = named.map(|axes| axes.chars().collect::<Vec<_>>()).filter(|a| a.len() == shape.len());
    let lengths = match named {
        Some(letters) => Some(named_lengths(&letters, &shape, inside)?),
        None => unnamed_lengths(&shape, inside),
    };
    // Pages that were written one by one say of themselves that they are one.
    Ok(lengths.map(|lengths| Axes::new(lengths, "tifffile")).filter(|axes| axes.planes > 1))
}

/// The axes before Y and X by their letters.
fn named_lengths(
    letters: &[char],
    shape: &[usize],
    [_, _, samples]: [usize; 3],
) -> Result<Vec<(Axis, usize)>, Refusal> {
    let (mut lengths, mut long) = (Vec::new(), Vec::new());
    // The samples of a pixel, behind it or, where each has a plane of its own, before it; whatever their letter.
    let places = [letters.len().checked_sub(1), letters.len().checked_sub(3)];
    let is_pixel = |place: &usize| !matches!(letters[*place], 'Y' | 'X') && shape[*place] == samples;
    let several = samples > 1 && !letters.contains(&'S');
    let pixel = places.into_iter().flatten().find(is_pixel).filter(|_| several);
    for (place, (letter, size)) in letters.iter().zip(shape).enumerate() {
        let of_pixel = match letter {
            'S' => samples > 1 || *size == 1,
            _ => Some(place) == pixel,
        };
        if matches!(letter, 'Y' | 'X') || (*size > 1 && !of_pixel) {
            long.push(letter.to_string());
        }
        match letter {
            'Y' | 'X' => {}
            _ if of_pixel => {}
            'T' => lengths.push((Axis::Time, *size)),
            'Z' => lengths.push((Axis::Slice, *size)),
            'C' => lengths.push((Axis::Channel, *size)),
            other => lengths.push((Axis::Other(other.to_string()), *size)),
        }
    }
    upright("tifffile", &long)?;
    Ok(lengths)
}

/// Without names the axes before the picture's own; the samples of a pixel may stand on either side of it.
fn unnamed_lengths(shape: &[usize], [height, width, samples]: [usize; 3]) -> Option<Vec<(Axis, usize)>> {
    let inside: Vec<Vec<usize>> = match samples {
        1 => vec![vec![height, width], vec![height, width, 1]],
        n => vec![vec![n, height, width], vec![height, width, n]],
    };
    let tail = inside.iter().rev().find(|tail| shape.ends_with(tail.as_slice()))?.len();
    let long: Vec<usize> = shape[..shape.len() - tail].iter().copied().filter(|n| *n > 1).collect();
    match &long[..] {
        [] => None,
        [one] => Some(vec![(Axis::Time, *one)]),
        many => Some(many.iter().zip(1..).map(|(n, i)| (Axis::Other(format!("axis {i}")), *n)).collect()),
    }
}

/// What OME metadata say of the planes of the first image.
#[derive(Default)]
struct Pixels {
    channels: usize,
    slices: usize,
    times: usize,
    order: String,
    samples: usize,
    given: Vec<(Option<usize>, [usize; 3], Option<usize>)>,
    file_name: Option<String>,
    other_files: bool,
}

fn ome(text: &str) -> Result<Option<Axes>, Refusal> {
    let unreadable = || Refusal::damaged("has OME metadata that cannot be understood");
    let mut reader = Reader::from_str(text);
    let mut pixels: Option<Pixels> = None;
    let mut images = 0;
    let mut modulo: Option<(String, String)> = None;
    loop {
        match reader.read_event().map_err(|_| unreadable())? {
            Event::Start(element) | Event::Empty(element) => {
                match element.local_name().as_ref() {
                    "Pixels" => {
                        images += 1;
                        if images == 1 {
                            pixels = Some(pixels_of(&element).ok_or_else(unreadable)?);
                        }
                    }
                    "Channel" if images == 1 => {
                        if let (Some(pixels), Some(samples)) =
                            (&mut pixels, number(&element, "SamplesPerPixel"))
                        {
                            pixels.samples = pixels.samples.max(samples);
                        }
                    }
                    "TiffData" if images == 1 => {
                        if let Some(pixels) = &mut pixels {
                            let at = |key| number(&element, key).unwrap_or(0);
                            let first = [at("FirstC"), at("FirstZ"), at("FirstT")];
                            let planes = number(&element, "PlaneCount");
                            pixels.given.push((number(&element, "IFD"), first, planes));
                        }
                    }
                    // A further axis within C, Z or T, such as lifetimes or angles.
                    name if name.starts_with("ModuloAlong") => {
                        let inside = name.trim_start_matches("ModuloAlong").to_string();
                        let what = attribute(&element, "Type").unwrap_or_else(|| "a further axis".to_owned());
                        modulo = Some((inside, what));
                    }
                    "UUID" if images == 1 => {
                        // A plane in a file of another name; its own name may be an older one, so names are not compared.
                        if let (Some(pixels), Some(name)) = (&mut pixels, attribute(&element, "FileName")) {
                            let known = pixels.file_name.get_or_insert_with(|| name.clone());
                            pixels.other_files |= *known != name;
                        }
                    }
                    _ => {}
                }
            }
            Event::DocType(_) => return Err(unreadable()),
            Event::Eof => break,
            _ => {}
        }
    }
    let Some(pixels) = pixels else { return Ok(None) };
    if pixels.other_files {
        let remedy = "save all planes into one file (Fiji: File > Save As > Tiff, or bfconvert)";
        return Err(Refusal::unsupported("is one of several OME files of a series", remedy));
    }
    if let Some((inside, what)) = modulo {
        let found = format!(
            "has OME metadata by which the planes along {inside} are those of two axes, one of them {what}"
        );
        let remedy = "save one series of times as a file of its own, or without OME metadata where all planes are times";
        return Err(Refusal::unsupported(found, remedy));
    }
    pixels.axes(images).map(Some)
}

/// An attribute of an element of XML.
pub(super) fn attribute(element: &BytesStart<'_>, name: &str) -> Option<String> {
    let found = element.attributes().flatten().find(|a| a.key.local_name().as_ref() == name)?;
    found.normalized_value(XmlVersion::Implicit1_0).ok().map(|value| value.into_owned())
}

fn number(element: &BytesStart<'_>, name: &str) -> Option<usize> {
    attribute(element, name)?.trim().parse().ok()
}

fn pixels_of(element: &BytesStart<'_>) -> Option<Pixels> {
    let size = |key| number(element, key).filter(|n| (1..=1 << 28).contains(n));
    Some(Pixels {
        channels: size("SizeC")?,
        slices: size("SizeZ")?,
        times: size("SizeT")?,
        order: attribute(element, "DimensionOrder")?.to_uppercase(),
        samples: 1,
        ..Pixels::default()
    })
}

impl Pixels {
    fn axes(&self, images: usize) -> Result<Axes, Refusal> {
        // The samples of one plane's pixels count as channels in OME.
        let channels = (self.channels / self.samples.max(1)).max(1);
        let sizes = [channels, self.slices, self.times];
        let total = sizes.iter().copied().fold(1, usize::saturating_mul);
        if total > 1 << 28 {
            return Err(Refusal::too_large(format!("announces {total} planes")));
        }
        if images > 1 {
            let lengths = vec![(Axis::Other("image".into()), images), (Axis::Time, total)];
            return Ok(Axes::new(lengths, "OME"));
        }
        let letters: Vec<usize> = self.order.chars().filter_map(|c| "CZT".find(c)).collect();
        let mut sorted = letters.clone();
        sorted.sort_unstable();
        if sorted != [0, 1, 2] || !self.order.starts_with("XY") {
            return Err(Refusal::damaged(format!("has OME planes in the unknown order `{}`", self.order)));
        }
        let names = [Axis::Channel, Axis::Slice, Axis::Time];
        // The order's first letter varies fastest.
        let lengths = letters.iter().rev().map(|i| (names[*i].clone(), sizes[*i])).collect();
        let mut axes = Axes::new(lengths, "OME");
        let placed = self.placed(&letters, sizes, total)?;
        axes.order = placed.filter(|order| order.iter().enumerate().any(|(place, plane)| place != *plane));
        Ok(axes)
    }

    /// For each plane in the usual order, which one of the file it is, where `TiffData` says so.
    fn placed(
        &self,
        letters: &[usize],
        sizes: [usize; 3],
        total: usize,
    ) -> Result<Option<Vec<usize>>, Refusal> {
        if self.given.is_empty() {
            return Ok(None);
        }
        let unclear = || Refusal::damaged("has OME metadata that do not say where each plane is");
        let mut order = vec![usize::MAX; total];
        for (plane, first, count) in &self.given {
            // Without a plane's number all follow from the first; with one, a single plane is meant.
            let count = count.unwrap_or(if plane.is_some() { 1 } else { total });
            let (mut place, mut stride) = (0usize, 1usize);
            for letter in letters {
                if first[*letter] >= sizes[*letter] {
                    return Err(unclear());
                }
                place += first[*letter] * stride;
                stride *= sizes[*letter];
            }
            let plane = plane.unwrap_or(0);
            if place.saturating_add(count) > total {
                return Err(unclear());
            }
            (0..count).for_each(|i| order[place + i] = plane.saturating_add(i));
        }
        // Each plane once, none twice, none missing.
        let mut seen = vec![false; total];
        for plane in &order {
            match seen.get_mut(*plane) {
                Some(seen) if !*seen => *seen = true,
                _ => return Err(unclear()),
            }
        }
        Ok(Some(order))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn read(text: &str, pages: usize) -> Option<Axes> {
        axes_of(text, (4, 5, 1), pages).unwrap()
    }

    #[test]
    fn imagejs_numbers_are_read_whatever_their_order() {
        let axes = read("ImageJ=1.53t\nimages=24\nframes=4\nchannels=2\nslices=3\nloop=false\n", 24).unwrap();
        assert_eq!(axes.to_string(), "2 channels × 3 slices × 4 frames");
        assert_eq!(axes.lengths, [(Axis::Time, 4), (Axis::Slice, 3), (Axis::Channel, 2)]);
        // Planes behind one directory are announced, whatever they are.
        assert_eq!(read("ImageJ=1.53t\nimages=7\n", 1).unwrap().planes(), 7);
        assert!(axes_of("ImageJ=1.53t\nimages=1\nchannels=3\n", (4, 5, 1), 1).is_err());
        let of_colours = axes_of("ImageJ=1.53t\nimages=1\nchannels=3\n", (4, 5, 3), 1).unwrap().unwrap();
        assert_eq!(of_colours.planes(), 1);
        assert_eq!(read("ImageJ=1.53t\nimages=4\n", 6).unwrap().planes(), 4);
    }

    #[test]
    fn further_axes_are_not_taken_for_times() {
        let ome = "<OME><Image><Pixels DimensionOrder=\"XYCZT\" SizeC=\"1\" SizeZ=\"1\" SizeT=\"18\"/></Image>\
                   <StructuredAnnotations><XMLAnnotation><Value><Modulo><ModuloAlongT Type=\"lifetime\" Start=\"0\" End=\"1\"/>\
                   </Modulo></Value></XMLAnnotation></StructuredAnnotations></OME>";
        let error = axes_of(ome, (4, 5, 1), 18).unwrap_err().in_file(std::path::Path::new("a"));
        assert!(error.to_string().contains("along T") && error.to_string().contains("lifetime"), "{error}");
        let axes = read("{\"shape\": [9, 2, 4, 5], \"axes\": \"TSYX\"}", 18).unwrap();
        assert_eq!(axes.lengths, [(Axis::Time, 9), (Axis::Other("S".into()), 2)]);
        assert_eq!(axes_of("{\"shape\": [3, 4, 5], \"axes\": \"SYX\"}", (4, 5, 3), 1).unwrap(), None);
        // A second series behind the first.
        assert_eq!(read("{\"shape\": [9, 4, 5], \"axes\": \"TYX\"}", 12).unwrap().planes(), 9);
    }

    #[test]
    fn omes_order_and_places_are_read() {
        let ome = |order: &str, data: &str| {
            format!(
                "<?xml version=\"1.0\"?><OME xmlns=\"x\"><Image ID=\"Image:0\"><Pixels DimensionOrder=\"{order}\" \
                 SizeX=\"5\" SizeY=\"4\" SizeC=\"2\" SizeZ=\"1\" SizeT=\"3\" Type=\"uint8\"><Channel ID=\"c\" \
                 SamplesPerPixel=\"1\"/>{data}</Pixels></Image></OME>"
            )
        };
        let axes = read(&ome("XYCZT", "<TiffData/>"), 6).unwrap();
        assert_eq!(axes.lengths, [(Axis::Time, 3), (Axis::Channel, 2)]);
        assert_eq!(axes.order, None);
        assert_eq!(read(&ome("XYTZC", ""), 6).unwrap().lengths, [(Axis::Channel, 2), (Axis::Time, 3)]);
        let places: String = (0..6)
            .map(|i| {
                format!("<TiffData FirstC=\"{}\" FirstT=\"{}\" IFD=\"{i}\" PlaneCount=\"1\"/>", i / 3, i % 3)
            })
            .collect();
        assert_eq!(read(&ome("XYCZT", &places), 6).unwrap().order, Some(vec![0, 3, 1, 4, 2, 5]));
        assert!(axes_of(&ome("XYCZT", "<TiffData IFD=\"0\" PlaneCount=\"1\"/>"), (4, 5, 1), 6).is_err());
        assert!(axes_of("<OME><Pixels/></OME>", (4, 5, 1), 1).is_err());
    }

    #[test]
    fn tifffiles_shape_is_read() {
        assert_eq!(read("{\"shape\": [21, 4, 5]}", 21).unwrap().lengths, [(Axis::Time, 21)]);
        let axes = read("{\"shape\": [3, 2, 4, 5], \"axes\": \"TCYX\"}", 6).unwrap();
        assert_eq!(axes.lengths, [(Axis::Time, 3), (Axis::Channel, 2)]);
        assert!(matches!(read("{\"shape\": [3, 2, 4, 5]}", 6).unwrap().lengths[0], (Axis::Other(_), 3)));
        assert_eq!(read("{\"shape\": [4, 5]}", 1), None);
        for colours in ["{\"shape\": [3, 4, 5]}", "{\"shape\": [4, 5, 3]}"] {
            assert_eq!(axes_of(colours, (4, 5, 3), 1).unwrap(), None);
        }
    }

    #[test]
    fn planes_that_are_not_of_rows_and_columns_are_refused() {
        let refused = |text: &str| {
            let error =
                axes_of(text, (4, 5, 1), 6).unwrap_err().in_file(std::path::Path::new("a")).to_string();
            assert!(error.contains("rows Y and columns X") && error.contains("transpose"), "{text}: {error}");
        };
        for axes in ["YXT", "YTX", "XYT", "TXY", "YXZ", "XTY"] {
            refused(&format!("{{\"shape\": [6, 4, 5], \"axes\": \"{axes}\"}}"));
        }
        refused("SCIFIO=0.42\naxes=Y,X,Time\nlengths=5,4,6\n");
        refused("SCIFIO=0.42\naxes=Time,X,Y\nlengths=6,5,4\n");
        let ome = "<OME><Image><Pixels DimensionOrder=\"YXCZT\" SizeC=\"1\" SizeZ=\"1\" SizeT=\"6\"/></Image></OME>";
        assert!(axes_of(ome, (4, 5, 1), 6).is_err());
        // What has a length of 1 may stand anywhere.
        for (shape, axes) in [("[6, 4, 5, 1]", "TYXZ"), ("[6, 4, 5, 1]", "tyxs"), ("[6, 1, 4, 5]", "TZYX")] {
            let axes = read(&format!("{{\"shape\": {shape}, \"axes\": \"{axes}\"}}"), 6).unwrap();
            assert_eq!(axes.lengths, [(Axis::Time, 6)]);
        }
    }

    #[test]
    fn the_samples_of_a_pixel_are_no_planes_whatever_their_letter() {
        for (shape, axes) in [("[9, 2, 4, 5]", "TCYX"), ("[9, 4, 5, 2]", "TYXC"), ("[9, 2, 4, 5]", "TSYX")] {
            let text = format!("{{\"shape\": {shape}, \"axes\": \"{axes}\"}}");
            assert_eq!(axes_of(&text, (4, 5, 2), 9).unwrap().unwrap().lengths, [(Axis::Time, 9)], "{text}");
        }
    }

    #[test]
    fn scifios_axes_are_read() {
        let axes = read("SCIFIO=0.42\naxes=X,Y,Channel,Time\nlengths=5,4,2,3\n", 6).unwrap();
        assert_eq!(axes.lengths, [(Axis::Time, 3), (Axis::Channel, 2)]);
    }
}
