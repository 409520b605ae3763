//! What the kernels compute on: eight lanes in, eight lanes out, or one number in, one out.
//!
//! Each kernel is written once over [`Lanes`]. [`V`] is what the engine runs; [`Scalar`] is its
//! plain twin, the same operations on one `f64` with ordinary branches, so every lane of a kernel
//! must have the twin's bits. Masks are lanes with all bits set or none, as vector units have them.

use core::{
    fmt::Debug,
    ops::{Add, BitAnd, BitOr, BitXor, Div, Mul, Neg, Not, Sub},
};
use wide::{f64x4, f64x8, u64x4, u64x8};

/// Eight lanes: two registers of AVX2, whose latencies hide one another.
pub type V = f64x8;

/// Numbers that are computed on together.
pub trait Lanes:
    Copy
    + Debug
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
    + BitAnd<Output = Self>
    + BitOr<Output = Self>
    + BitXor<Output = Self>
    + Not<Output = Self>
{
    /// How many numbers.
    const COUNT: usize;
    /// The same number in all lanes.
    fn splat(value: f64) -> Self;
    /// The number that each lane is to have.
    fn from_fn(lane: impl FnMut(usize) -> f64) -> Self;
    /// The number in a lane.
    fn lane(self, lane: usize) -> f64;
    /// `self · m + a`, rounded once.
    fn mul_add(self, m: Self, a: Self) -> Self;
    /// `self · m − a`, rounded once.
    fn mul_sub(self, m: Self, a: Self) -> Self;
    /// `a − self · m`, rounded once.
    fn mul_neg_add(self, m: Self, a: Self) -> Self;
    /// Square root.
    fn sqrt(self) -> Self;
    /// Absolute value.
    fn abs(self) -> Self;
    /// The greater; `other` where either is NaN.
    fn fast_max(self, other: Self) -> Self;
    /// The smaller; `other` where either is NaN.
    fn fast_min(self, other: Self) -> Self;
    /// Mask: less than.
    fn simd_lt(self, other: Self) -> Self;
    /// Mask: greater than.
    fn simd_gt(self, other: Self) -> Self;
    /// Mask: no number.
    fn is_nan(self) -> Self;
    /// Mask: neither infinite nor NaN.
    fn is_finite(self) -> Self;
    /// A mask chooses: `yes` where it is set.
    fn select(self, yes: Self, no: Self) -> Self;
    /// Whether a mask is set anywhere.
    fn any(self) -> bool;
    /// The bits as integers, plus `bits`.
    fn add_bits(self, bits: u64) -> Self;
    /// The bits moved up from the fraction's field into the exponent's.
    fn to_exponent(self) -> Self;
    /// The bits moved down from the exponent's field into the fraction's.
    fn to_fraction(self) -> Self;

    /// A number by its bits in all lanes.
    #[inline(always)]
    fn bits(bits: u64) -> Self {
        Self::splat(f64::from_bits(bits))
    }

    /// The mask that is set for those lanes.
    #[inline(always)]
    fn mask(mut set: impl FnMut(usize) -> bool) -> Self {
        Self::from_fn(|lane| f64::from_bits(if set(lane) { u64::MAX } else { 0 }))
    }
}

// Width of the fraction's field.
const FRACTION: u32 = 52;

macro_rules! vector {
    ($float:ident, $bits:ident, $count:literal) => {
        impl Lanes for $float {
            const COUNT: usize = $count;

            #[inline(always)]
            fn splat(value: f64) -> Self {
                $float::splat(value)
            }

            #[inline(always)]
            fn from_fn(lane: impl FnMut(usize) -> f64) -> Self {
                $float::new(core::array::from_fn(lane))
            }

            #[inline(always)]
            fn lane(self, lane: usize) -> f64 {
                self.to_array()[lane]
            }

            #[inline(always)]
            fn mul_add(self, m: Self, a: Self) -> Self {
                $float::mul_add(self, m, a)
            }

            #[inline(always)]
            fn mul_sub(self, m: Self, a: Self) -> Self {
                $float::mul_sub(self, m, a)
            }

            #[inline(always)]
            fn mul_neg_add(self, m: Self, a: Self) -> Self {
                $float::mul_neg_add(self, m, a)
            }

            #[inline(always)]
            fn sqrt(self) -> Self {
                $float::sqrt(self)
            }

            #[inline(always)]
            fn abs(self) -> Self {
                $float::abs(self)
            }

            #[inline(always)]
            fn fast_max(self, other: Self) -> Self {
                $float::fast_max(self, other)
            }

            #[inline(always)]
            fn fast_min(self, other: Self) -> Self {
                $float::fast_min(self, other)
            }

            #[inline(always)]
            fn simd_lt(self, other: Self) -> Self {
                $float::simd_lt(self, other)
            }

            #[inline(always)]
            fn simd_gt(self, other: Self) -> Self {
                $float::simd_gt(self, other)
            }

            #[inline(always)]
            fn is_nan(self) -> Self {
                $float::is_nan(self)
            }

            #[inline(always)]
            fn is_finite(self) -> Self {
                $float::is_finite(self)
            }

            #[inline(always)]
            fn select(self, yes: Self, no: Self) -> Self {
                $float::select(self, yes, no)
            }

            #[inline(always)]
            fn any(self) -> bool {
                $float::any(self)
            }

            #[inline(always)]
            fn add_bits(self, bits: u64) -> Self {
                $float::from_bits(self.to_bits() + $bits::splat(bits))
            }

            #[inline(always)]
            fn to_exponent(self) -> Self {
                $float::from_bits(self.to_bits() << FRACTION)
            }

            #[inline(always)]
            fn to_fraction(self) -> Self {
                $float::from_bits(self.to_bits() >> FRACTION)
            }
        }
    };
}

