//! Chooses the vector instructions the kernels run with; the results are the same bits with any of them.

use std::sync::OnceLock;

use crate::error::EngineError;

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
    pub fn supported(self) -> Simd {
        Simd::available().into_iter().rfind(|s| *s <= self).unwrap_or(Simd::Plain)
    }

    /// The widest set this machine can run, or the one that the environment variable `GLAUBER_SIMD` names (`plain`,
    /// `avx2` or `avx512`). Where it names none that is here, a plan cannot be made ([`Simd::check`]).
    pub fn widest() -> Simd {
        asked().clone().unwrap_or_else(|_| Simd::available().into_iter().next_back().unwrap_or(Simd::Plain))
    }

    /// Whether `GLAUBER_SIMD`, where it is set, names a set that this machine has.
    ///
    /// # Errors
    /// [`EngineError::Simd`] with what it says and what there is.
    pub fn check() -> Result<(), EngineError> {
        asked().clone().map(|_| ())
    }

    /// Its name in `GLAUBER_SIMD`.
    fn name(self) -> &'static str {
        match self {
            Simd::Plain => "plain",
            Simd::Avx2 => "avx2",
            Simd::Avx512 => "avx512",
        }
    }
}

/// The set to run with, read once.
fn asked() -> &'static Result<Simd, EngineError> {
    static ASKED: OnceLock<Result<Simd, EngineError>> = OnceLock::new();
    ASKED.get_or_init(|| chosen(std::env::var_os("GLAUBER_SIMD").map(|v| v.to_string_lossy().into_owned())))
}

/// The set of this name, the widest where none is named.
fn chosen(name: Option<String>) -> Result<Simd, EngineError> {
    let sets = Simd::available();
    match name {
        None => Ok(sets.last().copied().unwrap_or(Simd::Plain)),
        Some(found) => sets.iter().copied().find(|set| set.name() == found).ok_or_else(|| {
            let known: Vec<&str> = sets.iter().map(|set| set.name()).collect();
            EngineError::Simd { found, known: known.join(", ") }
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_instructions_are_refused() {
        assert_eq!(chosen(Some("plain".into())), Ok(Simd::Plain));
        assert_eq!(chosen(None).ok(), Simd::available().last().copied());
        for name in ["avx", "AVX2 ", "", "neon"] {
            let message = chosen(Some(name.into())).unwrap_err().to_string();
            assert!(message.contains(&format!("\"{name}\"")) && message.contains("plain"), "{message}");
        }
    }
}
