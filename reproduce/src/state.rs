//! Segments images by descending a two-class Potts energy: the paper's figure 4.
//!
//! With `--data` on the paper's two images, each with its truth and the paper's weights; on every machine on the
//! project's synthetic cells. Beside the paper's settings: Otsu's threshold, and the preset for an unknown image.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use glauber_data::images::{ImageLimits, ImageStack, read_image};
use glauber_optimize::checkpoint::digest;
use glauber_report::colour::Rgb;
use glauber_report::frames::{Colouring, FrameError, Outlined, Picture};
use glauber_report::html::{Section, Table, Verdict};
use glauber_report::plot::{Figure, Panel};
use glauber_segment::synthetic_cells::SyntheticCells;
use glauber_segment::{GreyImage, Mask, Preset, Segmentation, segment};
use serde::{Deserialize, Serialize};

use crate::error::ReproduceError;
use crate::films::Recording;
use crate::findings::{Finding, Findings, csv};
use crate::part::Part;
use crate::settings::Settings;
use crate::store::Store;
use crate::study::Study;

/// Updates after which the mask is shown.
const SHOWN: [u64; 6] = [0, 5, 20, 50, 100, 300];
/// Updates between two frames of the film, and how many frames it has after the first.
const FILM_EVERY: u64 = 3;
const FILM_FRAMES: u64 = 24;
/// The paper's Dice values, read from its figure to so much.
const FROM_FIGURE: f64 = 0.02;
/// Pictures on the page have at most so many pixels a side.
const LONGEST: usize = 320;
/// The outline of what was found, and of the truth.
const FOUND: Rgb = Rgb::hex(0xe7_6f0f);
const TRUTH: Rgb = Rgb::hex(0x2f_c4ff);

/// The experiment, full or shortened.
pub(crate) struct State {
    images: Vec<Image>,
}

/// An image with its truth, and the paper's preset for it.
#[derive(Clone)]
struct Image {
    name: &'static str,
    about: &'static str,
    preset: Preset,
    grey: GreyImage,
    truth: Mask,
    real: bool,
    steps: u64,
}

impl State {
    /// Reads or draws the images.
    pub(crate) fn new(settings: &Settings) -> Result<State, ReproduceError> {
        let mut images = Vec::new();
        if let Some(folder) = &settings.data {
            let folder = folder_of_images(folder)?;
            for (name, about, preset) in [
                ("seadragon", "the seadragon", Preset::Seadragon),
                ("cells", "the cells (BBBC005)", Preset::Cells),
            ] {
                let ending = if name == "cells" { "png" } else { "jpg" };
                images.push(real(&folder, name, ending, about, preset)?);
            }
        }
        let side = if settings.quick { 128 } else { 256 };
        images.push(synthetic("synthetic-cells", "synthetic cells", settings.seed, side, false)?);
        if !settings.quick {
            images.push(synthetic("hard-cells", "dim synthetic cells", settings.seed, side, true)?);
        }
        Ok(State { images })
    }
}

/// The folder itself, or `images` in it, whichever has the first image.
fn folder_of_images(folder: &Path) -> Result<PathBuf, ReproduceError> {
    let places = [folder.to_path_buf(), folder.join("images")];
    places.into_iter().find(|place| place.join("seadragon.jpg").is_file()).ok_or_else(|| {
        ReproduceError::input(format!(
            "--data {}: neither it nor a folder `images` in it has seadragon.jpg; there must be seadragon.jpg, \
             seadragon_mask.png, cells.png and cells_mask.png",
            folder.display()
        ))
    })
}

fn real(
    folder: &Path,
    name: &'static str,
    ending: &str,
    about: &'static str,
    preset: Preset,
) -> Result<Image, ReproduceError> {
    let read = |file: String| -> Result<ImageStack, ReproduceError> {
        read_image(folder.join(file), ImageLimits::default()).map_err(ReproduceError::input)
    };
    let (grey, truth) = (read(format!("{name}.{ending}"))?, read(format!("{name}_mask.png"))?);
    let inside = truth.to_unit().iter().map(|&value| value > 0.5).collect();
    let truth = Mask::new(truth.height(), truth.width(), inside).map_err(ReproduceError::input)?;
    let grey = GreyImage::new(grey.height(), grey.width(), grey.to_unit()).map_err(ReproduceError::input)?;
    truth.check_size("truth", grey.height(), grey.width()).map_err(ReproduceError::input)?;
    Ok(Image { name, about, preset, grey, truth, real: true, steps: 300 })
}

