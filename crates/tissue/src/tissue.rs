//! Draws cells in the colours of their types, with the borders between them, and writes simulations: labels, tables, films.

use std::collections::BTreeMap;
use std::path::Path;

use glauber_cellular_potts::{Acceptance, Energy, Order};
use glauber_data::arrays::{Array, write_npy, write_npz};
use glauber_data::images::{StackExtent, write_label_stack};
use glauber_data::{DataError, Overwrite};
use glauber_files::run_folder::{FileError, write_new};
use glauber_report::colour::{Rgb, category_colour};
use glauber_report::frames::{Colouring, FilmFile, FilmOptions, FrameError, Picture};
use serde_json::{Map, Value, json};

use crate::{CellsSimulation, SimulateRequest, Start};

/// Borders between cells.
const BORDER: Rgb = Rgb::hex(0x1b1f24);
/// The longer side of a picture, in pixels, from which on sites are not enlarged further.
const LONG: usize = 512;

impl CellsSimulation {
    /// Writes the labels: `.tif` (16 bits where labels fit, else 32; frames and slices as ImageJ has them), `.npy`, or `.npz` with
    /// `labels`, `times`, and `types` as rows of label and type.
    ///
    /// # Errors
    /// [`DataError`] where the file is there already or cannot be written.
    pub fn write_labels(&self, path: &Path) -> Result<(), DataError> {
        let frames = self.times.len();
        let shape = [&[frames], &self.shape[..]].concat();
        let array = |shape: Vec<usize>, values: Vec<u32>| {
            Array::new(shape, values).map_err(|error| {
                let remedy = "this is a fault of the program";
                DataError::new(glauber_data::DataErrorKind::Value, path, error.to_string(), remedy)
            })
        };
        match path.extension().and_then(|end| end.to_str()).unwrap_or_default().to_lowercase().as_str() {
            "npy" => write_npy(path, &array(shape, self.labels.clone())?, Overwrite::Refuse),
            "npz" => {
                let labels = array(shape, self.labels.clone())?;
                let rows = self.types.iter().flat_map(|(label, kind)| [*label, u32::from(*kind)]).collect();
                let types = array(vec![self.types.len(), 2], rows)?;
                // Whole numbers below 2⁵³ as they are.
                let times: Vec<f64> = self.times.iter().map(|step| *step as f64).collect();
                let times = Array::new(vec![frames], times).map_err(|error| {
                    let remedy = "this is a fault of the program";
                    DataError::new(glauber_data::DataErrorKind::Value, path, error.to_string(), remedy)
                })?;
                let arrays = [("labels", &labels), ("types", &types), ("times", &times)];
                write_npz(path, arrays, Overwrite::Refuse)
            }
            _ => {
                let [slices, height, width] = self.extent();
                let extent = StackExtent { frames, slices, height, width };
                write_label_stack(path, extent, &self.labels, Overwrite::Refuse)
            }
        }
    }

    /// Depth, height, width.
    fn extent(&self) -> [usize; 3] {
        match self.shape[..] {
            [depth, height, width] => [depth, height, width],
            [height, width] => [1, height, width],
            _ => [1, 1, self.shape.iter().product()],
        }
    }

    /// Writes the table of types that a fit reads: label, type (its number, as J01 has it) and the type's name.
    ///
    /// # Errors
    /// [`FileError`] where the file is there already or cannot be written.
    pub fn write_types(&self, path: &Path) -> Result<(), FileError> {
        let mut text = String::from("label,type,name\n");
        for (label, kind) in &self.types {
            text += &format!("{label},{kind},{}\n", quoted(&self.name_of(*kind)));
        }
        write_new(path, text)
    }

    /// Writes a row for every cell of every state that is kept: step, id, type, volume, perimeter, centroid in the order of the axes.
    ///
    /// # Errors
    /// [`FileError`] where the file is there already or cannot be written.
    pub fn write_cells(&self, path: &Path) -> Result<(), FileError> {
        let axes = if self.has_depth() { "z,y,x" } else { "y,x" };
        let mut text = format!("step,id,type,volume,perimeter,{axes}\n");
        for row in &self.rows {
            text += &format!("{},{},{},{},{}", row.step, row.id, row.kind, row.volume, row.perimeter);
            for x in &row.centroid[3 - self.shape.len()..] {
                text += &format!(",{x}");
            }
            text.push('\n');
        }
        write_new(path, text)
    }

    fn name_of(&self, kind: u8) -> String {
        let name = self.type_names.get(usize::from(kind).wrapping_sub(1));
        name.cloned().unwrap_or_else(|| kind.to_string())
    }

    /// Pixels a side of a site: two or more, so that a border takes a part of it; one on lattices too large for that.
    fn enlarged(&self) -> usize {
        let [_, height, width] = self.extent();
        let longer = height.max(width).max(1);
        let most = glauber_report::frames::LONGEST_SIDE / longer;
        LONG.div_ceil(longer).max(2).min(most.max(1))
    }

