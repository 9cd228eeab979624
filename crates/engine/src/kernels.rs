//! Runs the kernels of a pass over blocks of sites, compiled once for each set of vector instructions.
//!
//! The loops are written so that the compiler vectorises them; every operation is a single IEEE 754 operation and the
//! order of sums is fixed, so the results are the same bits with any instruction set.
#![allow(unsafe_code)] // Only to enter functions compiled for instructions the machine was seen to have.

use glauber_program::{Binary, Comparison, Unary};

use crate::block::{Block, Buffer, LANES};
use crate::counts;
use crate::elementary;
use crate::kernel::{Arg, Kernel, Source};
use crate::noise::{Key, uniform};
use crate::plane::{Plane, Stored, each_storage};
use crate::real::Real;
use crate::simd::Simd;
use crate::tabulate::MOST_ENTRIES;

use glauber_lattice::Layout;

/// The fields a pass reads.
pub(crate) struct Memory<'a, F> {
    pub(crate) layout: &'a Layout,
    pub(crate) layers: &'a [Plane<F>],
    pub(crate) next_adjoints: &'a [Plane<F>],
    pub(crate) fields: &'a [Plane<F>],
    pub(crate) targets: &'a [Plane<F>],
    pub(crate) temporaries: &'a [Plane<F>],
    pub(crate) scalars: &'a [F],
    pub(crate) keys: &'a [Key],
    pub(crate) tables: &'a [Box<[F; MOST_ENTRIES]>],
}

/// Part of a field that a pass writes: the padded places from `base` on.
pub(crate) struct Output<'a, F> {
    pub(crate) part: Part<'a, F>,
    pub(crate) base: usize,
    /// Whether values are added to what is there.
    pub(crate) add: bool,
}