fn synthetic(
    name: &'static str,
    about: &'static str,
    seed: u64,
    side: usize,
    hard: bool,
) -> Result<Image, ReproduceError> {
    let mut how = SyntheticCells { height: side, width: side, ..SyntheticCells::default() };
    how.cells = how.cells * side * side / (256 * 256);
    if hard {
        (how.illumination, how.haze, how.photons, how.brightness) = (0.8, 0.5, 100.0, (0.25, 0.6));
    }
    let drawn = how.draw(seed).map_err(ReproduceError::part)?;
    // As an 8-bit camera stores them.
    let bytes: Vec<u8> = drawn.image.iter().map(|grey| (grey * 255.0).round() as u8).collect();
    let grey = GreyImage::from_bytes(drawn.height, drawn.width, &bytes).map_err(ReproduceError::part)?;
    let truth = Mask::new(drawn.height, drawn.width, drawn.mask).map_err(ReproduceError::part)?;
    Ok(Image { name, about, preset: Preset::Cells, grey, truth, real: false, steps: 300 })
}

/// What became of one image.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Segmented {
    steps: Vec<f64>,
    losses: Vec<f64>,
    dice: Vec<f64>,
    /// Of the paper's settings at their last step, of Otsu's threshold, of the preset for an unknown image.
    scores: [[f64; 2]; 3],
    /// The preset's steps.
    auto_steps: u64,
    /// The image, the truth, the mask after each of [`SHOWN`], the preset's mask, the film's masks: smaller, values 0..=255
    /// and 0..=1.
    small: Recording,
}

impl Image {
    fn part(&self) -> Part {
        let image = self.clone();
        let inside: Vec<f64> = self.truth.inside().iter().map(|i| f64::from(u8::from(*i))).collect();
        let settings = format!(
            "{} steps with {}, masks after {SHOWN:?}, film {FILM_FRAMES} × {FILM_EVERY}, image {}, truth {}",
            self.steps,
            self.preset,
            digest(self.grey.values()),
            digest(&inside)
        );
        let weight = (self.grey.values().len() as f64 * 1e-5).max(1.0);
        Part::new(format!("state-{}", self.name), self.about, settings, weight, move |context| {
            let mut bar = context.progress(0, SHOWN.len() as u64 + 2);
            let course = image.with_steps(image.steps, 1)?;
            let mut planes = vec![image.grey.values().to_vec(), as_numbers(&image.truth)];
            for (number, steps) in (1..).zip(SHOWN) {
                context.check()?;
                planes.push(as_numbers(&image.with_steps(steps.min(image.steps), 0)?.mask));
                bar.update(number, &[]);
            }
            let auto = image.segmented(Preset::Auto, None, 0)?;
            planes.push(as_numbers(&auto.mask));
            for frame in 0..=FILM_FRAMES {
                context.check()?;
                planes.push(as_numbers(&image.with_steps(frame * FILM_EVERY, 0)?.mask));
            }
            let found = image.found(&course, &auto, &planes);
            bar.finish(&format!("Dice {:.3} after {} steps", found.scores[0][0], image.steps));
            Ok(found)
        })
    }

    /// The paper's settings for so many steps.
    fn with_steps(&self, steps: u64, record_every: u64) -> Result<Segmentation, ReproduceError> {
        self.segmented(self.preset, Some(steps), record_every)
    }

    fn segmented(
        &self,
        preset: Preset,
        steps: Option<u64>,
        every: u64,
    ) -> Result<Segmentation, ReproduceError> {
        let mut settings = preset.settings();
        settings.descent.steps = steps.unwrap_or(settings.descent.steps);
        settings.descent.record_every = every;
        segment(&self.grey, &settings, Some(&self.truth), &mut |_| ControlFlow::Continue(()))
            .map_err(ReproduceError::part)
    }

