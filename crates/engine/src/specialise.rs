//! Leaves out of a pass what the numbers of a run decide: of a choice between two ways to compute a value, by a number
//! that all sites share, the way that is not taken. What comes out is the same bits.

use std::collections::HashMap;

use glauber_numbers::real::Real;
use glauber_program::{Comparison, Unary};

use crate::kernel::{Arg, Kernel, Register};
use crate::registers::{allocate, drop_dead};

/// Whether a pass has choices that a run may decide.
pub(crate) fn has_choices(kernels: &[Kernel]) -> bool {
    kernels.iter().any(|kernel| matches!(kernel, Kernel::SelectAll { .. }))
}

/// What is known of scalars while kernels are gone through.
struct Known<'k, F> {
    /// The numbers of scalars that stay as they are for the whole run, by slot.
    scalars: &'k dyn Fn(u32) -> Option<F>,
    /// Scalars of our own, in slots behind the others.
    first: u32,
    own: Vec<F>,
    /// What each register is, where it is not computed.
    is: HashMap<Register, Arg>,
    /// The registers that repeat a scalar, where one is needed.
    spread: HashMap<u32, Register>,
    next: Register,
}

/// Kernels without what a run decides, and how many registers they need; each was written once. Own scalars, in slots from `first` on, are added to `own`.
pub(crate) fn specialised<F: Real>(
    kernels: &[Kernel],
    scalars: &dyn Fn(u32) -> Option<F>,
    first: u32,
    own: &mut Vec<F>,
) -> (Vec<Kernel>, usize) {
    let next = kernels.iter().cloned().filter_map(|mut k| k.writes().copied()).max().map_or(0, |r| r + 1);
    let taken = std::mem::take(own);
    let mut known = Known { scalars, first, own: taken, is: HashMap::new(), spread: HashMap::new(), next };
    let mut all = Vec::with_capacity(kernels.len());
    for kernel in kernels {
        let mut kernel = kernel.clone();
        known.substitute(&mut kernel);
        match (known.decided(&kernel), kernel.writes().copied()) {
            (Some(value), Some(dst)) => {
                known.is.insert(dst, value);
            }
            _ => {
                known.materialise(&mut kernel, &mut all);
                all.push(kernel);
            }
        }
    }
    *own = known.own;
    drop_dead(&mut all);
    let registers = allocate(&mut all);
    (all, registers)
}

