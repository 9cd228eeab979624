//! What a person sees: progress, curves, frames, films, the HTML report.
