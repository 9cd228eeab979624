//! Measures the elementary functions against `libm` over dense grids, at their edges, and pins their bits.
//!
//! `f32` results are compared with `libm`'s double precision, so the error is exact to 10⁻⁸ units in the
//! last place (ulp). `f64` results are compared with `libm` itself, whose own error is up to 0.5 to 1 ulp:
//! the bounds there are ours plus one.

#![allow(clippy::unwrap_used, clippy::float_cmp)]

use glauber_numbers::elementary::*;
use glauber_numbers::real::Real;

/// |got − wanted| in units in the last place of the wanted `f32`; 0 where both are NaN or equal.
fn error_f32(got: f32, wanted: f64) -> f64 {
    if (got.is_nan() && wanted.is_nan()) || got == wanted as f32 {
        let exact = f64::from(got);
        if !exact.is_finite() || exact == wanted {
            return 0.0;
        }
    }
    if !got.is_finite() || !wanted.is_finite() {
        return f64::INFINITY;
    }
    let size = (wanted as f32).abs().clamp(f32::MIN_POSITIVE, f32::MAX);
    let unit = f64::from(size) - f64::from(f32::from_bits(size.to_bits() - 1));
    (f64::from(got) - wanted).abs() / unit
}

/// The same for `f64`; only accurate for results that are close.
fn error_f64(got: f64, wanted: f64) -> f64 {
    if (got.is_nan() && wanted.is_nan()) || got == wanted {
        return 0.0;
    }
    if !got.is_finite() || !wanted.is_finite() {
        return f64::INFINITY;
    }
    let size = wanted.abs().clamp(f64::MIN_POSITIVE, f64::MAX);
    (got - wanted).abs() / (size - f64::from_bits(size.to_bits() - 1))
}

/// Every `stride`-th bit pattern of all numbers: dense near 0, out to the infinities, and NaN.
fn patterns_f32(stride: u32) -> impl Iterator<Item = f32> {
    (0..=u32::MAX / stride).map(move |i| f32::from_bits(i * stride))
}

fn patterns_f64(stride: u64) -> impl Iterator<Item = f64> {
    (0..=u64::MAX / stride).map(move |i| f64::from_bits(i * stride))
}

/// `count` numbers evenly over an interval.
fn grid(least: f64, most: f64, count: u32) -> impl Iterator<Item = f64> {
    (0..count).map(move |i| least + (most - least) * f64::from(i) / f64::from(count - 1))
}

/// The largest error over all patterns and a grid within `domain`, and where.
fn worst_f32(ours: impl Fn(f32) -> f32, theirs: impl Fn(f64) -> f64, domain: (f32, f32)) -> (f64, f32) {
    let inside = |x: &f32| (domain.0..=domain.1).contains(x) || x.is_nan();
    let (least, most) = (f64::from(domain.0.max(-120.0)), f64::from(domain.1.min(120.0)));
    let points = patterns_f32(8191).filter(inside).chain(grid(least, most, 200_003).map(|x| x as f32));
    points.fold((0.0, 0.0), |worst, x| {
        let error = error_f32(ours(x), theirs(f64::from(x)));
        if error > worst.0 { (error, x) } else { worst }
    })
}

fn worst_f64(ours: impl Fn(f64) -> f64, theirs: impl Fn(f64) -> f64, domain: (f64, f64)) -> (f64, f64) {
    let inside = |x: &f64| (domain.0..=domain.1).contains(x) || x.is_nan();
    let (least, most) = (domain.0.max(-800.0), domain.1.min(800.0));
    let fine = grid(least.max(-3.0), most.min(3.0), 100_003);
    let points = patterns_f64((1 << 46) - 57).filter(inside).chain(grid(least, most, 100_003)).chain(fine);
    points.fold((0.0, 0.0), |worst, x| {
        let error = error_f64(ours(x), theirs(x));
        if error > worst.0 { (error, x) } else { worst }
    })
}

fn logistic(x: f64) -> f64 {
    if x < 0.0 { libm::exp(x) / (1.0 + libm::exp(x)) } else { 1.0 / (1.0 + libm::exp(-x)) }
}