/// A mutable part of a plane.
pub(crate) enum Part<'a, F> {
    U8(&'a mut [u8]),
    I16(&'a mut [i16]),
    I32(&'a mut [i32]),
    Real(&'a mut [F]),
}

/// A value that may not be: which output or draw, at which site.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Violation {
    OutOfRange { output: u16, site: usize, value: f64 },
    NotProbability { draw: u16, site: usize, value: f64 },
}

/// Runs a pass over `blocks`. `sums` holds, block after block, one number per slot.
pub(crate) fn run_blocks<F: Real>(
    simd: Simd,
    kernels: &[Kernel],
    blocks: &[Block],
    memory: &Memory<'_, F>,
    outputs: &mut [Output<'_, F>],
    registers: &mut [Buffer<F>],
    sums: &mut [f64],
) -> Option<Violation> {
    match simd {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: `Simd` values other than `Plain` are only made where the machine was seen to have the instructions.
        Simd::Avx512 => unsafe { run_avx512(kernels, blocks, memory, outputs, registers, sums) },
        #[cfg(target_arch = "x86_64")]
        // SAFETY: as above.
        Simd::Avx2 => unsafe { run_avx2(kernels, blocks, memory, outputs, registers, sums) },
        _ => run_plain(kernels, blocks, memory, outputs, registers, sums),
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,bmi1,bmi2,popcnt")]
fn run_avx512<F: Real>(
    kernels: &[Kernel],
    blocks: &[Block],
    memory: &Memory<'_, F>,
    outputs: &mut [Output<'_, F>],
    registers: &mut [Buffer<F>],
    sums: &mut [f64],
) -> Option<Violation> {
    run(kernels, blocks, memory, outputs, registers, sums)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn run_avx2<F: Real>(
    kernels: &[Kernel],
    blocks: &[Block],
    memory: &Memory<'_, F>,
    outputs: &mut [Output<'_, F>],
    registers: &mut [Buffer<F>],
    sums: &mut [f64],
) -> Option<Violation> {
    run(kernels, blocks, memory, outputs, registers, sums)
}

fn run_plain<F: Real>(
    kernels: &[Kernel],
    blocks: &[Block],
    memory: &Memory<'_, F>,
    outputs: &mut [Output<'_, F>],
    registers: &mut [Buffer<F>],
    sums: &mut [f64],
) -> Option<Violation> {
    run(kernels, blocks, memory, outputs, registers, sums)
}

#[inline(always)]
fn run<F: Real>(
    kernels: &[Kernel],
    blocks: &[Block],
    memory: &Memory<'_, F>,
    outputs: &mut [Output<'_, F>],
    registers: &mut [Buffer<F>],
    sums: &mut [f64],
) -> Option<Violation> {
    let mut violation = None;
    let slots = if blocks.is_empty() { 0 } else { sums.len() / blocks.len() };
    for (number, block) in blocks.iter().enumerate() {
        let sums = &mut sums[number * slots..(number + 1) * slots];
        for kernel in kernels {
            run_kernel(kernel, block, memory, outputs, registers, sums, &mut violation);
        }
    }
    violation
}

/// One register or scalar of a kernel, ready to be read.
enum Operand<'a, F> {
    Many(&'a [F]),
    One(F),
}

#[inline(always)]
fn operand<'a, F: Real>(
    arg: Arg,
    n: usize,
    memory: &Memory<'_, F>,
    registers: &'a [Buffer<F>],
) -> Operand<'a, F> {
    match arg {
        Arg::Register(r) => Operand::Many(registers[r as usize].get(n)),
        Arg::Scalar(s) => Operand::One(memory.scalars[s as usize]),
    }
}

#[inline(always)]
fn map1<F: Real>(dst: &mut [F], a: &[F], f: impl Fn(F) -> F) {
    let a = &a[..dst.len()];
    for i in 0..dst.len() {
        dst[i] = f(a[i]);
    }
}

#[inline(always)]
fn map2<F: Real>(dst: &mut [F], a: Operand<'_, F>, b: Operand<'_, F>, f: impl Fn(F, F) -> F) {
    let n = dst.len();
    match (a, b) {
        (Operand::Many(a), Operand::Many(b)) => {
            let (a, b) = (&a[..n], &b[..n]);
            for i in 0..n {
                dst[i] = f(a[i], b[i]);
            }
        }
        (Operand::Many(a), Operand::One(b)) => map1(dst, a, |a| f(a, b)),
        (Operand::One(a), Operand::Many(b)) => map1(dst, b, |b| f(a, b)),
        (Operand::One(a), Operand::One(b)) => dst.fill(f(a, b)),
    }
}

#[inline(always)]
fn map3<F: Real>(
    dst: &mut [F],
    a: Operand<'_, F>,
    b: Operand<'_, F>,
    c: Operand<'_, F>,
    f: impl Fn(F, F, F) -> F,
) {
    let n = dst.len();
    match (a, b, c) {
        (Operand::Many(a), Operand::Many(b), Operand::Many(c)) => {
            let (a, b, c) = (&a[..n], &b[..n], &c[..n]);
            for i in 0..n {
                dst[i] = f(a[i], b[i], c[i]);
            }
        }
        (Operand::Many(a), Operand::Many(b), Operand::One(c)) => {
            map2(dst, Operand::Many(a), Operand::Many(b), |a, b| f(a, b, c));
        }
        (Operand::Many(a), Operand::One(b), c) => map2(dst, Operand::Many(a), c, |a, c| f(a, b, c)),
        (Operand::One(a), b, c) => map2(dst, b, c, |b, c| f(a, b, c)),
    }
}

/// The sum of n numbers in a fixed order: 16 running sums, then a tree.
#[inline(always)]
fn lane_sum<F: Real>(n: usize, at: impl Fn(usize) -> F) -> f64 {
    let mut lanes = [0.0; LANES];
    let whole = n - n % LANES;
    let mut i = 0;
    while i < whole {
        for lane in 0..LANES {
            lanes[lane] += at(i + lane).to_f64();
        }
        i += LANES;
    }
    for (lane, sum) in lanes.iter_mut().enumerate().take(n - whole) {
        *sum += at(whole + lane).to_f64();
    }
    let mut width = LANES / 2;
    while width > 0 {
        for lane in 0..width {
            lanes[lane] += lanes[lane + width];
        }
        width /= 2;
    }
    lanes[0]
}

#[inline(always)]
fn plane_of<'a, F>(source: Source, memory: &Memory<'a, F>) -> &'a Plane<F> {
    match source {
        Source::Layer(i) => &memory.layers[i as usize],
        Source::NextAdjoint(i) => &memory.next_adjoints[i as usize],
        Source::Field(i) => &memory.fields[i as usize],
        Source::Target(i) => &memory.targets[i as usize],
        Source::Temporary(i) => &memory.temporaries[i as usize],
    }
}

/// A number of a plane in the precision of the block.
trait InBlock<F>: Copy {
    fn widen(self) -> F;
}

impl<F: Real> InBlock<F> for u8 {
    #[inline(always)]
    fn widen(self) -> F {
        F::from_i32(i32::from(self))
    }
}
impl<F: Real> InBlock<F> for i16 {
    #[inline(always)]
    fn widen(self) -> F {
        F::from_i32(i32::from(self))
    }
}
impl<F: Real> InBlock<F> for i32 {
    #[inline(always)]
    fn widen(self) -> F {
        F::from_i32(self)
    }
}
impl<F: Real> InBlock<F> for F {
    #[inline(always)]
    fn widen(self) -> F {
        self
    }
}

/// Calls `f` with the part of the register and the part of the plane that make up each row of a block.
#[inline(always)]
fn rows<F, T>(
    layout: &Layout,
    block: &Block,
    dst: &mut [F],
    plane: &[T],
    distance: isize,
    mut f: impl FnMut(&mut [F], &[T]),
) {
    let width = block.width;
    for row in 0..block.rows {
        let start = (layout.row(block.first_row + row) + block.x).wrapping_add_signed(distance);
        f(&mut dst[row * width..(row + 1) * width], &plane[start..start + width]);
    }
}

#[inline(always)]
fn load<F: Real>(memory: &Memory<'_, F>, block: &Block, dst: &mut [F], source: Source, distance: isize) {
    each_storage!(plane_of(source, memory), plane => {
        rows(memory.layout, block, dst, plane, distance, |d, p| {
            for i in 0..d.len() {
                d[i] = p[i].widen();
            }
        });
    });
}

#[inline(always)]
fn neighbour_sum<F: Real>(
    memory: &Memory<'_, F>,
    block: &Block,
    dst: &mut [F],
    source: Source,
    distances: &[isize],
    weight: impl Fn(usize) -> Option<F>,
) {
    dst.fill(F::ZERO);
    each_storage!(plane_of(source, memory), plane => {
        for (k, distance) in distances.iter().enumerate() {
            match weight(k) {
                None => rows(memory.layout, block, dst, plane, *distance, |d, p| {
                    for i in 0..d.len() {
                        d[i] = d[i] + InBlock::<F>::widen(p[i]);
                    }
                }),
                Some(w) => rows(memory.layout, block, dst, plane, *distance, |d, p| {
                    for i in 0..d.len() {
                        d[i] = d[i] + w * InBlock::<F>::widen(p[i]);
                    }
                }),
            }
        }
    });
}

/// Counts in bytes, of which a vector holds four times as many.
#[inline(always)]
fn neighbour_count_bytes<F: Real>(
    layout: &Layout,
    block: &Block,
    dst: &mut [F],
    plane: &[u8],
    distances: &[isize],
) {
    let mut counts = [0u8; crate::block::BLOCK];
    let counts = &mut counts[..dst.len()];
    for distance in distances {
        rows(layout, block, counts, plane, *distance, |c, p| {
            for i in 0..c.len() {
                c[i] = c[i].wrapping_add(p[i]);
            }
        });
    }
    for i in 0..dst.len() {
        dst[i] = F::from_i32(i32::from(counts[i]));
    }
}

#[inline(always)]
#[allow(clippy::too_many_arguments)]
fn run_kernel<F: Real>(
    kernel: &Kernel,
    block: &Block,
    memory: &Memory<'_, F>,
    outputs: &mut [Output<'_, F>],
    registers: &mut [Buffer<F>],
    sums: &mut [f64],
    violation: &mut Option<Violation>,
) {
    let n = block.lanes();
    /// Takes the register that is written out of the file, so that the others can be read.
    macro_rules! write {
        ($dst:expr, $into:ident => $body:expr) => {{
            let mut taken = std::mem::take(&mut registers[*$dst as usize]);
            {
                let $into = taken.get_mut(n);
                $body
            }
            registers[*$dst as usize] = taken;
        }};
    }
    macro_rules! read {
        ($arg:expr) => {
            operand(*$arg, n, memory, registers)
        };
    }
    match kernel {
        Kernel::Load { dst, source, distance } => {
            write!(dst, d => load(memory, block, d, *source, *distance))
        }
        Kernel::LoadMoved { dst, source, direction, distances } => {
            let chosen = memory.scalars[*direction as usize].to_i32().max(0) as usize;
            let distance = distances[chosen.min(distances.len() - 1)];
            write!(dst, d => load(memory, block, d, *source, distance))
        }
        Kernel::NeighbourCount { dst, source, distances, in_bytes } => {
            write!(dst, d => match plane_of(*source, memory) {
                Plane::U8(plane) if *in_bytes => neighbour_count_bytes(memory.layout, block, d, plane, distances),
                _ => neighbour_sum(memory, block, d, *source, distances, |_| None),
            })
        }
        Kernel::NeighbourSum { dst, source, distances, weights } => {
            write!(dst, d => neighbour_sum(memory, block, d, *source, distances, |k| Some(F::from_f64(weights[k]))))
        }
        Kernel::Coordinate { dst, axis } => {
            write!(dst, d => coordinates(memory.layout, block, d, *axis))
        }
        Kernel::Spread { dst, a } => {
            let value = memory.scalars[*a as usize];
            write!(dst, d => d.fill(value))
        }
        Kernel::Unary { function, dst, a } => write!(dst, d => {
            let a = registers[*a as usize].get(n);
            unary(*function, d, a);
        }),
        Kernel::Binary { function, dst, a, b } => write!(dst, d => {
            let (a, b) = (read!(a), read!(b));
            match function {
                Binary::Add => map2(d, a, b, |a, b| a + b),
                Binary::Subtract => map2(d, a, b, |a, b| a - b),
                Binary::Multiply => map2(d, a, b, |a, b| a * b),
                Binary::Divide => map2(d, a, b, |a, b| a / b),
                Binary::Power => map2(d, a, b, elementary::pow),
                Binary::Minimum => map2(d, a, b, |a, b| a.min(b)),
                Binary::Maximum => map2(d, a, b, |a, b| a.max(b)),
            }
        }),
        Kernel::Compare { comparison, dst, a, b } => write!(dst, d => {
            let (a, b) = (read!(a), read!(b));
            let one = |holds: bool| if holds { F::ONE } else { F::ZERO };
            match comparison {
                Comparison::Equal => map2(d, a, b, |a, b| one(a == b)),
                Comparison::Less => map2(d, a, b, |a, b| one(a < b)),
                Comparison::LessOrEqual => map2(d, a, b, |a, b| one(a <= b)),
            }
        }),
        Kernel::Select { dst, condition, yes, no } => write!(dst, d => {
            let c = Operand::Many(registers[*condition as usize].get(n));
            map3(d, c, read!(yes), read!(no), |c, a, b| if c != F::ZERO { a } else { b });
        }),
        Kernel::SelectAll { dst, condition, yes, no } => write!(dst, d => {
            let chosen = if memory.scalars[*condition as usize] != F::ZERO { read!(yes) } else { read!(no) };
            map2(d, chosen, Operand::One(F::ZERO), |a, _| a);
        }),
        Kernel::Round { dst, a } => write!(dst, d => {
            map1(d, registers[*a as usize].get(n), |a| a.round_ties_even());
        }),
        Kernel::MultiplyAdd { dst, a, b, c } => write!(dst, d => {
            map3(d, read!(a), read!(b), read!(c), |a, b, c| a * b + c);
        }),
        Kernel::MultiplySubtract { dst, a, b, c } => write!(dst, d => {
            map3(d, read!(a), read!(b), read!(c), |a, b, c| a * b - c);
        }),
        Kernel::SubtractMultiply { dst, a, b, c } => write!(dst, d => {
            map3(d, read!(a), read!(b), read!(c), |a, b, c| c - a * b);
        }),
        Kernel::Uniform { dst, key } => {
            let (key, site) = (memory.keys[*key as usize], block.site as u32);
            write!(dst, d => for i in 0..d.len() {
                d[i] = uniform(key.word(site.wrapping_add(i as u32)));
            })
        }
        Kernel::Bernoulli { dst, key, p } => {
            let (key, site) = (memory.keys[*key as usize], block.site as u32);
            write!(dst, d => bernoulli(d, read!(p), key, site))
        }
        Kernel::Normal { dst, a, b } => write!(dst, d => {
            let (a, b) = (registers[*a as usize].get(n), registers[*b as usize].get(n));
            map2(d, Operand::Many(a), Operand::Many(b), box_muller);
        }),
        Kernel::Binomial { dst, key, n: trials, p } => {
            let (key, site) = (memory.keys[*key as usize], block.site as u32);
            write!(dst, d => for i in 0..block.len() {
                let (n, p) = (number_at(*trials, i, memory, registers), number_at(*p, i, memory, registers));
                d[i] = F::from_f64(counts::binomial(&key, site.wrapping_add(i as u32), n, p));
            })
        }
        Kernel::Poisson { dst, key, rate } => {
            let (key, site) = (memory.keys[*key as usize], block.site as u32);
            write!(dst, d => for i in 0..block.len() {
                let mean = number_at(*rate, i, memory, registers);
                d[i] = F::from_f64(counts::poisson(&key, site.wrapping_add(i as u32), mean));
            })
        }
        Kernel::Lookup { dst, table, keys } => write!(dst, d => {
            look_up(d, &memory.tables[*table as usize], keys, n, registers);
        }),
        Kernel::Sum { slot, a } => {
            let len = block.len();
            sums[*slot as usize] = match read!(a) {
                Operand::Many(a) => lane_sum(len, |i| a[i]),
                Operand::One(a) => a.to_f64() * len as f64,
            };
        }
        Kernel::Dot { slot, a, b } => {
            let len = block.len();
            sums[*slot as usize] = match (read!(a), read!(b)) {
                (Operand::Many(a), Operand::Many(b)) => {
                    let (a, b) = (&a[..n], &b[..n]);
                    lane_sum(len, |i| a[i] * b[i])
                }
                (Operand::Many(a), Operand::One(b)) | (Operand::One(b), Operand::Many(a)) => {
                    lane_sum(len, |i| a[i] * b)
                }
                (Operand::One(a), Operand::One(b)) => (a * b).to_f64() * len as f64,
            };
        }
        Kernel::Store { output, a, range } => {
            let a = read!(a);
            let bad = range.and_then(|r| out_of_range(&a, block.len(), r));
            if let (Some((at, value)), None) = (bad, &violation) {
                let site = block.site + at;
                *violation = Some(Violation::OutOfRange { output: *output, site, value });
            }
            store(memory.layout, block, &mut outputs[*output as usize], &a);
        }
        Kernel::CheckProbability { draw, a } => {
            let bad = not_probability(&read!(a), block.len());
            if let (Some((at, value)), None) = (bad, &violation) {
                let site = block.site + at;
                *violation = Some(Violation::NotProbability { draw: *draw, site, value });
            }
        }
    }
}

#[inline(always)]
fn unary<F: Real>(function: Unary, d: &mut [F], a: &[F]) {
    match function {
        Unary::Negate => map1(d, a, |a| -a),
        Unary::Absolute => map1(d, a, |a| a.abs()),
        Unary::Sign => map1(d, a, |a| {
            let up = if a > F::ZERO { F::ONE } else { F::ZERO };
            let down = if a < F::ZERO { F::ONE } else { F::ZERO };
            up - down
        }),
        Unary::SquareRoot => map1(d, a, |a| a.sqrt()),
        Unary::Exponential => map1(d, a, elementary::exp),
        Unary::ExponentialMinusOne => map1(d, a, elementary::exp_m1),
        Unary::Logarithm => map1(d, a, elementary::ln),
        Unary::LogarithmOnePlus => map1(d, a, elementary::ln_1p),
        Unary::Sigmoid => map1(d, a, elementary::sigmoid),
        Unary::HyperbolicTangent => map1(d, a, elementary::tanh),
        Unary::Sine => map1(d, a, elementary::sin),
        Unary::Cosine => map1(d, a, elementary::cos),
        Unary::Floor => map1(d, a, |a| a.floor()),
    }
}

#[inline(always)]
fn bernoulli<F: Real>(d: &mut [F], p: Operand<'_, F>, key: Key, site: u32) {
    let n = d.len();
    match p {
        Operand::Many(p) => {
            let p = &p[..n];
            for i in 0..n {
                let u: F = uniform(key.word(site.wrapping_add(i as u32)));
                d[i] = if u < p[i] { F::ONE } else { F::ZERO };
            }
        }
        Operand::One(p) => {
            for i in 0..n {
                let u: F = uniform(key.word(site.wrapping_add(i as u32)));
                d[i] = if u < p { F::ONE } else { F::ZERO };
            }
        }
    }
}

/// A standard normal number from two uniforms (Box & Muller 1958).
#[inline(always)]
pub(crate) fn box_muller<F: Real>(u: F, v: F) -> F {
    let two = F::ONE + F::ONE;
    // Noise lies on a grid that includes 0; half a grid step up keeps the logarithm finite.
    let least = F::from_f64(1.0 / 4_294_967_296.0);
    let radius = (-(two * elementary::ln(u.max(least)))).sqrt();
    let (_, cosine) = elementary::sin_cos_turns(v);
    radius * cosine
}

#[inline(always)]
fn look_up<F: Real>(
    d: &mut [F],
    table: &[F; MOST_ENTRIES],
    keys: &[(u32, i32, i32)],
    n: usize,
    registers: &[Buffer<F>],
) {
    let mask = MOST_ENTRIES - 1;
    let key = |place: usize| registers[keys[place].0 as usize].get(n);
    // Lanes after the last site hold anything: their arithmetic wraps, and nobody reads them.
    let index =
        |value: F, place: usize| value.to_i32().wrapping_sub(keys[place].1).wrapping_mul(keys[place].2);
    match keys.len() {
        1 => map1(d, key(0), |a| table[index(a, 0) as usize & mask]),
        2 => map2(d, Operand::Many(key(0)), Operand::Many(key(1)), |a, b| {
            table[index(a, 0).wrapping_add(index(b, 1)) as usize & mask]
        }),
        _ => {
            let (a, b, c) = (Operand::Many(key(0)), Operand::Many(key(1)), Operand::Many(key(2)));
            map3(d, a, b, c, |a, b, c| {
                table[index(a, 0).wrapping_add(index(b, 1)).wrapping_add(index(c, 2)) as usize & mask]
            });
        }
    }
}

fn number_at<F: Real>(arg: Arg, i: usize, memory: &Memory<'_, F>, registers: &[Buffer<F>]) -> f64 {
    match arg {
        Arg::Register(r) => registers[r as usize].get(i + 1)[i].to_f64(),
        Arg::Scalar(s) => memory.scalars[s as usize].to_f64(),
    }
}

fn coordinates<F: Real>(layout: &Layout, block: &Block, d: &mut [F], axis: u8) {
    let height = layout.extent()[1];
    for row in 0..block.rows {
        let (z, y) = ((block.first_row + row) / height, (block.first_row + row) % height);
        for i in 0..block.width {
            let coordinate = [z, y, block.x + i][axis as usize];
            d[row * block.width + i] = F::from_i32(coordinate as i32);
        }
    }
}

#[inline(always)]
fn out_of_range<F: Real>(a: &Operand<'_, F>, len: usize, range: (i32, i32)) -> Option<(usize, f64)> {
    let bad = |a: F| {
        let whole = a.to_i32();
        F::from_i32(whole) != a || whole < range.0 || whole > range.1
    };
    first_bad(a, len, bad)
}

#[inline(always)]
fn not_probability<F: Real>(a: &Operand<'_, F>, len: usize) -> Option<(usize, f64)> {
    // Rounding may leave a sum of probabilities this far outside.
    let slack = F::from_f64(1e-5);
    first_bad(a, len, |a| !((a >= -slack) & (a <= F::ONE + slack)))
}

#[inline(always)]
fn first_bad<F: Real>(a: &Operand<'_, F>, len: usize, bad: impl Fn(F) -> bool) -> Option<(usize, f64)> {
    match a {
        Operand::One(a) => bad(*a).then(|| (0, a.to_f64())),
        Operand::Many(a) => {
            let mut any = 0u32;
            for a in &a[..len] {
                any |= u32::from(bad(*a));
            }
            if any == 0 {
                return None;
            }
            let at = a[..len].iter().position(|a| bad(*a))?;
            Some((at, a[at].to_f64()))
        }
    }
}

#[inline(always)]
fn store<F: Real>(layout: &Layout, block: &Block, output: &mut Output<'_, F>, a: &Operand<'_, F>) {
    let (base, add) = (output.base, output.add);
    match &mut output.part {
        Part::U8(part) => store_rows(layout, block, base, part, a, |_, a| a.to_i32() as u8),
        Part::I16(part) => store_rows(layout, block, base, part, a, |_, a| a.to_i32() as i16),
        Part::I32(part) => store_rows(layout, block, base, part, a, |_, a| a.to_i32()),
        Part::Real(part) if add => store_rows(layout, block, base, part, a, |old, a| old + a),
        Part::Real(part) => store_rows(layout, block, base, part, a, |_, a| a),
    }
}

#[inline(always)]
fn store_rows<F: Real, T: Stored>(
    layout: &Layout,
    block: &Block,
    base: usize,
    part: &mut [T],
    a: &Operand<'_, F>,
    f: impl Fn(T, F) -> T,
) {
    let width = block.width;
    for row in 0..block.rows {
        let start = layout.row(block.first_row + row) + block.x - base;
        let to = &mut part[start..start + width];
        match a {
            Operand::Many(a) => {
                let a = &a[row * width..(row + 1) * width];
                for i in 0..width {
                    to[i] = f(to[i], a[i]);
                }
            }
            Operand::One(a) => {
                for to in to {
                    *to = f(*to, *a);
                }
            }
        }
    }
}
