//! Sees to it that the page tests have a browser, where the system's package manager can give one.

use std::path::Path;
use std::process::Command;

const NAMES: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/// Installs Chromium where there is none and Debian's package manager may be used; otherwise says that the page tests
/// will be skipped.
pub fn ensure() {
    if present() {
        return;
    }
    if Path::new("/usr/bin/apt-get").exists() && is_root() {
        eprintln!("no Chromium here: installing it for the page tests");
        let apt = |arguments: &[&str]| {
            let status =
                Command::new("apt-get").args(arguments).env("DEBIAN_FRONTEND", "noninteractive").status();
            status.is_ok_and(|s| s.success())
        };
        let _ =
            apt(&["update", "-qq"]) && apt(&["install", "-y", "-qq", "--no-install-recommends", "chromium"]);
    }
    if !present() {
        eprintln!(
            "SKIPPED: no Chromium; the page tests will say so too. Install it, or name one in CHROMIUM."
        );
    }
}

fn present() -> bool {
    if std::env::var_os("CHROMIUM").is_some_and(|p| Path::new(&p).exists()) {
        return true;
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| NAMES.iter().any(|name| folder.join(name).exists()))
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output();
    id.is_ok_and(|o| String::from_utf8_lossy(&o.stdout).trim() == "0")
}