#[test]
fn single_precision_errors_stay_below_the_documented_bounds() {
    let all = (f32::NEG_INFINITY, f32::INFINITY);
    let circle = (-8192.0, 8192.0);
    type Case = (&'static str, fn(f32) -> f32, fn(f64) -> f64, (f32, f32), f64);
    let cases: [Case; 9] = [
        ("exp", exp, libm::exp, all, 1.0),
        ("exp_m1", exp_m1, libm::expm1, all, 1.7),
        ("ln", ln, libm::log, all, 0.8),
        ("ln_1p", ln_1p, libm::log1p, all, 0.8),
        ("sigmoid", sigmoid, logistic, all, 2.4),
        ("tanh", tanh, libm::tanh, all, 2.6),
        ("cosh", cosh, libm::cosh, all, 2.8),
        ("sin", sin, libm::sin, circle, 1.7),
        ("cos", cos, libm::cos, circle, 1.7),
    ];
    for (name, ours, theirs, domain, bound) in cases {
        let (worst, at) = worst_f32(ours, theirs, domain);
        assert!(worst <= bound, "{name}: {worst} ulp at {at:e}, documented {bound}");
        assert!(worst > 0.4, "{name}: {worst} ulp cannot be right, the comparison is broken");
    }
}

#[test]
fn double_precision_errors_stay_below_the_documented_bounds() {
    let all = (f64::NEG_INFINITY, f64::INFINITY);
    let circle = (-1e6, 1e6);
    type Case = (&'static str, fn(f64) -> f64, fn(f64) -> f64, (f64, f64), f64);
    let cases: [Case; 9] = [
        ("exp", exp, libm::exp, all, 1.0),
        ("exp_m1", exp_m1, libm::expm1, all, 2.0),
        ("ln", ln, libm::log, all, 0.8),
        ("ln_1p", ln_1p, libm::log1p, all, 0.8),
        ("sigmoid", sigmoid, logistic, all, 2.5),
        ("tanh", tanh, libm::tanh, all, 2.7),
        ("cosh", cosh, libm::cosh, all, 2.8),
        ("sin", sin, libm::sin, circle, 2.1),
        ("cos", cos, libm::cos, circle, 2.1),
    ];
    for (name, ours, theirs, domain, bound) in cases {
        let (worst, at) = worst_f64(ours, theirs, domain);
        assert!(worst <= bound + 1.0, "{name}: {worst} ulp at {at:e}, documented {bound} + 1");
    }
}

/// Bases over many sizes and near 1, and exponents that bring the power anywhere between 0 and ∞.
fn powers(count: u32) -> impl Iterator<Item = (f64, f64)> {
    (0..count).map(move |i| {
        let mix = |j: u32| f64::from((i * 2 + j).wrapping_mul(0x9e37_79b1) >> 8) / f64::from(1 << 24);
        let base = if i % 3 == 0 { 0.7 + 0.6 * mix(0) } else { libm::exp(80.0 * mix(0) - 40.0) };
        let reach = if i % 2 == 0 { 12.0 } else { 95.0 / libm::fabs(libm::log(base)) };
        (base, reach * (2.0 * mix(1) - 1.0))
    })
}

#[test]
fn powers_are_accurate_in_both_precisions() {
    let mut worst = (0.0_f64, 0.0_f64);
    for (x, y) in powers(400_000) {
        let (small_x, small_y) = (x as f32, y as f32);
        let wanted = libm::pow(f64::from(small_x), f64::from(small_y));
        worst.0 = worst.0.max(error_f32(pow(small_x, small_y), wanted));
        worst.1 = worst.1.max(error_f64(pow(x, y), libm::pow(x, y)));
    }
    assert!((0.49..=0.51).contains(&worst.0), "f32: {} ulp", worst.0);
    assert!(worst.1 <= 0.7 + 1.0, "f64: {} ulp", worst.1);
}

#[test]
fn powers_that_are_representable_are_exact() {
    for base in 1_u32..=40 {
        let mut wanted = 1.0_f64;
        for exponent in 0..40 {
            if wanted < 2_f64.powi(24) {
                assert_eq!(pow(base as f32, exponent as f32), wanted as f32, "{base}^{exponent}");
                assert_eq!(pow_integer(base as f32, exponent), wanted as f32, "{base}^{exponent}");
            }
            if wanted < 2_f64.powi(53) {
                assert_eq!(pow(f64::from(base), f64::from(exponent)), wanted, "{base}^{exponent}");
                assert_eq!(pow_integer(f64::from(base), exponent), wanted, "{base}^{exponent}");
            }
            wanted *= f64::from(base);
        }
    }
    assert_eq!(pow_integer(2.0_f32, -3), 0.125);
    assert_eq!(pow_integer(-2.0_f64, 3), -8.0);
}

#[test]
fn powers_at_the_edges_are_those_of_ieee_754() {
    let (inf, nan) = (f64::INFINITY, f64::NAN);
    let edges =
        [0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 2.0, -2.0, 3.0, -3.0, inf, -inf, nan, 5e-324, -5e-324, 1e300];
    for x in edges {
        for y in edges {
            let (got, wanted) = (pow(x, y), libm::pow(x, y));
            let signs_agree = wanted.is_nan() || got.is_sign_negative() == wanted.is_sign_negative();
            assert!(signs_agree && error_f64(got, wanted) <= 1.0, "f64 {x}^{y}: {got}, not {wanted}");
            let (x, y) = (x as f32, y as f32);
            let (got, wanted) = (pow(x, y), libm::pow(f64::from(x), f64::from(y)));
            let signs_agree = wanted.is_nan() || got.is_sign_negative() == wanted.is_sign_negative();
            let agree = got == wanted as f32 || error_f32(got, wanted) <= 0.51;
            assert!(signs_agree && agree, "f32 {x}^{y}: {got}, not {wanted}");
        }
    }
}

/// The values every function must have where no series reaches.
fn edges_hold<F: Real>(largest_exponent: f64, least_subnormal: F) {
    let (zero, one, inf) = (F::ZERO, F::ONE, F::INFINITY);
    let number = F::from_f64;
    assert_eq!((exp(zero), exp(-inf), exp(inf)), (one, zero, inf));
    assert_eq!(exp(number(largest_exponent + 0.01)), inf);
    assert!(exp(number(largest_exponent - 0.01)) < inf);
    assert_eq!((exp_m1(-inf), exp_m1(inf), exp_m1(least_subnormal)), (-one, inf, least_subnormal));
    assert_eq!((ln(zero), ln(-zero), ln(one), ln(inf)), (-inf, -inf, zero, inf));
    assert!(ln(least_subnormal) < number(-100.0) && ln(least_subnormal) > -inf);
    assert_eq!((ln_1p(-one), ln_1p(zero), ln_1p(inf)), (-inf, zero, inf));
    assert_eq!(ln_1p(least_subnormal), least_subnormal);
    assert_eq!((sigmoid(-inf), sigmoid(zero), sigmoid(inf)), (zero, F::HALF, one));
    assert_eq!((tanh(-inf), tanh(zero), tanh(inf)), (-one, zero, one));
    assert_eq!(tanh(least_subnormal), least_subnormal);
    assert_eq!((cosh(-inf), cosh(zero), cosh(inf)), (inf, one, inf));
    assert!(cosh(number(largest_exponent + 0.68)) < inf && cosh(number(largest_exponent + 0.71)) == inf);
    assert!(cosh(F::NAN).to_f64().is_nan());
    assert_eq!((sin(zero), cos(zero)), (zero, one));
    for quarter in 0..=4 {
        let (sine, cosine) = sin_cos_turns(number(f64::from(quarter) / 4.0));
        let exact = [(0.0, 1.0), (1.0, 0.0), (0.0, -1.0), (-1.0, 0.0)][quarter as usize % 4];
        assert_eq!((sine.to_f64(), cosine.to_f64()), exact);
    }
    let undefined = [ln(-one), ln_1p(-one - one), sin(inf), cos(F::CIRCLE_RANGE + one), pow(-one, F::HALF)];
    let handed_on = [exp::<F>, exp_m1, ln, ln_1p, sigmoid, tanh, sin, cos].map(|f| f(F::NAN));
    for (index, value) in undefined.into_iter().chain(handed_on).enumerate() {
        assert!(value.to_f64().is_nan(), "case {index}: {value:?} should be NaN");
    }
    for negative_zero in [exp_m1(-zero), ln_1p(-zero), tanh(-zero)] {
        assert!(negative_zero.to_f64().is_sign_negative());
    }
}

#[test]
fn edges_hold_in_both_precisions() {
    edges_hold::<f32>(f64::from(f32::MAX).ln(), f32::from_bits(1));
    edges_hold::<f64>(f64::MAX.ln(), f64::from_bits(1));
}

#[test]
fn turns_agree_with_radians() {
    for u in grid(0.0, 1.0, 100_001) {
        let (sine, cosine) = sin_cos_turns(u as f32);
        let angle = core::f64::consts::TAU * f64::from(u as f32);
        // Within twice the spacing of numbers just below 1, in absolute terms.
        assert!((f64::from(sine) - libm::sin(angle)).abs() < 2.0 * 2_f64.powi(-24), "sin at {u}");
        assert!((f64::from(cosine) - libm::cos(angle)).abs() < 2.0 * 2_f64.powi(-24), "cos at {u}");
    }
}

/// FNV-1a over the bits of all results; NaN counts as one value, since its bits differ between machines.
fn fingerprint(results: impl Iterator<Item = u64>) -> u64 {
    results.fold(0xcbf2_9ce4_8422_2325, |hash, bits| (hash ^ bits).wrapping_mul(0x0100_0000_01b3))
}

#[test]
fn results_are_pinned_to_the_bit() {
    let bits_f32 = |x: f32| if x.is_nan() { 0 } else { u64::from(x.to_bits()) };
    let bits_f64 = |x: f64| if x.is_nan() { 0 } else { x.to_bits() };
    let single =
        [exp, exp_m1, ln, ln_1p, sigmoid, tanh, sin, cos, |x: f32| pow(x, 1.7), |x: f32| sin_cos_turns(x).0];
    let double =
        [exp, exp_m1, ln, ln_1p, sigmoid, tanh, sin, cos, |x: f64| pow(x, 1.7), |x: f64| sin_cos_turns(x).0];
    let found = single.map(|f| fingerprint(patterns_f32(65_537).map(|x| bits_f32(f(x)))));
    assert_eq!(found, PINNED_F32, "f32 results changed: {found:#018x?}");
    let found = double.map(|f| fingerprint(patterns_f64((1 << 48) - 59).map(|x| bits_f64(f(x)))));
    assert_eq!(found, PINNED_F64, "f64 results changed: {found:#018x?}");
}

/// In the order of the list in the test above. A change breaks the reproducibility of published results.
const PINNED_F32: [u64; 10] = [
    0xc971_19d1_97d8_61fb,
    0xf1ee_0edf_6856_9cb4,
    0xea0a_62b7_611a_d865,
    0x255f_c5f4_ad7a_f5f0,
    0x06da_8fed_6645_d10f,
    0x1fe6_0678_7a2c_b6e3,
    0x2859_f199_4171_9291,
    0xe675_0d99_7549_0cfd,
    0xbc59_e9a7_a11a_f2bc,
    0xae9d_31ff_78da_8873,
];
const PINNED_F64: [u64; 10] = [
    0x03f4_dd16_b167_cc89,
    0xfb1c_a4b8_9093_4974,
    0x16d9_8407_da61_b22f,
    0xa2ad_1870_aae5_1a43,
    0x00a2_eca8_3add_34ae,
    0x4671_b37c_ef5c_fdb7,
    0x97b6_f2ff_4084_312f,
    0xf005_084a_8502_9536,
    0x97aa_ded5_6fbf_231f,
    0x9493_a2bf_c9af_874e,
];
