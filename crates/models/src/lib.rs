//! The science: one file per model, a catalogue of one line each, the model-file reader.
