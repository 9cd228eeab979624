//! Measures how much a step leaves to chance: the summed variance of its draws.
//!
//! Output `chance` = Σ over sites and draws of Σₖ pₖ(1 − pₖ); 0 exactly where the step's outcome is certain. It is
//! taken as an observation of the state before: the step has the next number.

use crate::graph::Graph;
use crate::op::{Op, ValueId};
use crate::program::{Program, Sink};

/// The program whose output says how much one step from a state leaves to chance. Binomial, Poisson, normal and
/// uniform draws count 1 per site.
pub fn chance(step: &Program) -> Program {
    let mut declarations = step.declarations.clone();
    declarations.outputs = vec!["chance".to_string()];
    let mut graph = Graph::new(declarations);
    let mut terms: Vec<ValueId> = Vec::new();
    graph.import(step, |g, _, op| {
        match op {
            Op::StepIndex => return Some(g.next_step()),
            Op::Bernoulli { p, .. } => terms.push(variance(g, *p)),
            Op::Categorical { probabilities, .. } => {
                terms.extend(probabilities.iter().map(|p| variance(g, *p)));
            }
            Op::Normal(..) | Op::Binomial { .. } | Op::Poisson { .. } => terms.push(g.constant(1.0)),
            _ => {}
        }
        None
    });
    let mut total = graph.constant(0.0);
    for term in terms {
        let sum = graph.site_sum(term);
        total = graph.add(total, sum);
    }
    graph.result(Sink::Output(0), total);
    graph.finish()
}

fn variance(g: &mut Graph, p: ValueId) -> ValueId {
    let rest = g.one_minus(p);
    g.multiply(p, rest)
}
