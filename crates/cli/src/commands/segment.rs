//! Segments an image or every plane of a stack, and writes masks, labels, overlays, curves and scores.
//!
//! For an image the folder holds `mask.png`, `labels.tif`, `overlay.png`, `course.svg`, `course.csv` and
//! `result.json`; for a stack `masks.tif` and `labels.tif` with a page per plane, and `overlay-000.png`,
//! `course-000.svg` … of each plane.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use glauber::data::arrays::{ReadLimits, read_arrays};
use glauber::data::images::{
    ImageLimits, ImageStack, Threshold, read_images, write_labels_tiff, write_mask_png,
};
use glauber::data::{FileKind, Overwrite, no_data_sign};
use glauber::engine::useful_threads;
use glauber::files::run_folder::{RunFolder, write_whole};
use glauber::report::colour::Rgb;
use glauber::report::frames::Outlined;
use glauber::report::plot::{Figure, Panel};
use glauber::report::progress::{Progress, Show};
use glauber::segment::{
    Connectivity, DescentEnd, GreyImage, Mask, Moment, Polarity, Preset, Scores, Segmentation, Settings,
    label_objects, segment,
};
use serde_json::{Value, json};

use crate::arguments::{Objects, Segment};
use crate::outcome::{CommandOutcome, Failure};

/// More pixels than this are not written as an overlay: no viewer of the report shows them, and they take long.
const MOST_OVERLAID: usize = 1 << 24;

static INTERRUPT: AtomicBool = AtomicBool::new(false);

/// Runs `glauber segment`.
pub fn run(arguments: &Segment) -> Result<CommandOutcome, Failure> {
    let begin = Instant::now();
    let settings = settings_of(arguments)?;
    let stack = read_images(&arguments.image, ImageLimits::default()).map_err(Failure::input)?;
    let of_image = no_data_of(&stack, &arguments.image)?;
    let truth = arguments.truth.as_ref().map(|path| truth_of(path, &stack, arguments.truth_threshold));
    let (truth, of_truth) =
        truth.transpose()?.map_or((None, Vec::new()), |(masks, notes)| (Some(masks), notes));
    let notes = [&of_image, stack.notes(), &of_truth].concat();
    if arguments.out.is_none() && arguments.image.file_stem().is_none() {
        return Err(Failure::input("give --out FOLDER"));
    }
    let threads = useful_threads(arguments.threads);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().map_err(Failure::run)?;
    let claimed = folder_of(arguments)?;
    let folder = claimed.path().to_path_buf();
    let _ = ctrlc::set_handler(|| INTERRUPT.store(true, Ordering::Relaxed));
    let show = if arguments.quiet { Show::Silent } else { Show::Auto };
    let work = Work { arguments, settings, stack: &stack, truth, notes, folder: &folder, show };
    let found = pool.install(|| work.run());
    let planes = match found {
        Ok(planes) => planes,
        Err(failure) => {
            // Nothing was written: the empty folder would only be in the way of the next try.
            claimed.abandon();
            return Err(failure);
        }
    };
    work.finish(&planes, begin.elapsed().as_secs_f64())
}

/// Refuses an image with pixels that are no data, as the file or the usual sign says; a note where they may be.
fn no_data_of(stack: &ImageStack, path: &Path) -> Result<Vec<String>, Failure> {
    stack.check_all_there(path).map_err(Failure::input)?;
    if stack.array().element_type().is_integer() && stack.bit_depth() <= 8 {
        return Ok(Vec::new());
    }
    let Some(sign) = no_data_sign(&stack.to_f64()) else { return Ok(Vec::new()) };
    let words = sign.in_words("pixels");
    if sign.sure {
        return Err(Failure::input(format!(
            "{}: holds {words}; fill them, or crop the image to where there are data",
            path.display()
        )));
    }
    Ok(vec![format!(
        "it holds {words}, far from all other values: it was taken as a grey value, and may come out as the object"
    )])
}

