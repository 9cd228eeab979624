//! Holds the curves of mean squared displacement that come with the program, by name.
//!
//! They are numbers computed from the tracks of T cells, B cells and neutrophils that celltrackR 1.2.2 ships (Wortel
//! et al., ImmunoInformatics 1–2, 100003, 2021; two-photon imaging, one frame every 24 s), by
//! [`mean_squared_displacement`](super::mean_squared_displacement) with 10,000 bootstrap sets from seed 0. The tracks
//! themselves are not part of this project.

use super::curve::MsdCurve;
use crate::{DataError, DataErrorKind};

/// A curve that comes with the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShippedCurve {
    /// The name it is asked for by.
    pub name: &'static str,
    /// What it is, in a few words.
    pub about: &'static str,
    /// The text of its file.
    pub csv: &'static str,
}

/// The curves that come with the program.
pub const SHIPPED_CURVES: [ShippedCurve; 3] = [
    ShippedCurve {
        name: "t-cells",
        about: "T cells, 199 tracks",
        csv: include_str!("../../data/msd-t-cells.csv"),
    },
    ShippedCurve {
        name: "b-cells",
        about: "B cells, 74 tracks",
        csv: include_str!("../../data/msd-b-cells.csv"),
    },
    ShippedCurve {
        name: "neutrophils",
        about: "neutrophils, 411 tracks",
        csv: include_str!("../../data/msd-neutrophils.csv"),
    },
];

/// A curve that comes with the program, by its name.
///
/// # Errors
/// If there is no curve of that name.
pub fn shipped_curve(name: &str) -> Result<MsdCurve, DataError> {
    match SHIPPED_CURVES.iter().find(|c| c.name == name) {
        Some(curve) => MsdCurve::from_csv(curve.csv, name),
        None => {
            let names: Vec<_> = SHIPPED_CURVES.iter().map(|c| c.name).collect();
            let remedy = format!("there are {}", names.join(", "));
            Err(DataError::new(
                DataErrorKind::Missing,
                name,
                "is no curve that comes with the program",
                remedy,
            ))
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn every_shipped_curve_is_whole() {
        for shipped in SHIPPED_CURVES {
            let curve = shipped_curve(shipped.name).unwrap();
            assert_eq!(
                curve.points().iter().map(|p| p.lag).collect::<Vec<_>>(),
                (1..=10).collect::<Vec<_>>()
            );
            assert!(curve.points().iter().all(|p| p.standard_error.is_some() && p.sub_tracks.is_some()));
            assert!(curve.points().windows(2).all(|w| w[0].value < w[1].value));
            assert_eq!((curve.interval(), curve.units().length.as_deref()), (24.0, Some("µm")));
            assert!(curve.comments().iter().any(|n| n.contains("Wortel")), "{:?}", curve.comments());
            assert_eq!(curve.to_csv(), shipped.csv);
        }
    }

    #[test]
    fn unknown_names_list_what_there_is() {
        let error = shipped_curve("t-cell").unwrap_err();
        assert!(error.to_string().contains("there are t-cells, b-cells, neutrophils"), "{error}");
    }
}
