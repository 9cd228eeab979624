//! Shows a progress bar for a pretended fit of two seconds: `cargo run --example bar`.

use std::time::Duration;

use glauber_report::progress::{Progress, Show};

fn main() {
    let mut progress = Progress::new("susceptible-infected", 1000, Show::Auto);
    for step in 1..=1000u64 {
        std::thread::sleep(Duration::from_millis(2));
        let beta = 0.3 + 0.6 * (-(step as f64) / 150.0).exp();
        progress.update(step, &[("loss", (beta - 0.3).powi(2) + 1e-4), ("beta", beta)]);
        if step == 500 {
            progress.say("half of it is done");
        }
    }
    progress.finish("beta = 0.3008");
}
