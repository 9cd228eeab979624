//! Says how the catalogue's lattices start: with one site in the centre, or with sites drawn at random.

use glauber_program::{Expr, Scope};

use crate::options::{CatalogueError, OptionReader};

/// How some sites are unlike the others at the start.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Seeds {
    /// The central site alone.
    Centre,
    /// Each site with this probability.
    Random(f64),
}

impl Seeds {
    /// The options `start` (`centre` or `random`, the first of `kinds` if not given) and `density` (for `random`).
    pub fn read(
        options: &mut OptionReader<'_>,
        kinds: &[&'static str],
        density: f64,
    ) -> Result<Seeds, CatalogueError> {
        let kind = options.choice("start", kinds)?;
        let density = options.number("density", density, 0.0, 1.0)?;
        Ok(if kind == "centre" { Seeds::Centre } else { Seeds::Random(density) })
    }

    /// 1 at the seeds, 0 elsewhere: drawn afresh at each call.
    pub fn sites(self, s: &Scope, shape: &[usize]) -> Expr {
        match self {
            Seeds::Centre => centre(s, shape),
            Seeds::Random(density) => s.bernoulli(density),
        }
    }
}

/// 1 at the central site, 0 elsewhere.
pub fn centre(s: &Scope, shape: &[usize]) -> Expr {
    let here = shape.iter().enumerate().map(|(axis, length)| s.coordinate(axis).equals((length / 2) as f64));
    here.fold(s.number(1.0), |all, axis| all * axis)
}
