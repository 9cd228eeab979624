//! Rewrites what kernels do not know into what they do: categorical draws, indicators, step functions, held values.

use std::collections::HashMap;

use glauber_program::{Binary, Comparison, Graph, Op, Program, ValueId};

/// The same program in terms of the kernels' operations; every result has the same bits.
///
/// A categorical draw becomes comparisons sₖ = [p₀ + … + pₖ ≤ u]; its class is Σ sₖ, and "is class k" is sₖ₋₁ − sₖ.
/// Where the last class may have probability 0, sₖ holds only if a later class has a positive one: however the sum is
/// rounded, what cannot happen never comes out.
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
    for (sink, value) in &program.results {
        graph.result(*sink, renamed[value.index()]);
    }
    graph.finish()
}

/// For each class but the last, whether u has passed the sum of probabilities up to it.
fn passed_thresholds(g: &mut Graph, probabilities: &[ValueId], u: ValueId) -> Vec<ValueId> {
    let mut sum = g.constant(0.0);
    let mut above = Vec::new();
    let Some((last, others)) = probabilities.split_last() else { return above };
    for p in others {
        sum = g.add(sum, *p);
        above.push(g.compare(Comparison::LessOrEqual, sum, u));
    }
    if takes_the_rest(g, *last) {
        return above;
    }
    let zero = g.constant(0.0);
    let mut later = *last;
    for (passed, p) in above.iter_mut().zip(others).rev() {
        let possible = g.compare(Comparison::Less, zero, later);
        *passed = g.multiply(*passed, possible);
        later = g.binary(Binary::Maximum, later, *p);
    }
    above
}

/// Whether the last class is always possible, or is what the others leave by its form 1 − x.
fn takes_the_rest(g: &Graph, last: ValueId) -> bool {
    let one = |v: ValueId| g.constant_value(v).is_some_and(|x| (x - 1.0).abs() < f64::EPSILON);
    let rest = matches!(g.instruction(last).op, Op::Binary(Binary::Subtract, a, _) if one(a));
    rest || g.domain(last).lowest > 0.0
}
