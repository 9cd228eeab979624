//! Maps numbers to places along an axis and chooses its ticks.
//!
//! Linear ticks stand at multiples of 1, 2, 2.5 or 5 times a power of ten; logarithmic ones at powers of ten, at
//! 1, 2, 5 times these where fewer than two powers are in sight. Labels all have the same number of decimals.

/// Numbers beyond this are treated as not finite: their differences would overflow.
pub(crate) const LARGEST: f64 = 1e300;
/// Ranges shorter than this are treated as none: their ticks would fall below what a number can hold.
const SMALLEST: f64 = 1e-290;

/// One axis: the numbers `lo..hi` lie along `from..to` (in user units; `from` may be the larger).
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Scale {
    pub log: bool,
    pub lo: f64,
    pub hi: f64,
    pub from: f64,
    pub to: f64,
}

/// A tick with its label; a minor one has none.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Tick {
    pub value: f64,
    pub label: String,
}

impl Scale {
    /// Whether `value` has a place on this axis.
    pub(crate) fn shows(&self, value: f64) -> bool {
        value.abs() < LARGEST && (!self.log || value > SMALLEST)
    }

    /// The place of `value`; far outside it is held near the axis so that the picture's numbers stay small.
    pub(crate) fn place(&self, value: f64) -> f64 {
        let share = if self.log {
            (value.max(f64::MIN_POSITIVE).ln() - self.lo.ln()) / (self.hi.ln() - self.lo.ln())
        } else {
            (value - self.lo) / (self.hi - self.lo)
        };
        self.from + share.clamp(-20.0, 20.0) * (self.to - self.from)
    }

    /// The ticks in `lo..=hi`: at most about `count` with labels, and minor ones.
    pub(crate) fn ticks(&self, count: usize) -> Vec<Tick> {
        if self.log { log_ticks(self.lo, self.hi, count) } else { linear_ticks(self.lo, self.hi, count) }
    }
}

/// The range of an axis that shows `values` with a margin of `margin` of its length on either side.
///
/// Nothing to show gives 0..1 (1..10 if logarithmic). Data that do not go below 0 do not get an axis that does,
/// and one that comes near 0 begins there.
pub(crate) fn range_of(values: impl Iterator<Item = f64>, log: bool, margin: f64) -> (f64, f64) {
    let shown = values.filter(|value| value.abs() < LARGEST && (!log || *value > SMALLEST));
    let (lo, hi) = shown.fold((f64::INFINITY, f64::NEG_INFINITY), |(lo, hi), v| (lo.min(v), hi.max(v)));
    if lo > hi {
        return if log { (1.0, 10.0) } else { (0.0, 1.0) };
    }
    if log {
        let length = hi.ln() - lo.ln();
        // Half a decade at least, or the noise of a constant would fill the panel.
        let missing = (0.5 * std::f64::consts::LN_10 - length).max(0.0) / 2.0;
        let pad = (margin * length + missing).exp();
        return ((lo / pad).max(f64::MIN_POSITIVE), (hi * pad).min(LARGEST));
    }
    let length = hi - lo;
    if length <= 1e-9 * lo.abs().max(hi.abs()) || length < SMALLEST {
        let around = if lo.abs() < SMALLEST { 1.0 } else { 0.1 * lo.abs() };
        return (lo - around, hi + around);
    }
    let padded = (lo - margin * length, hi + margin * length);
    let padded = if lo >= 0.0 && lo < 0.2 * hi { (0.0, padded.1) } else { padded };
    out_to_ticks(padded)
}

/// Moves an end that all but reaches a round number onto it: 99,999 steps end at 100,000.
fn out_to_ticks((lo, hi): (f64, f64)) -> (f64, f64) {
    let step = nice_step((hi - lo) / 4.0);
    let (below, above) = ((lo / step).floor() * step, (hi / step).ceil() * step);
    let near = 0.02 * (hi - lo);
    (if lo - below < near { below } else { lo }, if above - hi < near { above } else { hi })
}

fn linear_ticks(lo: f64, hi: f64, count: usize) -> Vec<Tick> {
    let step = nice_step((hi - lo) / count.max(1) as f64);
    if !(step.is_finite() && step > 0.0) {
        return Vec::new();
    }
    let first = (lo / step - 1e-9).ceil();
    let last = (hi / step + 1e-9).floor();
    let values: Vec<f64> = (0..=(last - first).clamp(0.0, 50.0) as u32)
        .map(|index| (first + f64::from(index)) * step)
        .filter(|value| *value >= lo - 1e-9 * step && *value <= hi + 1e-9 * step)
        .collect();
    label_evenly(&values, step)
}

