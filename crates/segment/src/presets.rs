//! Names settings that suit a kind of image: the paper's two, and what to take for an image nobody has seen.
//!
//! *Seadragon* and *cells* are the paper's weights and numbers of steps; the start, rate 0.01 and threshold 0
//! are those that reproduce its curves (Schering, Keemink and Textor 2023). Dice on its two images, with
//! changes one at a time:
//!
//! | settings                                                     | seadragon     | cells         |
//! |--------------------------------------------------------------|---------------|---------------|
//! | the paper's                                                  | 0.847 at 300  | 0.954 at 100  |
//! | … at its best step, which needs the truth to be known        | 0.855 at 145  | 0.961 at 25   |
//! | … stopped at rest ([`Rest`]: share 3·10⁻⁴, patience 5)       | 0.852 at 95   | 0.960 at 32   |
//! | … rate 0.05 and a fifth of the steps                         | 0.848 at 60   | 0.954 at 20   |
//! | … threshold ½                                                | 0.861 at 300  | 0.962 at 100  |
//! | auto                                                         | 0.852 at 100  | 0.970 at 49   |
//! | auto, not flattened                                          | 0.869 at 100  | 0.970 at 49   |
//! | auto, λb = λc = 0.1                                          | 0.860 at 100  | 0.966 at 36   |
//! | Otsu's threshold                                             | 0.821         | 0.957         |
//!
//! *Auto* drops the paper's field and data terms, whose balance depends on how much of the image is
//! foreground, for class statistics in windows; it flattens the light, smooths noisy images once, finds the
//! polarity, starts from Otsu's mask of the flattened image and stops at rest. Its numbers were chosen on
//! synthetic cells (seeds 0 and 1 of ten kinds) with an eye on the two images; on the default cells of seeds
//! 1000–1019 it reaches a mean Dice of 0.969 (Otsu 0.874), on dim, noisy cells under steep light 0.953
//! (Otsu 0.499).
//!
//! Where auto fails: objects that cover more than about 60 % of the image (say the polarity), several
//! backgrounds with sharp borders, objects told from the ground by texture or colour rather than by grey
//! value, and objects blurred over more than some 10 pixels, whose outline it puts too far out.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::SegmentationError;
use super::classes::{ClassStatistics, ClassWindows};
use super::descent::{Descent, Rest};
use super::potts::PottsWeights;
use super::reference::{Polarity, Preparation, Smoothing};
use super::segment::{Settings, Start};
use glauber_files::spelling::suggestion;

/// A named choice of settings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Preset {
    /// The paper's weights and steps for its natural image.
    Seadragon,
    /// The paper's weights and steps for its cells.
    Cells,
    /// For an unknown image: uneven light, either polarity, any size of object above a few pixels.
    #[default]
    Auto,
}

impl Preset {
    /// Every preset, the paper's first.
    pub const ALL: [Preset; 3] = [Preset::Seadragon, Preset::Cells, Preset::Auto];

    /// The name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Preset::Seadragon => "seadragon",
            Preset::Cells => "cells",
            Preset::Auto => "auto",
        }
    }

    /// What the name stands for.
    pub fn settings(self) -> Settings {
        match self {
            Preset::Seadragon => paper([0.6, 0.05, 0.15, 0.5], 300),
            Preset::Cells => paper([0.6, 0.05, 0.3, 0.8], 100),
            Preset::Auto => auto(),
        }
    }
}

fn paper([field, inside, outside, data]: [f64; 4], steps: u64) -> Settings {
    Settings {
        weights: PottsWeights { field, inside, outside, data, classes: 0.0 },
        descent: Descent { steps, ..Descent::default() },
        ..Settings::default()
    }
}

/// Class statistics in windows on a flattened image, smoothness by the Potts terms, until rest.
fn auto() -> Settings {
    Settings {
        preparation: Preparation {
            polarity: Polarity::Detect,
            flatten: Some(2),
            smoothing: Smoothing::WhereNoisy,
        },
        start: Start::Otsu,
        weights: PottsWeights { inside: 0.05, outside: 0.05, classes: 1.0, ..PottsWeights::default() },
        classes: ClassStatistics {
            windows: Some(ClassWindows { foreground: 12, background: 64 }),
            balance: 0.4,
            least_contrast: 0.5,
            every: 2,
        },
        descent: Descent {
            rate: 0.4,
            steps: 100,
            threshold: 0.5,
            rest: Some(Rest { share: 1e-4, patience: 10 }),
            record_every: 5,
        },
        ..Settings::default()
    }
}

impl fmt::Display for Preset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Preset {
    type Err = SegmentationError;

    fn from_str(name: &str) -> Result<Preset, SegmentationError> {
        Preset::ALL.into_iter().find(|preset| preset.name() == name).ok_or_else(|| {
            SegmentationError::Preset {
                found: name.to_owned(),
                suggestion: suggestion(name, Preset::ALL.map(Preset::name)),
            }
        })
    }
}
