//! Runs cells of the Cellular Potts model, so that they can be looked at.

use glauber_cellular_potts::{
    Acceptance, Act, Cells, Elastic, Energy, Order, Simulation, Unknown, shuffled_types,
};
use glauber_lattice::Lattice;
use glauber_models::{CatalogueError, ModelOptions, OptionReader, OptionSetting};
use glauber_report::colour::{Rgb, category_colour};
use serde_json::{Value, json};

use crate::knob::Knob;
use crate::plane::{Look, Plane};
use crate::stage::{Curves, Stage};

/// What the model is called where a catalogue model's name stands.
pub(crate) const NAME: &str = "cellular-potts";

/// Larger lattices are not shown: a step of them takes longer than a picture may.
const LONGEST: usize = 2048;
/// The byte of a type's sites at a border is so many on.
const BORDER: u8 = 128;
/// What the curves are, in this order.
const MEDIUM: usize = 0;

/// How the cells begin and run.
#[derive(Clone, Debug)]
struct Layout {
    lattice: Lattice,
    blocks: usize,
    side: usize,
    types: usize,
    order: Order,
    acceptance: Acceptance,
    connected: bool,
    act: bool,
}

/// What a coefficient is measured in.
fn unit_of(name: &str) -> Option<String> {
    let unit = match name {
        "volume_strength" => "T per site²",
        "volume_target" => "sites",
        "perimeter_strength" => "T per pair²",
        "perimeter_target" => "pairs of neighbours",
        "act_strength" => "T",
        "max_act" => "steps",
        adhesion if adhesion.starts_with('J') => "T per pair of neighbours",
        _ => return None,
    };
    Some(unit.into())
}

/// What an option is measured in.
pub(crate) fn unit_of_option(name: &str) -> Option<&'static str> {
    matches!(name, "cell-side" | "margin").then_some("sites")
}

fn layout(reader: &mut OptionReader<'_>) -> Result<Layout, CatalogueError> {
    let side = reader.whole("cell-side", 7, 2, 60)? as usize;
    let blocks = reader.whole("cells-per-side", 10, 1, 500)? as usize;
    let margin = reader.whole("margin", 15, 0, 500)? as usize;
    let length = blocks * side + 2 * margin;
    let types = reader.whole("types", 2, 1, 2)? as usize;
    let torus = reader.choice("boundary", &["periodic", "fixed"])? == "periodic";
    let order = match reader.choice("update", &["sublattices", "random-sequential"])? {
        "sublattices" => Order::Sublattices,
        _ => Order::RandomSequential,
    };
    let acceptance = match reader.choice("acceptance", &["metropolis", "heat-bath"])? {
        "metropolis" => Acceptance::Metropolis,
        _ => Acceptance::HeatBath,
    };
    let act = reader.flag("act", false)?;
    let connected = reader.flag("connected", false)?;
    // The colours of sublattices close on a torus of lengths that 2, with Act 3, divides.
    let period = if act { 3 } else { 2 };
    let length = length.max(2 * period).next_multiple_of(period);
    if length > LONGEST {
        return Err(reader.refuse(
            "cells-per-side",
            &format!(
                "fewer, or smaller cells: cells-per-side × cell-side + 2 × margin is {length} sites, and at most {LONGEST} are \
                 shown (`glauber cells simulate` runs larger ones)"
            ),
        ));
    }
    let lattice = Lattice::new(&[length, length])?;
    let lattice = if torus { lattice.periodic() } else { lattice.fixed(0.0) };
    Ok(Layout { lattice, blocks, side, types, order, acceptance, connected, act })
}

/// The options, each with what it may be and is.
pub(crate) fn settings(options: &ModelOptions) -> Vec<OptionSetting> {
    let mut reader = OptionReader::new(NAME, options);
    let _ = layout(&mut reader);
    reader.settings().to_vec()
}

