//! Writes a film of a lattice as GIF, frame by frame.
//!
//! One frame is held, whatever the length of the film. A frame stores only the rectangle that changed, and in it
//! only the sites that changed, so that quiet lattices make small files.

use std::io::Write;
use std::path::Path;

use crate::frames::colouring::UNCHANGED;
use crate::frames::picture::{check_size, enlarge_into, palette_bytes, times_for_eyes};
use crate::frames::{Colouring, FrameError, legend};
use glauber_files::run_folder::WholeFile;

/// How a film runs and looks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FilmOptions {
    /// Pixels a side of each site; `None` enlarges until the longer side has at least 512 pixels.
    pub enlarged: Option<usize>,
    /// Time between frames in milliseconds (GIF counts in tens; browsers show nothing faster than 20).
    pub delay: u32,
    /// Time for which the last frame stays, in milliseconds.
    pub last_delay: u32,
    /// Whether it starts again at its end.
    pub endless: bool,
    /// With the number of frames known, a bar along the bottom that fills as time passes.
    pub time_bar: Option<usize>,
    /// Whether the key to the colours stands below.
    pub legend: bool,
}

impl Default for FilmOptions {
    fn default() -> Self {
        Self { enlarged: None, delay: 60, last_delay: 1500, endless: true, time_bar: None, legend: false }
    }
}

/// Height of the time bar, in pixels.
const BAR: usize = 5;
/// The time bar's colours, after the palette of the lattice: what has passed, what is to come.
const BAR_COLOURS: [crate::colour::Rgb; 2] =
    [crate::colour::Rgb::hex(0x868e97), crate::colour::Rgb::hex(0xe6e9ec)];

/// A film being written to `W`.
///
/// ```
/// use glauber_report::frames::{Colouring, Film, FilmOptions};
/// let mut film = Film::new(Vec::new(), 4, 4, Colouring::binary(), FilmOptions::default())?;
/// for step in 0..16 {
///     let lattice: Vec<u8> = (0..16).map(|site| u8::from(site <= step)).collect();
///     film.push(&lattice)?;
/// }
/// let gif: Vec<u8> = film.finish()?;
/// assert!(gif.starts_with(b"GIF89a"));
/// # Ok::<(), glauber_report::frames::FrameError>(())
/// ```
pub struct Film<W: Write> {
    encoder: gif::Encoder<W>,
    height: usize,
    width: usize,
    times: usize,
    colouring: Colouring,
    options: FilmOptions,
    /// The key, until the first frame has shown it.
    legend: Option<Legend>,
    /// The frame shown last, one byte a site.
    shown: Vec<u8>,
    /// The frame to be written once it is known whether it is the last one.
    waiting: Vec<u8>,
    frames: usize,
}

/// A film being written to a file, which appears when the film is finished.
pub type FilmFile = Film<WholeFile>;

impl Film<WholeFile> {
    /// Starts a film of `height` × `width` sites that will stand at `path`.
    ///
    /// # Errors
    /// As [`Film::new`], and [`FrameError::File`].
    pub fn create(
        path: impl AsRef<Path>,
        height: usize,
        width: usize,
        colouring: Colouring,
        options: FilmOptions,
    ) -> Result<Self, FrameError> {
        Self::new(WholeFile::create(path)?, height, width, colouring, options)
    }

    /// Ends the film and puts the file in its place.
    ///
    /// # Errors
    /// [`FrameError::NoFrame`], [`FrameError::Encoding`], [`FrameError::File`]; nothing is left behind then.
    pub fn finish_file(self) -> Result<(), FrameError> {
        Ok(self.finish()?.finish()?)
    }
}

impl<W: Write> Film<W> {
    /// Starts a film of `height` × `width` sites.
    ///
    /// # Errors
    /// [`FrameError::Empty`], [`FrameError::TooLarge`], [`FrameError::Encoding`] if nothing can be written.
    pub fn new(
        writer: W,
        height: usize,
        width: usize,
        colouring: Colouring,
        options: FilmOptions,
    ) -> Result<Self, FrameError> {
        check_size(height, width)?;
        let times = options.enlarged.unwrap_or_else(|| times_for_eyes(height, width));
        let bar = if options.time_bar.is_some() { BAR } else { 0 };
        let (rows, columns) = (height.saturating_mul(times).saturating_add(bar), width.saturating_mul(times));
        check_size(rows, columns)?;
        let mut palette = [colouring.palette(), &BAR_COLOURS].concat();
        let legend = options.legend.then(|| {
            let strip = legend::strip(&colouring, columns, &mut palette);
            Legend { paper: legend::Palette::place(&mut palette, legend::PAPER), strip }
        });
        let (rows, columns) =
            legend.as_ref().map_or((rows, columns), |l| (rows + l.strip.height(), l.strip.width));
        check_size(rows, columns)?;
        // LONGEST_SIDE is far below GIF's own limit of 65,535.
        let encoder = gif::Encoder::new(writer, columns as u16, rows as u16, &palette_bytes(&palette));
        let mut encoder = encoder.map_err(failed)?;
        if options.endless {
            encoder.set_repeat(gif::Repeat::Infinite).map_err(failed)?;
        }
        Ok(Self {
            encoder,
            height,
            width,
            times,
            colouring,
            options,
            legend,
            shown: Vec::new(),
            waiting: Vec::new(),
            frames: 0,
        })
    }

