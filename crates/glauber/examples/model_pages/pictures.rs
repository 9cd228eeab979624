//! Draws the pictures: four states side by side, time against place for lines, tracks for walkers.

use std::error::Error;

use glauber::engine::{FieldData, Options, Plan, Run};
use glauber::lattice::Values;
use glauber::model_file::load;
use glauber::models::{ModelOptions, OptionValue};
use glauber::program::Model;
use glauber::report::colour::Rgb;
use glauber::report::frames::{Colouring, FrameError, Picture};
use glauber::tasks::covariates::read_covariates;
use glauber::tasks::states::States;

/// The seed of every picture.
const SEED: u64 = 1;
/// Sites of grey between two states.
const GAP: usize = 2;

/// What a picture shows.
pub struct Setting {
    name: &'static str,
    options: &'static [(&'static str, Choice)],
    parameters: &'static [(&'static str, f64)],
    /// The steps whose states are shown; for lines and walkers the last of them.
    steps: &'static [usize],
    layer: usize,
}

/// The value of an option, to be written down in a table.
#[derive(Clone, Copy)]
enum Choice {
    Number(f64),
    Word(&'static str),
    Lengths(&'static [f64]),
}

impl Setting {
    /// The model's options.
    pub fn options(&self) -> ModelOptions {
        let mut options = ModelOptions::none();
        for (name, choice) in self.options {
            options.set(
                name,
                match choice {
                    Choice::Number(x) => OptionValue::Number(*x),
                    Choice::Word(word) => OptionValue::Text((*word).into()),
                    Choice::Lengths(lengths) => OptionValue::List(lengths.to_vec()),
                },
            );
        }
        options
    }

    /// The command that simulates the same.
    pub fn command(&self) -> String {
        let last = self.steps.last().copied().unwrap_or(1);
        let mut text = format!("glauber simulate {} --steps {last} --seed {SEED}", self.name);
        for (name, choice) in self.options {
            text += &match choice {
                Choice::Number(x) => format!(" --option {name}={x}"),
                Choice::Word(word) => format!(" --option {name}={word}"),
                Choice::Lengths(lengths) => {
                    let list: Vec<String> = lengths.iter().map(f64::to_string).collect();
                    format!(" --option shape=[{}]", list.join(","))
                }
            };
        }
        self.parameters.iter().for_each(|(name, x)| text += &format!(" --set {name}={x}"));
        text + &format!(" --out {}.npz", self.name)
    }
}

/// What the picture of a model shows; its defaults where nothing better is said here.
pub fn setting(name: &'static str) -> Setting {
    use Choice::{Lengths, Number, Word};
    const WIDE: (&str, Choice) = ("shape", Lengths(&[96.0, 96.0]));
    let (options, parameters, steps): (&[_], &[_], &[_]) = match name {
        "susceptible-infected" => (&[], &[("beta", 0.1)], &[10, 20, 40, 60]),
        "persistent-random-walk" => (&[("walkers", Number(12.0))], &[("p_center", 0.3)], &[150]),
        "malevanets-kapral" => (&[], &[], &[0, 5000, 20_000, 50_000]),
        "susceptible-infected-recovered" => {
            (&[WIDE, ("start", Word("random")), ("density", Number(0.001))], &[], &[15, 30, 45, 70])
        }
        "susceptible-exposed-infected-recovered" => {
            (&[WIDE, ("start", Word("random")), ("density", Number(0.001))], &[], &[20, 50, 80, 120])
        }
        "contact-process" => (&[WIDE], &[("lambda", 1.8)], &[0, 3, 20, 100]),
        "kawasaki" => (&[WIDE, ("start", Word("random"))], &[("beta", 0.6)], &[0, 20, 200, 4000]),
        "schelling" => (&[WIDE], &[("tolerance", 0.4)], &[0, 2, 5, 30]),
        "scratch-assay" => (&[], &[("motility", 0.5), ("proliferation", 0.01)], &[0, 100, 200, 300]),
        "domany-kinzel" => (&[("shape", Lengths(&[384.0]))], &[("p1", 0.71), ("p2", 0.71)], &[192]),
        "voter" => (&[WIDE], &[], &[0, 20, 200, 1000]),
        "forest-fire" => (&[WIDE], &[("wind_x", 0.8)], &[15, 30, 45, 65]),
        "game-of-life" => (&[WIDE], &[], &[0, 10, 100, 500]),
        "ising" => (&[WIDE], &[("beta", 0.44)], &[0, 10, 100, 2000]),
        "potts" => (&[WIDE, ("states", Number(4.0))], &[("beta", 1.3)], &[0, 10, 100, 1000]),
        "exclusion" => (&[("shape", Lengths(&[384.0])), ("density", Number(0.4))], &[("hop", 0.7)], &[192]),
        "birth-death-migration" => (&[], &[], &[0, 10, 40, 160]),
        "gray-scott" => (
            &[("time-step", Number(0.03)), ("start", Word("spot"))],
            &[("hop_U", 0.03), ("hop_V", 0.015)],
            &[0, 1000, 4000, 16_000],
        ),
        _ => (&[], &[], &[0, 10, 20, 50]),
    };
    let layer = usize::from(name == "gray-scott");
    let name = glauber::models::MODELS.iter().map(|e| e.name).find(|n| *n == name).unwrap_or(name);
    Setting { name, options, parameters, steps, layer }
}

/// What the picture shows, in words.
pub fn caption(setting: &Setting, model: &Model) -> String {
    let declared = &model.declarations().layers[setting.layer];
    let last = setting.steps.last().copied().unwrap_or(0);
    let colours = match &declared.values {
        _ if setting.name == "persistent-random-walk" => String::new(),
        Values::Binary => "; dark: 1".to_string(),
        Values::Categories(names) => {
            let colouring = Colouring::of_layer(declared, 0.0, 1.0).ok();
            let named = names.iter().enumerate().map(|(k, name)| {
                let colour = colouring.as_ref().map_or(String::new(), |c| colour_name(c.colour(k as f64)));
                format!("{colour}: {name}")
            });
            format!("; {}", named.collect::<Vec<_>>().join(", "))
        }
        _ => "; from dark for few to bright for many".to_string(),
    };
    let what = if setting.name == "persistent-random-walk" {
        format!("Tracks of 12 walkers over {last} steps")
    } else if model.declarations().lattice.dimensions() == 1 {
        format!("Layer `{}`, time downwards over {last} steps", declared.name)
    } else {
        let steps: Vec<String> = setting.steps.iter().map(usize::to_string).collect();
        format!("Layer `{}` after {} steps", declared.name, steps.join(", "))
    };
    format!("{what}{colours}. Seed {SEED}.")
}

/// The nearest of some colours that have a name.
fn colour_name(colour: Rgb) -> String {
    const NAMED: [(&str, [i32; 3]); 17] = [
        ("white", [255, 255, 255]),
        ("light grey", [215, 215, 215]),
        ("grey", [128, 128, 128]),
        ("dark grey", [55, 50, 48]),
        ("black", [0, 0, 0]),
        ("dark blue", [20, 40, 110]),
        ("blue", [30, 110, 190]),
        ("light blue", [120, 190, 230]),
        ("green", [0, 150, 90]),
        ("light green", [160, 205, 140]),
        ("yellow", [240, 225, 70]),
        ("orange", [235, 150, 30]),
        ("red-orange", [213, 94, 0]),
        ("red", [210, 40, 40]),
        ("brown", [130, 80, 40]),
        ("pink", [210, 120, 165]),
        ("purple", [120, 60, 150]),
    ];
    let own = [i32::from(colour.0), i32::from(colour.1), i32::from(colour.2)];
    let far = |other: &[i32; 3]| own.iter().zip(other).map(|(a, b)| (a - b) * (a - b)).sum::<i32>();
    NAMED.iter().min_by_key(|(_, c)| far(c)).map_or(String::new(), |(name, _)| (*name).to_string())
}

/// The picture of a model, as a PNG file.
pub fn picture(name: &'static str) -> Result<Vec<u8>, Box<dyn Error>> {
    let setting = setting(name);
    let loaded = load(name, &setting.options())?;
    let covariates = read_covariates(&loaded, &[], &mut Vec::new())?;
    let model = loaded.model;
    let value = |p: &glauber::program::Parameter| {
        setting.parameters.iter().find(|(n, _)| *n == p.name).map_or(p.default.unwrap_or(0.5), |(_, x)| *x)
    };
    let theta: Vec<f64> = model.declarations().parameters.iter().map(value).collect();
    let last = setting.steps.last().copied().unwrap_or(1);
    let every = setting.steps.iter().fold(last, |a, b| divisor(a, *b));
    let line = model.declarations().lattice.dimensions() == 1;
    let states = record(&model, &theta, last, if line { 1 } else { every }, covariates)?;
    let number = |layer: usize, time: usize, site: usize| states.layers[layer].at(time * states.sites + site);
    if name == "persistent-random-walk" {
        return tracks(&states, |time, walker| (number(0, time, walker), number(1, time, walker)));
    }
    let layer = &model.declarations().layers[setting.layer];
    let [_, height, width] = model.declarations().lattice.extent();
    let frames: Vec<usize> =
        if line { Vec::new() } else { setting.steps.iter().map(|s| s / every).collect() };
    let (rows, columns) = match line {
        true => (states.times, width),
        false => (height, frames.len() * (width + GAP) - GAP),
    };
    let mut field = vec![f64::NAN; rows * columns];
    for row in 0..rows {
        for column in 0..columns {
            field[row * columns + column] = match line {
                true => number(setting.layer, row, column),
                false if column % (width + GAP) >= width => continue,
                false => {
                    let (frame, x) = (frames[column / (width + GAP)], column % (width + GAP));
                    number(setting.layer, frame, row * width + x)
                }
            };
        }
    }
    let most = field.iter().copied().filter(|x| x.is_finite()).fold(1.0, f64::max);
    let own = Colouring::of_layer(layer, 0.0, most)?;
    let colours = if own.range().is_some() { own.clone() } else { with_gaps(&own, &mut field)? };
    let times = (800 / columns).max(1);
    Ok(Picture::of(&field, rows, columns, &colours)?.enlarged(times)?.with_legend(&own)?.to_png()?)
}

/// The same colours of states, and grey for what lies between two pictures.
fn with_gaps(colouring: &Colouring, field: &mut [f64]) -> Result<Colouring, FrameError> {
    let states = colouring.count().unwrap_or(0);
    let mut colours: Vec<Rgb> = (0..states).map(|k| colouring.colour(k as f64)).collect();
    colours.push(Rgb(0x80, 0x80, 0x80));
    field.iter_mut().filter(|x| x.is_nan()).for_each(|x| *x = states as f64);
    Colouring::categories_in(&colours)
}

fn divisor(a: usize, b: usize) -> usize {
    if b == 0 { a } else { divisor(b, a % b) }
}

fn record(
    model: &Model,
    theta: &[f64],
    steps: usize,
    every: usize,
    covariates: Vec<(String, FieldData)>,
) -> Result<States, Box<dyn Error>> {
    let plan = Plan::new(model, &[], None, Options::default())?;
    let run = Run { fields: covariates, ..Run::new(theta, steps).seed(SEED) };
    Ok(States::record_every(&plan, &run, every)?)
}

/// Positions as tracks, each walker in its colour, on a square that holds them all.
fn tracks(states: &States, place: impl Fn(usize, usize) -> (f64, f64)) -> Result<Vec<u8>, Box<dyn Error>> {
    let all = || (0..states.times).flat_map(|time| (0..states.sites).map(move |walker| (time, walker)));
    let reach =
        all().map(|(t, w)| place(t, w)).fold(1.0f64, |r, (x, y)| r.max(x.abs()).max(y.abs())) as usize + 2;
    let side = 2 * reach + 1;
    let mut field = vec![0.0; side * side];
    for (time, walker) in all() {
        let (x, y) = place(time, walker);
        let (column, row) = ((x + reach as f64) as usize, (y + reach as f64) as usize);
        field[row * side + column] = (walker + 1) as f64;
    }
    let colours = Colouring::categories(states.sites + 1)?;
    Ok(Picture::of(&field, side, side, &colours)?.enlarged((600 / side).max(1))?.to_png()?)
}