/// The preset with what the command line changes.
fn settings_of(arguments: &Segment) -> Result<Settings, Failure> {
    let preset: Preset = arguments.preset.parse().map_err(Failure::input)?;
    let mut settings = preset.settings();
    if let Some(text) = &arguments.weights {
        settings.weights = text.parse().map_err(Failure::input)?;
    }
    let descent = &mut settings.descent;
    descent.steps = arguments.steps.unwrap_or(descent.steps);
    descent.rate = arguments.rate.unwrap_or(descent.rate);
    descent.threshold = arguments.threshold.unwrap_or(descent.threshold);
    settings.preparation.polarity = match arguments.objects {
        None => settings.preparation.polarity,
        Some(Objects::Bright) => Polarity::BrightObjects,
        Some(Objects::Dark) => Polarity::DarkObjects,
        Some(Objects::Detect) => Polarity::Detect,
    };
    if let Some(degree) = arguments.flatten {
        settings.preparation.flatten = (degree > 0).then_some(degree);
    }
    settings.weights.check().map_err(Failure::input)?;
    settings.descent.check().map_err(Failure::input)?;
    Ok(settings)
}

/// What a segmentation writes, besides what shows that a folder holds a run.
const OUTPUTS: &[&str] = &["mask.png", "masks.tif", "labels.tif", "overlay.png", "course.svg", "course.csv"];

/// The folder asked for, else `out/IMAGE`, with a number where that is used.
fn folder_of(arguments: &Segment) -> Result<RunFolder, Failure> {
    let stem = arguments.image.file_stem().map_or("segment".into(), |s| s.to_string_lossy().into_owned());
    match &arguments.out {
        Some(out) => RunFolder::new_at(out, OUTPUTS),
        None => RunFolder::first_free(Path::new("out"), &stem),
    }
    .map_err(Failure::input)
}

/// The truth, one mask for every plane or one for all of them, and how it was read.
fn truth_of(
    path: &Path,
    image: &ImageStack,
    threshold: Option<f64>,
) -> Result<(Vec<Mask>, Vec<String>), Failure> {
    let stack = truth_stack(path)?;
    let refuse = |what: String| Failure::input(format!("--truth {}: {what}", path.display()));
    if stack.planes() != 1 && stack.planes() != image.planes() {
        return Err(refuse(format!(
            "it has {} planes, the image {}: give as many, or one for all",
            stack.planes(),
            image.planes()
        )));
    }
    let (height, width) = (stack.height(), stack.width());
    let threshold = Threshold { given: threshold, key: "--truth-threshold" };
    let found = stack.inside(threshold, path).map_err(Failure::input)?;
    let mut masks = Vec::with_capacity(stack.planes());
    for plane in found.inside.chunks_exact(height * width) {
        let mask = Mask::new(height, width, plane.to_vec()).map_err(|e| refuse(e.to_string()))?;
        mask.check_size("truth", image.height(), image.width()).map_err(|e| refuse(e.to_string()))?;
        masks.push(mask);
    }
    let notes = stack.notes().iter().chain(&found.notes);
    Ok((masks, notes.map(|note| format!("truth: {note}")).collect()))
}

/// An image, a folder of them, an NPY, or of an NPZ the array `truth`, `mask` or the only one.
fn truth_stack(path: &Path) -> Result<ImageStack, Failure> {
    if !FileKind::of(path).map_err(Failure::input)?.holds_arrays() {
        return read_images(path, ImageLimits::default()).map_err(Failure::input);
    }
    let mut arrays = read_arrays(path, ReadLimits::default()).map_err(Failure::input)?;
    let named = |name: &str| arrays.iter().position(|(own, _)| own == name);
    match named("truth").or_else(|| named("mask")).or((arrays.len() == 1).then_some(0)) {
        Some(at) => ImageStack::of_array(arrays.swap_remove(at).1, path).map_err(Failure::input),
        None => {
            let names: Vec<&str> = arrays.iter().map(|(name, _)| name.as_str()).collect();
            let (path, names) = (path.display(), names.join(", "));
            Err(Failure::input(format!(
                "--truth {path}: it holds the arrays {names}; call one of them truth, or save it as NPY"
            )))
        }
    }
}