impl<F: Real> Known<'_, F> {
    /// Puts what is known of registers in their place, wherever a kernel reads either.
    fn substitute(&self, kernel: &mut Kernel) {
        kernel.args(|arg| {
            if let Arg::Register(register) = arg {
                *arg = self.is.get(register).copied().unwrap_or(*arg);
            }
        });
        // Elsewhere a register must be one.
        kernel.reads(|register| {
            if let Some(Arg::Register(same)) = self.is.get(register) {
                *register = *same;
            }
        });
    }

    fn number(&self, arg: Arg) -> Option<F> {
        match arg {
            Arg::Register(register) => self.number(*self.is.get(&register)?),
            Arg::Scalar(slot) if slot >= self.first => self.own.get((slot - self.first) as usize).copied(),
            Arg::Scalar(slot) => (self.scalars)(slot),
        }
    }

    fn scalar(&mut self, number: F) -> Arg {
        self.own.push(number);
        Arg::Scalar(self.first + self.own.len() as u32 - 1)
    }

    /// What a kernel's register is, where that is decided.
    fn decided(&mut self, kernel: &Kernel) -> Option<Arg> {
        let truth = |holds: bool| if holds { F::ONE } else { F::ZERO };
        match *kernel {
            Kernel::SelectAll { condition, yes, no, .. } => {
                let holds = self.number(Arg::Scalar(condition))? != F::ZERO;
                Some(if holds { yes } else { no })
            }
            Kernel::Select { condition, yes, no, .. } => {
                let holds = self.number(Arg::Register(condition))? != F::ZERO;
                Some(if holds { yes } else { no })
            }
            Kernel::Compare { comparison, a, b, .. } => {
                let (a, b) = (self.number(a)?, self.number(b)?);
                let holds = match comparison {
                    Comparison::Equal => a == b,
                    Comparison::Less => a < b,
                    Comparison::LessOrEqual => a <= b,
                };
                Some(self.scalar(truth(holds)))
            }
            Kernel::Unary { function: Unary::Negate, a, .. } => {
                let a = self.number(Arg::Register(a))?;
                Some(self.scalar(-a))
            }
            _ => None,
        }
    }

    /// Repeats scalars in registers, where a kernel can read nothing else, or adds up what it reads: many equal numbers
    /// add up to something else than their multiple, but for zeros.
    fn materialise(&mut self, kernel: &mut Kernel, before: &mut Vec<Kernel>) {
        let mut needed = Vec::new();
        kernel.reads(|register| {
            if let Some(Arg::Scalar(slot)) = self.is.get(register) {
                needed.push((*register, *slot));
            }
        });
        let is_zero = |arg: &Arg| self.number(*arg).is_some_and(|x| x == F::ZERO);
        match kernel {
            Kernel::Sum { a: a @ Arg::Scalar(_), .. } if !is_zero(a) => self.repeat(a, before),
            Kernel::Dot { a: a @ Arg::Scalar(_), b: b @ Arg::Scalar(_), .. } => {
                self.repeat(a, before);
                self.repeat(b, before);
            }
            _ => {}
        }
        for (old, slot) in needed {
            let mut arg = Arg::Scalar(slot);
            self.repeat(&mut arg, before);
            kernel.reads(|register| {
                if let (Arg::Register(new), true) = (arg, *register == old) {
                    *register = new;
                }
            });
        }
    }

    /// Makes a scalar a register.
    fn repeat(&mut self, arg: &mut Arg, before: &mut Vec<Kernel>) {
        let Arg::Scalar(slot) = *arg else { return };
        let register = *self.spread.entry(slot).or_insert_with(|| {
            before.push(Kernel::Spread { dst: self.next, a: slot });
            self.next += 1;
            self.next - 1
        });
        *arg = Arg::Register(register);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use glauber_program::Binary;

    /// %1 = if s0 then %0 else 0; %2 = [0 = %1]; %3 = if %2 then 0 else %0²; Σ %3; Σ %0.
    fn kernels() -> Vec<Kernel> {
        let r = Arg::Register;
        vec![
            Kernel::Uniform { dst: 0, key: 0 },
            Kernel::SelectAll { dst: 1, condition: 0, yes: r(0), no: Arg::Scalar(1) },
            Kernel::Compare { comparison: Comparison::Equal, dst: 2, a: Arg::Scalar(1), b: r(1) },
            Kernel::Binary { function: Binary::Multiply, dst: 3, a: r(0), b: r(0) },
            Kernel::Select { dst: 4, condition: 2, yes: Arg::Scalar(1), no: r(3) },
            Kernel::Sum { slot: 0, a: r(4) },
            Kernel::Sum { slot: 1, a: r(0) },
            Kernel::Unary { function: Unary::Exponential, dst: 5, a: 2 },
            Kernel::Sum { slot: 2, a: r(5) },
        ]
    }

    fn run(condition: f32) -> (Vec<Kernel>, Vec<f32>) {
        let mut own = Vec::new();
        let scalars = |slot: u32| [Some(condition), Some(0.0)].get(slot as usize).copied().flatten();
        let (left, _) = specialised(&kernels(), &scalars, 2, &mut own);
        (left, own)
    }

    #[test]
    fn what_is_not_taken_is_not_computed() {
        let (left, own) = run(0.0);
        assert_eq!(own, [1.0]);
        let is_product = |k: &Kernel| matches!(k, Kernel::Binary { .. } | Kernel::Select { .. });
        assert!(!left.iter().any(is_product), "{left:?}");
        assert!(left.contains(&Kernel::Sum { slot: 0, a: Arg::Scalar(1) }), "{left:?}");
        // The exponential reads a register that repeats the 1.
        assert!(left.iter().any(|k| matches!(k, Kernel::Spread { a: 2, .. })), "{left:?}");
    }

    #[test]
    fn what_is_taken_is_computed_once() {
        let (left, own) = run(1.0);
        assert!(own.is_empty());
        let choices = left.iter().filter(|k| matches!(k, Kernel::SelectAll { .. })).count();
        assert_eq!((choices, left.len()), (0, kernels().len() - 1), "{left:?}");
    }
}