/// The smallest of 1, 2, 2.5, 5, 10 times a power of ten that is at least `step`.
fn nice_step(step: f64) -> f64 {
    let power = 10f64.powf(step.log10().floor());
    let factor = [1.0, 2.0, 2.5, 5.0].into_iter().find(|f| f * power >= step * (1.0 - 1e-9));
    factor.unwrap_or(10.0) * power
}

fn label_evenly(values: &[f64], step: f64) -> Vec<Tick> {
    let largest = values.iter().fold(0.0f64, |most, value| most.max(value.abs()));
    let scientific = largest >= 1e7 || (largest > 0.0 && largest < 1e-3);
    let power = if scientific { largest.log10().floor() as i32 } else { 0 };
    let unit = 10f64.powi(power);
    let decimals = decimals_of(step / unit);
    values
        .iter()
        .map(|&value| {
            let label = if value.abs() < step * 1e-6 {
                "0".to_owned()
            } else if scientific {
                format!("{}×10{}", fixed(value / unit, decimals), superscript(power))
            } else {
                fixed(value, decimals)
            };
            Tick { value: if value.abs() < step * 1e-6 { 0.0 } else { value }, label }
        })
        .collect()
}

/// How many decimals tell multiples of `step` apart.
fn decimals_of(step: f64) -> usize {
    (0..15)
        .find(|&decimals| {
            let scaled = step * 10f64.powi(decimals);
            (scaled - scaled.round()).abs() < 1e-6 * scaled && scaled.round() >= 1.0
        })
        .map_or(15, |decimals| decimals as usize)
}

/// A number with a true minus sign and, from 10,000 on, thin spaces between thousands.
fn fixed(value: f64, decimals: usize) -> String {
    let digits = format!("{:.decimals$}", value.abs());
    let (whole, part) = digits.split_once('.').unwrap_or((&digits, ""));
    let mut text = String::new();
    if value < 0.0 {
        text.push('−');
    }
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && whole.len() > 4 && (whole.len() - index) % 3 == 0 {
            text.push('\u{2009}');
        }
        text.push(digit);
    }
    if !part.is_empty() {
        text.push('.');
        text.push_str(part);
    }
    text
}

fn superscript(power: i32) -> String {
    const DIGITS: [char; 10] = ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'];
    power
        .to_string()
        .chars()
        .map(|digit| digit.to_digit(10).map_or('⁻', |digit| DIGITS[digit as usize]))
        .collect()
}

fn log_ticks(lo: f64, hi: f64, count: usize) -> Vec<Tick> {
    let inside = |value: f64| value >= lo * (1.0 - 1e-9) && value <= hi * (1.0 + 1e-9);
    let powers: Vec<i32> =
        (lo.log10().floor() as i32..=hi.log10().ceil() as i32).filter(|p| inside(10f64.powi(*p))).collect();
    if powers.len() < 2 {
        return narrow_log_ticks(lo, hi, count);
    }
    let plain = powers.iter().all(|power| (-3..=4).contains(power));
    let stride = powers.len().div_ceil(count.max(2)) as i32;
    let mut ticks = Vec::new();
    for &power in &powers {
        let value = 10f64.powi(power);
        let label = match power {
            _ if power.rem_euclid(stride) != 0 => String::new(),
            0.. if plain => fixed(value, 0),
            _ if plain => fixed(value, power.unsigned_abs() as usize),
            _ => format!("10{}", superscript(power)),
        };
        ticks.push(Tick { value, label });
    }
    if stride == 1 {
        for power in powers[0] - 1..=powers[powers.len() - 1] {
            let minor = (2..10).map(|factor| f64::from(factor) * 10f64.powi(power)).filter(|v| inside(*v));
            ticks.extend(minor.map(|value| Tick { value, label: String::new() }));
        }
    }
    ticks
}