    fn found(&self, course: &Segmentation, auto: &Segmentation, planes: &[Vec<f64>]) -> Segmented {
        let both = |s: Option<glauber_segment::Scores>| s.map_or([f64::NAN; 2], |s| [s.dice(), s.jaccard()]);
        let every = self.grey.height().max(self.grey.width()).div_ceil(LONGEST);
        let (height, width) = (self.grey.height().div_ceil(every), self.grey.width().div_ceil(every));
        let smaller = |(number, plane): (usize, &Vec<f64>)| -> Vec<u8> {
            let scale = if number == 0 { 255.0 } else { 1.0 };
            let rows = (0..self.grey.height()).step_by(every);
            let columns = || (0..self.grey.width()).step_by(every);
            let place = |row: usize| columns().map(move |column| row * self.grey.width() + column);
            rows.flat_map(place).map(|at| (plane[at] * scale).round() as u8).collect()
        };
        let history = &course.history;
        Segmented {
            steps: history.iter().map(|m| m.step as f64).collect(),
            losses: history.iter().map(|m| m.loss).collect(),
            dice: history.iter().map(|m| m.scores.map_or(f64::NAN, |s| s.dice())).collect(),
            scores: [both(course.scores), both(course.otsu_scores), both(auto.scores)],
            auto_steps: auto.steps,
            small: Recording { height, width, frames: planes.iter().enumerate().map(smaller).collect() },
        }
    }
}

fn as_numbers(mask: &Mask) -> Vec<f64> {
    mask.inside().iter().map(|inside| f64::from(u8::from(*inside))).collect()
}

impl Study for State {
    fn parts(&self) -> Vec<Part> {
        self.images.iter().map(Image::part).collect()
    }

    fn findings(&self, store: &Store) -> Result<Findings, ReproduceError> {
        let read = |image: &Image| Ok((image.clone(), store.get(&format!("state-{}", image.name))?));
        let all: Vec<(Image, Segmented)> =
            self.images.iter().map(read).collect::<Result<_, ReproduceError>>()?;
        let any_real = all.iter().any(|(image, _)| image.real);
        let words = if any_real {
            "The paper's two images (DIS5K, BBBC005v1), and synthetic cells."
        } else {
            "This run had no real images (--data DIR takes the paper's two), so it segments synthetic cells drawn by \
             glauber itself; what the paper says of its own images is not tested here."
        };
        let mut section = Section::new("State: what in this image is a cell?").prose(&format!(
            "The unknown is the image itself: one grey value per pixel, pulled towards the picture and towards its \
             neighbours' class, by gradients of a Potts energy. What lies above 0 is foreground. {words}"
        ));
        let figure = figure(&all);
        section = section
            .figure(
                &figure,
                "The paper's figure 4, its curves: the loss falls to the end, the Dice score against the truth has its \
                 best before.",
            )
            .map_err(ReproduceError::part)?;
        let svg = figure.to_svg().map_err(ReproduceError::part)?;
        let mut files = vec![("figures/figure-4-segmentation.svg".to_string(), svg.into_bytes())];
        for (image, found) in &all {
            section = pictures(section, image, found, &mut files).map_err(ReproduceError::part)?;
            let columns: [(&str, &[f64]); 3] =
                [("step", &found.steps), ("loss", &found.losses), ("dice", &found.dice)];
            files.push((format!("numbers/state-{}.csv", image.name), csv(&columns)));
        }
        section = section.table(&table(&all));
        Ok(Findings { section, claims: claims(&all), files })
    }
}

