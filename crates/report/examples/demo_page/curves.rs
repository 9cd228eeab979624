//! Makes one figure of every kind, from invented numbers.

use glauber_report::plot::{Figure, Panel};

/// A rough but repeatable noise in −1..1.
pub fn noise(index: usize, stream: u64) -> f64 {
    let mut bits =
        (index as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ stream.wrapping_mul(0xd1b5_4a32_d192_ed03);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((bits >> 11) as f64 / (1u64 << 52) as f64) - 1.0
}

fn steps(count: usize) -> Vec<f64> {
    (0..count).map(|step| step as f64).collect()
}

/// Ten targets, each approached from 0.9.
pub fn targets() -> Figure {
    let xs = steps(3000);
    let mut panel = Panel::new("Start 0.9").x("gradient step").y("β").ordered_colours();
    for (stream, target) in [0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9].into_iter().enumerate() {
        let ys: Vec<f64> = xs
            .iter()
            .enumerate()
            .map(|(i, x)| {
                target
                    + (0.9 - target) * (-x / (150.0 + 600.0 * target)).exp()
                    + 0.004 * noise(i, stream as u64)
            })
            .collect();
        panel = panel.line("", &xs, &ys).target_of_series(format!("{target}"), target);
    }
    Figure::new("β traces for all targets").panel(panel)
}

/// Mean squared displacement before, after and of data with standard errors.
pub fn displacement() -> Figure {
    let lags: Vec<f64> = (1..=10).map(|lag| 24.0 * f64::from(lag)).collect();
    let data = [17.402, 39.913, 68.116, 101.116, 134.771, 168.159, 200.602, 233.005, 264.643, 296.453];
    let errors: Vec<f64> = data.iter().enumerate().map(|(i, d)| d * (0.04 + 0.01 * i as f64)).collect();
    let after: Vec<f64> =
        (1..=10).map(|lag| 33.0 * f64::from(lag) - 24.0 + 8.0 * (-f64::from(lag)).exp()).collect();
    let before: Vec<f64> = (1..=10).map(|lag| 8.0 * f64::from(lag)).collect();
    let low: Vec<f64> = after.iter().map(|y| 0.93 * y).collect();
    let high: Vec<f64> = after.iter().map(|y| 1.07 * y).collect();
    Figure::new("").panel(
        Panel::new("T cells: mean squared displacement")
            .x("lag (s)")
            .y("MSD (µm²)")
            .points_with_errors("data ± standard error", &lags, &data, &errors)
            .line("after the fit", &lags, &after)
            .band("", &lags, &low, &high)
            .line("before", &lags, &before)
            .dashed(),
    )
}

/// A long fit: loss on a logarithmic axis, three parameters, gaps, a mark.
pub fn long_fit() -> Figure {
    let xs = steps(100_000);
    let loss: Vec<f64> = xs
        .iter()
        .enumerate()
        .map(|(i, x)| {
            2e3 * (-x / 9000.0).exp() + 0.4 + 0.3 * noise(i, 1) + if i == 60_000 { 900.0 } else { 0.0 }
        })
        .collect();
    let wave = |level: f64, stream| -> Vec<f64> {
        let value = |(i, x): (usize, &f64)| {
            if (40_000..46_000).contains(&i) {
                f64::NAN
            } else {
                level + 0.3 * (-x / 20_000.0).exp() + 0.02 * noise(i, stream)
            }
        };
        xs.iter().enumerate().map(value).collect()
    };
    let (a, b) = (wave(0.1, 2), wave(0.4, 3));
    Figure::new("Malevanets–Kapral, diffusion fit: 100,000 steps, with a gap in the diffusion coefficients where the run was resumed")
        .panel(Panel::new("Loss").x("gradient step").y("ln of summed squares").log_y().trace("", &xs, &loss))
        .panel(
            Panel::new("Diffusion coefficients")
                .x("gradient step")
                .y("probability per step")
                .trace("D_A", &xs, &a)
                .trace("D_B", &xs, &b)
                .target("true D_A", 0.1)
                .target("true D_B", 0.4)
                .mark("pattern", 52_000.0),
        )
}

/// Times on logarithmic axes, by five programs.
pub fn scaling() -> Figure {
    Figure::new("").panel(
        Panel::new("Scaling with the number of sites")
            .x("sites")
            .y("time (ns)")
            .log_x()
            .log_y()
            .points(
                "measured",
                &[4096.0, 16_384.0, 65_536.0, 1_048_576.0, 16_777_216.0],
                &[3e3, 1.1e4, 4.6e4, 8.1e5, 1.9e7],
            )
            .line("ideal", &[4096.0, 16_777_216.0], &[3e3, 1.23e7])
            .dashed()
            .points("a competitor with a long name", &[4096.0, 65_536.0, 1_048_576.0], &[8e4, 9.6e5, 2.1e7])
            .points("another", &[4096.0, 65_536.0, 0.0], &[1.8e5, 2.6e6, 4.0])
            .points("a third", &[4096.0, 65_536.0, 1_048_576.0], &[4e5, 6e6, 1e8]),
    )
}