/// One plane, segmented.
struct Plane {
    found: Segmentation,
    objects: usize,
}

struct Work<'a> {
    arguments: &'a Segment,
    settings: Settings,
    stack: &'a ImageStack,
    truth: Option<Vec<Mask>>,
    notes: Vec<String>,
    folder: &'a Path,
    show: Show,
}

impl Work<'_> {
    fn several(&self) -> bool {
        self.stack.planes() > 1
    }

    fn truth_of(&self, plane: usize) -> Option<&Mask> {
        self.truth.as_ref().and_then(|masks| masks.get(plane.min(masks.len() - 1)))
    }

    /// NAME.ENDING, or NAME-NUMBER.ENDING in a stack.
    fn path(&self, name: &str, plane: usize, ending: &str) -> PathBuf {
        let number = if self.several() { format!("-{plane:03}") } else { String::new() };
        self.folder.join(format!("{name}{number}.{ending}"))
    }

    /// Segments every plane; stops between two where it is interrupted.
    fn run(&self) -> Result<Vec<Plane>, Failure> {
        let (height, width) = (self.stack.height(), self.stack.width());
        let mut planes = Vec::new();
        let (mut labels, mut masks) = (Vec::new(), Vec::new());
        for plane in 0..self.stack.planes() {
            let image = self.image(plane)?;
            let found = self.segment(&image, plane)?;
            let objects =
                label_objects(&found.mask, Connectivity::SidesAndCorners, self.arguments.least_area)
                    .map_err(|e| self.about(plane, &e))?;
            labels.extend_from_slice(&objects.labels);
            if self.several() {
                masks.extend(found.mask.inside().iter().map(|inside| if *inside { 255u16 } else { 0 }));
            } else {
                write_mask_png(
                    self.path("mask", plane, "png"),
                    height,
                    width,
                    found.mask.inside(),
                    Overwrite::Refuse,
                )
                .map_err(Failure::run)?;
            }
            self.draw(&image, &found, plane)?;
            let interrupted = found.end == DescentEnd::Interrupted;
            planes.push(Plane { found, objects: objects.areas.len() });
            if interrupted {
                break;
            }
        }
        let tiff = |name: &str, values: &[u16]| {
            let path = self.folder.join(name);
            write_labels_tiff(path, planes.len(), height, width, values, Overwrite::Refuse)
                .map_err(Failure::run)
        };
        tiff("labels.tif", &labels)?;
        if self.several() {
            tiff("masks.tif", &masks)?;
        }
        Ok(planes)
    }

    fn image(&self, plane: usize) -> Result<GreyImage, Failure> {
        let mut values = self.stack.plane_to_unit(plane).unwrap_or_default();
        let lowest = values.iter().copied().fold(f64::INFINITY, f64::min);
        let highest = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        // Real numbers have no full scale: what does not lie in [0, 1] is stretched to it. Infinities stay an error.
        if (lowest < 0.0 || highest > 1.0) && (highest - lowest).is_finite() {
            values.iter_mut().for_each(|value| *value = (*value - lowest) / (highest - lowest));
        }
        GreyImage::new(self.stack.height(), self.stack.width(), values).map_err(|e| self.about(plane, &e))
    }

    /// An error with its file and plane.
    fn about(&self, plane: usize, error: &dyn std::fmt::Display) -> Failure {
        let place = if self.several() { format!(", plane {plane}") } else { String::new() };
        Failure::input(format!("{}{place}: {error}", self.arguments.image.display()))
    }

    fn segment(&self, image: &GreyImage, plane: usize) -> Result<Segmentation, Failure> {
        let name = if self.several() {
            format!("plane {} of {}", plane + 1, self.stack.planes())
        } else {
            "segment".to_string()
        };
        let mut bar = Progress::new(&name, self.settings.descent.steps, self.show);
        let mut watch = |moment: &Moment| {
            let mut readings = vec![("loss", moment.loss)];
            readings.extend(moment.scores.map(|s| ("dice", s.dice())));
            bar.update(moment.step, &readings);
            if INTERRUPT.load(Ordering::Relaxed) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let found = segment(image, &self.settings, self.truth_of(plane), &mut watch)
            .map_err(|e| self.about(plane, &e))?;
        bar.finish(match found.end {
            DescentEnd::Steps => "all steps done",
            DescentEnd::Rest => "at rest",
            DescentEnd::Interrupted => "interrupted",
        });
        Ok(found)
    }

    /// The overlay, the curves and their numbers.
    fn draw(&self, image: &GreyImage, found: &Segmentation, plane: usize) -> Result<(), Failure> {
        if image.values().len() <= MOST_OVERLAID {
            overlay(image, found, self.truth_of(plane))
                .and_then(|o| o.draw())
                .and_then(|picture| picture.write_png(self.path("overlay", plane, "png")))
                .map_err(Failure::run)?;
        }
        figure(found).write(self.path("course", plane, "svg")).map_err(Failure::run)?;
        write_whole(self.path("course", plane, "csv"), course(found)).map_err(Failure::run)
    }

    fn finish(&self, planes: &[Plane], seconds: f64) -> Result<CommandOutcome, Failure> {
        let interrupted = planes.iter().any(|p| p.found.end == DescentEnd::Interrupted);
        let object = self.object(planes, seconds);
        let text = serde_json::to_string_pretty(&object).map_err(Failure::run)?;
        write_whole(self.folder.join("result.json"), text + "\n").map_err(Failure::run)?;
        let text = self.text(planes, seconds);
        Ok(if interrupted {
            CommandOutcome::stopped(text, object)
        } else {
            CommandOutcome::done(text, object)
        })
    }

    fn object(&self, planes: &[Plane], seconds: f64) -> Value {
        let mut object = serde_json::Map::new();
        let mut add = |key: &str, value: Value| {
            object.insert(key.to_string(), value);
        };
        if let Some((dice, jaccard)) = mean_scores(planes, |p| p.found.scores) {
            add("dice", json!(dice));
            add("jaccard", json!(jaccard));
        }
        let mut otsu = serde_json::Map::new();
        if let Some((dice, jaccard)) = mean_scores(planes, |p| p.found.otsu_scores) {
            otsu.insert("dice".into(), json!(dice));
            otsu.insert("jaccard".into(), json!(jaccard));
            add("otsu", Value::Object(otsu));
        }
        add("steps", json!(planes.iter().map(|p| p.found.steps).max()));
        add("objects", json!(planes.iter().map(|p| p.objects).sum::<usize>()));
        add("preset", json!(self.arguments.preset));
        add("settings", json!(self.settings));
        if self.several() {
            add("planes", Value::Array(planes.iter().map(entry).collect()));
        } else if let Some(plane) = planes.first() {
            let Value::Object(own) = entry(plane) else { return Value::Null };
            for key in ["area", "end", "bright_objects", "noise", "otsu_threshold"] {
                add(key, own[key].clone());
            }
        }
        add("notes", json!(self.notes));
        add("version", json!(glauber::VERSION));
        add("seconds", json!(seconds));
        add("out", json!(self.folder));
        Value::Object(object)
    }

    fn text(&self, planes: &[Plane], seconds: f64) -> String {
        let (height, width) = (self.stack.height(), self.stack.width());
        let mut text = format!(
            "{}: {height} × {width} pixels, preset {}\n",
            self.arguments.image.display(),
            self.arguments.preset
        );
        for note in &self.notes {
            text += &format!("note: {note}\n");
        }
        for (number, plane) in planes.iter().enumerate() {
            let found = &plane.found;
            let share = 100.0 * found.mask.area() as f64 / (height * width) as f64;
            if self.several() {
                text += &format!("plane {number}: ");
            }
            text +=
                &format!("{share:.1} % of the pixels in {} objects, {} steps", plane.objects, found.steps);
            if !found.bright_objects {
                text += ", dark objects";
            }
            if let (Some(own), Some(otsu)) = (found.scores, found.otsu_scores) {
                text += &format!(
                    "\n  Dice {:.4}, Jaccard {:.4} (Otsu's threshold: {:.4}, {:.4})",
                    own.dice(),
                    own.jaccard(),
                    otsu.dice(),
                    otsu.jaccard()
                );
            }
            text += "\n";
        }
        if self.several() {
            if let (Some(own), Some(otsu)) =
                (mean_scores(planes, |p| p.found.scores), mean_scores(planes, |p| p.found.otsu_scores))
            {
                text += &format!("mean Dice {:.4} (Otsu's threshold: {:.4})\n", own.0, otsu.0);
            }
        }
        text + &format!("\n{seconds:.1} s; masks, labels, overlays and curves in {}", self.folder.display())
    }
}

