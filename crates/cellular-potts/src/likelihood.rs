//! Computes the exact log-likelihood of site updates, its score, its second derivatives and two forms of its information.
//!
//! With P_o the probability of outcome o of an update and s_o = ∇ ln P_o:
//!
//! score = Σ s_observed,  outer = Σ s_observed s_observedᵀ,  expected = Σ_updates Σ_o P_o s_o s_oᵀ.
//!
//! Both forms estimate the same matrix where the model is right. Metropolis' min(1, e^−d) has a kink at d = 0, where
//! changes of whole-numbered J often lie, and ln L its highest point often in such a kink. So a fit climbs a likelihood
//! of rounded acceptance,
//!
//! acc_ε(d) = (1 + e^{d/ε})^{−ε} = exp(−ε ln(1 + e^{d/ε})),
//!
//! which is Metropolis' where |d| ≫ ε, and lets ε fall far below what d is uncertain by; ε = 0 is Metropolis itself, with
//! slope 0 at d ≤ 0. The probability of staying is summed from positive terms, so that nothing cancels. Sums run over
//! blocks of a fixed size in a fixed order: the same bits for any number of threads.

use crate::energy::Acceptance;
use crate::features::Updates;
use glauber_numbers::elementary::{exp, exp_m1, ln, ln_1p};
use rayon::prelude::*;

/// Updates of one block.
const BLOCK: usize = 2048;

/// Which matrices are wanted beside ln L and the score.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    Nothing,
    Curvature,
    Informations,
}

/// The log-likelihood at φ and its derivatives; matrices that were not wanted are 0.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Evaluation {
    /// ln L; −∞ where an update cannot have happened, unless it counts as `Rule::least`.
    pub(crate) value: f64,
    /// How many updates cannot have happened at this φ.
    pub(crate) never: usize,
    pub(crate) score: Vec<f64>,
    pub(crate) outer: Vec<f64>,
    pub(crate) expected: Vec<f64>,
    /// −∇∇ ln L.
    pub(crate) curvature: Vec<f64>,
}

impl Evaluation {
    fn zero(width: usize) -> Evaluation {
        let (score, square) = (vec![0.0; width], vec![0.0; width * width]);
        Evaluation {
            value: 0.0,
            never: 0,
            score,
            outer: square.clone(),
            expected: square.clone(),
            curvature: square,
        }
    }

    /// Counts an update that cannot have happened.
    fn rule_out(&mut self, rule: Rule) {
        self.never += 1;
        if rule.least > 0.0 {
            self.value += ln(rule.least);
        }
    }

    fn add(&mut self, other: &Evaluation) {
        self.value += other.value;
        self.never += other.never;
        for (mine, others) in [
            (&mut self.score, &other.score),
            (&mut self.outer, &other.outer),
            (&mut self.expected, &other.expected),
            (&mut self.curvature, &other.curvature),
        ] {
            mine.iter_mut().zip(others).for_each(|(a, b)| *a += b);
        }
    }
}

/// How copies are accepted, Metropolis with its kink rounded over a width ε in d.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Rule {
    pub(crate) acceptance: Acceptance,
    pub(crate) rounding: f64,
    /// What is less probable counts as this: a few updates that the model cannot explain do not decide everything.
    pub(crate) least: f64,
}

/// Acceptance at one d.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Accepted {
    pub(crate) yes: f64,
    /// 1 − yes.
    pub(crate) no: f64,
    /// Of yes, by d.
    pub(crate) slope: f64,
    pub(crate) second: f64,
}

impl Rule {
    /// Without rounding.
    pub(crate) fn exact(acceptance: Acceptance) -> Rule {
        Rule { acceptance, rounding: 0.0, least: 0.0 }
    }

    #[inline]
    pub(crate) fn at(&self, d: f64) -> Accepted {
        /// −d/ε from which on the chance of refusal is no number any more, and d/ε from which on rounding changes no bit.
        const FAR: [f64; 2] = [700.0, 40.0];
        match self.acceptance {
            Acceptance::Metropolis if d > -FAR[0] * self.rounding && d < FAR[1] * self.rounding => {
                let width = self.rounding;
                let small = exp(-d.abs() / width);
                let (less, more) = (small / (1.0 + small), 1.0 / (1.0 + small));
                let (high, low) = if d > 0.0 { (more, less) } else { (less, more) };
                let cost = d.max(0.0) + width * ln_1p(small);
                let yes = exp(-cost);
                let second = yes * (high * high - high * low / width);
                Accepted { yes, no: -exp_m1(-cost), slope: -yes * high, second }
            }
            Acceptance::Metropolis if d <= 0.0 => Accepted { yes: 1.0, no: 0.0, slope: 0.0, second: 0.0 },
            Acceptance::Metropolis => {
                let yes = exp(-d);
                Accepted { yes, no: -exp_m1(-d), slope: -yes, second: yes }
            }
            Acceptance::HeatBath => {
                // From the smaller of both, so that neither loses digits.
                let small = exp(-d.abs());
                let (less, more) = (small / (1.0 + small), 1.0 / (1.0 + small));
                let (yes, no) = if d > 0.0 { (less, more) } else { (more, less) };
                Accepted { yes, no, slope: -less * more, second: less * more * (no - yes) }
            }
        }
    }
}

