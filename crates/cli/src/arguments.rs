//! Declares what can be typed.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use glauber::files::{number, whole_number};

/// A whole number, as it may be written anywhere else.
fn whole<N: TryFrom<u64>>(text: &str) -> Result<N, String> {
    let given = whole_number(text).and_then(|n| N::try_from(n).ok());
    let most = u64::MAX >> (64 - 8 * size_of::<N>());
    given.ok_or_else(|| format!("give a whole number from 0 to {most}, such as 1000, 1_000 or 1e3"))
}

/// A finite number, as it may be written anywhere else.
fn real(text: &str) -> Result<f64, String> {
    let given = number(text).filter(|x| x.is_finite());
    given.ok_or_else(|| "give a number, such as 0.3, .3 or 3e-1".to_owned())
}

/// Simulate stochastic lattice models and fit them to data by gradients through their randomness.
#[derive(Parser)]
#[command(
    name = "glauber",
    version,
    arg_required_else_help = true,
    after_help = "Begin with:\n  \
    glauber models                                   what there is\n  \
    glauber simulate susceptible-infected --steps 50 --out news.gif\n  \
    glauber fit examples/susceptible-infected.toml   recover a parameter from simulated data\n\n\
    Exit codes: 0 done, 1 the run failed, 2 the input is wrong, 130 interrupted (a checkpoint is left)."
)]
pub struct Arguments {
    /// Print one JSON object on stdout and nothing else there.
    #[arg(long, global = true)]
    pub json: bool,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Subcommand)]
pub enum Command {
    /// List the models that come with glauber.
    Models,
    /// Write a commented model file to begin with.
    New(New),
    /// Print what a model's step says, and how it runs backwards.
    Show(Show),
    /// Run a model forwards and keep its states.
    Simulate(Simulate),
    /// Show a model as it runs, on a page of this machine's browser.
    View(View),
    /// Fit a model to data as a fit file says.
    Fit(Fit),
    /// Put together what the shards of a fit have left.
    Merge(Merge),
    /// Draw from the posterior of a fit file's parameters.
    Posterior(Posterior),
    /// Profile the likelihood of a fit file's parameters, with intervals and what the data determine.
    Profile(Profile),
    /// Compare every gradient estimator with the true gradient.
    Check(Check),
    /// Segment an image into foreground and background.
    Segment(Segment),
    /// Draw synthetic data with their truth.
    Generate(Generate),
    /// Simulate cells of the Cellular Potts model, or fit it to labels of cells over time.
    Cells(CellsCommand),
    /// Say what is in a file of cell tracks, and take their mean squared displacement.
    Tracks(TracksFile),
    /// Run the paper's experiments again, and say claim by claim what holds.
    Reproduce(Reproduce),
}

#[derive(Args)]
#[command(
    after_help = "Stopped anywhere and started again, it carries on from what was finished.\n\nExamples:\n  \
    glauber reproduce all --quick\n  glauber reproduce all --data images --seeds 3\n  glauber reproduce transition"
)]
pub struct Reproduce {
    /// transition, trajectory, state, stability, cells or all.
    #[arg(default_value = "all")]
    pub experiment: String,
    /// Shortened runs, in a minute or so; claims that need the long ones are not tested.
    #[arg(long)]
    pub quick: bool,
    /// The folder for page, figures and numbers; out/reproduce where nobody says, out/reproduce-quick with --quick.
    #[arg(long)]
    pub out: Option<PathBuf>,
    /// The folder with the paper's images (seadragon.jpg, cells.png, each with its _mask.png); without it the state
    /// experiment runs on synthetic cells.
    #[arg(long)]
    pub data: Option<PathBuf>,
    /// The seed of all noise.
    #[arg(long, default_value_t = 1, value_parser = whole::<u64>)]
    pub seed: u64,
    /// How many seeds each stability fit is run from; 1 where nobody says.
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=1000))]
    pub seeds: Option<u64>,
    /// Throw away what an earlier run has kept in the folder.
    #[arg(long)]
    pub fresh: bool,
    /// Show no progress.
    #[arg(long)]
    pub quiet: bool,
}

#[derive(Args)]
#[command(after_help = "Example:\n  glauber new measles\n  glauber simulate measles.toml --out measles.gif")]
pub struct New {
    /// The model's name; the file is NAME.toml in the working folder, or where a path says.
    pub name: PathBuf,
}

