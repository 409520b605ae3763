//! The last bars in; for every window the sums, extremes and moments that statistics are made of,
//! eight windows side by side, out.
//!
//! All windows end with the newest bar, so one pass from it backwards meets each of them on its
//! way: nothing is added and taken away again, so nothing drifts, and the order of the sums is that
//! of the pass. What needs the bar before the first is NaN, and so is every window that holds it.

use super::{bar::Bar, settings::WINDOWS_MAX};
use crate::greeks::math::{Lanes, V, ln};
use alloc::{boxed::Box, vec};

const V_LANES: usize = 8;
const _: () = assert!(V_LANES == WINDOWS_MAX);

macro_rules! terms {
    ($($group:ident { $($name:ident: $about:literal,)* })*) => {
        /// What a bar adds to the sums, eight lanes a group.
        #[derive(Clone, Copy, Debug)]
        #[repr(C, align(64))]
        pub struct Terms { $($(#[doc = $about] pub $name: f64,)*)* }

        /// Sums of the terms over each window, a window a lane; NaN where there are fewer bars.
        #[derive(Clone, Copy, Debug)]
        pub struct Sums { $($(#[doc = $about] pub $name: V,)*)* }

        const GROUPS: usize = [$(stringify!($group)),*].len();

        impl Terms {
            #[inline(always)]
            fn groups(&self) -> [V; GROUPS] {
                [$(V::new([$(self.$name),*])),*]
            }
        }

        impl Sums {
            const UNKNOWN: Sums = Sums { $($($name: V::new([f64::NAN; V_LANES]),)*)* };

            /// Those of one window, given as the groups' lanes.
            #[inline(always)]
            fn set(&mut self, lane: usize, groups: &[V; GROUPS]) {
                let mut at = groups.iter();
                $({
                    if let Some(group) = at.next() {
                        let mut lanes = group.to_array().into_iter();
                        $(self.$name.as_mut_array()[lane] = lanes.next().unwrap_or(f64::NAN);)*
                    }
                })*
            }
        }
    };
}

terms! {
    levels {
        close: "Close; in sums its distance from the newest close.",
        typical: "(H + L + C)/3; in sums its distance from the newest close.",
        volume: "Volume.",
        turnover: "Turnover.",
        path: "|C − C₁|, 0 for the first bar.",
        true_range: "max(H − L, |H − C₁|, |L − C₁|), 0 for the first bar.",
        plus_move: "+DM (Wilder 1978), 0 for the first bar.",
        minus_move: "−DM (Wilder 1978), 0 for the first bar.",
    }
    returns {
        r: "r = ln(C/C₁).",
        r2: "r².",
        r3: "r³.",
        r4: "r⁴.",
        bipower: "|r|·|r₁|.",
        lagged: "r·r₁.",
        down: "r² of falls.",
        size: "|r|.",
    }
    ranges {
        parkinson: "ln(H/L)².",
        garman_klass: "½ ln(H/L)² − (2 ln 2 − 1) ln(C/O)².",
        rogers_satchell: "ln(H/C)·ln(H/O) + ln(L/C)·ln(L/O).",
        gap: "ln(O/C₁).",
        gap2: "ln(O/C₁)².",
        body: "ln(C/O).",
        body2: "ln(C/O)².",
        signed_volume: "Volume with the sign of C − C₁.",
    }
}

const GARMAN_KLASS: f64 = 2.0 * core::f64::consts::LN_2 - 1.0;

impl Terms {
    /// The terms of a bar with the two before it, whose prices are NaN where there are none.
    pub fn of(earlier: &Bar, before: &Bar, bar: &Bar) -> Terms {
        let Bar { open, high, low, close, volume, turnover, .. } = *bar;
        let c1 = before.close;
        let first = c1.is_nan();
        let unless_first = |value: f64| if first { 0.0 } else { value };
        let ratios = [
            close / c1,
            c1 / earlier.close,
            high / low,
            high / close,
            high / open,
            low / close,
            low / open,
            open / c1,
        ];
        let logs = ln(V::new(ratios)).to_array();
        let [r, before_r, range, high_close, high_open, low_close, low_open, gap] = logs;
        // ln(C/O) from what is known: one logarithm less than the lanes have room for.
        let body = high_open - high_close;
        let (plus, minus) = (high - before.high, before.low - low);
        let reach = (high - low).max((high - c1).abs()).max((low - c1).abs());
        let sign = if close > c1 {
            1.0
        } else if close < c1 {
            -1.0
        } else {
            0.0
        };
        Terms {
            close,
            typical: (high + low + close) / 3.0,
            volume,
            turnover,
            path: unless_first((close - c1).abs()),
            true_range: unless_first(reach),
            plus_move: if plus > 0.0 && plus > minus { plus } else { 0.0 },
            minus_move: if minus > 0.0 && minus > plus { minus } else { 0.0 },
            r,
            r2: r * r,
            r3: r * r * r,
            r4: (r * r) * (r * r),
            bipower: r.abs() * before_r.abs(),
            lagged: r * before_r,
            down: if r < 0.0 { r * r } else { 0.0 * r },
            size: r.abs(),
            parkinson: range * range,
            garman_klass: 0.5 * range * range - GARMAN_KLASS * body * body,
            rogers_satchell: high_close * high_open + low_close * low_open,
            gap,
            gap2: gap * gap,
            body,
            body2: body * body,
            signed_volume: sign * volume,
        }
    }
}

/// The last bars, and what each window of them gives.
#[derive(Clone, Debug)]
pub struct Windows {
    kept: Box<[Kept]>,
    lengths: [usize; WINDOWS_MAX],
    used: usize,
    count: u64,
    /// Lengths of the windows; NaN in lanes without one.
    pub length: V,
    /// Bars so far.
    pub bars: V,
    /// Sums of the bars' terms.
    pub sums: Sums,
    /// Σ (C − C₀)².
    pub close2: V,
    /// Σ a·(C − C₀), a the age of a bar: 0 for the newest.
    pub aged: V,
    /// Highest high.
    pub highest: V,
    /// Lowest low.
    pub lowest: V,
    /// Age of the highest high of window + 1 bars, the newest of equals.
    pub high_age: V,
    /// Age of the lowest low of window + 1 bars.
    pub low_age: V,
    /// The close as many bars ago as the window is long.
    pub close_ago: V,
    /// Σ |typical − its mean|.
    pub deviation: V,
}

#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
struct Kept {
    groups: [V; GROUPS],
    high: f64,
    low: f64,
}

const UNKNOWN: V = V::new([f64::NAN; V_LANES]);

impl Windows {
    /// Windows of these lengths, at most eight, ascending.
    pub fn new(lengths: &[usize]) -> Windows {
        let none = Kept { groups: [UNKNOWN; GROUPS], high: f64::NAN, low: f64::NAN };
        let longest = lengths.iter().copied().max().unwrap_or(0);
        let mut own = [usize::MAX; WINDOWS_MAX];
        own.iter_mut().zip(lengths).for_each(|(own, length)| *own = *length);
        let length = |lane: usize| lengths.get(lane).map_or(f64::NAN, |length| *length as f64);
        Windows {
            // A window, and the bar before its first.
            kept: vec![none; (longest + 1).next_power_of_two()].into(),
            lengths: own,
            used: lengths.len().min(WINDOWS_MAX),
            count: 0,
            length: V::from_fn(length),
            bars: V::splat(0.0),
            sums: Sums::UNKNOWN,
            close2: UNKNOWN,
            aged: UNKNOWN,
            highest: UNKNOWN,
            lowest: UNKNOWN,
            high_age: UNKNOWN,
            low_age: UNKNOWN,
            close_ago: UNKNOWN,
            deviation: UNKNOWN,
        }
    }

    /// How many windows there are.
    pub fn used(&self) -> usize {
        self.used
    }

    #[inline(always)]
    fn bar_at(&self, age: usize) -> &Kept {
        &self.kept[(self.count as usize).wrapping_sub(1 + age) & (self.kept.len() - 1)]
    }

    /// A bar has ended: its terms, its high and its low.
    pub fn push(&mut self, terms: &Terms, bar: &Bar) {
        let groups = terms.groups();
        let at = self.count as usize & (self.kept.len() - 1);
        self.kept[at] = Kept { groups, high: bar.high, low: bar.low };
        self.count += 1;
        self.bars = V::splat(self.count as f64);
        self.pass(bar.close);
        self.deviate(bar.close);
    }

    /// From the newest bar backwards; each window is full on the way.
    fn pass(&mut self, close: f64) {
        let bars = (self.count as usize).min(self.kept.len());
        let mut base = [0.0; V_LANES];
        (base[0], base[1]) = (close, close);
        let base = V::new(base);
        let mut sums = [V::splat(0.0); GROUPS];
        let (mut close2, mut by_age) = (0.0, 0.0);
        let (mut highest, mut lowest) = ((f64::NEG_INFINITY, 0), (f64::INFINITY, 0));
        let mut age = 0;
        for lane in 0..self.used {
            let length = self.lengths[lane];
            if length > bars {
                return;
            }
            while age < length {
                let kept = self.bar_at(age);
                let levels = kept.groups[0] - base;
                sums[0] += levels;
                for (sum, group) in sums.iter_mut().zip(&kept.groups).skip(1) {
                    *sum += *group;
                }
                let distance = levels.lane(0);
                close2 = f64::mul_add(distance, distance, close2);
                by_age = f64::mul_add(distance, age as f64, by_age);
                highest = if kept.high > highest.0 { (kept.high, age) } else { highest };
                lowest = if kept.low < lowest.0 { (kept.low, age) } else { lowest };
                age += 1;
            }
            self.sums.set(lane, &sums);
            let set = |place: &mut V, value: f64| place.as_mut_array()[lane] = value;
            set(&mut self.close2, close2);
            set(&mut self.aged, by_age);
            set(&mut self.highest, highest.0);
            set(&mut self.lowest, lowest.0);
            if length < bars {
                let ago = *self.bar_at(length);
                let high = if ago.high > highest.0 { length } else { highest.1 };
                let low = if ago.low < lowest.0 { length } else { lowest.1 };
                let set = |place: &mut V, value: f64| place.as_mut_array()[lane] = value;
                set(&mut self.high_age, high as f64);
                set(&mut self.low_age, low as f64);
                set(&mut self.close_ago, ago.groups[0].lane(0));
            }
        }
    }

    /// Mean deviations need the means first: a second pass over the typical prices.
    fn deviate(&mut self, close: f64) {
        let bars = (self.count as usize).min(self.kept.len());
        let mean = self.sums.typical / self.length;
        let mut sum = V::splat(0.0);
        let mut age = 0;
        for lane in 0..self.used {
            let length = self.lengths[lane];
            if length > bars {
                return;
            }
            while age < length {
                let typical = self.bar_at(age).groups[0].lane(1);
                let distance = V::splat(typical - close);
                sum += (distance - mean).abs();
                age += 1;
            }
            self.deviation.as_mut_array()[lane] = sum.lane(lane);
        }
    }
}
