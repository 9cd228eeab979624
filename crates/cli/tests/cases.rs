//! Walks a folder of files as people really have them, where it is there: every command gives the right value, or an
//! error or note that says what is the matter.
//!
//! The folder is `GLAUBER_CASES`, or `shared/cases` beside the checkout. A case is one line of [`CASES`].
#![allow(clippy::unwrap_used, clippy::print_stderr)]

use std::path::{Path, PathBuf};
use std::process::Command;

use glauber::data::arrays::{ReadLimits, read_arrays};

/// What is right.
#[derive(Clone, Copy)]
enum Right {
    /// Exit code 2, and all of these words; `a|b` is one of several.
    Refused(&'static [&'static str]),
    /// Exit code 0, and all of these words.
    Runs(&'static [&'static str]),
    /// All of these words, in whatever is said.
    Noted(&'static [&'static str]),
    /// Exit code 0, and this parameter near this value.
    Fitted(&'static str, f64, f64),
    /// Exit code 0, and the mean squared displacement of the first line to 1 %.
    FirstLag(f64),
    /// Exit code 0, and so many sites on in the first state of `o.npz`.
    Alive(u32),
    /// Any result or refusal that is no panic.
    NoPanic,
    /// One of several.
    Either(&'static [Right]),
}
use Right::{Alive, Either, FirstLag, Fitted, NoPanic, Noted, Refused, Runs};

/// The folder, the command, and what is right.
const CASES: &[(&str, &str, Right)] = &[
    ("columns-not-said", "tracks both.csv --bootstrap 0 --lags 2", Noted(&["x_um", "columns "])),
    (
        "covariate-start-of-0-and-1",
        "simulate life.toml --steps 1 --out o.npz",
        Either(&[Alive(908), Refused(&["1"])]),
    ),
    (
        "covariate-start-of-0-and-1",
        "simulate life.toml --covariate init=gun-255.png --steps 1 --out o.npz",
        Alive(908),
    ),
    ("crash-tiled-planar-tiff", "segment rgb.tif --quiet --out o", Either(&[Runs(&["pixels"]), NoPanic])),
    ("folder-channels-as-time", "fit si.toml --quiet --out o --set data.states=leica", BETA_OR_LEICA),
    (
        "folder-channels-as-time",
        "fit si.toml --quiet --out o --set data.states=leica --set data.channel=0",
        Fitted("beta", 0.305, 0.03),
    ),
    ("headless-artistoo", "tracks artistoo.txt --bootstrap 0 --lags 2", Refused(&["header", "--column id="])),
    (
        "headless-artistoo",
        "tracks artistoo.txt --bootstrap 0 --lags 2 --column id=2 --column time=1 --column x=4 --column y=5",
        FirstLag(1.9384),
    ),
    (
        "headless-six-columns",
        "tracks t-cells.txt --bootstrap 0",
        Refused(&["header", "--column id=N --column time=N"]),
    ),
    (
        "headless-six-columns",
        "tracks t-cells.csv --bootstrap 0 --lags 3",
        Refused(&["header", "--column id="]),
    ),
    (
        "headless-six-columns",
        "tracks t-cells.csv --bootstrap 0 --lags 3 --column id=2 --column time=3 --column x=4 --column y=5 --column z=6",
        FirstLag(29.0696),
    ),
    (
        "headless-six-columns",
        "tracks t-cells.txt --bootstrap 0 --lags 3 --column id=2 --column time=3 --column x=4 --column y=5 --column z=6",
        FirstLag(29.0696),
    ),
    (
        "masks-of-0-and-1",
        "fit ising.toml --quiet --out o --set data.states=255.tif",
        Fitted("beta", 0.351, 0.02),
    ),
    ("masks-of-0-and-1", "fit ising.toml --quiet --out o --set data.states=01.tif", MASK),
    ("masks-of-0-and-1", "fit ising.toml --quiet --out o --set data.states=float01.tif", MASK),
    (
        "masks-of-0-and-1-start",
        "fit state.toml --quiet --out o --set data.states=late-01.png",
        Either(&[Noted(&["16, 16"]), Refused(&["threshold"])]),
    ),
    (
        "notes-dropped-by-fit",
        "fit voter.toml --quiet --out o --set data.states=gaps",
        Either(&[Fitted("noise", 0.05, 0.02), Noted(&["missing|gap"])]),
    ),
    (
        "ragged-decimal-comma",
        "tracks comma.csv --bootstrap 0 --lags 2",
        Refused(&["line 2", "6 fields", "decimal comma"]),
    ),
    ("refused-frames-of-five", "tracks every5.csv --bootstrap 0", Runs(&["5 frames"])),
    ("refused-frames-of-five", "tracks every5.csv --bootstrap 0 --lags 1", Runs(&["5 frames"])),
    ("refused-imaris", "tracks imaris_Position.csv --bootstrap 0", Runs(&["um", "above the header"])),
    (
        "refused-jitter",
        "tracks jitter.csv --bootstrap 0",
        Refused(&["--interval 30|--interval 29.|--interval 30."]),
    ),
    ("refused-jitter", "tracks jitter.csv --bootstrap 0 --interval 30", Runs(&["deviate"])),
    ("refused-tab-decimal-comma", "tracks tabs.txt --bootstrap 0", Runs(&["decimal comma"])),
    (
        "stack-axes-as-time",
        "fit si.toml --quiet --out o --set data.states=time.tif",
        Fitted("beta", 0.305, 0.02),
    ),
    (
        "stack-axes-as-time",
        "fit si.toml --quiet --out o --set data.states=imagej-2-slices-13-frames.tif",
        Either(&[Fitted("beta", 0.305, 0.03), Refused(&["slice"])]),
    ),
    (
        "stack-axes-as-time",
        "fit si.toml --quiet --out o --set data.states=2-channels-13-frames.ome.tif",
        Either(&[Fitted("beta", 0.305, 0.03), Refused(&["channel"])]),
    ),
    (
        "stack-axes-as-time",
        "fit si.toml --quiet --out o --set data.states=imagej-2-slices-13-frames.tif --set data.slice=0",
        Fitted("beta", 0.305, 0.03),
    ),
    (
        "stack-axes-as-time",
        "fit si.toml --quiet --out o --set data.states=2-channels-13-frames.ome.tif --set data.channel=0",
        Fitted("beta", 0.305, 0.03),
    ),
    (
        "states-inverted",
        "fit flip.toml --quiet --out o --set data.states=bool-by-tifffile.tif",
        Either(&[Fitted("gain", 0.05, 0.03), Noted(&["invert"])]),
    ),
    (
        "tiny-numbers-print-as-0",
        "tracks metres.csv --bootstrap 50 --lags 3",
        Runs(&["e-12|e-11", "e-13|e-12"]),
    ),
    (
        "truth-inverted-or-lost",
        "segment image.png --truth mask-255.png --quiet --out o",
        Noted(&["0.96|0.97"]),
    ),
    (
        "truth-inverted-or-lost",
        "segment image.png --truth bool-by-tifffile.tif --quiet --out o",
        Noted(&["0.96|0.97|invert"]),
    ),
    (
        "truth-inverted-or-lost",
        "segment image.png --truth labels-voc-palette.png --quiet --out o",
        Noted(&["0.96|0.97|palette"]),
    ),
    ("windows-paths", "fit users.toml --quiet --out o", Refused(&["backslash", "single quotes"])),
    ("windows-paths", "fit temp.toml --quiet --out o", Refused(&["backslash", "single quotes"])),
    ("wrong-remedy", "fit si.toml --quiet --out o --set data.states=RUNS.NPZ", Runs(&["beta"])),
    ("wrong-remedy", "fit si.toml --quiet --out o --set data.states=runs.mat", Refused(&["NPY|NPZ"])),
    (
        "wrong-remedy",
        "fit si.toml --quiet --out o --set data.states=grid.csv",
        Either(&[Refused(&["NPY|NPZ"]), Runs(&["beta"])]),
    ),
    ("zstd-remedy", "segment zstd.tif --quiet --out o", Either(&[Runs(&[]), Refused(&["LZW|Deflate"])])),
];

const BETA_OR_LEICA: Right = Either(&[Fitted("beta", 0.305, 0.03), Refused(&["leica"])]);
const MASK: Right = Either(&[Fitted("beta", 0.351, 0.02), Refused(&["threshold"])]);

/// Files that hold the same heights, of which those with a scale of their own may be refused.
const HEIGHTS: (&str, &[&str]) = ("heights-of-16-bit-tiff", &["dem.npy", "dem-f32.tif", "dem-u16.tif"]);

/// What a command ended with.
struct Ended {
    code: Option<i32>,
    text: String,
    folder: PathBuf,
}

impl Ended {
    fn has(&self, words: &[&str]) -> bool {
        let text = self.text.to_lowercase();
        words.iter().all(|word| word.split('|').any(|one| text.contains(&one.to_lowercase())))
    }

    /// The number after `NAME =`.
    fn fitted(&self, name: &str) -> Option<f64> {
        let (_, after) = self.text.split_once(&format!("{name} = "))?;
        after.split([' ', '\n']).next()?.parse().ok()
    }

    /// The mean squared displacement at the first lag.
    fn first_lag(&self) -> Option<f64> {
        let fields = self.text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
        fields.filter(|f| f.first() == Some(&"1") && f.len() >= 4).find_map(|f| f[2].parse().ok())
    }

    fn alive(&self) -> Option<u32> {
        let arrays = read_arrays(self.folder.join("o.npz"), ReadLimits::default()).ok()?;
        let (_, states) = arrays.iter().find(|(name, _)| name != "times")?;
        let first = states.outer(&[0, 0])?;
        Some(first.to_f64().iter().sum::<f64>() as u32)
    }

    fn is(&self, right: Right) -> bool {
        let done = self.code == Some(0);
        match right {
            Refused(words) => self.code == Some(2) && self.has(words),
            Runs(words) => done && self.has(words),
            Noted(words) => self.has(words),
            Fitted(name, value, within) => {
                done && self.fitted(name).is_some_and(|x| (x - value).abs() <= within)
            }
            FirstLag(value) => done && self.first_lag().is_some_and(|x| (x / value - 1.0).abs() < 0.01),
            Alive(count) => done && self.alive() == Some(count),
            NoPanic => (done || self.code == Some(2)) && !self.text.contains("panicked"),
            Either(all) => all.iter().any(|one| self.is(*one)),
        }
    }
}

fn cases() -> Option<PathBuf> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/cases");
    let folder = std::env::var_os("GLAUBER_CASES").map_or_else(beside, PathBuf::from);
    if !folder.is_dir() {
        eprintln!("SKIPPED: no folder of cases; set GLAUBER_CASES to one");
        return None;
    }
    Some(folder)
}

