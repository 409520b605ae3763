//! Elementary functions on eight lanes: exp, ln and the tails of the normal distribution.
//!
//! No function of the C library is used, because glibc changes its bits with the CPU. Every product
//! that is added is an explicit fused multiply-add. The greatest errors, in units in the last
//! place, are held by `tests/greeks.rs`: [`exp`] 1.5, [`ln`] 1.5, [`mills`] 8. NaN in a lane stays
//! in that lane.

use wide::{f64x8, u64x8};

/// Eight lanes: two registers of AVX2, whose latencies hide one another.
pub type V = f64x8;

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
pub(super) fn poly<const N: usize>(coefficients: &[f64; N], x: V) -> V {
    let mut sum = all(coefficients[0]);
    for coefficient in &coefficients[1..] {
        sum = sum.mul_add(x, all(*coefficient));
    }
    sum
}

#[inline(always)]
fn power_of_two(integer: V) -> V {
    V::from_bits((integer + all(EXPONENT)).to_bits() << 52)
}

/// e to the `x` as two factors, for `x` up to 709. Their product is rounded once where it is below
/// the normal range, so what has to be multiplied in goes between them.
#[inline(always)]
pub fn exp_parts(x: V) -> (V, V) {
    // In this order of operands a NaN survives the maximum.
    let x = all(-1_400.0).fast_max(x);
    let n = x.mul_add(all(core::f64::consts::LOG2_E), all(ROUND)) - all(ROUND);
    let r = n.mul_neg_add(all(LN2_LOW), n.mul_neg_add(all(LN2_HIGH), x));
    let z = (r * r).mul_add(poly(&EXP, r), r);
    let half = n.mul_add(all(0.5), all(ROUND)) - all(ROUND);
    let first = power_of_two(half);
    (z.mul_add(first, first), power_of_two(n - half))
}

/// e to the `x`, for `x` up to 709; gradual below the normal range and 0 below that.
#[inline(always)]
pub fn exp(x: V) -> V {
    let (first, second) = exp_parts(x);
    first * second
}

/// Natural logarithm of a positive normal number.
#[inline(always)]
pub fn ln(x: V) -> V {
    // Mantissa in [√½, √2), after fdlibm's e_log.c, with its coefficients.
    const ROOT_HALF: u64 = 0x3fe6_a09e_667f_3bcd;
    const ONE: u64 = 0x3ff0_0000_0000_0000;
    const MAGIC: u64 = 0x4330_0000_0000_0000;
    let shifted = x.to_bits() + u64x8::splat(ONE - ROOT_HALF);
    let biased = V::from_bits((shifted >> 52) | u64x8::splat(MAGIC));
    let k = biased - all(EXPONENT);
    let mantissa = (shifted & u64x8::splat(0x000f_ffff_ffff_ffff)) + u64x8::splat(ROOT_HALF);
    let f = V::from_bits(mantissa) - all(1.0);
    let s = f / (f + all(2.0));
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
    let half_square = all(0.5) * f * f;
    let r = z * series;
    let low = k.mul_add(all(LN2_LOW), s * (half_square + r));
    let result = k.mul_add(all(LN2_HIGH), f - (half_square - low));
    // NaN must stay NaN: the bits of one look like a large number here.
    x.is_nan().select(x, result)
}

/// ln(a/b) with the rounding of the quotient put back: near 1 the quotient alone loses the digits
/// that a small volatility then magnifies.
#[inline(always)]
pub fn ln_ratio(a: V, b: V) -> V {
    let ratio = a / b;
    let rest = ratio.mul_neg_add(b, a);
    ln(ratio) + rest / a
}

/// Mills' ratio N(−x)/n(x) as numerator and denominator, for x ≥ 0.
#[inline(always)]
pub fn mills_parts(x: V) -> (V, V) {
    let x = all(FAR).fast_min(x);
    (poly(&MILLS_P, x), poly(&MILLS_Q, x))
}

/// Mills' ratio N(−x)/n(x) for 0 ≤ x ≤ [`FAR`].
#[inline(always)]
pub fn mills(x: V) -> V {
    let (p, q) = mills_parts(x);
    p / q
}

/// Standard normal density.
#[inline(always)]
pub fn pdf(x: V) -> V {
    exp(x * x * all(-0.5)) * all(INV_SQRT_TAU)
}

/// Standard normal distribution function; relative accuracy in the lower tail.
#[inline(always)]
pub fn cdf(x: V) -> V {
    let tail = pdf(x) * mills(x.abs());
    x.simd_lt(all(0.0)).select(tail, all(1.0) - tail)
}

/// One lane of a function: for what is computed once, not per row.
#[inline]
pub fn one(function: impl Fn(V) -> V, x: f64) -> f64 {
    function(all(x)).to_array()[0]
}
