//! Names settings that suit a kind of image: the paper's two, and what to take for an image nobody has seen.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::SegmentationError;
use super::classes::{ClassStatistics, ClassWindows};
use super::descent::{Descent, Rest};
use super::potts::PottsWeights;
use super::reference::{Polarity, Preparation, Smoothing};
use super::segment::{Settings, Start};
use crate::spelling::suggestion;

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