/// Copies a folder's files and folders into another.
fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &target);
        } else {
            std::fs::copy(&path, &target).unwrap();
        }
    }
}

fn run(folder: &Path, command: &str) -> Ended {
    let arguments = command.split_whitespace();
    let output =
        Command::new(env!("CARGO_BIN_EXE_glauber")).args(arguments).current_dir(folder).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    Ended { code: output.status.code(), text: text.into_owned(), folder: folder.to_owned() }
}

#[test]
fn every_case_is_right() {
    let Some(folder) = cases() else { return };
    let mut wrong = Vec::new();
    for (case, command, right) in CASES {
        if !folder.join(case).is_dir() {
            eprintln!("SKIPPED: no case {case}");
            continue;
        }
        let working = tempfile::tempdir().unwrap();
        copy(&folder.join(case), working.path());
        let ended = run(working.path(), command);
        if !ended.is(*right) {
            wrong.push(format!("{case}: glauber {command}: exit code {:?}\n{}", ended.code, ended.text));
        }
    }
    assert!(wrong.is_empty(), "{} cases are wrong:\n{}", wrong.len(), wrong.join("\n\n"));
}

#[test]
fn the_same_heights_give_the_same_fire_from_every_file() {
    let Some(folder) = cases().map(|cases| cases.join(HEIGHTS.0)).filter(|folder| folder.is_dir()) else {
        return;
    };
    let mut fires = Vec::new();
    for file in HEIGHTS.1 {
        let working = tempfile::tempdir().unwrap();
        copy(&folder, working.path());
        let ended = run(
            working.path(),
            &format!(
                "simulate forest-fire --option shape=[53,67] --set slope_effect=1.5 --set spread=0.3 --set burnout=0.2 \
                 --steps 15 --replicates 8 --covariate elevation={file} --out o.npz"
            ),
        );
        if ended.is(Refused(&["scale|65535|16"])) {
            continue;
        }
        assert_eq!(ended.code, Some(0), "{file}: {}", ended.text);
        fires.push(read_arrays(working.path().join("o.npz"), ReadLimits::default()).unwrap());
    }
    assert!(!fires.is_empty());
    assert!(fires.iter().all(|fire| *fire == fires[0]), "the same heights burn differently");
}