#[derive(Args)]
pub struct ModelChoice {
    /// A model of the catalogue (see `glauber models`), or the path of a model file.
    pub model: String,
    /// An option of the model, such as shape=[32,32] or capacity=20; may be repeated.
    #[arg(long = "option", value_name = "NAME=VALUE")]
    pub options: Vec<String>,
    /// A covariate's data: a NPY, NPZ or image file, or a number for every site; may be repeated.
    #[arg(long = "covariate", value_name = "NAME=FILE")]
    pub covariates: Vec<String>,
}

#[derive(Args)]
#[command(after_help = "Example:\n  glauber show susceptible-infected --adjoint")]
pub struct Show {
    #[command(flatten)]
    pub choice: ModelChoice,
    /// Also print the adjoint: the program that runs the step backwards.
    #[arg(long)]
    pub adjoint: bool,
    /// Under which estimator the adjoint is; straight-through where nobody says.
    #[arg(long, requires = "adjoint")]
    pub estimator: Option<String>,
}

#[derive(Args)]
#[command(after_help = "Examples:\n  \
    glauber simulate susceptible-infected --set beta=0.3 --steps 50 --replicates 100 --out runs.npz\n  \
    glauber simulate malevanets-kapral --steps 20000 --every 200 --out film.gif\n  \
    glauber simulate susceptible-infected --steps 20 --out last.png")]
pub struct Simulate {
    #[command(flatten)]
    pub choice: ModelChoice,
    /// A parameter's value; may be repeated. Others keep their defaults.
    #[arg(long = "set", value_name = "NAME=VALUE")]
    pub parameters: Vec<String>,
    /// How many steps.
    #[arg(long, default_value_t = 50, value_parser = whole::<usize>)]
    pub steps: usize,
    /// How many independent realisations.
    #[arg(long, default_value_t = 1, value_parser = whole::<usize>)]
    pub replicates: usize,
    /// Keep every n-th state; a picture of a plane shows the last one whatever n.
    #[arg(long, default_value_t = 1, value_parser = whole::<usize>)]
    pub every: usize,
    /// The seed of all noise.
    #[arg(long, default_value_t = 1, value_parser = whole::<u64>)]
    pub seed: u64,
    /// The precision of sites: f32, or f64 for whole numbers beyond 2^24 and rules that need more than 7 digits.
    #[arg(long, default_value = "f32", value_parser = ["f32", "f64"])]
    pub precision: String,
    /// How many threads; 0 for all cores. The result does not depend on it.
    #[arg(long, default_value_t = 0, value_parser = whole::<usize>)]
    pub threads: usize,
    /// Carry on from the last states of an NPZ that `simulate` wrote; under the same seed and parameters the result is what
    /// that run would have been with more steps.
    #[arg(long, value_name = "FILE")]
    pub start: Option<PathBuf>,
    /// Which layer a film or picture shows; the first where nobody says. An .npz holds all of them.
    #[arg(long)]
    pub layer: Option<String>,
    /// Where to: .npz (every layer, [replicate, time, …lattice]; with --every also `times`, the step of each time), .gif (a film of the first realisation) or .png (its
    /// last state).
    #[arg(long)]
    pub out: PathBuf,
}

#[derive(Args)]
#[command(
    group(clap::ArgGroup::new("what").args(["model", "fit"]).required(true).multiple(true)),
    after_help = "Besides the catalogue's models there is cellular-potts. A model file is looked at while it is shown: save it, and the page\n\
    runs on with the new rule. Only this machine's browser, with the address that is printed, gets an answer.\n\nExamples:\n  \
    glauber view susceptible-infected\n  \
    glauber new measles && glauber view measles.toml\n  \
    glauber view cellular-potts --option cells-per-side=30 --option act=true\n  \
    glauber view --fit examples/susceptible-infected.toml\n  \
    glauber view --fit out/susceptible-infected     the course that this run took\n  \
    glauber view susceptible-infected --data runs.npz"
)]
pub struct View {
    /// A model of the catalogue (see `glauber models`), the path of a model file, or cellular-potts.
    pub model: Option<String>,
    /// An option of the model, such as shape=[32,32] or capacity=20; may be repeated.
    #[arg(long = "option", value_name = "NAME=VALUE", requires = "model")]
    pub options: Vec<String>,
    /// A covariate's data: a NPY, NPZ or image file, or a number for every site; may be repeated.
    #[arg(long = "covariate", value_name = "NAME=FILE", requires = "model")]
    pub covariates: Vec<String>,
    /// A fit file, or the folder of its run: its model at the values of its first start, beside the states it is fitted to;
    /// the course it took, to be gone through; draws of its posterior behind the curves.
    #[arg(long, value_name = "FILE|FOLDER")]
    pub fit: Option<PathBuf>,
    /// Draws of another folder than the fit's: what `glauber posterior` wrote.
    #[arg(long, value_name = "FOLDER", requires = "fit")]
    pub draws: Option<PathBuf>,
    /// Observed states to be seen beside the model's: what a fit file's `data.states` takes.
    #[arg(long, value_name = "FILE", conflicts_with = "fit")]
    pub data: Option<PathBuf>,
    /// A parameter's value to begin with; may be repeated.
    #[arg(long = "set", value_name = "NAME=VALUE")]
    pub parameters: Vec<String>,
    /// The seed to begin with.
    #[arg(long, default_value_t = 1, value_parser = whole::<u64>)]
    pub seed: u64,
    /// The port of this machine; 0 for any that is free.
    #[arg(long, default_value_t = 0, value_parser = whole::<u16>)]
    pub port: u16,
    /// Only print the address.
    #[arg(long)]
    pub no_browser: bool,
    /// How many threads each page's engine has; 0 for all cores.
    #[arg(long, default_value_t = 0, value_parser = whole::<usize>)]
    pub threads: usize,
}