/// Cells that run.
pub(crate) struct CellsStage {
    layout: Layout,
    knobs: Vec<Knob>,
    curves: Vec<Curves>,
    simulation: Simulation,
    /// Steps before the present simulation, which begins anew where a coefficient is changed.
    before: u64,
    changes: u64,
    seed: u64,
    numbers: Vec<f64>,
}

impl CellsStage {
    /// Blocks of cells of mixed types, in the middle of the lattice.
    pub(crate) fn new(options: &ModelOptions) -> Result<CellsStage, String> {
        let mut reader = OptionReader::new(NAME, options);
        let layout = layout(&mut reader).map_err(|error| error.to_string())?;
        reader.finish().map_err(|error| error.to_string())?;
        let target = (layout.side * layout.side) as f64;
        let mut knobs = Vec::new();
        let mut knob = |name: &str, low: f64, high: f64, value: f64| {
            knobs.push(Knob { name: name.to_string(), low, high, value, unit: unit_of(name) });
        };
        // Sorting, as in the documentation's worked example.
        let adhesions: &[(&str, f64)] = match layout.types {
            1 => &[("J01", 1.6), ("J11", 1.4)],
            _ => &[("J01", 1.6), ("J02", 1.6), ("J11", 1.4), ("J12", 1.1), ("J22", 0.2)],
        };
        adhesions.iter().for_each(|(name, value)| knob(name, -5.0, 20.0, *value));
        knob("volume_strength", 0.0, 10.0, 0.1);
        knob("volume_target", 0.0, 20_000.0, target);
        knob("perimeter_strength", 0.0, 10.0, 0.0);
        knob("perimeter_target", 0.0, 20_000.0, (8.0 * 1.5 * target.sqrt()).round());
        if layout.act {
            knob("act_strength", 0.0, 100.0, 10.0);
            knob("max_act", 0.0, 1000.0, 20.0);
        }
        let mut curves = vec![
            Curves { title: "cells".into(), names: vec!["cells".into()], colours: vec![None] },
            Curves { title: "mean volume".into(), names: vec!["mean volume".into()], colours: vec![None] },
        ];
        let types = layout.types;
        let pairs = (0..=types)
            .flat_map(|a| (a..=types).map(move |b| (a, b)))
            .filter(|pair| *pair != (MEDIUM, MEDIUM));
        let names: Vec<String> = pairs.map(|(a, b)| format!("{a}–{b}")).collect();
        curves.push(Curves {
            title: "pairs of neighbours of different labels, by types".into(),
            colours: vec![None; names.len()],
            names,
        });
        let simulation = begin(&layout, &knobs, 1)?;
        let mut stage = CellsStage {
            layout,
            knobs,
            curves,
            simulation,
            before: 0,
            changes: 0,
            seed: 1,
            numbers: Vec::new(),
        };
        stage.count();
        Ok(stage)
    }

    fn count(&mut self) {
        let cells = self.simulation.cells();
        let volumes = cells.volumes();
        let there: Vec<f64> = volumes[1..].iter().filter(|v| **v > 0).map(|v| f64::from(*v)).collect();
        let types = self.layout.types;
        let pairs = cells.pairs_by_types(types);
        let mean = there.iter().sum::<f64>() / there.len().max(1) as f64;
        self.numbers = vec![there.len() as f64, mean];
        for first in 0..=types {
            for second in first..=types {
                if (first, second) != (MEDIUM, MEDIUM) {
                    self.numbers.push(pairs[first * (types + 1) + second] as f64);
                }
            }
        }
    }
}

/// The energy that the sliders say.
fn energy(layout: &Layout, knobs: &[Knob]) -> Energy {
    let types = layout.types;
    let mut energy = Energy::of_adhesion(types, vec![0.0; (types + 1) * (types + 1)]);
    let value = |name: &str| knobs.iter().find(|k| k.name == name).map_or(0.0, |k| k.value);
    energy.connected = layout.connected;
    let has_perimeter = value("perimeter_strength") > 0.0;
    for knob in knobs.iter().filter(|k| has_perimeter || !k.name.starts_with("perimeter")) {
        if let Some(unknown) = Unknown::named(&knob.name, types) {
            unknown.set(&mut energy, knob.value);
        }
    }
    if let Some(volume) = &mut energy.volume {
        volume.iter_mut().for_each(|v| *v = Elastic { target: v.target.max(0.0), ..*v });
    }
    if layout.act {
        let act = Act { strength: value("act_strength"), most: value("max_act").round() as u32 };
        energy.act = Some(vec![act; types]);
    }
    energy
}