/// Mean Dice and Jaccard over the planes, where there is a truth.
fn mean_scores(planes: &[Plane], of: impl Fn(&Plane) -> Option<Scores>) -> Option<(f64, f64)> {
    let scores: Option<Vec<Scores>> = planes.iter().map(of).collect();
    let scores = scores.filter(|s| !s.is_empty())?;
    let count = scores.len() as f64;
    let mean = |f: fn(&Scores) -> f64| scores.iter().map(f).sum::<f64>() / count;
    Some((mean(Scores::dice), mean(Scores::jaccard)))
}

fn entry(plane: &Plane) -> Value {
    let found = &plane.found;
    let mut entry = json!({
        "area": found.mask.area(),
        "objects": plane.objects,
        "steps": found.steps,
        "end": found.end,
        "bright_objects": found.bright_objects,
        "noise": found.noise,
        "otsu_threshold": found.otsu_threshold,
    });
    if let (Some(own), Some(otsu)) = (found.scores, found.otsu_scores) {
        entry["dice"] = json!(own.dice());
        entry["jaccard"] = json!(own.jaccard());
        entry["otsu"] = json!({"dice": otsu.dice(), "jaccard": otsu.jaccard()});
    }
    entry
}

/// The image with the mask's outline, and the truth's where there is one, over the image's own range of grey.
fn overlay(
    image: &GreyImage,
    found: &Segmentation,
    truth: Option<&Mask>,
) -> Result<Outlined, glauber::report::frames::FrameError> {
    let values = image.values();
    let lowest = values.iter().copied().fold(f64::INFINITY, f64::min);
    let highest = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let mut picture = Outlined::new(values, image.height(), image.width(), lowest, highest)?;
    picture = picture.with_mask(found.mask.inside(), Rgb::hex(0xe7_6f_0f))?;
    match truth {
        Some(truth) => picture.with_mask(truth.inside(), Rgb::hex(0x2f_9b_ff)),
        None => Ok(picture),
    }
}