#[derive(Args)]
#[command(after_help = "Examples:\n  \
    glauber fit examples/susceptible-infected.toml\n  \
    glauber fit my.toml --set data.states=runs.npz --set optimizer.steps=500 --out results\n  \
    glauber fit my.toml --out results --resume     carry on after Ctrl-C")]
pub struct Fit {
    /// The fit file (TOML).
    pub file: PathBuf,
    /// The folder for the results; a new one below `out/` where nobody says.
    #[arg(long)]
    pub out: Option<PathBuf>,
    /// Override a key of the fit file, such as optimizer.steps=500; may be repeated.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub overrides: Vec<String>,
    /// The seed of all noise; overrides run.seed.
    #[arg(long, value_parser = whole::<u64>)]
    pub seed: Option<u64>,
    /// How many threads; 0 for all cores. The result does not depend on it.
    #[arg(long, value_parser = whole::<usize>)]
    pub threads: Option<usize>,
    /// Carry on from the checkpoint in the output folder.
    #[arg(long, conflicts_with = "shard")]
    pub resume: bool,
    /// Do one of several shards alone, such as 3/16, and leave it in the output folder for `glauber merge`.
    #[arg(long, value_name = "N/OF", value_parser = str::parse::<glauber::fit::job::Shard>)]
    pub shard: Option<glauber::fit::job::Shard>,
    /// Show no progress.
    #[arg(long)]
    pub quiet: bool,
}

#[derive(Args)]
#[command(after_help = "The result is that of glauber fit without --shard, to the last bit.\n\nExample:\n  \
    glauber fit my.toml --shard 1/2 --out results\n  glauber fit my.toml --shard 2/2 --out results\n  \
    glauber merge results")]
pub struct Merge {
    /// The folder with all shards.
    pub folder: PathBuf,
    /// The folder for the results; that of the shards where nobody says.
    #[arg(long)]
    pub out: Option<PathBuf>,
    /// The fit file, where it is not where it was.
    #[arg(long)]
    pub file: Option<PathBuf>,
    /// How many threads; 0 for all cores. The result does not depend on it.
    #[arg(long, value_parser = whole::<usize>)]
    pub threads: Option<usize>,
}

#[derive(Args)]
#[command(
    after_help = "The objective is the mean of all layers after some steps, the reference its central finite\n\
    difference with common noise.\n\nExample:\n  glauber check susceptible-infected --option shape=[9,9] --set beta=0.1 --steps 2"
)]
pub struct Check {
    #[command(flatten)]
    pub choice: ModelChoice,
    /// A parameter's value; may be repeated. Others keep their defaults.
    #[arg(long = "set", value_name = "NAME=VALUE")]
    pub parameters: Vec<String>,
    /// Steps of the rollout.
    #[arg(long, default_value_t = 3, value_parser = whole::<usize>)]
    pub steps: usize,
    /// Realisations per batch; there are 20 batches.
    #[arg(long, default_value_t = 200, value_parser = whole::<usize>)]
    pub replicates: usize,
    /// The seed of all noise.
    #[arg(long, default_value_t = 1, value_parser = whole::<u64>)]
    pub seed: u64,
}