/// ln L, the score and the informations at φ.
pub(crate) fn evaluate(updates: &Updates, rule: Rule, phi: &[f64], wanted: Wanted) -> Evaluation {
    let blocks = updates.len().div_ceil(BLOCK);
    let parts: Vec<Evaluation> = (0..blocks)
        .into_par_iter()
        .map(|block| {
            let range = block * BLOCK..updates.len().min((block + 1) * BLOCK);
            one_block(updates, rule, phi, wanted, range)
        })
        .collect();
    let mut all = Evaluation::zero(updates.width);
    parts.iter().for_each(|part| all.add(part));
    for matrix in [&mut all.outer, &mut all.expected, &mut all.curvature] {
        mirror(matrix, updates.width);
    }
    if all.never > 0 && rule.least <= 0.0 {
        all.value = f64::NEG_INFINITY;
    }
    all
}

fn one_block(
    updates: &Updates,
    rule: Rule,
    phi: &[f64],
    wanted: Wanted,
    range: std::ops::Range<usize>,
) -> Evaluation {
    let width = updates.width;
    let mut sum = Evaluation::zero(width);
    let (mut of_row, mut of_staying) = (Vec::new(), vec![0.0; width]);
    let (bends, informs) = (wanted == Wanted::Curvature, wanted == Wanted::Informations);
    for update in range {
        let (begin, end) = (updates.begins[update], updates.begins[update + 1]);
        let taken = updates.taken[update] as usize;
        let mut sources = 0.0;
        let mut stays = 0.0;
        of_row.clear();
        of_staying.fill(0.0);
        for row in begin..end {
            let x = updates.row(row);
            let share = f64::from(updates.sources[row]) / updates.neighbours;
            let at = rule.at(updates.cost(row, phi));
            sources += f64::from(updates.sources[row]);
            stays += share * at.no;
            of_row.push((share * at.yes, share * at.slope, share * at.second));
            of_staying.iter_mut().zip(x).for_each(|(sum, x)| *sum -= share * at.slope * x);
        }
        // Sources of its own label, and beyond fixed edges.
        stays += (updates.neighbours - sources) / updates.neighbours;
        for (place, (chance, slope, second)) in of_row.iter().enumerate() {
            let x = updates.row(begin + place);
            let score = if *chance > 0.0 { slope / chance } else { 0.0 };
            if informs {
                add_outer(&mut sum.expected, x, chance * score * score);
            }
            if taken == place + 1 && *chance > rule.least {
                sum.value += ln(*chance);
                sum.score.iter_mut().zip(x).for_each(|(sum, x)| *sum += score * x);
                if informs {
                    add_outer(&mut sum.outer, x, score * score);
                } else if bends {
                    add_outer(&mut sum.curvature, x, score * score - second / chance);
                }
            } else if taken == place + 1 {
                sum.rule_out(rule);
            }
            if bends && taken == 0 && stays > rule.least {
                add_outer(&mut sum.curvature, x, second / stays);
            }
        }
        if informs && stays > 0.0 {
            add_outer(&mut sum.expected, &of_staying, 1.0 / stays);
        }
        if taken == 0 && stays > rule.least {
            sum.value += ln(stays);
            sum.score.iter_mut().zip(&of_staying).for_each(|(sum, slope)| *sum += slope / stays);
            if informs {
                add_outer(&mut sum.outer, &of_staying, 1.0 / (stays * stays));
            } else if bends {
                add_outer(&mut sum.curvature, &of_staying, 1.0 / (stays * stays));
            }
        } else if taken == 0 {
            sum.rule_out(rule);
        }
    }
    sum
}

/// matrix += weight · x xᵀ, of the entries on and above the diagonal.
fn add_outer(matrix: &mut [f64], x: &[f64], weight: f64) {
    let n = x.len();
    for (i, a) in x.iter().enumerate() {
        let scaled = weight * a;
        matrix[i * n + i..(i + 1) * n].iter_mut().zip(&x[i..]).for_each(|(sum, b)| *sum += scaled * b);
    }
}

/// The entries below the diagonal as those above it.
fn mirror(matrix: &mut [f64], n: usize) {
    for i in 0..n {
        for j in 0..i {
            matrix[i * n + j] = matrix[j * n + i];
        }
    }
}