/// Loss, and Dice where there is a truth, against steps.
fn figure(found: &Segmentation) -> Figure {
    let steps: Vec<f64> = found.history.iter().map(|m| m.step as f64).collect();
    let losses: Vec<f64> = found.history.iter().map(|m| m.loss).collect();
    let figure =
        Figure::new("Segmentation").panel(Panel::new("").x("step").y("loss").line("loss", &steps, &losses));
    let dices: Option<Vec<f64>> = found.history.iter().map(|m| m.scores.map(|s| s.dice())).collect();
    match (dices, found.otsu_scores) {
        (Some(dices), Some(otsu)) => figure.panel(
            Panel::new("")
                .x("step")
                .y("Dice")
                .y_range(0.0, 1.0)
                .line("Dice", &steps, &dices)
                .target("Otsu's threshold", otsu.dice()),
        ),
        _ => figure,
    }
}

fn course(found: &Segmentation) -> String {
    let mut text = "step,loss,field,inside,outside,data,classes,area,dice,jaccard\n".to_string();
    for m in &found.history {
        let t = &m.terms;
        let scores = m.scores.map_or(",".to_string(), |s| format!("{},{}", s.dice(), s.jaccard()));
        text += &format!(
            "{},{},{},{},{},{},{},{},{scores}\n",
            m.step, m.loss, t.field, t.inside, t.outside, t.data, t.classes, m.area
        );
    }
    text
}
