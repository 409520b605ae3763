//! A value of a row in; a cell of a typed Arrow column out.
//!
//! Prices are decimals with nine places, which hold every price of the wire exactly, so that sums
//! are exact too. Times are nanoseconds in UTC. What is undefined on the wire is null.

use crate::table::{Row, fields};
use arrow_array::{
    Array, ArrayRef, ListArray, StructArray,
    builder::{BooleanBuilder, PrimitiveBuilder, StringBuilder, StringDictionaryBuilder},
    types::{
        ArrowPrimitiveType, Date32Type, Decimal128Type, Float32Type, Float64Type, Int8Type,
        Int32Type, Int64Type, TimestampNanosecondType, UInt8Type, UInt16Type, UInt32Type,
        UInt64Type,
    },
};
use arrow_buffer::OffsetBuffer;
use arrow_schema::{DataType, Field, TimeUnit};
use std::sync::Arc;
use zomma::wire::Price;

/// A type that columns can hold.
pub(crate) trait Cell {
    /// Collects the values of a column.
    type Builder: Default;
    /// Whether a value may be missing.
    const NULLABLE: bool = false;
    /// The column's type in Arrow.
    fn data_type() -> DataType;
    /// Adds a value.
    fn push(self, to: &mut Self::Builder);
    /// Adds a missing value.
    fn push_null(to: &mut Self::Builder);
    /// The column so far; the builder is empty afterwards.
    fn finish(from: &mut Self::Builder) -> ArrayRef;
}

macro_rules! numbers {
    ($($rust:ty => $arrow:ty;)*) => {$(
        impl Cell for $rust {
            type Builder = PrimitiveBuilder<$arrow>;
            fn data_type() -> DataType {
                <$arrow as ArrowPrimitiveType>::DATA_TYPE
            }
            fn push(self, to: &mut Self::Builder) {
                to.append_value(self);
            }
            fn push_null(to: &mut Self::Builder) {
                to.append_null();
            }
            fn finish(from: &mut Self::Builder) -> ArrayRef {
                Arc::new(from.finish())
            }
        }
    )*};
}

numbers! {
    u8 => UInt8Type;
    u16 => UInt16Type;
    u32 => UInt32Type;
    u64 => UInt64Type;
    i8 => Int8Type;
    i32 => Int32Type;
    i64 => Int64Type;
    f32 => Float32Type;
    f64 => Float64Type;
}

impl<T: Cell> Cell for Option<T> {
    type Builder = T::Builder;
    const NULLABLE: bool = true;
    fn data_type() -> DataType {
        T::data_type()
    }
    fn push(self, to: &mut Self::Builder) {
        match self {
            Some(value) => value.push(to),
            None => T::push_null(to),
        }
    }
    fn push_null(to: &mut Self::Builder) {
        T::push_null(to);
    }
    fn finish(from: &mut Self::Builder) -> ArrayRef {
        T::finish(from)
    }
}

impl Cell for bool {
    type Builder = BooleanBuilder;
    fn data_type() -> DataType {
        DataType::Boolean
    }
    fn push(self, to: &mut Self::Builder) {
        to.append_value(self);
    }
    fn push_null(to: &mut Self::Builder) {
        to.append_null();
    }
    fn finish(from: &mut Self::Builder) -> ArrayRef {
        Arc::new(from.finish())
    }
}

/// Digits of a price: every price of the wire fits.
const DIGITS: u8 = 19;
/// Of those, behind the point.
const PLACES: i8 = 9;

impl Cell for Price {
    type Builder = PrimitiveBuilder<Decimal128Type>;
    const NULLABLE: bool = true;
    fn data_type() -> DataType {
        DataType::Decimal128(DIGITS, PLACES)
    }
    fn push(self, to: &mut Self::Builder) {
        to.append_option(self.is_defined().then_some(i128::from(self.0)));
    }
    fn push_null(to: &mut Self::Builder) {
        to.append_null();
    }
    fn finish(from: &mut Self::Builder) -> ArrayRef {
        Arc::new(from.finish().with_data_type(Self::data_type()))
    }
}

/// An instant, ns since the Unix epoch.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Stamp(i64);

impl Stamp {
    /// The instant, `None` where the wire has none or the calendar ends before it.
    pub(crate) fn of(ts: zomma::wire::Timestamp) -> Option<Stamp> {
        i64::try_from(ts).ok().map(Stamp)
    }

