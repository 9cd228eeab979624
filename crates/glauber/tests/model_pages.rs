//! Checks that the pages of docs/models are those the docs of the models make, each with its picture.
//!
//! The pictures themselves are compared by `cargo xtask models --check`.
#![allow(clippy::unwrap_used)]

#[path = "../examples/model_pages/pages.rs"]
mod pages;
#[allow(dead_code)] // Only what the pages say of the pictures is needed here.
#[path = "../examples/model_pages/pictures.rs"]
mod pictures;

use std::path::Path;

use glauber::data::images::{ImageLimits, read_image};

#[test]
fn every_model_has_its_page_and_picture() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/models");
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap_or_default();
    assert!(read("README.md") == pages::index(), "docs/models/README.md is stale: run `cargo xtask models`");
    for entry in glauber::models::MODELS {
        let name = entry.name;
        assert!(
            read(&format!("{name}.md")) == pages::page(entry).unwrap(),
            "docs/models/{name}.md is stale: run `cargo xtask models`"
        );
        let picture = read_image(folder.join(format!("{name}.png")), ImageLimits::default()).unwrap();
        assert!(picture.width() > 300 && picture.height() > 100, "{name}");
    }
}
