//! Makes the bounds of statistical tests: from the sample size and a stated false-alarm rate, never by hand.

pub mod tolerance;
