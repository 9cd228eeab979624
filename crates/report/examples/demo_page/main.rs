//! Writes a page with everything that a report can hold, and each picture as a file of its own:
//! `cargo run -p glauber-report --example demo_page -- FOLDER`. Its numbers are invented.

use std::path::Path;

use glauber_files::run_folder::write_whole;
use glauber_report::colour::Rgb;
use glauber_report::frames::{
    Colouring, ContactSheet, Film, FilmOptions, FrameError, Outlined, Picture, SpaceTime,
};
use glauber_report::html::{Claim, Page, Section, Table, Verdict};

mod curves;
mod lattices;

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let folder = std::env::args().nth(1).ok_or("give the folder for the page and its pictures")?;
    let folder = Path::new(&folder);
    std::fs::create_dir_all(folder)?;
    let page = Page::new("Every kind of figure on one page")
        .lead("A demonstration with invented numbers: curves, lattices, films and tables as a report shows them. Point at a curve to read its values.")
        .section(claims())
        .section(curve_section(folder)?)
        .section(lattice_section(folder)?)
        .section(segmentation_section(folder)?)
        .section(facts())
        .footer("Made by the example demo_page. Nothing on this page was measured.");
    page.write(folder.join("page.html"))?;
    Ok(())
}

fn claims() -> Section {
    let claim = |claim: &str, said: &str, measured: &str, verdict, note: &str, seconds| Claim {
        claim: claim.into(),
        said: said.into(),
        measured: measured.into(),
        verdict,
        note: note.into(),
        seconds,
    };
    Section::new("Claims")
        .prose("Each verdict would be computed from numbers; these are invented to show the table.")
        .claims(&[
            claim(
                "β is recovered for each of ten targets",
                "all within the line's width",
                "largest error 0.004 ± 0.001",
                Verdict::Holds,
                "",
                Some(41.2),
            ),
            claim(
                "A high β converges more slowly",
                "yes",
                "β = 0.9: 2,900 steps, β = 0.1: 310 steps",
                Verdict::Holds,
                "",
                Some(0.3),
            ),
            claim(
                "Dice after 50 steps",
                "about 0.8",
                "0.819",
                Verdict::HoldsWithDifference,
                "The best value, 0.855, is reached before the last step.",
                Some(12.0),
            ),
            claim(
                "Patterns form after 500 steps",
                "yes",
                "2 seeds of 3",
                Verdict::DoesNotHold,
                "Seed 2 still shows noise.",
                Some(312.0),
            ),
            claim(
                "Three types of cells are matched",
                "yes",
                "",
                Verdict::NotTested,
                "The tracks were not given.",
                None,
            ),
        ])
}

fn curve_section(folder: &Path) -> Result<Section, Failure> {
    for (name, figure) in [
        ("targets", curves::targets()),
        ("displacement", curves::displacement()),
        ("long_fit", curves::long_fit()),
        ("scaling", curves::scaling()),
    ] {
        figure.write(folder.join(name).with_extension("svg"))?;
    }
    Ok(Section::new("Curves")
        .prose("Every trace is thinned to what the eye can see; its extremes stay.")
        .figure(&curves::targets(), "Ten targets, each with its own colour and its own line.")?
        .figure(
            &curves::displacement(),
            "Data with standard errors, the model before and after the fit, with a band.",
        )?
        .figure(&curves::long_fit(), "A fit of 100,000 steps: raw values pale, their median strong.")?
        .figure(&curves::scaling(), "Both axes logarithmic.")?)
}

/// A film of `frames` as the bytes of a GIF.
fn film(
    frames: &[Vec<u8>],
    side: usize,
    colouring: &Colouring,
    enlarged: Option<usize>,
) -> Result<Vec<u8>, FrameError> {
    let options = FilmOptions { enlarged, time_bar: Some(frames.len()), ..FilmOptions::default() };
    let mut film = Film::new(Vec::new(), side, side, colouring.clone(), options)?;
    frames.iter().try_for_each(|frame| film.push(frame))?;
    film.finish()
}

