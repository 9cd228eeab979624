//! Reads all planes of a TIFF file: microscopy stacks, masks, labels, maps.

use super::super::ImageLimits;
use super::super::axes::{Axes, axes_of};
use super::super::luma::grey_of_planes;
use super::super::refusal::Refusal;
use super::super::stack::{Format, Opened, Picture, append, check_pixels};
use super::directory::{Bytes, Directory, tag};
use super::foreign::read_foreign;
use super::interval::note_of_interval;
use super::layout::{Colours, Layout};
use super::samples::read_samples;
use super::scaling::scaling_of;
use super::unpack;
use crate::arrays::Values;
use crate::{DataError, DataErrorKind};
use glauber_names::{Pick, SeriesChoice};
use std::io::{BufReader, Read, Seek};
use std::path::Path;

/// TIFF files, classic and BigTIFF.
pub(in super::super) const TIFF: Format =
    Format { name: "TIFF", endings: &["tif", "tiff"], begins: is_tiff, read: read_tiff };

fn is_tiff(start: &[u8]) -> bool {
    [b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"].iter().any(|magic| start.starts_with(*magic))
}

/// Reads a TIFF file; of pixels with several channels the one that is chosen.
fn read_tiff(opened: Opened<'_>) -> Result<Picture, DataError> {
    let Opened { file, length, path, choice, limits } = opened;
    // Every directory is a plane of one pixel at least, or a small picture of another.
    let most = limits.pixels.saturating_mul(2).saturating_add(16);
    let (file, directories) =
        Bytes::open(BufReader::new(file), length, most).map_err(|refusal| refusal.in_file(path))?;
    Stack { file, directories, path, limits, notes: Vec::new() }.read(choice)
}

struct Stack<'a, S> {
    file: Bytes<S>,
    directories: Vec<Directory>,
    path: &'a Path,
    limits: ImageLimits,
    notes: Vec<String>,
}