    /// The chain's time, which is 0 before its first event.
    pub(crate) fn after_zero(ts: zomma::wire::Timestamp) -> Option<Stamp> {
        Stamp::of(ts).filter(|stamp| stamp.0 > 0)
    }
}

impl Cell for Stamp {
    type Builder = PrimitiveBuilder<TimestampNanosecondType>;
    fn data_type() -> DataType {
        DataType::Timestamp(TimeUnit::Nanosecond, Some("UTC".into()))
    }
    fn push(self, to: &mut Self::Builder) {
        to.append_value(self.0);
    }
    fn push_null(to: &mut Self::Builder) {
        to.append_null();
    }
    fn finish(from: &mut Self::Builder) -> ArrayRef {
        Arc::new(from.finish().with_data_type(Self::data_type()))
    }
}

/// A calendar day.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Day(i32);

impl Day {
    /// Days since the Unix epoch.
    pub fn number(self) -> i32 {
        self.0
    }

    /// The day in UTC that holds an instant, `None` for an undefined one.
    pub fn of(ts: zomma::wire::Timestamp) -> Option<Day> {
        const DAY: i64 = 86_400_000_000_000;
        i64::try_from(ts).ok().map(|ts| Day((ts / DAY) as i32))
    }
}

impl Cell for Day {
    type Builder = PrimitiveBuilder<Date32Type>;
    fn data_type() -> DataType {
        DataType::Date32
    }
    fn push(self, to: &mut Self::Builder) {
        to.append_value(self.0);
    }
    fn push_null(to: &mut Self::Builder) {
        to.append_null();
    }
    fn finish(from: &mut Self::Builder) -> ArrayRef {
        Arc::new(from.finish())
    }
}

/// Few different texts: kept once each.
fn dictionary() -> DataType {
    DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8))
}

macro_rules! words {
    ($($rust:ty, $text:expr;)*) => {$(
        impl Cell for $rust {
            type Builder = StringDictionaryBuilder<Int32Type>;
            fn data_type() -> DataType {
                dictionary()
            }
            fn push(self, to: &mut Self::Builder) {
                let text: for<'a> fn(&'a $rust) -> &'a str = $text;
                to.append_value(text(&self));
            }
            fn push_null(to: &mut Self::Builder) {
                to.append_null();
            }
            fn finish(from: &mut Self::Builder) -> ArrayRef {
                Arc::new(from.finish())
            }
        }
    )*};
}

/// A root or ticker, ASCII, padded with zeros.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Name(pub(crate) [u8; 8]);

impl Name {
    /// Its text; what is no text is shown as a question mark.
    pub(crate) fn text(&self) -> &str {
        let end = self.0.iter().position(|b| *b == 0).unwrap_or(self.0.len());
        std::str::from_utf8(&self.0[..end]).unwrap_or("?")
    }
}

words! {
    &'static str, |word| word;
    Arc<str>, |word| word;
    Name, Name::text;
}

impl Cell for String {
    type Builder = StringBuilder;
    fn data_type() -> DataType {
        DataType::Utf8
    }
    fn push(self, to: &mut Self::Builder) {
        to.append_value(self);
    }
    fn push_null(to: &mut Self::Builder) {
        to.append_null();
    }
    fn finish(from: &mut Self::Builder) -> ArrayRef {
        Arc::new(from.finish())
    }
}

/// The rows of all lists of a column, one behind the other.
pub(crate) struct Lists<R: Row> {
    lengths: Vec<usize>,
    rows: R::Columns,
}

impl<R: Row> Default for Lists<R> {
    fn default() -> Lists<R> {
        Lists { lengths: Vec::new(), rows: R::Columns::default() }
    }
}

fn item<R: Row>() -> Arc<Field> {
    Arc::new(Field::new("item", DataType::Struct(fields::<R>().into()), false))
}

impl<R: Row> Cell for Vec<R> {
    type Builder = Lists<R>;
    fn data_type() -> DataType {
        DataType::List(item::<R>())
    }
    fn push(self, to: &mut Self::Builder) {
        to.lengths.push(self.len());
        self.into_iter().for_each(|row| row.push(&mut to.rows));
    }
    fn push_null(to: &mut Self::Builder) {
        to.lengths.push(0);
    }
    fn finish(from: &mut Self::Builder) -> ArrayRef {
        let offsets = OffsetBuffer::from_lengths(from.lengths.drain(..));
        let rows = StructArray::new(fields::<R>().into(), R::finish(&mut from.rows), None);
        Arc::new(ListArray::new(item::<R>(), offsets, Arc::new(rows) as Arc<dyn Array>, None))
    }
}