    /// Adds a frame of height × width values, row by row.
    ///
    /// # Errors
    /// [`FrameError::FilmShape`] if there are more or fewer, [`FrameError::Encoding`] if it cannot be written.
    pub fn push<T: Copy + Into<f64>>(&mut self, values: &[T]) -> Result<(), FrameError> {
        if values.len() != self.height * self.width {
            let (height, width) = (self.height, self.width);
            return Err(FrameError::FilmShape { found: values.len(), height, width });
        }
        if self.frames > 0 {
            self.write_waiting(self.options.delay)?;
        }
        std::mem::swap(&mut self.shown, &mut self.waiting);
        self.waiting.clear();
        self.waiting.extend(values.iter().map(|value| self.colouring.place((*value).into())));
        self.frames += 1;
        Ok(())
    }

    /// How many frames were added.
    pub fn frames(&self) -> usize {
        self.frames
    }

    /// Ends the film and gives back what it was written to.
    ///
    /// # Errors
    /// [`FrameError::NoFrame`] if there is none, [`FrameError::Encoding`] if the rest cannot be written.
    pub fn finish(mut self) -> Result<W, FrameError> {
        if self.frames == 0 {
            return Err(FrameError::NoFrame);
        }
        self.write_waiting(self.options.last_delay.max(self.options.delay))?;
        self.encoder.into_inner().map_err(failed)
    }

    /// Writes the frame that waits, as what changed since the one before it.
    fn write_waiting(&mut self, delay: u32) -> Result<(), FrameError> {
        let first = self.frames == 1;
        let mut area = if first { Area::whole(self.height, self.width) } else { self.changed() };
        if self.options.time_bar.is_some() {
            // The bar changes with nearly every frame: the rectangle reaches down to it.
            area = Area { left: 0, right: self.width, bottom: self.height, ..area };
        }
        let mut sites = Vec::with_capacity(area.sites());
        for row in area.top..area.bottom {
            for site in row * self.width + area.left..row * self.width + area.right {
                let same = !first && self.waiting[site] == self.shown[site];
                sites.push(if same { UNCHANGED } else { self.waiting[site] });
            }
        }
        let columns = area.right - area.left;
        let mut pixels = Vec::with_capacity(sites.len() * self.times * self.times);
        enlarge_into(&mut pixels, &sites, columns, self.times);
        if let Some(length) = self.options.time_bar {
            self.add_bar(&mut pixels, length);
        }
        let mut width = columns * self.times;
        if let Some(legend) = self.legend.take_if(|_| first) {
            // The first frame is the whole canvas; later ones leave what is right of and below the lattice as it is.
            let mut whole = Vec::with_capacity(pixels.len() + legend.strip.pixels.len());
            for row in pixels.chunks(width) {
                whole.extend_from_slice(row);
                whole.extend(std::iter::repeat_n(legend.paper, legend.strip.width - width));
            }
            width = legend.strip.width;
            whole.extend(legend.strip.pixels);
            pixels = whole;
        }
        let frame = gif::Frame {
            // GIF counts in hundredths of a second.
            delay: delay.div_ceil(10).min(u32::from(u16::MAX)) as u16,
            dispose: gif::DisposalMethod::Keep,
            transparent: Some(UNCHANGED),
            left: (area.left * self.times) as u16,
            top: (area.top * self.times) as u16,
            width: width as u16,
            height: (pixels.len() / width) as u16,
            buffer: pixels.into(),
            ..gif::Frame::default()
        };
        self.encoder.write_frame(&frame).map_err(failed)
    }

    /// The smallest rectangle that holds every site that differs from the frame before; one site if none does.
    fn changed(&self) -> Area {
        let differs = |site: &usize| self.waiting[*site] != self.shown[*site];
        let mut area = Area { top: self.height, left: self.width, bottom: 0, right: 0 };
        for site in (0..self.waiting.len()).filter(differs) {
            let (row, column) = (site / self.width, site % self.width);
            area.top = area.top.min(row);
            area.bottom = area.bottom.max(row + 1);
            area.left = area.left.min(column);
            area.right = area.right.max(column + 1);
        }
        if area.bottom == 0 { Area { top: 0, left: 0, bottom: 1, right: 1 } } else { area }
    }

