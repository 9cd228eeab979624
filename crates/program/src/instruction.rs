//! Holds one instruction with what is known of its value.

use serde::{Deserialize, Serialize};

use crate::domain::Domain;
use crate::op::{Op, Rank};

/// One instruction with what is known of its value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Instruction {
    /// What it does.
    pub op: Op,
    /// How many numbers it makes.
    pub rank: Rank,
    /// Where they lie.
    pub domain: Domain,
}