fn figure(all: &[(Image, Segmented)]) -> Figure {
    let mut dice = Panel::new("Dice").x("gradient step").y("Dice score").y_range(0.0, 1.0);
    let mut loss = Panel::new("Loss").x("gradient step").y("loss, from first (1) to least (0)");
    for (image, found) in all {
        dice = dice.line(image.about, &found.steps, &found.dice);
        let least = found.losses.iter().copied().fold(f64::INFINITY, f64::min);
        let first = found.losses.first().copied().unwrap_or(1.0);
        let scaled: Vec<f64> = found.losses.iter().map(|l| (l - least) / (first - least)).collect();
        loss = loss.line(image.about, &found.steps, &scaled);
    }
    Figure::new("Course of the segmentation").panel(dice).panel(loss)
}

/// The image with the outlines of truth and result, and the mask over the steps.
fn pictures(
    section: Section,
    image: &Image,
    found: &Segmented,
    files: &mut Vec<(String, Vec<u8>)>,
) -> Result<Section, FrameError> {
    let Recording { height, width, frames } = &found.small;
    let [grey, truth, m0, m1, m2, m3, m4, m5, auto, film @ ..] = frames.as_slice() else {
        return Ok(section);
    };
    let masks = [m0, m1, m2, m3, m4, m5];
    let outlined = |mask: &[u8]| -> Result<Picture, FrameError> {
        let bits = |mask: &[u8]| mask.iter().map(|bit| *bit > 0).collect::<Vec<_>>();
        let picture = Outlined::new(grey, *height, *width, 0.0, 255.0)?.enlarged(2)?;
        picture.with_mask(&bits(mask), FOUND)?.with_mask(&bits(truth), TRUTH)?.draw()
    };
    let mut section = section.prose(&format!(
        "{}: orange is what was found, dashed blue the truth; then the mask after so many steps.",
        capital(image.about)
    ));
    for (name, mask, words, score) in [
        ("paper", m5, format!("the paper's settings, {} steps", image.steps), found.scores[0][0]),
        (
            "auto",
            auto,
            format!("glauber's settings for an unknown image, {} steps", found.auto_steps),
            found.scores[2][0],
        ),
    ] {
        let picture = outlined(mask)?;
        files.push((format!("figures/figure-4-{}-{name}.png", image.name), picture.to_png()?));
        let seen = format!("{} with the outline of what {words} found", image.about);
        section = section.picture(&picture, &seen, &format!("{words}: Dice {score:.3}"))?;
    }
    let film = Recording { height: *height, width: *width, frames: film.to_vec() };
    let (gif, still) = film.film(&Colouring::binary(), 120, 1)?;
    files.push((format!("figures/film-potts-{}.gif", image.name), gif.clone()));
    let last = FILM_EVERY * FILM_FRAMES;
    let (seen, caption) = ("the mask as it changes", format!("the mask over the first {last} steps"));
    section = section.film(&gif, &still, seen, &caption)?.prose("");
    for (mask, steps) in masks.into_iter().zip(SHOWN) {
        let picture = Picture::of(mask, *height, *width, &Colouring::binary())?;
        let at = found.steps.iter().position(|s| *s >= steps as f64).unwrap_or(0);
        let caption = format!("step {steps}: Dice {:.3}", found.dice.get(at).copied().unwrap_or(f64::NAN));
        section = section.picture(&picture, &format!("the mask after {steps} steps"), &caption)?;
    }
    Ok(section)
}

fn capital(words: &str) -> String {
    let mut letters = words.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}

fn table(all: &[(Image, Segmented)]) -> Table {
    let mut table = Table::new(["Image", "Dice, paper", "Dice, Otsu", "Dice, auto", "Jaccard, auto", "Best Dice", "at step"])
        .caption(
            "The paper's settings at their last step, Otsu's threshold, glauber's settings for an unknown image; the best \
             Dice on the way needs the truth to be known.",
        );
    for (image, found) in all {
        let (step, best) = found.best();
        table = table.row([
            image.about.to_string(),
            format!("{:.3}", found.scores[0][0]),
            format!("{:.3}", found.scores[1][0]),
            format!("{:.3}", found.scores[2][0]),
            format!("{:.3}", found.scores[2][1]),
            format!("{best:.3}"),
            format!("{step}"),
        ]);
    }
    table
}