    /// The medium, every type, and the borders.
    fn colouring(&self) -> Result<Colouring, FrameError> {
        let mut colours: Vec<Rgb> = (0..=self.type_names.len()).map(category_colour).collect();
        colours.push(BORDER);
        let types = self.type_names.iter().map(|name| match name.parse::<u8>() {
            Ok(kind) => format!("type {kind}"),
            Err(_) => name.clone(),
        });
        let names: Vec<String> =
            std::iter::once("medium".into()).chain(types).chain(["border".into()]).collect();
        Ok(Colouring::categories_in(&colours)?.named(&names))
    }

    /// A state, its middle slice where it has several, in pixels.
    fn raster(&self, place: usize, kinds: &BTreeMap<u32, u8>, times: usize) -> Vec<u8> {
        let [depth, height, width] = self.extent();
        let slice = &self.frame(place)[depth / 2 * height * width..][..height * width];
        let border = self.type_names.len() as u8 + 1;
        let mut pixels = vec![0; height * times * width * times];
        let row = width * times;
        for (site, label) in slice.iter().enumerate() {
            let (y, x) = (site / width, site % width);
            let kind = kinds.get(label).copied().unwrap_or(0);
            for line in 0..times {
                let at = (y * times + line) * row + x * times;
                pixels[at..at + times].fill(kind);
            }
            if times == 1 {
                continue;
            }
            // Along the right and the lower side of a site, where the next one is another cell's.
            if x + 1 < width && slice[site + 1] != *label {
                (0..times).for_each(|line| pixels[(y * times + line) * row + (x + 1) * times - 1] = border);
            }
            if y + 1 < height && slice[site + width] != *label {
                let at = ((y + 1) * times - 1) * row + x * times;
                pixels[at..at + times].fill(border);
            }
        }
        pixels
    }

    fn kinds(&self) -> BTreeMap<u32, u8> {
        self.types.iter().copied().collect()
    }

    /// Writes all states as a film (GIF).
    ///
    /// # Errors
    /// [`FrameError`] where it cannot be drawn or written.
    pub fn write_film(&self, path: &Path) -> Result<(), FrameError> {
        let ([_, height, width], times, kinds) = (self.extent(), self.enlarged(), self.kinds());
        let options = FilmOptions { enlarged: Some(1), legend: true, ..FilmOptions::default() };
        let mut film = FilmFile::create(path, height * times, width * times, self.colouring()?, options)?;
        for place in 0..self.times.len() {
            film.push(&self.raster(place, &kinds, times))?;
        }
        film.finish_file()
    }

    /// One of the states as a picture (PNG).
    ///
    /// # Errors
    /// [`FrameError`] where it cannot be drawn.
    pub fn picture(&self, place: usize) -> Result<Picture, FrameError> {
        let ([_, height, width], times, kinds) = (self.extent(), self.enlarged(), self.kinds());
        let colouring = self.colouring()?;
        let pixels = self.raster(place, &kinds, times);
        Picture::of(&pixels, height * times, width * times, &colouring)?.with_legend(&colouring)
    }

    /// As `glauber cells simulate --json` prints it, but for the files.
    pub fn object(&self) -> Value {
        let request = &self.request;
        let parameters: Map<String, Value> =
            request.parameters.iter().map(|(name, x)| (name.clone(), json!(x))).collect();
        let last = self.times.last().copied().unwrap_or(0);
        let left = self.rows.iter().filter(|row| row.step == last).count();
        json!({
            "model": "cellular-potts",
            "lattice": self.lattice,
            "shape": self.shape,
            "steps": last,
            "every": request.every,
            "frames": self.times.len(),
            "cells": self.types.len(),
            "cells_left": left,
            "types": self.type_names,
            "parameters": parameters,
            "order": match request.order {
                Order::Sublattices => "sublattices",
                Order::RandomSequential => "random-sequential",
            },
            "acceptance": match request.acceptance {
                Acceptance::Metropolis => "metropolis",
                Acceptance::HeatBath => "heat-bath",
            },
            "connected": request.connected,
            "seed": request.seed,
            "replicate": request.replicate,
            "notes": self.notes,
            "seconds": self.seconds,
            "version": env!("CARGO_PKG_VERSION"),
        })
    }
}

/// One state of cells as a picture, from its labels, the types of labels and what each type is called.
///
/// # Errors
/// [`FrameError`] where it cannot be drawn.
pub fn picture_of(
    shape: &[usize],
    labels: Vec<u32>,
    types: Vec<(u32, u8)>,
    type_names: Vec<String>,
) -> Result<Picture, FrameError> {
    let start = Start::Grown { shape: Vec::new(), volume: 0, counts: Vec::new() };
    let state = CellsSimulation {
        lattice: String::new(),
        shape: shape.to_vec(),
        times: vec![0],
        labels,
        types,
        type_names,
        rows: Vec::new(),
        energy: Energy::of_adhesion(1, vec![0.0; 4]),
        request: SimulateRequest::new(start, Vec::new()),
        notes: Vec::new(),
        seconds: 0.0,
    };
    state.picture(0)
}

/// A name as a field of a table.
fn quoted(name: &str) -> String {
    match name.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", name.replace('"', "\"\"")),
        false => name.into(),
    }
}
