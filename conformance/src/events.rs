//! Runs the events of a step the slow way: the rule is evaluated at every site for each event, from whole fields.
//!
//! Restated here: an event's site is the one of row-major number ⌊w N / 2⁶⁴⌋, w being the words of draw 0 in lanes 4 and
//! 5, or that place in the list of sites that are in a state (in row-major order when the step begins; a site that leaves
//! the state is replaced by the last of the list, one that enters comes last), or the next of an order that is drawn by
//! exchanges. In continuous time the number of events is Poisson, of mean N r, from lane 6.

use glauber_engine::Fault;
use glauber_numbers::noise::Key;
use glauber_numbers::real::Real;
use glauber_program::{Binary, CountLaw, Op, Pick, Program, Rank, Sink, Update, ValueId};

use crate::interpreter::{Inputs, interpret_event};

/// The state after a step, and what went wrong in it.
#[allow(clippy::float_cmp)] // States are whole numbers.
pub fn step<F: Real>(rule: &Program, inputs: &Inputs<'_>) -> (Vec<Vec<f64>>, Vec<Fault>) {
    let d = rule.declarations();
    let sites = d.lattice.sites();
    let mut state = inputs.layers.to_vec();
    let mut agents: Vec<usize> = Vec::new();
    let mut order: Vec<usize> = (0..sites).collect();
    let (seed, replicate, number) = inputs.address;
    let key = |lane| Key::new(seed, replicate, number, inputs.first_draw, lane);
    let (mut fastest, mut events) = (f64::NAN, sites as u64);
    let mut among = None;
    match &d.update {
        Update::ContinuousTime => {
            fastest = highest_rate(rule, inputs);
            events = CountLaw::Poisson.draw(&key(6), 0, [sites as f64 * fastest, 0.0]) as u64;
        }
        Update::RandomSequential { pick, events: asked } => {
            if let Pick::Among { layer, state: wanted } = pick {
                let layer = d.layers.iter().position(|l| l.name == *layer).unwrap_or(0);
                among = Some((layer, f64::from(*wanted)));
                agents = (0..sites).filter(|site| state[layer][*site] == f64::from(*wanted)).collect();
                events = agents.len() as u64;
            }
            events = asked.map_or(events, u64::from);
        }
        _ => {}
    }
    let mut faults = Vec::new();
    if among.is_some() && agents.is_empty() {
        events = events.max(1);
    }
    for event in 0..events as u32 {
        let word = u128::from(key(4).word(event)) << 32 | u128::from(key(5).word(event));
        let one_of = |count: usize| ((word * count as u128) >> 64) as usize;
        if among.is_some() && agents.is_empty() {
            // No check has this number: nobody is left to be drawn.
            faults.push(Fault::Refused { check: u32::MAX, site: 0, value: f64::NAN });
            break;
        }
        let site = match &d.update {
            Update::RandomSequential { pick: Pick::Among { .. }, .. } => agents[one_of(agents.len())],
            Update::RandomSequential { pick: Pick::EachOnce, .. } => {
                let at = event as usize % sites;
                order.swap(at, at + one_of(sites - at));
                order[at]
            }
            _ => one_of(sites),
        };
        let written = {
            let own = Inputs { layers: &state, event: Some((event, fastest)), ..inputs.clone() };
            interpret_event::<F>(rule, &own, site)
        };
        if !written.faults.is_empty() {
            faults.extend(written.faults);
            break;
        }
        for (layer, site, value) in written.writes {
            let value = if d.layers[layer as usize].values.is_integer() { value + 0.0 } else { value };
            state[layer as usize][site] = value;
            if among.is_some_and(|(own, _)| own == layer as usize) {
                let is = among.is_some_and(|(_, wanted)| value == wanted);
                match (is, agents.iter().position(|a| *a == site)) {
                    (true, None) => agents.push(site),
                    (false, Some(at)) => {
                        agents.swap_remove(at);
                    }
                    _ => {}
                }
            }
        }
    }
    (state, faults)
}

/// The declared highest sum of rates, or that which follows from the rule.
fn highest_rate(rule: &Program, inputs: &Inputs<'_>) -> f64 {
    match rule.result(Sink::Fastest) {
        Some(declared) => number(rule, inputs, declared),
        None => rule.highest_rate(inputs.parameters, inputs.address.2).unwrap_or(f64::NAN),
    }
}

/// A number of parameters alone.
fn number(rule: &Program, inputs: &Inputs<'_>, value: ValueId) -> f64 {
    let instruction = rule.instruction(value);
    assert_eq!(instruction.rank, Rank::Run);
    match &instruction.op {
        Op::Constant(number) => number.get(),
        Op::Parameter(i) => inputs.parameters[*i as usize],
        Op::Binary(Binary::Add, a, b) => number(rule, inputs, *a) + number(rule, inputs, *b),
        Op::Binary(Binary::Multiply, a, b) => number(rule, inputs, *a) * number(rule, inputs, *b),
        other => panic!("the highest sum of rates is {other:?}"),
    }
}
