//! Checks the adjoint of draws that all sites share: what it costs, and that each kind of draw has its own estimator.
#![allow(clippy::unwrap_used)]

use glauber_lattice::{Lattice, Values};
use glauber_program::estimators::{
    ByScope, Estimator, EstimatorOptions, MeanField, ReinMax, StraightThrough, named,
};
use glauber_program::{Interval, Model, Op, Operand, Program, Rank, Sink, differentiate};

const SIDES: [[i32; 3]; 5] = [[0, 0, 0], [0, -1, 0], [0, 1, 0], [0, 0, -1], [0, 0, 1]];

/// Half of the grains hop, all in one direction: to each side with probability d/4.
fn hopping() -> Model {
    Model::build("hopping", Lattice::square(16).periodic())
        .layer("grains", Values::integers(0, 9))
        .parameter("d", Interval::unit())
        .parameter("q", Interval::unit())
        .step(|s| {
            let grains = s.layer("grains");
            let hopping = s.bernoulli(grains * (s.parameter("q") * (1.0 / 9.0)));
            let d = s.parameter("d");
            let mut probabilities: Vec<Operand> = vec![(1.0 - d).into()];
            probabilities.extend([Operand::from(d * 0.25); 4]);
            let direction = s.replicate_categorical(&probabilities);
            s.next("grains").set(grains - hopping + s.translate(hopping, direction, &SIDES));
        })
        .unwrap()
}

fn sums(program: &Program) -> usize {
    program.instructions().iter().filter(|i| matches!(i.op, Op::SiteSum(_))).count()
}

#[test]
fn the_derivative_by_a_drawn_direction_takes_few_sums_over_sites() {
    // Σ of the next derivative times the plane, unmoved; the same with the four sides' neighbour sum: one for every
    // *different* probability, not one for each of the five directions. And one for q.
    let adjoint = differentiate(&hopping().step, &StraightThrough);
    assert!(sums(&adjoint) <= 3, "{} sums", sums(&adjoint));
}

/// What the derivative by a parameter is computed from, written out.
fn derivative(adjoint: &Program, parameter: u32) -> String {
    fn written(program: &Program, value: glauber_program::ValueId) -> String {
        let op = &program.instruction(value).op;
        let inner: Vec<String> = op.operands().into_iter().map(|v| written(program, v)).collect();
        let mut bare = op.clone();
        bare.visit_mut(|v| *v = glauber_program::ValueId(0));
        format!("{bare:?}({})", inner.join(", "))
    }
    written(adjoint, adjoint.result(Sink::ParameterAdjoint(parameter)).unwrap())
}

#[test]
fn a_pair_of_estimators_serves_each_kind_of_draw_with_its_own() {
    let step = hopping().step;
    let pair = named("straight-through + reinmax", EstimatorOptions::default()).unwrap();
    let [both, through, reinmax] =
        [&*pair, &StraightThrough, &ReinMax].map(|e: &dyn Estimator| differentiate(&step, e));
    // d stands in the shared direction only, q in the sites' draws only.
    let of_d = [&both, &through, &reinmax].map(|a| derivative(a, 0));
    let of_q = [&both, &through, &reinmax].map(|a| derivative(a, 1));
    assert!(of_d[0] == of_d[2] && of_d[0] != of_d[1]);
    assert!(of_q[0] == of_q[1] && of_q[0] != of_q[2]);
    let shared =
        step.instructions().iter().filter(|i| matches!(i.op, Op::Uniform { rank: Rank::Replicate, .. }));
    assert_eq!(shared.count(), 1);
}

#[test]
fn pairs_are_refused_in_words_where_they_mean_nothing() {
    let message = |name: &str| named(name, EstimatorOptions::default()).unwrap_err().to_string();
    assert!(message("straight-through + gumbel-softmx").contains("did you mean `gumbel-softmax`"));
    assert!(message("mean-field + reinmax").contains("alone"));
    assert!(message("straight-through +").contains("there is no estimator called ``"));
    let pair = ByScope { sites: Box::new(StraightThrough), shared: Box::new(MeanField) };
    assert!(!pair.needs_advantage());
}

#[test]
fn an_output_per_site_is_refused() {
    let error = hopping().observe(|s| s.output("grains", s.layer("grains"))).unwrap_err().to_string();
    assert!(error.contains("the output `grains` has a value at every site"), "{error}");
    assert!(hopping().observe(|s| s.output("grains", s.layer("grains").sum())).is_ok());
}
