//! Elementary functions on eight lanes: exp, ln and the tails of the normal distribution.
//!
//! No function of the C library is used, because glibc changes its bits with the CPU. Every product
//! that is added is an explicit fused multiply-add. NaN in a lane stays in that lane. The greatest
//! errors, in units in the last place, are held by `tests/greeks_math.rs` against arithmetic of
//! twice the precision:
//!
//! | function | domain | ulp |
//! |---|---|---|
//! | [`exp`] | all; gradual below the normal range, where a unit is the smallest number | 1.1 |
//! | [`ln`] | all; −∞ at 0, NaN below | 1.0 |
//! | [`mills`] | 0 to [`FAR`] | 8 |
//! | [`pdf`] | all | 3 |
//! | [`cdf`] | all; relative in both tails | 10 |

pub use super::lanes::{Lanes, Scalar, V};

/// The same number in all lanes.
#[inline(always)]
pub(super) fn all(value: f64) -> V {
    V::splat(value)
}

/// 1/√(2π).
pub const INV_SQRT_TAU: f64 = 0.398_942_280_401_432_7;

/// ln √(2π).
pub const LN_SQRT_TAU: f64 = 0.918_938_533_204_672_8;

// Adding it rounds to an integer and leaves that integer in the low bits.
const ROUND: f64 = 6_755_399_441_055_744.0;
// The same, with the bias of an exponent: shifting left by 52 makes a power of two.
const EXPONENT: f64 = 4_503_599_627_370_496.0 + 1_023.0;
const LN2_HIGH: f64 = 0.693_147_180_369_123_8;
const LN2_LOW: f64 = 1.908_214_929_270_587_7e-10;

// (exp(r) - 1 - r) / r², minimax on |r| ≤ ln 2 / 2: 1.3e-17 of the result.
const EXP: [f64; 10] = [
    2.510_038_549_551_032e-8,
    2.762_008_844_540_974_6e-7,
    2.755_726_845_999_706_4e-6,
    2.480_152_129_595_437_6e-5,
    0.000_198_412_698_630_536_18,
    0.001_388_888_891_721_371_7,
    0.008_333_333_333_330_062,
    0.041_666_666_666_624_13,
    0.166_666_666_666_666_69,
    0.500_000_000_000_000_1,
];

// Numerator and denominator of Mills' ratio on [0, 39]: 5.1e-17 relative, all positive.
const MILLS_P: [f64; 10] = [
    3.473_478_761_116_774e-6,
    9.338_320_317_673_364e-5,
    0.001_229_303_120_661_036_2,
    0.010_250_447_022_326_147,
    0.059_212_885_725_863_85,
    0.244_896_659_446_609_6,
    0.725_250_692_692_197_4,
    1.489_054_679_808_181_4,
    1.942_321_674_813_926_5,
    1.253_314_137_315_500_1,
];
const MILLS_Q: [f64; 11] = [
    3.473_478_761_127_082_7e-6,
    9.338_320_317_459_902e-5,
    0.001_232_776_599_621_437_5,
    0.010_343_830_214_315_617,
    0.060_435_242_314_439_76,
    0.254_960_328_345_505_8,
    0.782_039_951_046_426_2,
    1.714_380_312_727_14,
    2.561_233_894_062_759,
    2.347_633_037_249_651,
    1.0,
];

/// Beyond this many standard deviations a tail is below the smallest number.
pub const FAR: f64 = 39.0;

/// A polynomial, highest power first.
#[inline(always)]
pub(super) fn poly<R: Lanes, const N: usize>(coefficients: &[f64; N], x: R) -> R {
    let mut sum = R::splat(coefficients[0]);
    for coefficient in &coefficients[1..] {
        sum = sum.mul_add(x, R::splat(*coefficient));
    }
    sum
}

#[inline(always)]
fn power_of_two<R: Lanes>(integer: R) -> R {
    (integer + R::splat(EXPONENT)).to_exponent()
}

#[inline(always)]
fn round<R: Lanes>(x: R, factor: f64) -> R {
    x.mul_add(R::splat(factor), R::splat(ROUND)) - R::splat(ROUND)
}

/// e to the `x` as two factors, for `x` up to 709. Their product is rounded once where it is below
/// the normal range, so what has to be multiplied in goes between them.
#[inline(always)]
pub fn exp_parts<R: Lanes>(x: R) -> (R, R) {
    // In this order of operands a NaN survives the maximum.
    let x = R::splat(-1_400.0).fast_max(x);
    let n = round(x, core::f64::consts::LOG2_E);
    let r = n.mul_neg_add(R::splat(LN2_LOW), n.mul_neg_add(R::splat(LN2_HIGH), x));
    let z = (r * r).mul_add(poly(&EXP, r), r);
    let half = round(n, 0.5);
    let first = power_of_two(half);
    (z.mul_add(first, first), power_of_two(n - half))
}

/// e to the `x`: infinite beyond the largest number, gradual below the normal range and 0 below
/// that.
#[inline(always)]
pub fn exp<R: Lanes>(x: R) -> R {
    let (first, second) = exp_parts(R::splat(1_400.0).fast_min(x));
    first * second
}