    /// Appends the rows of the time bar.
    fn add_bar(&self, pixels: &mut Vec<u8>, length: usize) {
        let columns = self.width * self.times;
        let share = (self.frames.saturating_sub(1)) as f64 / length.saturating_sub(1).max(1) as f64;
        let passed = ((share.min(1.0) * columns as f64).round() as usize).min(columns);
        // The first of the bar's colours stands right after the palette.
        let colour = self.colouring.palette().len() as u8;
        for _ in 0..BAR {
            pixels.extend(std::iter::repeat_n(colour, passed));
            pixels.extend(std::iter::repeat_n(colour + 1, columns - passed));
        }
    }
}

/// The key below a film.
struct Legend {
    strip: legend::Strip,
    /// The place of the colour that fills up what is right of the lattice.
    paper: u8,
}

/// A rectangle of sites: rows `top..bottom`, columns `left..right`.
#[derive(Debug, Clone, Copy)]
struct Area {
    top: usize,
    left: usize,
    bottom: usize,
    right: usize,
}

impl Area {
    fn whole(height: usize, width: usize) -> Self {
        Self { top: 0, left: 0, bottom: height, right: width }
    }

    fn sites(&self) -> usize {
        (self.bottom - self.top) * (self.right - self.left)
    }
}

fn failed(error: gif::EncodingError) -> FrameError {
    FrameError::Encoding { what: "GIF film", reason: error.to_string() }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::frames::Picture;

    /// Plays a GIF file: after each frame, the RGB of every pixel, and the delay in milliseconds.
    fn played(bytes: &[u8]) -> (u16, u16, Vec<(Vec<u8>, u32)>) {
        let mut options = gif::DecodeOptions::new();
        options.set_color_output(gif::ColorOutput::RGBA);
        let mut decoder = options.read_info(bytes).unwrap();
        let (width, height) = (decoder.width(), decoder.height());
        let mut canvas = vec![0u8; 3 * usize::from(width) * usize::from(height)];
        let mut frames = Vec::new();
        while let Some(frame) = decoder.read_next_frame().unwrap() {
            for (i, pixel) in frame.buffer.chunks(4).enumerate().filter(|(_, pixel)| pixel[3] == 255) {
                let (y, x) = (i / usize::from(frame.width), i % usize::from(frame.width));
                let at = (y + usize::from(frame.top)) * usize::from(width) + x + usize::from(frame.left);
                canvas[3 * at..3 * at + 3].copy_from_slice(&pixel[..3]);
            }
            frames.push((canvas.clone(), 10 * u32::from(frame.delay)));
        }
        (width, height, frames)
    }

    fn rgb(picture: &Picture) -> Vec<u8> {
        picture.rgba().chunks(4).flat_map(|pixel| pixel[..3].to_vec()).collect()
    }

    /// Frames that change everywhere, nowhere, in one site, and hold what is missing.
    fn lattices() -> Vec<Vec<f64>> {
        let rough = |k: usize| (0..30).map(|i| ((i * 7 + k * 13) % 17) as f64).collect::<Vec<f64>>();
        let mut one = rough(1);
        one[17] = f64::NAN;
        vec![rough(0), rough(1), rough(1), one, rough(5)]
    }

    #[test]
    fn a_film_plays_back_frame_by_frame() {
        let colouring = Colouring::sequential(0.0, 17.0).unwrap();
        let options = FilmOptions { enlarged: Some(3), delay: 45, last_delay: 900, ..FilmOptions::default() };
        let mut film = Film::new(Vec::new(), 5, 6, colouring.clone(), options).unwrap();
        for lattice in lattices() {
            film.push(&lattice).unwrap();
        }
        assert_eq!(film.frames(), 5);
        let (width, height, frames) = played(&film.finish().unwrap());
        assert_eq!((width, height, frames.len()), (18, 15, 5));
        for (lattice, (pixels, _)) in lattices().iter().zip(&frames) {
            assert_eq!(*pixels, rgb(&Picture::of(lattice, 5, 6, &colouring).unwrap().enlarged(3).unwrap()));
        }
        assert_eq!(frames.iter().map(|frame| frame.1).collect::<Vec<_>>(), [50, 50, 50, 50, 900]);
    }

    #[test]
    fn a_time_bar_fills_without_touching_the_lattice() {
        let options = FilmOptions { enlarged: Some(2), time_bar: Some(5), ..FilmOptions::default() };
        let colouring = Colouring::sequential(0.0, 17.0).unwrap();
        let mut film = Film::new(Vec::new(), 5, 6, colouring.clone(), options).unwrap();
        for lattice in lattices() {
            film.push(&lattice).unwrap();
        }
        let (width, height, frames) = played(&film.finish().unwrap());
        assert_eq!((width, height), (12, 10 + BAR as u16));
        for (number, (lattice, (pixels, _))) in lattices().iter().zip(&frames).enumerate() {
            let picture = rgb(&Picture::of(lattice, 5, 6, &colouring).unwrap().enlarged(2).unwrap());
            assert_eq!(pixels[..picture.len()], picture, "frame {number}");
            let row = &pixels[picture.len()..picture.len() + 36];
            let passed = row.chunks(3).filter(|rgb| rgb[0] == BAR_COLOURS[0].0).count();
            assert_eq!(passed, 3 * number, "frame {number}");
        }
    }

    #[test]
    fn a_key_stands_below_every_frame_and_leaves_the_lattice_as_it_is() {
        let colouring = Colouring::categories(18).unwrap();
        let options =
            FilmOptions { enlarged: Some(2), time_bar: Some(5), legend: true, ..FilmOptions::default() };
        let mut film = Film::new(Vec::new(), 5, 6, colouring.clone(), options).unwrap();
        for lattice in lattices() {
            film.push(&lattice).unwrap();
        }
        let (width, height, frames) = played(&film.finish().unwrap());
        let (width, top) = (usize::from(width), 10 + BAR);
        assert!(width == legend::LEAST_WIDTH && usize::from(height) > top + 20);
        for (lattice, (pixels, _)) in lattices().iter().zip(&frames) {
            let picture = rgb(&Picture::of(lattice, 5, 6, &colouring).unwrap().enlarged(2).unwrap());
            for (row, own) in picture.chunks(36).enumerate() {
                let shown = &pixels[3 * row * width..][..3 * width];
                assert_eq!(shown[..36], *own);
                assert!(shown[36..].iter().all(|channel| *channel == 255));
            }
            assert_eq!(pixels[3 * top * width..], frames[0].0[3 * top * width..]);
        }
        // Every state's colour is there.
        let below: Vec<&[u8]> = frames[0].0[3 * top * width..].chunks(3).collect();
        for state in 0..18 {
            let crate::colour::Rgb(r, g, b) = colouring.colour(f64::from(state));
            assert!(below.contains(&&[r, g, b][..]), "state {state}");
        }
    }

    #[test]
    fn a_long_quiet_film_is_a_small_file() {
        let mut film = Film::new(
            Vec::new(),
            64,
            64,
            Colouring::binary(),
            FilmOptions { enlarged: Some(1), ..FilmOptions::default() },
        )
        .unwrap();
        let mut lattice = vec![0u8; 4096];
        for step in 0..1000 {
            lattice[step * 4] = 1;
            film.push(&lattice).unwrap();
        }
        let bytes = film.finish().unwrap();
        assert!(bytes.len() < 1000 * 40, "{} bytes for 1000 frames of one new site each", bytes.len());
        assert_eq!(played(&bytes).2.len(), 1000);
    }

    #[test]
    fn wrong_films_are_refused() {
        let new = |height, width, enlarged| {
            let options = FilmOptions { enlarged, ..FilmOptions::default() };
            Film::new(Vec::new(), height, width, Colouring::binary(), options)
        };
        assert!(matches!(new(0, 3, None).err(), Some(FrameError::Empty { .. })));
        assert!(matches!(new(3, 3, Some(0)).err(), Some(FrameError::Empty { .. })));
        assert!(matches!(new(3, 3, Some(usize::MAX)).err(), Some(FrameError::TooLarge { .. })));
        assert!(matches!(new(20_000, 3, None).err(), Some(FrameError::TooLarge { .. })));
        let mut film = new(3, 3, None).unwrap();
        assert!(matches!(film.push(&[0u8; 8]), Err(FrameError::FilmShape { found: 8, .. })));
        assert!(matches!(film.finish(), Err(FrameError::NoFrame)));
    }

    #[test]
    fn an_unfinished_film_leaves_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("film.gif");
        let start = || FilmFile::create(&path, 2, 2, Colouring::binary(), FilmOptions::default()).unwrap();
        let mut film = start();
        film.push(&[0u8, 1, 1, 0]).unwrap();
        drop(film);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        let mut film = start();
        film.push(&[0u8, 1, 1, 0]).unwrap();
        film.finish_file().unwrap();
        assert_eq!(played(&std::fs::read(&path).unwrap()).2.len(), 1);
    }
}
