//! The latest row: values by column, which of them are known, and a digest of their bits.

use super::schema::{Column, Schema};
use crate::wire::Timestamp;
use alloc::{vec, vec::Vec};

/// One row. Not yet known is NaN, never zero.
#[derive(Clone, Debug, Default)]
pub struct Row {
    pub(super) values: Vec<f64>,
    known: Vec<u64>,
    /// Chain time at which it was completed, 0 before the first one.
    pub ts: Timestamp,
    /// Rows so far; this one's number.
    pub number: u64,
    /// The schema's hash.
    pub schema: u64,
    /// Digest of all values' bits.
    pub digest: u64,
    /// How many values are known.
    pub count: u32,
}

const LANES: usize = 8;
/// Odd 64-bit constants: the digits of the golden ratio and what follows from it by odd multiples.
const MIX: [u64; LANES] = [
    0x9e37_79b9_7f4a_7c15,
    0xda94_2042_e4dd_58b5,
    0xd1b5_4a32_d192_ed03,
    0xaef1_7502_108e_f2d9,
    0xeb44_acca_b455_d165,
    0x9fb2_1c65_1e98_df25,
    0xc2b2_ae3d_27d4_eb4f,
    0x1656_67b1_9e37_79f9,
];

impl Row {
    /// A row of a schema in which nothing is known.
    pub fn new(schema: &Schema) -> Row {
        let columns = schema.columns().len();
        Row {
            values: vec![f64::NAN; columns],
            known: vec![0; columns.div_ceil(64)],
            schema: schema.hash(),
            ..Row::default()
        }
    }

    /// The value of a column; NaN where it is not known, or the column is another schema's.
    #[inline(always)]
    pub fn get(&self, column: Column) -> f64 {
        self.values.get(column.at()).copied().unwrap_or(f64::NAN)
    }

    /// All values, in the schema's order.
    #[inline(always)]
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// One bit a column, 64 a word: whether it is known.
    #[inline(always)]
    pub fn known(&self) -> &[u64] {
        &self.known
    }

    /// The values are complete: gives every NaN the same bits, and sums up what is known.
    pub(super) fn seal(&mut self, ts: Timestamp) {
        (self.ts, self.number) = (ts, self.number + 1);
        let mut lanes = MIX;
        let mut count = 0;
        for (values, known) in self.values.chunks_mut(64).zip(&mut self.known) {
            let mut word = 0;
            for (at, value) in values.iter_mut().enumerate() {
                // NaN's sign and payload depend on how the compiler ordered the operands.
                let finite = value.is_finite();
                *value = if finite { *value } else { f64::NAN };
                word |= u64::from(finite) << at;
                let lane = &mut lanes[at % LANES];
                *lane = (*lane ^ value.to_bits()).wrapping_mul(MIX[0]).rotate_left(29);
            }
            *known = word;
            count += word.count_ones();
        }
        self.count = count;
        self.digest = lanes.into_iter().fold(self.number, |sum, lane| {
            (sum ^ lane).wrapping_mul(MIX[1]).rotate_left(31) ^ lane >> 32
        });
    }
}
