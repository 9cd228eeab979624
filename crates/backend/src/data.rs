//! Carries numbers per site into a run: starts, covariates, observations.

use std::sync::Arc;

/// Numbers of one or several fields, dense in site order.
#[derive(Clone, Debug, PartialEq)]
pub enum Numbers {
    /// Small whole numbers.
    Bytes(Vec<u8>),
    /// Any numbers.
    Reals(Vec<f64>),
}

impl Numbers {
    /// How many there are.
    pub fn len(&self) -> usize {
        match self {
            Numbers::Bytes(v) => v.len(),
            Numbers::Reals(v) => v.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The number at a place.
    pub fn at(&self, place: usize) -> f64 {
        match self {
            Numbers::Bytes(v) => f64::from(v[place]),
            Numbers::Reals(v) => v[place],
        }
    }
}

/// One field for all replicates, or a choice of fields with one for each.
///
/// ```
/// use glauber_backend::FieldData;
/// let fuel = FieldData::shared(vec![0.5; 16]);
/// let starts = FieldData::picked(vec![0u8; 3 * 16], vec![2, 0, 2, 1]); // four replicates, three states
/// assert_eq!(starts.picks(), Some(&[2, 0, 2, 1][..]));
/// # let _ = fuel;
/// ```
#[derive(Clone, Debug)]
pub struct FieldData {
    pub(crate) numbers: Arc<Numbers>,
    picks: Option<Arc<Vec<u32>>>,
}

impl From<Vec<u8>> for Numbers {
    fn from(v: Vec<u8>) -> Numbers {
        Numbers::Bytes(v)
    }
}

impl From<Vec<f64>> for Numbers {
    fn from(v: Vec<f64>) -> Numbers {
        Numbers::Reals(v)
    }
}

impl FieldData {
    /// The same field for every replicate: one number per site.
    pub fn shared(numbers: impl Into<Numbers>) -> FieldData {
        FieldData { numbers: Arc::new(numbers.into()), picks: None }
    }

    /// Several fields one after another, and for each replicate which of them it has.
    pub fn picked(numbers: impl Into<Numbers>, picks: Vec<u32>) -> FieldData {
        FieldData { numbers: Arc::new(numbers.into()), picks: Some(Arc::new(picks)) }
    }

    /// Numbers that are shared with others, and perhaps a choice for the replicates.
    pub fn from_parts(numbers: Arc<Numbers>, picks: Option<Arc<Vec<u32>>>) -> FieldData {
        FieldData { numbers, picks }
    }

    /// The same fields with another choice for the replicates; the numbers are shared, not copied.
    pub fn pick(&self, picks: Arc<Vec<u32>>) -> FieldData {
        FieldData { numbers: self.numbers.clone(), picks: Some(picks) }
    }

    /// Which field each replicate has; nothing where all have the same.
    pub fn picks(&self) -> Option<&[u32]> {
        self.picks.as_ref().map(|p| p.as_slice())
    }

    /// The numbers, shared.
    pub fn shared_numbers(&self) -> &Arc<Numbers> {
        &self.numbers
    }

    /// The choice for the replicates, shared.
    pub fn shared_picks(&self) -> Option<&Arc<Vec<u32>>> {
        self.picks.as_ref()
    }

    /// The numbers.
    pub fn numbers(&self) -> &Numbers {
        &self.numbers
    }

    /// Where the numbers of a replicate begin, each field having so many sites.
    pub fn place(&self, replicate: usize, sites: usize) -> usize {
        self.picks.as_ref().map_or(0, |p| p[replicate] as usize * sites)
    }
}