/// Natural logarithm of a positive normal number.
#[inline(always)]
pub fn ln_normal<R: Lanes>(x: R) -> R {
    // Mantissa in [√½, √2), after fdlibm's e_log.c, with its coefficients.
    const ROOT_HALF: u64 = 0x3fe6_a09e_667f_3bcd;
    const ONE: u64 = 0x3ff0_0000_0000_0000;
    const MAGIC: u64 = 0x4330_0000_0000_0000;
    let shifted = x.add_bits(ONE - ROOT_HALF);
    let k = (shifted.to_fraction() | R::bits(MAGIC)) - R::splat(EXPONENT);
    let mantissa = (shifted & R::bits(0x000f_ffff_ffff_ffff)).add_bits(ROOT_HALF);
    let f = mantissa - R::splat(1.0);
    let s = f / (f + R::splat(2.0));
    let z = s * s;
    let series = poly(
        &[
            1.479_819_860_511_658_6e-1,
            1.531_383_769_920_937_3e-1,
            1.818_357_216_161_805e-1,
            2.222_219_843_214_978_4e-1,
            2.857_142_874_366_239e-1,
            3.999_999_999_940_942e-1,
            6.666_666_666_666_735e-1,
        ],
        z,
    );
    let half_square = R::splat(0.5) * f * f;
    let r = z * series;
    let low = k.mul_add(R::splat(LN2_LOW), s * (half_square + r));
    let result = k.mul_add(R::splat(LN2_HIGH), f - (half_square - low));
    // NaN must stay NaN: the bits of one look like a large number here.
    x.is_nan().select(x, result)
}

/// Natural logarithm: −∞ at 0, ∞ at ∞, NaN below 0.
#[inline(always)]
pub fn ln<R: Lanes>(x: R) -> R {
    const TWO_54: f64 = 18_014_398_509_481_984.0;
    let small = x.simd_lt(R::splat(f64::MIN_POSITIVE));
    let scaled = small.select(x * R::splat(TWO_54), x);
    let shift = small.select(R::splat(54.0 * core::f64::consts::LN_2), R::splat(0.0));
    let result = ln_normal(scaled) - shift;
    let zero = R::splat(0.0);
    let infinite = x.simd_gt(R::splat(f64::MAX));
    let positive = x.simd_gt(zero) | x.is_nan();
    let result = (infinite | !positive).select(x, result);
    let result = x.simd_lt(zero).select(R::splat(f64::NAN), result);
    (x.abs().simd_gt(zero) | x.is_nan()).select(result, R::splat(f64::NEG_INFINITY))
}

/// ln(a/b) with the rounding of the quotient put back: near 1 the quotient alone loses the digits
/// that a small volatility then magnifies.
#[inline(always)]
pub fn ln_ratio<R: Lanes>(a: R, b: R) -> R {
    let ratio = a / b;
    let rest = ratio.mul_neg_add(b, a);
    ln_normal(ratio) + rest / a
}

/// Mills' ratio N(−x)/n(x) as numerator and denominator, for x ≥ 0.
#[inline(always)]
pub fn mills_parts<R: Lanes>(x: R) -> (R, R) {
    let x = R::splat(FAR).fast_min(x);
    (poly(&MILLS_P, x), poly(&MILLS_Q, x))
}

/// Mills' ratio N(−x)/n(x) for 0 ≤ x ≤ [`FAR`].
#[inline(always)]
pub fn mills<R: Lanes>(x: R) -> R {
    let (p, q) = mills_parts(x);
    p / q
}

/// M(h − s/2) − M(h + s/2), Mills' ratios, for h ≥ 0 and 0 ≤ s ≤ 0.1: by the series in s, whose
/// terms do not cancel as the two ratios do when s is small. The ratio's derivatives follow from
/// M' = hM − 1.
#[inline(always)]
pub fn mills_drop<R: Lanes>(h: R, s: R) -> R {
    let h = R::splat(FAR).fast_min(h);
    let m0 = mills(h);
    let m1 = h.mul_sub(m0, R::splat(1.0));
    let next = |n: f64, below: R, here: R| h.mul_add(here, R::splat(n) * below);
    let m2 = next(1.0, m0, m1);
    let m3 = next(2.0, m1, m2);
    let m4 = next(3.0, m2, m3);
    let m5 = next(4.0, m3, m4);
    let m6 = next(5.0, m4, m5);
    let m7 = next(6.0, m5, m6);
    let m8 = next(7.0, m6, m7);
    let m9 = next(8.0, m7, m8);
    let half = s * R::splat(0.5);
    let square = half * half;
    let sum = m9.mul_add(square * R::splat(1.0 / 72.0), m7);
    let sum = sum.mul_add(square * R::splat(1.0 / 42.0), m5);
    let sum = sum.mul_add(square * R::splat(1.0 / 20.0), m3);
    let sum = sum.mul_add(square * R::splat(1.0 / 6.0), m1);
    -s * sum
}

/// The density as two factors, with what the rounding of the square took put back: at 30 standard
/// deviations it would be hundreds of units.
#[inline(always)]
fn density<R: Lanes>(x: R) -> (R, R) {
    let x = R::splat(-1e3).fast_max(R::splat(1e3).fast_min(x));
    let square = x * x;
    let rest = x.mul_sub(x, square);
    let (first, second) = exp_parts(square * R::splat(-0.5));
    let exact = (first * rest).mul_add(R::splat(-0.5), first);
    (exact * R::splat(INV_SQRT_TAU), second)
}

/// Standard normal density.
#[inline(always)]
pub fn pdf<R: Lanes>(x: R) -> R {
    let (first, second) = density(x);
    first * second
}

/// Standard normal distribution function; relative accuracy in the lower tail.
#[inline(always)]
pub fn cdf<R: Lanes>(x: R) -> R {
    let (first, second) = density(x);
    let tail = first * mills(x.abs()) * second;
    x.simd_gt(R::splat(0.0)).select(R::splat(1.0) - tail, tail)
}

/// One lane of a function: for what is computed once, not per row.
#[inline]
pub fn one(function: impl Fn(V) -> V, x: f64) -> f64 {
    function(all(x)).to_array()[0]
}
