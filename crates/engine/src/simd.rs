//! Chooses the vector instructions the kernels run with; the results are the same bits with any of them.

use std::sync::OnceLock;

/// A set of vector instructions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Simd {
    /// What every machine of this architecture has.
    Plain,
    /// 256-bit vectors (x86-64 with AVX2).
    Avx2,
    /// 512-bit vectors (x86-64 with AVX-512 F, BW, DQ and VL).
    Avx512,
}

impl Simd {
    /// All sets that this machine can run, the widest last.
    pub fn available() -> Vec<Simd> {
        let mut sets = vec![Simd::Plain];
        #[cfg(target_arch = "x86_64")]
        {
            if std::arch::is_x86_feature_detected!("avx2") {
                sets.push(Simd::Avx2);
            }
            if std::arch::is_x86_feature_detected!("avx512f")
                && std::arch::is_x86_feature_detected!("avx512bw")
                && std::arch::is_x86_feature_detected!("avx512dq")
                && std::arch::is_x86_feature_detected!("avx512vl")
            {
                sets.push(Simd::Avx512);
            }
        }
        sets
    }

    /// This set where the machine can run it, else the widest narrower one.
    pub(crate) fn supported(self) -> Simd {
        Simd::available().into_iter().rfind(|s| *s <= self).unwrap_or(Simd::Plain)
    }

    /// The widest set this machine can run, or the one named by the environment variable `GLAUBER_SIMD`
    /// (`plain`, `avx2` or `avx512`) where the machine has it.
    pub fn widest() -> Simd {
        static WIDEST: OnceLock<Simd> = OnceLock::new();
        *WIDEST.get_or_init(|| {
            let sets = Simd::available();
            let wanted = match std::env::var("GLAUBER_SIMD").as_deref() {
                Ok("plain") => Some(Simd::Plain),
                Ok("avx2") => Some(Simd::Avx2),
                Ok("avx512") => Some(Simd::Avx512),
                _ => None,
            };
            wanted.filter(|w| sets.contains(w)).or(sets.last().copied()).unwrap_or(Simd::Plain)
        })
    }
}