vector!(f64x8, u64x8, 8);
vector!(f64x4, u64x4, 4);

/// One number, computed on as a lane is.
#[derive(Clone, Copy, Debug)]
pub struct Scalar(pub f64);

macro_rules! arithmetic {
    ($($operator:ident $method:ident $sign:tt;)*) => {$(
        impl $operator for Scalar {
            type Output = Scalar;

            #[inline(always)]
            fn $method(self, other: Scalar) -> Scalar {
                Scalar(self.0 $sign other.0)
            }
        }
    )*};
}

macro_rules! logic {
    ($($operator:ident $method:ident $sign:tt;)*) => {$(
        impl $operator for Scalar {
            type Output = Scalar;

            #[inline(always)]
            fn $method(self, other: Scalar) -> Scalar {
                Scalar(f64::from_bits(self.0.to_bits() $sign other.0.to_bits()))
            }
        }
    )*};
}

arithmetic! { Add add +; Sub sub -; Mul mul *; Div div /; }
logic! { BitAnd bitand &; BitOr bitor |; BitXor bitxor ^; }

impl Neg for Scalar {
    type Output = Scalar;

    #[inline(always)]
    fn neg(self) -> Scalar {
        Scalar(-self.0)
    }
}

impl Not for Scalar {
    type Output = Scalar;

    #[inline(always)]
    fn not(self) -> Scalar {
        Scalar(f64::from_bits(!self.0.to_bits()))
    }
}

#[inline(always)]
fn flag(set: bool) -> Scalar {
    Scalar(f64::from_bits(if set { u64::MAX } else { 0 }))
}

impl Lanes for Scalar {
    const COUNT: usize = 1;

    #[inline(always)]
    fn splat(value: f64) -> Self {
        Scalar(value)
    }

    #[inline(always)]
    fn from_fn(mut lane: impl FnMut(usize) -> f64) -> Self {
        Scalar(lane(0))
    }

    #[inline(always)]
    fn lane(self, _: usize) -> f64 {
        self.0
    }

    #[inline(always)]
    fn mul_add(self, m: Self, a: Self) -> Self {
        Scalar(self.0.mul_add(m.0, a.0))
    }

    #[inline(always)]
    fn mul_sub(self, m: Self, a: Self) -> Self {
        Scalar(self.0.mul_add(m.0, -a.0))
    }

    #[inline(always)]
    fn mul_neg_add(self, m: Self, a: Self) -> Self {
        Scalar((-self.0).mul_add(m.0, a.0))
    }

    #[inline(always)]
    fn sqrt(self) -> Self {
        Scalar(self.0.sqrt())
    }

    #[inline(always)]
    fn abs(self) -> Self {
        Scalar(self.0.abs())
    }

    #[inline(always)]
    fn fast_max(self, other: Self) -> Self {
        if self.0 > other.0 { self } else { other }
    }

    #[inline(always)]
    fn fast_min(self, other: Self) -> Self {
        if self.0 < other.0 { self } else { other }
    }

    #[inline(always)]
    fn simd_lt(self, other: Self) -> Self {
        flag(self.0 < other.0)
    }

    #[inline(always)]
    fn simd_gt(self, other: Self) -> Self {
        flag(self.0 > other.0)
    }

    #[inline(always)]
    fn is_nan(self) -> Self {
        flag(self.0.is_nan())
    }

    #[inline(always)]
    fn is_finite(self) -> Self {
        flag(self.0.is_finite())
    }

    #[inline(always)]
    fn select(self, yes: Self, no: Self) -> Self {
        if self.any() { yes } else { no }
    }

    #[inline(always)]
    fn any(self) -> bool {
        self.0.is_sign_negative()
    }

    #[inline(always)]
    fn add_bits(self, bits: u64) -> Self {
        Scalar(f64::from_bits(self.0.to_bits().wrapping_add(bits)))
    }

    #[inline(always)]
    fn to_exponent(self) -> Self {
        Scalar(f64::from_bits(self.0.to_bits() << FRACTION))
    }

    #[inline(always)]
    fn to_fraction(self) -> Self {
        Scalar(f64::from_bits(self.0.to_bits() >> FRACTION))
    }
}
