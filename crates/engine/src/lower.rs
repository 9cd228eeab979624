//! Rewrites what kernels do not know into what they do: categorical draws, indicators, step functions, held values.

use std::collections::HashMap;

use glauber_program::{Comparison, Graph, Op, Program, ValueId};

/// The same program in terms of the kernels' operations; every result has the same bits.
///
/// A categorical draw becomes comparisons sₖ = [p₀ + … + pₖ ≤ u]; its class is Σ sₖ, and "is class k" is sₖ₋₁ − sₖ.
pub(crate) fn lower(program: &Program) -> Program {
    let mut graph = Graph::new(program.declarations.clone());
    let mut steps: HashMap<ValueId, Vec<ValueId>> = HashMap::new();
    let renamed = graph.import(program, |g, original, op| match (op, &program.instruction(original).op) {
        (Op::Categorical { probabilities, u }, _) => {
            let above = passed_thresholds(g, probabilities, *u);
            let mut class = g.constant(0.0);
            for step in &above {
                class = g.add(class, *step);
            }
            steps.insert(original, above);
            Some(class)
        }
        (Op::Indicator { class, .. }, Op::Indicator { draw, .. }) => {
            let above = steps.get(draw)?;
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
        (Op::Replace { value, .. }, _) => Some(*value),
        (Op::Hold(x), _) => Some(*x),
        _ => None,
    });
    for (sink, value) in &program.results {
        graph.result(*sink, renamed[value.index()]);
    }
    graph.finish()
}

/// For each class but the last, whether u has passed the sum of probabilities up to it.
fn passed_thresholds(g: &mut Graph, probabilities: &[ValueId], u: ValueId) -> Vec<ValueId> {
    let mut sum = g.constant(0.0);
    let mut above = Vec::new();
    for p in &probabilities[..probabilities.len() - 1] {
        sum = g.add(sum, *p);
        above.push(g.compare(Comparison::LessOrEqual, sum, u));
    }
    above
}