fn begin(layout: &Layout, knobs: &[Knob], seed: u64) -> Result<Simulation, String> {
    let count = layout.blocks * layout.blocks;
    let counts = if layout.types == 1 { vec![count] } else { vec![count / 2, count - count / 2] };
    let types = shuffled_types(&counts, seed);
    let length = layout.lattice.shape()[0];
    let first = (length - layout.blocks * layout.side) / 2;
    let blocks = layout.blocks;
    let cells = Cells::blocks(
        layout.lattice.clone(),
        &[first, first],
        &[blocks, blocks],
        &[layout.side, layout.side],
        |place| types[place[0] * blocks + place[1]],
    );
    let cells = cells.map_err(|error| error.to_string())?;
    carry_on(layout, knobs, cells, seed)
}

fn carry_on(layout: &Layout, knobs: &[Knob], cells: Cells, seed: u64) -> Result<Simulation, String> {
    Simulation::new(cells, &energy(layout, knobs), layout.acceptance, layout.order, seed, 0)
        .map_err(|error| error.to_string())
}

impl Stage for CellsStage {
    fn name(&self) -> String {
        NAME.into()
    }

    fn extent(&self) -> [usize; 3] {
        self.layout.lattice.extent()
    }

    fn words(&self) -> Value {
        let mut notes = vec!["coefficients are in units of the temperature T".to_string()];
        notes.push(
            "a slider that is moved begins a new run from the cells as they are, with other random numbers"
                .into(),
        );
        if self.layout.act {
            notes.push("a slider that is moved also forgets which sites were active".into());
        }
        let update = match self.layout.order {
            Order::Sublattices => "sublattices: colours one after another, each site of a colour once",
            Order::RandomSequential => {
                "random-sequential: as many attempts as sites, at sites drawn at random"
            }
        };
        json!({
            "lattice": self.layout.lattice.to_string(),
            "layers": [["cells", "types of cells, with their borders"]],
            "application": [["update", update]],
            "notes": notes,
            "rule": "",
            "program": "A site takes over the label of a neighbour drawn at random, with a probability that depends on the change of\n\
                        Σ J (pairs of neighbours of different labels) + Σ λ (volume − target)² + Σ λ_P (perimeter − target)²,\n\
                        less the difference of activities where there is an Act term.",
        })
    }

    fn knobs(&self) -> &[Knob] {
        &self.knobs
    }

    fn looks(&self) -> Vec<Look> {
        let types = self.layout.types;
        let mut labels = vec!["medium".to_string()];
        labels.extend((1..=types).map(|kind| format!("type {kind}")));
        let colour = |kind: usize| if kind == MEDIUM { Rgb(0xf6, 0xf4, 0xee) } else { category_colour(kind) };
        let hex = |rgb: Rgb| u32::from(rgb.0) << 16 | u32::from(rgb.1) << 8 | u32::from(rgb.2);
        let mut colours: Vec<u32> = (0..=types).map(|kind| hex(colour(kind))).collect();
        // Borders are the type's colour, darkened.
        colours.resize(usize::from(BORDER), 0);
        colours.extend((0..=types).map(|kind| {
            let Rgb(r, g, b) = colour(kind);
            hex(Rgb(r / 3, g / 3, b / 3))
        }));
        vec![Look::of_states("cells", labels, colours)]
    }

    fn curves(&self) -> &[Curves] {
        &self.curves
    }

    fn watch(&mut self, summaries: &[String]) -> Result<(), String> {
        if summaries.is_empty() {
            return Ok(());
        }
        Err("the curves of cells are their number, their mean volume and their contacts; there are no others yet".into())
    }

