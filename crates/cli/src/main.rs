//! The command line of glauber.
fn main() {}
