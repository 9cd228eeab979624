//! Says what a reaction changes, and how likely it is where its reactants are there and its products fit.

use glauber_program::Expr;

use super::sheet::Sheet;

/// How many particles of a layer a reaction makes (less those it takes).
pub(crate) fn change(reactants: &[(usize, u32)], products: &[(usize, u32)], layer: usize) -> i32 {
    let of = |side: &[(usize, u32)]| side.iter().find(|(l, _)| *l == layer).map_or(0, |(_, n)| *n as i32);
    of(products) - of(reactants)
}

/// A probability times the number of distinct sets of reactants under mass action, and 0 where reactants lack or products
/// would not fit.
pub(crate) fn possible(
    sheet: &Sheet,
    mut p: Expr,
    (reactants, products): (&[(usize, u32)], &[(usize, u32)]),
    mass_action: bool,
    occupancy: &[Expr],
) -> Expr {
    if mass_action {
        for (layer, count) in reactants {
            let n = occupancy[*layer];
            // Kept from falling below 0 where a mean-field run has fractions of particles.
            for taken in 0..*count {
                let left = if taken == 0 { n } else { (n - f64::from(taken)).max(0.0) };
                p = p * (left / f64::from(taken + 1));
            }
        }
    }
    for (layer, own) in sheet.layers.iter().enumerate() {
        let needs = reactants.iter().find(|(l, _)| *l == layer).map_or(0, |(_, n)| *n);
        let change = change(reactants, products, layer);
        if change > 0 {
            p = p * occupancy[layer].at_most(f64::from(own.highest - change));
        }
        // Mass action vanishes where reactants lack; a probability of one's own need not.
        if needs > 0 && !mass_action {
            p = p * occupancy[layer].at_least(f64::from(needs));
        }
    }
    p
}
