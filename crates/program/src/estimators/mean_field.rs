//! Replaces every draw by its mean: a different, deterministic model, for analysis.
//!
//! Bernoulli → p; categorical → Σ k pₖ, "is class k" → pₖ; binomial → n p; Poisson → λ; uniform → ½; normal → 0; a
//! plane moved by a drawn direction → Σ pₖ · the plane moved by offset k. Layers become real-valued. A layer of three or more
//! named states, or of labels, has no mean: a model with one is refused before it is compiled.
//!
//! Exact for models linear in their draws; otherwise it ignores every correlation and fluctuation.

use std::collections::HashMap;

use glauber_lattice::Values;

use super::{Draw, Estimator};
use crate::check::Requirement;
use crate::graph::Graph;
use crate::op::{Op, ValueId};
use crate::program::Program;
use crate::switches::is_switch;

/// Mean field: the draw is its mean.
#[derive(Clone, Copy, Debug)]
pub struct MeanField;

impl Estimator for MeanField {
    fn name(&self) -> &'static str {
        "mean-field"
    }

    fn bias(&self) -> &'static str {
        "the exact gradient of another model, in which every draw is replaced by its mean; a fit by it is biased by \
         whatever fluctuations and correlations do"
    }

    fn bernoulli(&self, _g: &mut Graph, _draw: &Draw, _p: ValueId, bar: Option<ValueId>) -> Option<ValueId> {
        bar
    }

    fn categorical(
        &self,
        _g: &mut Graph,
        _draw: &Draw,
        _probabilities: &[ValueId],
        bars: &[Option<ValueId>],
    ) -> Vec<Option<ValueId>> {
        bars.to_vec()
    }

    fn forward(&self, program: &Program) -> Program {
        let program = &program.simulated();
        let mut declarations = program.declarations.clone();
        for layer in &mut declarations.signature.layers {
            layer.values = Values::Real;
        }
        // A mean number of trials is no whole number, a mean direction neither.
        for check in &mut declarations.checks {
            if check.required == Requirement::Condition {
                check.required = Requirement::Probability;
            }
            if matches!(check.required, Requirement::Trials | Requirement::Direction(_)) {
                check.required = Requirement::Rate;
            }
        }
        let mut graph = Graph::new(declarations);
        let mut classes = HashMap::new();
        let renamed = graph.import(program, |g, original, op| mean(g, program, original, op, &mut classes));
        for (sink, value) in &program.results {
            graph.result(*sink, renamed[value.index()]);
        }
        graph.finish()
    }
}

/// The mean of a draw, or of what follows from a draw's class; nothing for other instructions.
/// `classes` remembers the class probabilities of each categorical draw of the original program.
fn mean(
    g: &mut Graph,
    program: &Program,
    original: ValueId,
    op: &Op,
    classes: &mut HashMap<ValueId, Vec<ValueId>>,
) -> Option<ValueId> {
    let before = &program.instruction(original).op;
    Some(match (op, before) {
        (Op::Bernoulli { p, .. }, _) => *p,
        (Op::Count { law, arguments, .. }, _) => law.mean(g, arguments),
        // By what was 0 or 1 and is a mean now, a choice is linear.
        (Op::Select(c, yes, no), Op::Select(before, ..))
            if is_switch(program.instruction(*before)) && !is_switch(g.instruction(*c)) =>
        {
            let rest = g.one_minus(*c);
            let (yes, no) = (g.multiply(*c, *yes), g.multiply(rest, *no));
            g.add(yes, no)
        }
        (Op::Uniform { .. }, _) => g.constant(0.5),
        (Op::Normal(..), _) => g.constant(0.0),
        (Op::Categorical { probabilities, .. }, _) => {
            classes.insert(original, probabilities.clone());
            let mut sum = g.constant(0.0);
            for (k, p) in probabilities.iter().enumerate() {
                let term = g.scale(k as f64, *p);
                sum = g.add(sum, term);
            }
            sum
        }
        (Op::Indicator { class, .. }, Op::Indicator { draw, .. }) => {
            *classes.get(draw)?.get(*class as usize)?
        }
        (Op::Translate { x, offsets, transposed, .. }, Op::Translate { direction, .. }) => {
            let probabilities = classes.get(direction)?.clone();
            let members = g.declarations.neighbourhoods[*offsets as usize].offsets().to_vec();
            let mut sum = g.constant(0.0);
            for (p, offset) in probabilities.into_iter().zip(members) {
                let offset = offset.map(|d| -d);
                let moved = g.push(Op::Shift { x: *x, offset, transposed: *transposed });
                let term = g.multiply(p, moved);
                sum = g.add(sum, term);
            }
            sum
        }
        _ => return None,
    })
}