#[derive(Args)]
#[command(
    after_help = "Reads tables (CSV, tabs, semicolons, spaces: celltrackR, TrackMate, trackpy, Imaris, R …), TrackMate XML\n\
    and napari's NPY.\n\nExamples:\n  \
    glauber tracks cells.csv\n  \
    glauber tracks cells.csv --column id=TRACK --column time=3 --interval 24 --out msd.svg"
)]
pub struct TracksFile {
    /// The file.
    pub file: PathBuf,
    /// How many lags; 10 where nobody says, or as many as the longest track has.
    #[arg(long, value_parser = whole::<u32>)]
    pub lags: Option<u32>,
    /// Which column holds what: id, time, x, y or z, by its heading or its number from 1; may be repeated.
    #[arg(long = "column", value_name = "WHAT=COLUMN")]
    pub columns: Vec<String>,
    /// The time from frame to frame; found from the file where nobody says.
    #[arg(long, value_parser = real)]
    pub interval: Option<f64>,
    /// The unit of lengths, where the file names none.
    #[arg(long)]
    pub length_unit: Option<String>,
    /// The unit of times, where the file names none.
    #[arg(long)]
    pub time_unit: Option<String>,
    /// How many sets of tracks are drawn for the standard errors; 0 for none.
    #[arg(long, default_value_t = 1000, value_parser = whole::<u32>)]
    pub bootstrap: u32,
    /// The seed of those draws; 0 where nobody says.
    #[arg(long, value_parser = whole::<u64>)]
    pub seed: Option<u64>,
    /// Where to: .svg (a plot) or .csv (the curve).
    #[arg(long)]
    pub out: Option<PathBuf>,
}

/// Which class is the foreground.
#[derive(Clone, Copy, ValueEnum)]
pub enum Objects {
    Bright,
    Dark,
    Detect,
}

#[derive(Args)]
#[command(
    after_help = "Reads PNG, JPEG and TIFF (8- and 16-bit grey, RGB, stacks) and folders of them; writes masks, labels for\n\
    ImageJ and napari, overlays (orange: found, blue dashes: truth), the course of loss and scores, and result.json.\n\nExamples:\n  \
    glauber segment cells.tif --out cells\n  \
    glauber segment photo.jpg --preset seadragon --truth mask.png --out photo\n  \
    glauber segment cells.tif --objects dark --weights 0,0.1,0.1,0,1 --out smoother"
)]
pub struct Segment {
    /// The image, a stack of them, or a folder.
    pub image: PathBuf,
    /// The settings to begin with: auto (any image), seadragon or cells (the paper's for its two images).
    #[arg(long, default_value = "auto")]
    pub preset: String,
    /// The energy's weights: field,inside,outside,data[,classes]; 0 switches a term off.
    #[arg(long, value_name = "NUMBERS", allow_hyphen_values = true)]
    pub weights: Option<String>,
    /// The most steps.
    #[arg(long, value_parser = whole::<u64>)]
    pub steps: Option<u64>,
    /// The rate of descent.
    #[arg(long, allow_hyphen_values = true, value_parser = real)]
    pub rate: Option<f64>,
    /// Where the fitted field, 0 to 1, becomes foreground.
    #[arg(long, allow_hyphen_values = true, value_parser = real)]
    pub threshold: Option<f64>,
    /// Which class is the foreground; by the preset where nobody says.
    #[arg(long)]
    pub objects: Option<Objects>,
    /// Subtract a background surface of this degree, 1 to 4, before anything else; 0 for none.
    #[arg(long)]
    pub flatten: Option<u8>,
    /// Objects with fewer pixels get no label (the mask keeps them).
    #[arg(long, default_value_t = 1, value_parser = whole::<usize>)]
    pub least_area: usize,
    /// The true mask, of the same size, only to score the result: a mask of any two values, labels, or grey
    /// values, as an image, a stack, NPY or NPZ.
    #[arg(long)]
    pub truth: Option<PathBuf>,
    /// Inside is what is above it in the true mask; found from its values where nobody says.
    #[arg(long, allow_hyphen_values = true)]
    pub truth_threshold: Option<f64>,
    /// The folder for the results; a new one below `out/` where nobody says.
    #[arg(long)]
    pub out: Option<PathBuf>,
    /// How many threads; 0 for all cores. The result does not depend on it.
    #[arg(long, default_value_t = 0, value_parser = whole::<usize>)]
    pub threads: usize,
    /// Show no progress.
    #[arg(long)]
    pub quiet: bool,
}

#[derive(Args)]
pub struct Generate {
    #[command(subcommand)]
    pub what: Generated,
}