impl Segmented {
    fn dice_at(&self, step: f64) -> f64 {
        let place = self.steps.iter().position(|s| *s >= step);
        place.and_then(|place| self.dice.get(place).copied()).unwrap_or(f64::NAN)
    }

    /// The step of the best Dice, and it.
    fn best(&self) -> (f64, f64) {
        let pairs = self.steps.iter().copied().zip(self.dice.iter().copied());
        pairs.fold((0.0, 0.0), |best, (step, dice)| if dice > best.1 { (step, dice) } else { best })
    }
}

fn claims(all: &[(Image, Segmented)]) -> Vec<Finding> {
    let real = |name: &str| all.iter().find(|(image, _)| image.name == name).map(|(_, found)| found);
    vec![
        course(
            real("seadragon"),
            (
                "seadragon-dice",
                "The seadragon's Dice rises from 0.30 to 0.85",
                "0.30, about 0.8 after 50 steps, 0.85",
                "state-seadragon",
            ),
            &[(0.0, 0.30), (50.0, 0.80), (300.0, 0.85)],
        ),
        course(
            real("cells"),
            (
                "cells-dice",
                "The cells' Dice reaches 0.95 within 20 steps and stays",
                "0.45, 0.95 after 20 steps, then a plateau",
                "state-cells",
            ),
            &[(0.0, 0.45), (20.0, 0.95), (100.0, 0.95), (300.0, 0.95)],
        ),
        overfits(all),
    ]
}

/// Whether Dice values at some steps are those read from the paper's figure.
fn course(
    found: Option<&Segmented>,
    (key, claim, said, parts): (&'static str, &str, &str, &'static str),
    wanted: &[(f64, f64)],
) -> Finding {
    let (measured, verdict, note) = match found {
        None => (
            "no real images in this run".to_string(),
            Verdict::NotTested,
            "give the folder with them as --data".to_string(),
        ),
        Some(found) => {
            let measured: Vec<String> = wanted
                .iter()
                .map(|(step, _)| format!("{:.3} after {step} steps", found.dice_at(*step)))
                .collect();
            let worst = wanted.iter().map(|(s, w)| (found.dice_at(*s) - w).abs()).fold(0.0, f64::max);
            let verdict = match worst {
                w if w <= FROM_FIGURE => Verdict::Holds,
                w if w <= 2.5 * FROM_FIGURE => Verdict::HoldsWithDifference,
                _ => Verdict::DoesNotHold,
            };
            let note = match verdict {
                Verdict::Holds => String::new(),
                _ => format!(
                    "the farthest is {worst:.3} from the paper's figure, which can be read to {FROM_FIGURE}"
                ),
            };
            (format!("Dice {}", measured.join(", ")), verdict, note)
        }
    };
    Finding { key, claim: claim.into(), said: said.into(), measured, verdict, note, parts }
}

fn overfits(all: &[(Image, Segmented)]) -> Finding {
    let early = |found: &Segmented| {
        let last = found.steps.last().copied().unwrap_or(0.0);
        found.best().0 < last && found.losses.windows(2).all(|pair| pair[1] <= pair[0])
    };
    let count = all.iter().filter(|(_, found)| early(found)).count();
    let measured: Vec<String> = all
        .iter()
        .map(|(image, found)| {
            let (step, best) = found.best();
            let end = found.dice.last().copied().unwrap_or(f64::NAN);
            format!("{}: best {best:.3} at step {step}, {end:.3} at the end", image.about)
        })
        .collect();
    let verdict = match count {
        n if n == all.len() => Verdict::Holds,
        0 => Verdict::DoesNotHold,
        _ => Verdict::HoldsWithDifference,
    };
    Finding {
        key: "stopping-by-loss-overfits",
        claim: "Stopping by the loss alone goes too far".into(),
        said: "the best Dice is reached before the loss comes to rest".into(),
        measured: format!("{}; the loss falls at every step", measured.join("; ")),
        verdict,
        note: match verdict {
            Verdict::Holds => String::new(),
            _ => format!("so on {count} of {} images", all.len()),
        },
        parts: "state-",
    }
}
