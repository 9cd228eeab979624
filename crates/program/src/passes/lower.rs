//! Rewrites what backends need not know into what they do: categorical draws, indicators, step functions, held values.

use std::collections::HashMap;

use crate::graph::Graph;
use crate::op::{Comparison, Op, ValueId};
use crate::program::Program;

/// The same program in arithmetic, comparisons and choices; every result has the same bits.
///
/// Draws are decided by the centred number w, which is u below ½ and u − 1 from there on. A categorical draw becomes
/// comparisons sₖ = [threshold ≤ w], whose threshold is p₀ + … + pₖ where w ≥ 0 and the negative of what lies beyond
/// class k where w < 0; its class is Σ sₖ, and "is class k" is sₖ₋₁ − sₖ. Of each side's sums neither rises above
/// the other's with k, so that the class is well defined, and a class of probability 0 has no room on either side. Where a
/// threshold lies below ½ whatever is read, u alone decides.
pub fn lowered(program: &Program) -> Program {
    let mut graph = Graph::new(program.declarations.clone());
    let mut steps: HashMap<ValueId, Vec<ValueId>> = HashMap::new();
    let renamed = graph.import(program, |g, original, op| match (op, &program.instruction(original).op) {
        (Op::Categorical { below, above, u, .. }, _) => {
            let passed = passed_thresholds(g, below, above, *u);
            let mut class = g.constant(0.0);
            for step in &passed {
                class = g.add(class, *step);
            }
            steps.insert(original, passed);
            Some(class)
        }
        (Op::Bernoulli { p, rest: Some(rest), u }, _) if is_low(g, *p, *rest) => {
            Some(g.compare(Comparison::Less, *u, *p))
        }
        (Op::Bernoulli { p, rest: Some(rest), u }, _) => {
            let w = centred(g, *u);
            let threshold = threshold(g, w, *p, *rest);
            Some(g.compare(Comparison::Less, w, threshold))
        }
        (Op::Indicator { draw: state, class }, Op::Indicator { draw, .. }) => {
            let Some(above) = steps.get(draw) else {
                let class = g.constant(f64::from(*class));
                return Some(g.compare(Comparison::Equal, *state, class));
            };
            let class = *class as usize;
            if class > above.len() {
                return Some(g.constant(0.0));
            }
            let one = g.constant(1.0);
            let before = if class == 0 { one } else { above[class - 1] };
            Some(match above.get(class) {
                Some(after) => g.subtract(before, *after),
                None => before,
            })
        }
        (Op::Heaviside(x, _), _) => {
            let zero = g.constant(0.0);
            Some(g.compare(Comparison::Less, zero, *x))
        }
        (Op::Replace { value, .. } | Op::Revealed { value, .. }, _) => Some(*value),
        (Op::Hold(x), _) => Some(*x),
        _ => None,
    });
    for (sink, value) in program.results() {
        graph.result(*sink, renamed[value.index()]);
    }
    graph.finish()
}

/// For each class but the last, whether the draw has passed it.
fn passed_thresholds(g: &mut Graph, below: &[ValueId], above: &[ValueId], u: ValueId) -> Vec<ValueId> {
    if below.is_empty() {
        return Vec::new();
    }
    let pairs = below.iter().zip(above);
    let passed = pairs.map(|(below, above)| {
        if is_low(g, *below, *above) {
            return g.compare(Comparison::LessOrEqual, *below, u);
        }
        let w = centred(g, u);
        let threshold = threshold(g, w, *below, *above);
        g.compare(Comparison::LessOrEqual, threshold, w)
    });
    passed.collect()
}

/// Whether a threshold is below ½ for sure, however sums round. Then it is compared with u itself, which is w where that
/// matters: from ½ on, u is above the sum from below, and w above the negative of the sum from above.
fn is_low(g: &Graph, below: ValueId, above: ValueId) -> bool {
    let (below, above) = (g.instruction(below).domain, g.instruction(above).domain);
    !below.nan && !above.nan && below.highest <= 0.49 && above.lowest >= 0.51
}

/// What the centred number w is compared with: a sum from below where w ≥ 0, one from above where w < 0.
fn threshold(g: &mut Graph, w: ValueId, below: ValueId, above: ValueId) -> ValueId {
    let (zero, minus) = (g.constant(0.0), g.negate(above));
    let upper = g.compare(Comparison::Less, w, zero);
    g.select(upper, minus, below)
}

/// The centred number of a uniform one.
fn centred(g: &mut Graph, u: ValueId) -> ValueId {
    match g.instruction(u).op {
        Op::Uniform { draw, lane, rank } => g.push(Op::Centred { draw, lane, rank }),
        _ => {
            let (half, one) = (g.constant(0.5), g.constant(1.0));
            let (lower, shifted) = (g.compare(Comparison::Less, u, half), g.subtract(u, one));
            g.select(lower, u, shifted)
        }
    }
}