#[derive(Subcommand)]
pub enum Generated {
    /// Draw microscope images of cells with their true masks and labels.
    Cells(Cells),
}

#[derive(Args)]
#[command(
    after_help = "Each image becomes image-000.png, truth-000.png and labels-000.tif, the next 001 …\n\nExamples:\n  \
    glauber generate cells --count 20 --out cells\n  \
    glauber generate cells --illumination 0.8 --haze 0.5 --photons 100 --out dim\n  \
    glauber segment cells/image-000.png --truth cells/truth-000.png --out first"
)]
pub struct Cells {
    /// How many images; image i has the seed --seed + i.
    #[arg(long, default_value_t = 1, value_parser = whole::<u64>)]
    pub count: u64,
    /// The seed of the first image.
    #[arg(long, default_value_t = 1, value_parser = whole::<u64>)]
    pub seed: u64,
    /// Rows of pixels.
    #[arg(long, default_value_t = 256, value_parser = whole::<usize>)]
    pub height: usize,
    /// Columns of pixels.
    #[arg(long, default_value_t = 256, value_parser = whole::<usize>)]
    pub width: usize,
    /// Cells per image; fewer where they do not fit.
    #[arg(long, default_value_t = 40, value_parser = whole::<usize>)]
    pub cells: usize,
    /// Least and greatest mean radius of a cell, in pixels.
    #[arg(long, num_args = 2, value_names = ["LEAST", "GREATEST"], default_values_t = [7.0, 13.0], value_parser = real)]
    pub radius: Vec<f64>,
    /// How far cells may overlap: 0 (not at all) to 1.
    #[arg(long, default_value_t = 0.35, value_parser = real)]
    pub overlap: f64,
    /// Blur of the microscope: standard deviation in pixels.
    #[arg(long, default_value_t = 1.5, value_parser = real)]
    pub blur: f64,
    /// The light lost in the darkest corner, 0 to 1.
    #[arg(long, default_value_t = 0.6, value_parser = real)]
    pub illumination: f64,
    /// Light added where the haze is thickest, 0 to 1.
    #[arg(long, default_value_t = 0.25, value_parser = real)]
    pub haze: f64,
    /// Photons per pixel at full scale: fewer are noisier.
    #[arg(long, default_value_t = 300.0, value_parser = real)]
    pub photons: f64,
    /// Dark cells on a bright ground.
    #[arg(long)]
    pub bright_background: bool,
    /// A new folder for the images.
    #[arg(long)]
    pub out: PathBuf,
}

#[derive(Args)]
pub struct CellsCommand {
    #[command(subcommand)]
    pub what: CellsWhat,
}

#[derive(Subcommand)]
pub enum CellsWhat {
    /// Fit adhesions, volume and perimeter terms to a stack of labels, with errors, and check the fit by simulation.
    Fit(CellsFit),
    /// Simulate cells from blocks, grown seeds or labels, and write their labels over time.
    Simulate(CellsSimulate),
}

/// Which sites attempt a copy, and when.
#[derive(Clone, Copy, ValueEnum)]
pub enum OrderChoice {
    /// Sites by colours, each once a step: what fits suppose.
    Sublattices,
    /// The classic order: sites drawn at random, one after another.
    RandomSequential,
}

/// How copies of labels are accepted.
#[derive(Clone, Copy, ValueEnum)]
pub enum AcceptanceChoice {
    /// min(1, e^-d).
    Metropolis,
    /// 1 / (1 + e^d).
    HeatBath,
}

/// What of a file of labels is read, and what types its cells have.
#[derive(Args)]
pub struct LabelsChoice {
    /// Which array of an NPZ; `labels`, or the only one, where nobody says.
    #[arg(long)]
    pub array: Option<String>,
    /// Which channel of several, from 0.
    #[arg(long, value_parser = whole::<usize>)]
    pub channel: Option<usize>,
    /// How many slices a time has, where the pictures are of three dimensions; 1 where what the file calls slices are times.
    #[arg(long, value_parser = whole::<usize>)]
    pub depth: Option<usize>,
    /// A table with the columns label and type; types are numbers from 1, or names.
    #[arg(long, value_name = "FILE")]
    pub types: Option<PathBuf>,
    /// The type of a range of labels; may be repeated, and no label has two types.
    #[arg(long = "type-range", value_name = "FROM:TO=TYPE")]
    pub type_ranges: Vec<String>,
}