impl<S: Read + Seek> Stack<'_, S> {
    fn read(mut self, choice: Option<&SeriesChoice>) -> Result<Picture, DataError> {
        let pages = self.pages()?;
        let Some(first) = pages.first().copied() else {
            return Err(DataError::new(
                DataErrorKind::Format,
                self.path,
                "has no planes",
                "save the image again",
            ));
        };
        let layout = self.layout(first, 0)?;
        let description = self.text(first, tag::DESCRIPTION)?;
        self.check_maker(first, pages.len())?;
        let axes = axes_of(&description, (layout.height, layout.width, layout.samples), pages.len());
        let axes = axes.map_err(|refusal| refusal.in_file(self.path))?;
        let planes = axes.as_ref().map_or(pages.len(), Axes::planes);
        self.check_size(planes as u64, &layout)?;
        let sample = self.sample(&layout, choice)?;
        let values = if planes > pages.len() {
            self.contiguous(&layout, planes, pages.len(), &sample)?
        } else {
            self.paged(&pages, &layout, &sample)?
        };
        self.note(&layout, first)?;
        let colour_table = self.colour_table(&layout, first)?;
        let no_data = self.text(first, tag::NO_DATA)?.trim().parse().ok();
        let scaling = scaling_of(&self.text(first, tag::GDAL_METADATA)?, &description, sample[0]);
        self.notes.extend(note_of_interval(&description));
        if let Some([scale, offset]) = scaling {
            self.notes.push(format!(
                "the file gives its numbers the scale {scale} and the offset {offset}, which data per site take; masks, \
                 states and labels do not"
            ));
        }
        Ok(Picture {
            values,
            planes: planes.max(pages.len()),
            height: layout.height,
            width: layout.width,
            bit_depth: layout.bits,
            notes: self.notes,
            shades: false,
            was_colour: matches!(layout.colours, Colours::RedGreenBlue | Colours::Foreign),
            colour_table,
            no_data,
            scaling,
            axes,
            picked_sample: layout.others > 0 && layout.colours != Colours::RedGreenBlue,
        })
    }

    fn layout(&mut self, page: usize, plane: usize) -> Result<Layout, DataError> {
        let refused = in_plane(self.path, plane);
        let layout = Layout::of(&mut self.file, &self.directories[page], self.limits).map_err(refused)?;
        unpack::check(layout.compression).map_err(in_plane(self.path, plane))?;
        Ok(layout)
    }

    fn text(&mut self, page: usize, tag: u16) -> Result<String, DataError> {
        self.file.text(&self.directories[page], tag).map_err(|refusal| refusal.in_file(self.path))
    }

    /// The directories that are planes: not smaller copies of one, nor masks of transparency.
    fn pages(&mut self) -> Result<Vec<usize>, DataError> {
        let mut kinds = Vec::new();
        for directory in &self.directories {
            let kind = self.file.one(directory, tag::SUBFILE, 0);
            let width = self.file.one(directory, tag::WIDTH, 0);
            let height = self.file.one(directory, tag::HEIGHT, 0);
            let in_file = |refusal: Refusal| refusal.in_file(self.path);
            kinds.push((kind.map_err(in_file)?, (width.map_err(in_file)?, height.map_err(in_file)?)));
        }
        let full = kinds.first().map(|(_, size)| *size);
        let beside =
            |&(kind, size): &(u64, (u64, u64))| kind & 4 != 0 || (kind & 1 != 0 && Some(size) != full);
        if kinds.first().is_none_or(beside) {
            return Ok((0..kinds.len()).collect());
        }
        let pages: Vec<usize> = (0..kinds.len()).filter(|page| !beside(&kinds[*page])).collect();
        let left_out = kinds.len() - pages.len();
        if left_out > 0 {
            self.notes
                .push(format!("{left_out} smaller copies or transparency masks in the file were left out"));
        }
        Ok(pages)
    }

    /// Refuses files whose planes are not in the directories.
    fn check_maker(&self, page: usize, pages: usize) -> Result<(), DataError> {
        let directory = &self.directories[page];
        let maker = if tag::METAMORPH.iter().any(|tag| directory.has(*tag)) && pages == 1 {
            "a MetaMorph stack, whose planes and their axes are described in its own way"
        } else if directory.has(tag::LSM) {
            "a Zeiss LSM file, whose channels, slices and times are described in its own way"
        } else {
            return Ok(());
        };
        let remedy = "save it as an ImageJ or OME TIFF (Fiji: File > Save As > Tiff)";
        Err(DataError::new(DataErrorKind::Unsupported, self.path, format!("is {maker}"), remedy))
    }

    fn check_size(&self, planes: u64, layout: &Layout) -> Result<(), DataError> {
        check_pixels(self.path, planes, layout.width as u64, layout.height as u64, self.limits)
    }

    /// Which samples of a pixel are read.
    fn sample(&mut self, layout: &Layout, choice: Option<&SeriesChoice>) -> Result<Vec<usize>, DataError> {
        if layout.colours == Colours::RedGreenBlue {
            if layout.bits != 8 && layout.bits != 16 {
                let refusal = Refusal::unsupported(
                    format!("has {}", layout.words()),
                    "save the channel to be read as an image of its own, or convert it to 8- or 16-bit colour",
                );
                return Err(in_plane(self.path, 0)(refusal));
            }
            return Ok(vec![0, 1, 2]);
        }
        if layout.others == 0 {
            return Ok(vec![0]);
        }
        let channels = 1 + layout.others;
        let own_image = "save the channel to be read as an image of its own";
        match choice.and_then(|choice| choice.channel.as_ref()) {
            Some(Pick::Number(number)) if *number < channels => {
                self.notes.push(format!("channel {number} of the {channels} of each pixel was read"));
                Ok(vec![*number])
            }
            _ => {
                let remedy = match choice {
                    Some(_) => format!("give `data.channel` (0 to {}), or {own_image}", channels - 1),
                    None => own_image.to_owned(),
                };
                let none = match choice.and_then(|choice| choice.channel.as_ref()) {
                    Some(pick) => format!(", and none that is {pick}"),
                    None => String::new(),
                };
                let refusal = Refusal::unsupported(format!("has {channels} channels a pixel{none}"), remedy);
                Err(in_plane(self.path, 0)(refusal))
            }
        }
    }

    /// One plane a directory.
    fn paged(&mut self, pages: &[usize], first: &Layout, sample: &[usize]) -> Result<Values, DataError> {
        let mut values: Option<Values> = None;
        for (plane, &page) in pages.iter().enumerate() {
            let layout = self.layout(page, plane)?;
            if !layout.like(first) {
                let found =
                    format!("plane {} is {}, plane 1 is {}", plane + 1, layout.words(), first.words());
                let remedy = "save planes of one size and kind";
                return Err(DataError::new(DataErrorKind::Unsupported, self.path, found, remedy));
            }
            let own = if unpack::FOREIGN.contains(&layout.compression) {
                self.foreign(&layout, page, plane)?
            } else {
                self.plane(&layout, sample, plane)?
            };
            match &mut values {
                None => values = Some(own),
                Some(values) => append(values, own).map_err(in_plane(self.path, plane))?,
            }
        }
        values.ok_or_else(|| {
            DataError::new(DataErrorKind::Format, self.path, "has no planes", "save the image again")
        })
    }

    fn plane(&mut self, layout: &Layout, sample: &[usize], plane: usize) -> Result<Values, DataError> {
        let refused = in_plane(self.path, plane);
        let values = read_samples(&mut self.file, layout, sample).map_err(refused)?;
        let pixels = layout.width * layout.height;
        Ok(match (layout.colours, values) {
            (Colours::RedGreenBlue, Values::U8(samples)) => Values::U8(grey_of_planes(&samples, pixels)),
            (Colours::RedGreenBlue, Values::U16(samples)) => Values::U16(grey_of_planes(&samples, pixels)),
            (_, values) => values,
        })
    }

    fn foreign(&mut self, layout: &Layout, page: usize, plane: usize) -> Result<Values, DataError> {
        let refused = in_plane(self.path, plane);
        read_foreign(self.file.source(), page, layout).map_err(refused)
    }

    /// Planes that lie one after the other behind a single directory: ImageJ's stacks above 4 GiB, and those of others.
    fn contiguous(
        &mut self,
        layout: &Layout,
        planes: usize,
        pages: usize,
        sample: &[usize],
    ) -> Result<Values, DataError> {
        let plain = unpack::is_plain(layout.compression) && !layout.tiled && !layout.separate && pages == 1;
        let row = layout.row_bytes().unwrap_or(usize::MAX);
        let bytes = row.saturating_mul(layout.height) as u64;
        // The strips of the plane must follow one another, else there is no telling where the next plane begins.
        let strip = row.saturating_mul(layout.chunk_height) as u64;
        let in_line = layout.offsets.windows(2).all(|w| w[1].checked_sub(w[0]) == Some(strip));
        let start = layout.offsets.first().copied().unwrap_or(u64::MAX);
        let end = bytes.checked_mul(planes as u64).and_then(|all| all.checked_add(start));
        if !plain || !in_line || end.is_none_or(|end| end > self.file.length()) {
            let found = format!("has {pages} of the {planes} planes that it announces");
            let remedy = "export it as an image sequence, or as BigTIFF with Bio-Formats";
            return Err(DataError::new(DataErrorKind::Unsupported, self.path, found, remedy));
        }
        let mut values: Option<Values> = None;
        for plane in 0..planes {
            let mut own = layout.clone();
            own.offsets.iter_mut().for_each(|offset| *offset += bytes * plane as u64);
            let own = self.plane(&own, sample, plane)?;
            match &mut values {
                None => values = Some(own),
                Some(values) => append(values, own).map_err(in_plane(self.path, plane))?,
            }
        }
        self.notes
            .push(format!("its {planes} planes lie behind one directory and were read one after the other"));
        values
            .ok_or_else(|| DataError::new(DataErrorKind::Format, self.path, "has no planes", "save it again"))
    }

    fn note(&mut self, layout: &Layout, page: usize) -> Result<(), DataError> {
        match layout.colours {
            Colours::RedGreenBlue | Colours::Foreign => {
                self.notes.push("colour was turned into ITU-R 601 luma".to_owned());
            }
            Colours::WhiteIsZero => self.notes.push(
                "the file says that white is zero (PhotometricInterpretation 0): its numbers were taken as they are, not inverted"
                    .to_owned(),
            ),
            _ => {}
        }
        if layout.transparency {
            self.notes.push("transparency was ignored".to_owned());
        } else if layout.colours == Colours::RedGreenBlue && layout.others > 0 {
            self.notes.push(format!("{} samples a pixel beside its colours were ignored", layout.others));
        }
        let turned = self.file.one(&self.directories[page], tag::ORIENTATION, 1);
        if turned.map_err(|refusal| refusal.in_file(self.path))? > 1 {
            self.notes.push(
                "the file says that it is to be shown turned or mirrored; it was read as it is".to_owned(),
            );
        }
        Ok(())
    }

    /// Red, green and blue, 0 to 255, of every number of a picture with a table of colours.
    fn colour_table(&mut self, layout: &Layout, page: usize) -> Result<Option<Vec<[u8; 3]>>, DataError> {
        if layout.colours != Colours::Table {
            return self.imagej_table(layout, page);
        }
        let table = self.file.numbers(&self.directories[page], tag::COLOUR_TABLE);
        let table = table.map_err(|refusal| refusal.in_file(self.path))?.unwrap_or_default();
        let colours = table.len() / 3;
        if colours == 0 {
            let refusal = Refusal::damaged("holds numbers of colours, but no table of them");
            return Err(refusal.in_file(self.path));
        }
        // 16 bits by the specification; some programs write 8.
        let shift = if table.iter().any(|value| *value > 255) { 8 } else { 0 };
        let part = |value: u64| (value >> shift).min(255) as u8;
        Ok(Some((0..colours).map(|c| [0, 1, 2].map(|i| part(table[i * colours + c]))).collect()))
    }

    /// The table by which ImageJ shows a picture of 8 bits (LUT), where it shows larger numbers darker.
    fn imagej_table(&mut self, layout: &Layout, page: usize) -> Result<Option<Vec<[u8; 3]>>, DataError> {
        let of_tag = |stack: &mut Self, tag| {
            let numbers = stack.file.numbers(&stack.directories[page], tag);
            numbers.map_err(|refusal| refusal.in_file(stack.path)).map(Option::unwrap_or_default)
        };
        if !tag::IMAGEJ.iter().all(|tag| self.directories[page].has(*tag)) || layout.bits > 16 {
            return Ok(None);
        }
        let (sizes, bytes) = (of_tag(self, tag::IMAGEJ[0])?, of_tag(self, tag::IMAGEJ[1])?);
        let Some(table) = first_table(&sizes, &bytes) else { return Ok(None) };
        let bright = |[red, green, blue]: [u8; 3]| u32::from(red) + u32::from(green) + u32::from(blue);
        if bright(table[0]) <= bright(table[255]) {
            return Ok(None);
        }
        if layout.bits == 8 && layout.colours != Colours::RedGreenBlue {
            return Ok(Some(table));
        }
        let note = "ImageJ shows larger numbers darker (an inverting table, LUT): its numbers were taken as they are";
        self.notes.push(note.to_owned());
        Ok(None)
    }
}