fn lattice_section(folder: &Path) -> Result<Section, Failure> {
    let side = 64;
    let states = Colouring::categories(3)?;
    let names = ["susceptible", "infected", "recovered"];
    let epidemic = lattices::epidemic(side, 90);
    write_whole(folder.join("epidemic.gif"), film(&epidemic, side, &states, None)?)?;
    let still = Picture::of(&epidemic[40], side, side, &states)?;
    still.enlarged_for_eyes()?.write_png(folder.join("epidemic.png"))?;

    let mut sheet = ContactSheet::new("An epidemic, every eleventh step", 4).key_to_states(&names, &states);
    for step in (0..88).step_by(11) {
        sheet = sheet.with(&Picture::of(&epidemic[step], side, side, &states)?, format!("step {step}"))?;
    }
    sheet.write(folder.join("epidemic.svg"))?;

    let particles = Colouring::sequential(0.0, 50.0)?;
    let difference = Colouring::diverging(-50.0, 50.0)?;
    let (early, late) = (lattices::domains(side, 6.0), lattices::domains(side, 3.0));
    let change: Vec<f64> = early.iter().zip(&late).map(|(a, b)| b - a).collect();
    let sheet = ContactSheet::new("Malevanets–Kapral", 3).key("particles of A", &particles);
    let sheet = sheet.with(&Picture::of(&early, side, side, &particles)?, "after 5,000 steps")?;
    let sheet = sheet.with(&Picture::of(&late, side, side, &particles)?, "after 50,000 steps")?;
    sheet
        .with(&Picture::of(&change, side, side, &difference)?, "difference, −50 to 50")?
        .write(folder.join("domains.svg"))?;

    let mut diagram = SpaceTime::new(160, 120, Colouring::binary())?;
    lattices::automaton(160, 120).iter().try_for_each(|row| diagram.push(row))?;
    diagram.picture()?.enlarged_for_eyes()?.write_png(folder.join("space_time.png"))?;

    let aware: Vec<Vec<u8>> =
        epidemic.iter().map(|frame| frame.iter().map(|state| u8::from(*state > 0)).collect()).collect();
    let binary = Colouring::binary();
    Ok(Section::new("Lattices")
        .key("", &states, &names)
        .film(
            &film(&epidemic, side, &states, Some(4))?,
            &still,
            "An epidemic spreads from the centre",
            "An epidemic, 90 steps.",
        )?
        .film(
            &film(&aware, side, &binary, Some(4))?,
            &Picture::of(&aware[40], side, side, &binary)?,
            "A rumour spreads",
            "Whoever was ever infected.",
        )?
        .picture(
            &diagram.picture()?.enlarged(2)?,
            "A space–time diagram",
            "An automaton in one dimension; time runs down.",
        )?
        .key("particles of A:", &particles, &[])
        .picture(&Picture::of(&early, side, side, &particles)?, "Small domains", "After 5,000 steps.")?
        .picture(&Picture::of(&late, side, side, &particles)?, "Large domains", "After 50,000 steps.")?
        .picture(
            &Picture::of(&change, side, side, &difference)?,
            "Their difference",
            "The difference, −50 (blue) to 50 (red).",
        )?)
}

fn segmentation_section(folder: &Path) -> Result<Section, Failure> {
    let side = 160;
    let (image, truth) = lattices::cells(side);
    let mask: Vec<bool> = image.iter().map(|grey| *grey > 0.48).collect();
    let plain = Outlined::new(&image, side, side, 0.0, 1.0)?;
    let overlay =
        plain.clone().with_mask(&mask, Rgb::hex(0xe76f0f))?.with_mask(&truth, Rgb::hex(0x56b4e9))?;
    overlay.draw()?.write_png(folder.join("overlay.png"))?;
    let mut section =
        Section::new("Segmentation").prose("The found outline is orange, the true one blue and dashed.");
    section = section.picture(&plain.draw()?, "Bright cells on a dark ground", "The image.")?;
    section = section.picture(&overlay.draw()?, "The same with outlines", "Found and true outlines.")?;
    let words: Vec<u8> = mask.iter().map(|inside| u8::from(*inside)).collect();
    Ok(section.picture(
        &Picture::of(&words, side, side, &Colouring::binary())?.enlarged(4)?,
        "The mask",
        "The mask.",
    )?)
}

fn facts() -> Section {
    Section::new("This run")
        .facts([("version", "0.1.0"), ("seed", "1"), ("machine", "2 cores"), ("time", "6 min 4 s")])
        .table(
            &Table::new(["Target β", "Estimate", "Standard error", "Steps"])
                .caption("The numbers behind the first figure.")
                .row(["0.1", "0.1002", "0.0003", "310"])
                .row(["0.5", "0.4996", "0.0006", "1,210"])
                .row(["0.9", "0.8990", "0.0009", "2,900"]),
        )
        .code("glauber reproduce all --seeds 3")
}