#[derive(Args)]
#[command(
    after_help = "The cells start as blocks (--blocks, --sides), as seeds grown at random (--grown), both on a lattice of --shape, or as\n\
    labels (--start). Coefficients are in units of T, called as `cells fit` calls them: J01, J11 … by types (0 the medium),\n\
    volume_strength, volume_target, perimeter_strength, perimeter_target, and act_strength, max_act; of all types, or of one\n\
    with its number behind (volume_target2). Beside OUT stands OUT-types.csv, the types of all labels, as `cells fit` reads them.\n\nExamples:\n  \
    glauber cells simulate --shape 64,64 --torus --blocks 7,7 --sides 8,8 --counts 25,24 --set J01=1.6 --set J02=1.6 --set J11=1.4 \\\n      \
    --set J12=1.1 --set J22=0.2 --set volume_strength=0.1 --set volume_target=64 --steps 40 --out movie.tif --film movie.gif\n  \
    glauber cells fit movie.tif --types movie-types.csv --torus --set volume_target=64\n  \
    glauber cells simulate --shape 150,150 --torus --grown 500 --counts 1 --order random-sequential --set J01=1 --set volume_strength=1.5 \\\n      \
    --set volume_target=500 --set perimeter_strength=0.1 --set perimeter_target=260 --set act_strength=10 --set max_act=30 \\\n      \
    --steps 2000 --every 20 --out walker.npz --cells walker.csv\n  \
    glauber cells simulate --start labels.tif --types types.csv --set J01=1 --set J11=0.5 --steps 100 --out after.tif"
)]
pub struct CellsSimulate {
    /// Sites along each axis, (z,) y, x.
    #[arg(long, value_name = "N,N", value_delimiter = ',', value_parser = whole::<usize>)]
    pub shape: Vec<usize>,
    /// Start with so many blocks along each axis, each a cell.
    #[arg(long, value_name = "N,N", value_delimiter = ',', value_parser = whole::<usize>, requires = "sides")]
    pub blocks: Vec<usize>,
    /// The sites of a block along each axis.
    #[arg(long, value_name = "N,N", value_delimiter = ',', value_parser = whole::<usize>, requires = "blocks")]
    pub sides: Vec<usize>,
    /// The first site of the first block; where nobody says, the blocks stand in the middle.
    #[arg(long, value_name = "N,N", value_delimiter = ',', value_parser = whole::<usize>, requires = "blocks")]
    pub begin: Vec<usize>,
    /// Start with seeds at random sites, each grown to so many sites.
    #[arg(long, value_name = "SITES", value_parser = whole::<usize>, conflicts_with = "blocks", requires = "counts")]
    pub grown: Option<usize>,
    /// How many cells are of type 1, of type 2 …, mixed at random; all blocks of type 1 where nobody says.
    #[arg(long, value_name = "N,N", value_delimiter = ',', value_parser = whole::<usize>)]
    pub counts: Vec<usize>,
    /// Start with these labels: a TIFF, a folder of pictures, NPY or NPZ, as `cells fit` reads them, 0 the medium; or a PIF of
    /// CompuCell3D (.pif, .piff), which has types of its own.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["blocks", "grown", "counts", "shape"])]
    pub start: Option<PathBuf>,
    /// Which frame of these labels, from 0.
    #[arg(long, default_value_t = 0, value_parser = whole::<usize>)]
    pub frame: usize,
    #[command(flatten)]
    pub choice: LabelsChoice,
    /// A coefficient's value; may be repeated.
    #[arg(long = "set", value_name = "NAME=VALUE")]
    pub parameters: Vec<String>,
    /// The lattice closes on itself; else there is medium beyond its edges.
    #[arg(long)]
    pub torus: bool,
    /// Which sites attempt a copy, and when.
    #[arg(long, default_value = "sublattices")]
    pub order: OrderChoice,
    /// How copies are accepted.
    #[arg(long, default_value = "metropolis")]
    pub acceptance: AcceptanceChoice,
    /// Copies that would cut a cell are refused.
    #[arg(long)]
    pub connected: bool,
    /// How many steps.
    #[arg(long, default_value_t = 50, value_parser = whole::<u64>)]
    pub steps: u64,
    /// Keep every n-th state, the start's included.
    #[arg(long, default_value_t = 1, value_parser = whole::<u64>)]
    pub every: u64,
    /// The seed of the start and of all steps.
    #[arg(long, default_value_t = 1, value_parser = whole::<u64>)]
    pub seed: u64,
    /// Which realisation from that start.
    #[arg(long, default_value_t = 0, value_parser = whole::<u32>)]
    pub replicate: u32,
    /// How many threads; 0 for all cores. The result does not depend on it.
    #[arg(long, default_value_t = 0, value_parser = whole::<usize>)]
    pub threads: usize,
    /// Keep the run in this file (.npz) while it goes on, from which the same command carries on; removed at the end.
    #[arg(long, value_name = "FILE")]
    pub checkpoint: Option<PathBuf>,
    /// Where the labels go: .tif (pages in the order of time), .npy, or .npz (also the types and times).
    #[arg(long)]
    pub out: PathBuf,
    /// A table of every cell at every state kept: step, id, type, volume, perimeter, centroid (.csv).
    #[arg(long, value_name = "FILE")]
    pub cells: Option<PathBuf>,
    /// A film of the cells in the colours of their types (.gif).
    #[arg(long, value_name = "FILE")]
    pub film: Option<PathBuf>,
    /// A picture of the last state kept (.png).
    #[arg(long, value_name = "FILE")]
    pub picture: Option<PathBuf>,
}

