//! Draws synthetic data with their truth: images of cells with masks and labels.

use std::time::Instant;

use glauber::data::Overwrite;
use glauber::data::images::{write_grey_png, write_labels_tiff, write_mask_png};
use glauber::files::run_folder::RunFolder;
use glauber::segment::synthetic_cells::{CellImage, SyntheticCells};
use serde_json::json;

use crate::arguments::{Cells, Generate, Generated};
use crate::outcome::{CommandOutcome, Failure};

/// More images than this are a mistake.
const MOST_IMAGES: u64 = 1000;

/// Runs `glauber generate`.
pub fn run(arguments: &Generate) -> Result<CommandOutcome, Failure> {
    match &arguments.what {
        Generated::Cells(own) => cells(own),
    }
}

fn cells(arguments: &Cells) -> Result<CommandOutcome, Failure> {
    let begin = Instant::now();
    let Some(&[least, greatest]) = arguments.radius.first_chunk::<2>() else {
        return Err(Failure::input("--radius: give two numbers, the least and the greatest"));
    };
    if !(1..=MOST_IMAGES).contains(&arguments.count) {
        return Err(Failure::input(format!("--count {}: give 1 to {MOST_IMAGES}", arguments.count)));
    }
    let how = SyntheticCells {
        height: arguments.height,
        width: arguments.width,
        cells: arguments.cells,
        radius: (least, greatest),
        overlap: arguments.overlap,
        blur: arguments.blur,
        illumination: arguments.illumination,
        haze: arguments.haze,
        photons: arguments.photons,
        bright_background: arguments.bright_background,
        ..SyntheticCells::default()
    };
    how.check().map_err(Failure::input)?;
    let names = ["image", "truth", "labels"];
    let outputs: Vec<String> = (0..arguments.count)
        .flat_map(|number| {
            names.map(|name| format!("{name}-{number:03}.{}", if name == "labels" { "tif" } else { "png" }))
        })
        .collect();
    let outputs: Vec<&str> = outputs.iter().map(String::as_str).collect();
    let claimed = RunFolder::new_at(&arguments.out, &outputs).map_err(Failure::input)?;
    let folder = claimed.path();
    let mut placed = Vec::new();
    for number in 0..arguments.count {
        let seed = arguments.seed.wrapping_add(number);
        let drawn = how.draw(seed).map_err(Failure::input)?;
        let path = |name: &str, ending: &str| folder.join(format!("{name}-{number:03}.{ending}"));
        let CellImage { height, width, .. } = drawn;
        let grey: Vec<u8> = drawn.image.iter().map(|g| (g * 255.0).round() as u8).collect();
        write_grey_png(path("image", "png"), height, width, &grey, Overwrite::Refuse)
            .map_err(Failure::run)?;
        write_mask_png(path("truth", "png"), height, width, &drawn.mask, Overwrite::Refuse)
            .map_err(Failure::run)?;
        write_labels_tiff(path("labels", "tif"), 1, height, width, &drawn.labels, Overwrite::Refuse)
            .map_err(Failure::run)?;
        placed.push(drawn.cells.len());
    }
    let seconds = begin.elapsed().as_secs_f64();
    let object = json!({
        "images": arguments.count,
        "shape": [how.height, how.width],
        "seed": arguments.seed,
        "cells": placed,
        "seconds": seconds,
        "version": glauber::VERSION,
        "out": folder,
    });
    let text = format!(
        "{} image(s) of {} × {} pixels with {} cells, masks and labels, in {}",
        arguments.count,
        how.height,
        how.width,
        placed.iter().sum::<usize>(),
        folder.display()
    );
    Ok(CommandOutcome::done(text, object))
}
