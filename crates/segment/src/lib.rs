//! Segments images: fits the grey image itself as a field of unknowns under the two-class Potts energy.
//!
//! The modules in the order data flows:
//!
//! - `grey` holds images and masks, checked once;
//! - `reference` turns an image into what the data term pulls towards, `flatten` takes uneven light away on
//!   the way;
//! - [`potts`] is the energy and nothing else; [`plain`] is its slow, obvious double, for tests;
//! - `classes` lets pixels vote for a class by local grey statistics (Chan–Vese);
//! - `descent` goes downhill and keeps the course; `segment` does all of it for one image; `presets` names
//!   settings;
//! - `objective` offers the energy to every optimizer of this crate;
//! - `scores`, `otsu` and `components` judge a mask, are its baseline, and tell its objects apart.

mod error;
mod grey;

mod flatten;
mod reference;

mod number;
mod stencil;

pub mod plain;
pub mod potts;

mod classes;
mod descent;
mod objective;
mod presets;
mod segment;

mod components;
mod otsu;
mod scores;

// Images whose mask is known.
pub mod synthetic_cells;

pub use classes::{ClassMeans, ClassStatistics, ClassWindows};
pub use components::{Connectivity, Objects, label_objects};
pub use descent::{Descent, DescentEnd, Moment, Rest};
pub use error::{MOST_PIXELS, SegmentationError};
pub use flatten::GREATEST_DEGREE;
pub use grey::{GreyImage, Mask};
pub use number::Number;
pub use objective::PottsObjective;
pub use otsu::{BINS_8_BIT, BINS_16_BIT, otsu_mask, otsu_threshold};
pub use potts::{DataTerm, PottsEnergy, PottsTerms, PottsWeights};
pub use presets::Preset;
pub use reference::{Polarity, Preparation, Reference, Smoothing, prepare};
pub use scores::Scores;
pub use segment::{Precision, Segmentation, Settings, Start, segment};