/// Ticks of a logarithmic axis that shows less than two powers of ten.
fn narrow_log_ticks(lo: f64, hi: f64, count: usize) -> Vec<Tick> {
    let from = lo.log10().floor() as i32;
    let to = hi.log10().floor() as i32;
    let values: Vec<f64> = (from..=to)
        .flat_map(|power| [1.0, 2.0, 5.0].map(|factor| factor * 10f64.powi(power)))
        .filter(|value| *value >= lo && *value <= hi)
        .collect();
    if values.len() < 3 {
        return linear_ticks(lo, hi, count).into_iter().filter(|tick| tick.value > 0.0).collect();
    }
    let plain = (-3..=4).contains(&from) && (-3..=4).contains(&to);
    values
        .into_iter()
        .map(|value| {
            let power = (value * (1.0 + 1e-9)).log10().floor() as i32;
            let label = if plain {
                fixed(value, (-power).max(0) as usize)
            } else {
                format!("{}×10{}", fixed(value / 10f64.powi(power), 0), superscript(power))
            };
            Tick { value, label }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(lo: f64, hi: f64, log: bool, count: usize) -> Vec<String> {
        let scale = Scale { log, lo, hi, from: 0.0, to: 100.0 };
        scale.ticks(count).into_iter().map(|tick| tick.label).filter(|label| !label.is_empty()).collect()
    }

    #[test]
    fn linear_labels_are_round_and_even() {
        assert_eq!(labels(0.0, 1.0, false, 5), ["0", "0.2", "0.4", "0.6", "0.8", "1.0"]);
        assert_eq!(labels(-1.1, 1.1, false, 5), ["−1.0", "−0.5", "0", "0.5", "1.0"]);
        assert_eq!(labels(0.0, 10_000.0, false, 4), ["0", "2500", "5000", "7500", "10\u{2009}000"]);
        assert_eq!(labels(0.0, 1e-5, false, 2), ["0", "0.5×10⁻⁵", "1.0×10⁻⁵"]);
        assert_eq!(labels(0.2995, 0.3005, false, 2), ["0.2995", "0.3000", "0.3005"]);
    }

    #[test]
    fn log_labels_are_powers_of_ten() {
        assert_eq!(labels(0.02, 300.0, true, 6), ["0.1", "1", "10", "100"]);
        assert_eq!(labels(1e-8, 1e4, true, 5), ["10⁻⁶", "10⁻³", "10⁰", "10³"]);
        assert_eq!(labels(1.5, 30.0, true, 5), ["2", "5", "10", "20"]);
        assert_eq!(labels(0.011, 0.013, true, 4), ["0.0110", "0.0115", "0.0120", "0.0125", "0.0130"]);
    }

    #[test]
    fn every_range_gets_few_ticks_inside_it() {
        let ends = [-1e299, -1e9, -3.0, -1e-7, 0.0, 1e-12, 0.3, 17.0, 4e6, 1e299];
        for lo in ends {
            for hi in ends.into_iter().filter(|hi| *hi > lo) {
                for log in [false, true] {
                    if log && lo <= 0.0 {
                        continue;
                    }
                    let scale = Scale { log, lo, hi, from: 0.0, to: 100.0 };
                    let ticks = scale.ticks(5);
                    let labelled = ticks.iter().filter(|tick| !tick.label.is_empty()).count();
                    assert!((1..=8).contains(&labelled), "{lo}..{hi} log {log}: {labelled} labels");
                    for tick in ticks {
                        let place = scale.place(tick.value);
                        assert!(
                            (-0.001..=100.001).contains(&place),
                            "{lo}..{hi} log {log}: {tick:?} at {place}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn ranges_hold_the_data_and_forgive_degenerate_ones() {
        assert_eq!(range_of([].into_iter(), false, 0.05), (0.0, 1.0));
        assert_eq!(range_of([f64::NAN, f64::INFINITY].into_iter(), false, 0.05), (0.0, 1.0));
        assert_eq!(range_of([-1.0, 0.0].into_iter(), true, 0.05), (1.0, 10.0));
        let (lo, hi) = range_of([0.3, 0.3, 0.3].into_iter(), false, 0.05);
        assert!(lo < 0.3 && hi > 0.3);
        let (lo, hi) = range_of([0.0, f64::NAN, 2.0].into_iter(), false, 0.05);
        assert!(lo == 0.0 && hi > 2.0 && hi < 2.2);
        let (lo, hi) = range_of([1e-3, 10.0, -4.0].into_iter(), true, 0.05);
        assert!(lo < 1e-3 && lo > 1e-4 && hi > 10.0);
    }

    #[test]
    fn places_stay_bounded() {
        let scale = Scale { log: false, lo: 0.0, hi: 1e-9, from: 0.0, to: 100.0 };
        assert!(scale.place(1e250) <= 2000.0 && scale.place(-1e250) >= -2000.0);
        let scale = Scale { log: true, lo: 1.0, hi: 10.0, from: 100.0, to: 0.0 };
        assert!((scale.place(1.0) - 100.0).abs() < 1e-12 && scale.place(10.0).abs() < 1e-12);
        assert!(scale.place(0.0).is_finite());
        assert!(!scale.shows(0.0) && !scale.shows(f64::NAN) && scale.shows(3.0));
    }
}
