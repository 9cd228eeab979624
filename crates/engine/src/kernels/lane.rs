//! Says what kernels compute with: numbers of which vectors can hold small tables.

use glauber_numbers::real::Real;

use crate::kernels::memory::Entries;
use glauber_backend::plane::Stored;

/// What the kernels compute with: a number type of which vectors can hold small tables.
pub trait Lane: Real + Stored {
    /// d = table[index], where vectors can hold the table; whether they could.
    #[cfg(target_arch = "x86_64")]
    #[doc(hidden)]
    fn permute(there: Avx512, d: &mut [Self], table: &Entries<Self>, index: &[i32]) -> bool;
}

/// Proof that AVX-512 is there: made only in code that was compiled for it.
#[cfg(target_arch = "x86_64")]
#[derive(Clone, Copy)]
pub struct Avx512(pub(super) ());
