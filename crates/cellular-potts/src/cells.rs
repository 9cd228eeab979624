//! Holds which site belongs to which cell, and the type of every cell, checked once.

use glauber_lattice::{Boundary, Lattice};

/// The most cells of one configuration.
pub const MOST_CELLS: usize = (1 << 24) - 2;

/// What is wrong with a configuration of cells.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum CellsError {
    /// A lattice of one axis.
    #[error("cells live on lattices of 2 or 3 axes, this one has {0}")]
    Axes(usize),
    /// A boundary that has no meaning for labels.
    #[error("a lattice of cells is periodic, or fixed at 0 (medium beyond its edge), not {0}")]
    Boundary(Boundary),
    /// A torus so narrow that a site is its own neighbour, or another's twice.
    #[error(
        "axis {axis} is periodic and {length} sites long: neighbours would be seen twice; it must be 3 or longer"
    )]
    Narrow {
        /// Which axis, counted as in the shape.
        axis: usize,
        /// Its length.
        length: usize,
    },
    /// Labels that do not fill the lattice.
    #[error("{found} labels for the {sites} sites of the lattice ({lattice})")]
    Length {
        /// Labels given.
        found: usize,
        /// Sites of the lattice.
        sites: usize,
        /// The lattice, in words.
        lattice: String,
    },
    /// A label without a type.
    #[error(
        "site {site} (counted from 0) has label {label}, but types are given for labels 0 to {last} only: declare a type \
         for every label"
    )]
    Undeclared {
        /// The first such site.
        site: usize,
        /// Its label.
        label: u32,
        /// The last label that has a type.
        last: usize,
    },
    /// The first type is not the medium's.
    #[error("types begin with the medium's, which is 0 (label 0 is the medium); found {0:?}")]
    Medium(Option<u8>),
    /// A cell of the medium's type.
    #[error("cell {0} has type 0, which is the medium's: cells have types from 1 on")]
    Typeless(usize),
    /// More cells than labels that fit.
    #[error("{0} cells; at most {MOST_CELLS} can be told apart")]
    TooMany(usize),
}

/// Labels on a lattice, and the type of every cell.
///
/// ```
/// use glauber_cellular_potts::Cells;
/// use glauber_lattice::Lattice;
/// let lattice = Lattice::new(&[3, 4])?;
/// let cells = Cells::new(lattice, vec![0, 1, 1, 0, 0, 1, 2, 2, 0, 0, 2, 2], vec![0, 1, 2])?;
/// assert_eq!((cells.count(), cells.type_of(2)), (2, 2));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Cells {
    lattice: Lattice,
    labels: Vec<u32>,
    types: Vec<u8>,
}

impl Cells {
    /// Cells on a lattice of 2 or 3 axes, periodic or with medium beyond fixed edges. `labels` in site order, 0 the medium;
    /// `types` by label, `types[0]` = 0. Labels that no site has are cells that have vanished.
    ///
    /// # Errors
    /// [`CellsError`] with what does not fit.
    pub fn new(lattice: Lattice, labels: Vec<u32>, types: Vec<u8>) -> Result<Cells, CellsError> {
        check_lattice(&lattice)?;
        if labels.len() != lattice.sites() {
            let (found, sites) = (labels.len(), lattice.sites());
            return Err(CellsError::Length { found, sites, lattice: lattice.to_string() });
        }
        if types.first() != Some(&0) {
            return Err(CellsError::Medium(types.first().copied()));
        }
        if let Some(cell) = types.iter().skip(1).position(|&t| t == 0) {
            return Err(CellsError::Typeless(cell + 1));
        }
        if types.len() - 1 > MOST_CELLS {
            return Err(CellsError::TooMany(types.len() - 1));
        }
        if let Some(site) = labels.iter().position(|&label| label as usize >= types.len()) {
            let (label, last) = (labels[site], types.len() - 1);
            return Err(CellsError::Undeclared { site, label, last });
        }
        Ok(Cells { lattice, labels, types })
    }

    /// The same cells with other labels, which are known to fit.
    pub(crate) fn with_labels(&self, labels: Vec<u32>) -> Cells {
        Cells { lattice: self.lattice.clone(), labels, types: self.types.clone() }
    }

    /// The lattice.
    pub fn lattice(&self) -> &Lattice {
        &self.lattice
    }

    /// The labels in site order; 0 is the medium.
    pub fn labels(&self) -> &[u32] {
        &self.labels
    }

    /// The types by label; the first is the medium's, 0.
    pub fn types(&self) -> &[u8] {
        &self.types
    }

    /// The type of a label; 0 for the medium and for labels that are not declared.
    pub fn type_of(&self, label: u32) -> u8 {
        self.types.get(label as usize).copied().unwrap_or(0)
    }

    /// How many cells are declared, the medium not counted; some may have no site.
    pub fn count(&self) -> usize {
        self.types.len() - 1
    }

    /// The sites of every label, the medium's first.
    pub fn volumes(&self) -> Vec<u32> {
        let mut volumes = vec![0; self.types.len()];
        for &label in &self.labels {
            volumes[label as usize] += 1;
        }
        volumes
    }
}

/// Whether cells can live on this lattice.
fn check_lattice(lattice: &Lattice) -> Result<(), CellsError> {
    if lattice.dimensions() < 2 {
        return Err(CellsError::Axes(lattice.dimensions()));
    }
    let boundaries = lattice.boundaries();
    for (axis, &length) in lattice.shape().iter().enumerate() {
        match boundaries[axis + 3 - lattice.dimensions()] {
            Boundary::Periodic if length < 3 => return Err(CellsError::Narrow { axis, length }),
            Boundary::Periodic => {}
            Boundary::Fixed(value) if value.to_bits() << 1 == 0 => {}
            other => return Err(CellsError::Boundary(other)),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_said() {
        let square = || Lattice::square(3);
        let error =
            |lattice, labels: Vec<u32>, types: Vec<u8>| Cells::new(lattice, labels, types).unwrap_err();
        assert_eq!(error(Lattice::line(9), vec![0; 9], vec![0]), CellsError::Axes(1));
        assert!(matches!(error(square().reflecting(), vec![0; 9], vec![0]), CellsError::Boundary(_)));
        assert!(matches!(error(square().fixed(1.0), vec![0; 9], vec![0]), CellsError::Boundary(_)));
        assert_eq!(error(Lattice::square(2), vec![0; 4], vec![0]), CellsError::Narrow { axis: 0, length: 2 });
        assert!(matches!(
            error(square(), vec![0; 8], vec![0]),
            CellsError::Length { found: 8, sites: 9, .. }
        ));
        assert_eq!(error(square(), vec![0; 9], vec![]), CellsError::Medium(None));
        assert_eq!(error(square(), vec![0; 9], vec![1]), CellsError::Medium(Some(1)));
        assert_eq!(error(square(), vec![0; 9], vec![0, 1, 0]), CellsError::Typeless(2));
        let mut labels = vec![0; 9];
        labels[4] = 2;
        let undeclared = CellsError::Undeclared { site: 4, label: 2, last: 1 };
        assert_eq!(error(square(), labels, vec![0, 1]), undeclared);
        assert!(Cells::new(Lattice::square(2).fixed(0.0), vec![0, 1, 1, 0], vec![0, 1]).is_ok());
    }
}