#[derive(Args)]
#[command(
    after_help = "Coefficients are in units of T: J01, J11 … by types (0 the medium), volume_strength, volume_target,\n\
    perimeter_strength, perimeter_target of all types, or of one with its number behind (volume_target2). What is neither\n\
    fitted nor set is found in the frames, and said. Frames should be one Monte Carlo step apart; where they are not, the\n\
    result says so.\n\nExamples:\n  \
    glauber cells fit labels.tif --types types.csv --out sorting\n  \
    glauber cells fit labels.npz --fit J01,J11,volume_strength --set volume_target=280 --frames 0:3\n  \
    glauber cells fit labels.tif --type-range 1:24=1 --type-range 25:49=2 --torus --json\n  \
    glauber cells fit tracks.csv --steps-per-frame 5 --site 0.5 --set J01=1 --set volume_strength=1.5 --set volume_target=500 \\\n      \
    --set perimeter_strength=0.1 --set perimeter_target=260 --range act_strength=1:60 --out act\n\n\
    Tracks of cells' centroids (.csv, .tsv, .txt, .xml) are fitted by a synthetic likelihood of speed, mean squared displacement\n\
    and the velocities' correlation: act_strength and max_act where nobody says otherwise, cells one by one on a torus of --shape."
)]
pub struct CellsFit {
    /// The labels: a TIFF stack, a folder of pictures, NPY or NPZ, \[time, y, x\] or \[time, z, y, x\]; 0 is the medium. Or tracks of
    /// centroids: a table, or TrackMate's XML.
    pub labels: PathBuf,
    #[command(flatten)]
    pub choice: LabelsChoice,
    /// The frames close on themselves; else there is medium beyond their edges.
    #[arg(long)]
    pub torus: bool,
    /// Make one site of blocks of so many along each axis, by the most frequent label.
    #[arg(long, default_value_t = 1, value_parser = whole::<usize>)]
    pub coarsen: usize,
    /// The frames that are fitted, from 0, the last one not; later ones are predicted. All where nobody says.
    #[arg(long, value_name = "FROM:TO")]
    pub frames: Option<String>,
    /// Take every n-th frame.
    #[arg(long, default_value_t = 1, value_parser = whole::<usize>)]
    pub every: usize,
    /// How copies are accepted.
    #[arg(long, default_value = "metropolis")]
    pub acceptance: AcceptanceChoice,
    /// Copies that would cut a cell are refused.
    #[arg(long)]
    pub connected: bool,
    /// What is fitted; every adhesion that occurs, volume_strength and volume_target where nobody says.
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub fit: Vec<String>,
    /// What is known; may be repeated.
    #[arg(long = "set", value_name = "NAME=VALUE")]
    pub fixed: Vec<String>,
    /// How many simulations check the fit of labels; 0 for none \[default: 39\].
    #[arg(long, value_parser = whole::<u32>)]
    pub replicates: Option<u32>,
    /// The seed of these simulations.
    #[arg(long, default_value_t = 1, value_parser = whole::<u64>)]
    pub seed: u64,
    /// The folder for the results; a new one below `out/` where nobody says.
    #[arg(long)]
    pub out: Option<PathBuf>,
    /// How many threads; 0 for all cores. The result does not depend on it.
    #[arg(long, default_value_t = 0, value_parser = whole::<usize>)]
    pub threads: usize,
    /// The frames are no movie but snapshots of tissue at rest, eight or more: fitted so that it does not drift within so many steps
    /// (10 are usual).
    #[arg(long, value_name = "STEPS", value_parser = whole::<u64>)]
    pub snapshots: Option<u64>,
    /// Which sites attempt a copy, and when, where cells are simulated for snapshots \[default: sublattices\] or tracks
    /// \[default: random-sequential\].
    #[arg(long)]
    pub order: Option<OrderChoice>,
    /// Between which numbers an unknown is looked for, of snapshots and tracks; may be repeated.
    #[arg(long = "range", value_name = "NAME=LOW:HIGH")]
    pub ranges: Vec<String>,
    #[command(flatten)]
    pub tracks: CellsTracks,
}

