//! Thins long traces to what the eye can see, without losing an extreme.
//!
//! A picture that is `width` columns wide cannot show more of a line than, for each column, where it enters, its
//! lowest and highest point and where it leaves. Keeping just these four draws the same pixels.
//!
//! U. Jugel, Z. Jerzak, G. Hackenbroich, V. Markl (2014), *M4: a visualization-oriented time series data
//! aggregation*, Proc. VLDB 7:797.

/// The numbers of the points to keep, in order, of a line through `xs`, `ys` drawn in `columns` columns, where
/// `column(x)` is the column of x, from 0.
///
/// `from..to` is a stretch without gaps. Where x runs backwards a new column begins, so any curve may be thinned.
pub(crate) fn kept(
    from: usize,
    to: usize,
    column: impl Fn(usize) -> i64,
    height: impl Fn(usize) -> f64,
) -> Vec<usize> {
    let mut kept = Vec::new();
    let mut start = from;
    while start < to {
        let here = column(start);
        let mut end = start + 1;
        let (mut lowest, mut highest) = (start, start);
        while end < to && column(end) == here {
            if height(end) < height(lowest) {
                lowest = end;
            }
            if height(end) > height(highest) {
                highest = end;
            }
            end += 1;
        }
        let mut four = [start, lowest, highest, end - 1];
        four.sort_unstable();
        for index in four {
            if kept.last() != Some(&index) {
                kept.push(index);
            }
        }
        start = end;
    }
    kept
}

/// The stretches `from..to` of `0..count` in which `shown` holds without a gap.
pub(crate) fn stretches(count: usize, shown: impl Fn(usize) -> bool) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    let mut start = None;
    for index in 0..=count {
        let is_shown = index < count && shown(index);
        match (start, is_shown) {
            (None, true) => start = Some(index),
            (Some(from), false) => {
                found.push((from, index));
                start = None;
            }
            _ => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A rough but deterministic trace.
    fn trace(count: usize) -> Vec<f64> {
        (0..count).map(|i| ((i * i) % 7919) as f64 / 7919.0 + (i as f64 / 3000.0).sin()).collect()
    }

    #[test]
    fn a_long_trace_keeps_every_columns_extremes() {
        let ys = trace(100_000);
        let columns = 350;
        let column = |i: usize| (i * columns / ys.len()) as i64;
        let kept = kept(0, ys.len(), column, |i| ys[i]);
        assert!(kept.len() <= 4 * columns, "{}", kept.len());
        assert!(kept.windows(2).all(|pair| pair[0] < pair[1]));
        for wanted in 0..columns as i64 {
            let all = || (0..ys.len()).filter(|i| column(*i) == wanted).map(|i| ys[i]);
            let few = || kept.iter().filter(|i| column(**i) == wanted).map(|i| ys[*i]);
            let extremes = |values: &mut dyn Iterator<Item = f64>| {
                values.fold((f64::INFINITY, f64::NEG_INFINITY), |(lo, hi), v| (lo.min(v), hi.max(v)))
            };
            assert_eq!(extremes(&mut all()), extremes(&mut few()), "column {wanted}");
            assert_eq!(all().next(), few().next());
            assert_eq!(all().next_back(), few().next_back());
        }
    }

    #[test]
    fn one_spike_among_many_is_kept() {
        let mut ys = vec![0.0; 100_000];
        ys[54_321] = 9.0;
        let kept = kept(0, ys.len(), |i| i as i64 / 300, |i| ys[i]);
        assert!(kept.contains(&54_321));
    }

    #[test]
    fn a_short_trace_is_kept_whole() {
        let ys = trace(50);
        assert_eq!(kept(0, 50, |i| 7 * i as i64, |i| ys[i]), (0..50).collect::<Vec<_>>());
        assert!(kept(3, 3, |i| i as i64, |_| 0.0).is_empty());
    }

    #[test]
    fn gaps_cut_a_trace_into_stretches() {
        let ys = [f64::NAN, 1.0, 2.0, f64::NAN, 3.0];
        assert_eq!(stretches(5, |i| ys[i].is_finite()), [(1, 3), (4, 5)]);
        assert!(stretches(0, |_| true).is_empty());
        assert_eq!(stretches(2, |_| true), [(0, 2)]);
    }
}
