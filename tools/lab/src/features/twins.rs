//! Columns in; which of them say the same as an earlier one out.
//!
//! Two columns are twins where both are known in enough rows and are equal in all of these, or
//! correlated beyond [`TWIN`] (Pearson, either sign). All pairs are looked at, first in a sample of
//! rows with a lower bar and only then in all.

/// A correlation beyond this is a linear function with rounding.
pub(super) const TWIN: f64 = 0.999_999;
/// What the sample lets through.
const MAYBE: f64 = 0.999;
const SAMPLE: usize = 256;
/// Rows in which both are known; and at least this share of those of the rarer column.
const COMMON: usize = 16;
const SHARE: f64 = 0.5;

/// `is` says the same as `of`, which lies before it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Twin {
    pub(super) of: usize,
    pub(super) is: usize,
    pub(super) equal: bool,
}

/// Twins among these columns.
pub(super) fn find(values: &[Vec<f64>], among: &[usize]) -> Vec<Twin> {
    let rows = values.first().map_or(0, Vec::len);
    let step = rows.div_ceil(SAMPLE).max(1);
    let sample = |at: &usize| values[*at].iter().copied().step_by(step).collect();
    let samples: Vec<Vec<f64>> = among.iter().map(sample).collect();
    let (mut found, mut first) = (Vec::new(), Vec::<usize>::new());
    for (place, &is) in among.iter().enumerate() {
        let twin = first.iter().find_map(|&other| {
            let of = among[other];
            let together = Pair::of(&samples[other], &samples[place]);
            let maybe = together.common < COMMON || together.correlation().abs() > MAYBE;
            maybe
                .then(|| Pair::of(&values[of], &values[is]))
                .filter(Pair::are_twins)
                .map(|pair| Twin { of, is, equal: pair.equal })
        });
        match twin {
            Some(twin) => found.push(twin),
            None => first.push(place),
        }
    }
    found
}

/// Two columns where both are known.
struct Pair {
    common: usize,
    rarer: usize,
    equal: bool,
    sums: [f64; 5],
}

impl Pair {
    fn of(a: &[f64], b: &[f64]) -> Pair {
        // Distances from a value of the column itself keep the sums small.
        let base = |column: &[f64]| column.iter().copied().find(|v| !v.is_nan()).unwrap_or(0.0);
        let both = a.iter().zip(b).find(|(a, b)| !a.is_nan() && !b.is_nan());
        let (from_a, from_b) = both.map_or((base(a), base(b)), |(a, b)| (*a, *b));
        let mut pair = Pair { common: 0, rarer: 0, equal: true, sums: [0.0; 5] };
        let mut known = [0usize; 2];
        for (x, y) in a.iter().zip(b) {
            known[0] += usize::from(!x.is_nan());
            known[1] += usize::from(!y.is_nan());
            if x.is_nan() || y.is_nan() {
                continue;
            }
            pair.common += 1;
            pair.equal &= x == y;
            let (x, y) = (x - from_a, y - from_b);
            let terms = [x, y, x * x, y * y, x * y];
            pair.sums.iter_mut().zip(terms).for_each(|(sum, term)| *sum += term);
        }
        pair.rarer = known[0].min(known[1]);
        pair
    }

    fn correlation(&self) -> f64 {
        let [x, y, xx, yy, xy] = self.sums.map(|sum| sum / self.common as f64);
        (xy - x * y) / ((xx - x * x) * (yy - y * y)).sqrt()
    }

    fn are_twins(&self) -> bool {
        let enough = self.common >= COMMON && self.common as f64 >= SHARE * self.rarer as f64;
        // Where one of them stood still while both were known, the correlation is NaN: no twin.
        enough && self.correlation().abs() > TWIN
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn linear_functions_and_copies_are_twins_and_what_is_close_is_not() {
        let wave = |at: usize| (at as f64 * 0.37).sin() + 0.01 * (at % 7) as f64;
        let column = |f: &dyn Fn(usize) -> f64| (0..1_000).map(f).collect::<Vec<f64>>();
        let values = [
            column(&wave),
            column(&|at| 5_000.0 - 3.0 * wave(at)),
            column(&|at| wave(at) + 0.01 * (at as f64 * 1.7).cos()),
            column(&|at| if at < 100 { f64::NAN } else { wave(at) }),
            column(&|at| if at < 990 { f64::NAN } else { wave(at) }),
        ];
        let found = find(&values, &[0, 1, 2, 3, 4]);
        let found: Vec<_> = found.iter().map(|twin| (twin.of, twin.is, twin.equal)).collect();
        assert_eq!(found, [(0, 1, false), (0, 3, true)]);
    }
}