/// The first table of colours in ImageJ's metadata: a header of the kinds of blocks and how many there are of each, then the
/// blocks, in the order of the header.
fn first_table(sizes: &[u64], bytes: &[u64]) -> Option<Vec<[u8; 3]>> {
    let header = usize::try_from(*sizes.first()?).ok()?;
    let kinds = bytes.get(4..header)?.chunks_exact(8);
    let (mut block, mut at) = (1usize, header);
    for kind in kinds {
        let text: Vec<u8> = kind[..4].iter().map(|byte| *byte as u8).collect();
        let count = |bytes: &mut dyn Iterator<Item = &u64>| {
            bytes.fold(0usize, |n, byte| n << 8 | (*byte as usize & 255))
        };
        let (big, little) = (count(&mut kind[4..].iter()), count(&mut kind[4..].iter().rev()));
        if text == b"luts" || text == b"stul" {
            let table = bytes.get(at..at.checked_add(768)?)?;
            let part = |colour: usize, number: usize| table[256 * colour + number] as u8;
            return Some(
                (0..256).map(|number| [part(0, number), part(1, number), part(2, number)]).collect(),
            );
        }
        for _ in 0..big.min(little) {
            at = at.checked_add(usize::try_from(*sizes.get(block)?).ok()?)?;
            block += 1;
        }
    }
    None
}

/// Makes a refusal the error of a plane of a file.
fn in_plane(path: &Path, plane: usize) -> impl Fn(Refusal) -> DataError + '_ {
    move |refusal| refusal.in_file(path).at(format!("plane {}", plane + 1))
}