    fn restart(&mut self, seed: u64) -> Result<(), String> {
        self.simulation = begin(&self.layout, &self.knobs, seed)?;
        (self.seed, self.before, self.changes) = (seed, 0, 0);
        self.count();
        Ok(())
    }

    fn set(&mut self, parameter: &str, value: f64) -> Result<(), String> {
        let knob = self.knobs.iter_mut().find(|k| k.name == parameter);
        let knob = knob.ok_or_else(|| format!("there is no coefficient `{parameter}`"))?;
        if !(value >= knob.low && value <= knob.high) {
            let (low, high) = (knob.low, knob.high);
            return Err(format!("`{parameter}` cannot be {value}: it lies between {low} and {high}"));
        }
        let earlier = std::mem::replace(&mut knob.value, value);
        let seed = self.seed.wrapping_add((self.changes + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        match carry_on(&self.layout, &self.knobs, self.simulation.cells(), seed) {
            Ok(simulation) => {
                self.before += self.simulation.step();
                self.changes += 1;
                self.simulation = simulation;
                Ok(())
            }
            Err(error) => {
                self.knobs.iter_mut().filter(|k| k.name == parameter).for_each(|k| k.value = earlier);
                Err(error)
            }
        }
    }

    fn advance(&mut self, steps: usize) -> Result<(), String> {
        self.simulation.run(steps as u64);
        self.count();
        Ok(())
    }

    fn step(&self) -> u64 {
        self.before + self.simulation.step()
    }

    fn numbers(&self) -> &[f64] {
        &self.numbers
    }

    fn planes(&mut self, _slice: usize) -> Vec<Plane> {
        let cells = self.simulation.cells();
        let [_, height, width] = self.extent();
        let labels = cells.labels();
        let mut bytes = vec![0; labels.len()];
        for y in 0..height {
            for x in 0..width {
                let site = y * width + x;
                let label = labels[site];
                // A border on the side of a cell, to the right and below, is one site wide.
                let differs = |other: usize| labels[other] != label;
                let right = x + 1 < width && differs(site + 1);
                let below = y + 1 < height && differs(site + width);
                let is_border = label != 0 && (right || below);
                bytes[site] = cells.type_of(label) + if is_border { BORDER } else { 0 };
            }
        }
        vec![Plane { low: 0.0, high: 255.0, bytes }]
    }

    fn at(&self, site: usize) -> Vec<String> {
        let label = self.simulation.label(site);
        if label == 0 {
            return vec!["medium".into()];
        }
        let volume = self.simulation.volumes().get(label as usize).copied().unwrap_or(0);
        vec![format!("cell {label}"), format!("volume: {volume}")]
    }

    fn command(&self, steps: u64, seed: u64) -> String {
        let layout = &self.layout;
        let (length, blocks, side) = (layout.lattice.shape()[0], layout.blocks, layout.side);
        let count = blocks * blocks;
        let mut command = format!(
            "glauber cells simulate --shape {length},{length} --blocks {blocks},{blocks} --sides {side},{side}"
        );
        if layout.types == 2 {
            command += &format!(" --counts {},{}", count / 2, count - count / 2);
        }
        if layout.lattice.boundaries()[2] == glauber_lattice::Boundary::Periodic {
            command += " --torus";
        }
        if layout.order == Order::RandomSequential {
            command += " --order random-sequential";
        }
        if layout.acceptance == Acceptance::HeatBath {
            command += " --acceptance heat-bath";
        }
        if layout.connected {
            command += " --connected";
        }
        let has_perimeter = self.knobs.iter().any(|k| k.name == "perimeter_strength" && k.value > 0.0);
        for knob in self.knobs.iter().filter(|k| has_perimeter || !k.name.starts_with("perimeter")) {
            command += &format!(" --set {}={}", knob.name, knob.value);
        }
        format!("{command} --steps {} --seed {seed} --out movie.tif", steps.max(1))
    }
}