/// What is asked of tracks alone.
#[derive(Args)]
#[command(next_help_heading = "Options of tracks")]
pub struct CellsTracks {
    /// How many Monte Carlo steps there are from frame to frame.
    #[arg(long, value_name = "STEPS", value_parser = whole::<u64>)]
    pub steps_per_frame: Option<u64>,
    /// The length of a site in the tracks' unit; 1 where nobody says.
    #[arg(long, value_name = "LENGTH", value_parser = real)]
    pub site: Option<f64>,
    /// Sites of the simulated lattice along each axis, a torus.
    #[arg(long, value_name = "N,N", value_delimiter = ',', value_parser = whole::<usize>)]
    pub shape: Vec<usize>,
    /// Cells of type 1, of type 2 … on a lattice; 1 where nobody says.
    #[arg(long, value_name = "N,N", value_delimiter = ',', value_parser = whole::<usize>)]
    pub counts: Vec<usize>,
    /// To how many sites a cell is grown at the start; its target volume where nobody says.
    #[arg(long, value_name = "SITES", value_parser = whole::<usize>)]
    pub grown: Option<usize>,
    /// Steps before the first record \[default: 500\].
    #[arg(long, value_name = "STEPS", value_parser = whole::<u64>)]
    pub burn_in: Option<u64>,
    /// Which column holds what: id, time, x, y or z, by its heading or its number from 1; may be repeated.
    #[arg(long = "column", value_name = "WHAT=COLUMN")]
    pub columns: Vec<String>,
    /// The time from frame to frame, where the times do not tell.
    #[arg(long, value_parser = real)]
    pub interval: Option<f64>,
}

#[derive(Args)]
#[command(
    after_help = "The fit file's [priors] (uniform on the intervals where none are given), [posterior] (chains, draws, warm-up,\n\
    sampler), [start] and [run] count; its loss and optimizer do not. Writes posterior.json, draws.csv and fit.toml.\n\nExample:\n  \
    glauber posterior fit.toml --set posterior.draws=4000 --set 'priors.beta=\"beta(2, 5)\"'"
)]
pub struct Posterior {
    /// The fit file.
    pub file: PathBuf,
    /// Replace a value of the fit file, as --set posterior.draws=4000; may be repeated.
    #[arg(long = "set", value_name = "TABLE.KEY=VALUE")]
    pub overrides: Vec<String>,
    /// The seed of all noise; the fit file's where nobody says.
    #[arg(long, value_parser = whole::<u64>)]
    pub seed: Option<u64>,
    /// How many threads; 0 for all cores. The draws do not depend on it.
    #[arg(long, value_parser = whole::<usize>)]
    pub threads: Option<usize>,
    /// The folder for the results; a new one below `out/` where nobody says.
    #[arg(long)]
    pub out: Option<PathBuf>,
}

#[derive(Args)]
#[command(
    after_help = "Along each parameter the highest likelihood over all others; the interval is where it is within \u{3c7}\u{b2} of the\n\
    top. Writes profile.json and profile.csv.\n\nExamples:\n  \
    glauber profile fit.toml\n  glauber profile fit.toml --parameters beta,gamma --level 0.9"
)]
pub struct Profile {
    /// The fit file.
    pub file: PathBuf,
    /// Which parameters; all where nobody says.
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub parameters: Vec<String>,
    /// The level of the intervals; 0.95 where neither this nor the fit file says.
    #[arg(long, value_parser = real)]
    pub level: Option<f64>,
    /// Replace a value of the fit file, as --set start.beta=0.3; may be repeated.
    #[arg(long = "set", value_name = "TABLE.KEY=VALUE")]
    pub overrides: Vec<String>,
    /// How many threads; 0 for all cores. The result does not depend on it.
    #[arg(long, value_parser = whole::<usize>)]
    pub threads: Option<usize>,
    /// The folder for the results; a new one below `out/` where nobody says.
    #[arg(long)]
    pub out: Option<PathBuf>,
}
