//! A file declared once; its row, its Arrow schema and its documentation out.
//!
//! A column never changes its name, type, unit or meaning: what has to be different becomes a new
//! column, which a reader of an older file finds absent.

use arrow_array::ArrayRef;
use arrow_schema::{DataType, Field};
use std::{collections::HashMap, fmt::Write};

/// Key of a column's unit in the metadata of its field.
pub(crate) const UNIT: &str = "unit";
/// Key of a column's meaning in the metadata of its field.
pub(crate) const ABOUT: &str = "about";

/// A row of a file, or of a list in one.
pub(crate) trait Row: Sized {
    /// The file's name without its ending; empty for the rows of a list.
    const FILE: &'static str;
    /// What a row is.
    const ABOUT: &'static str;
    /// What collects rows, column by column.
    type Columns: Default;
    /// Name, type, whether it may be missing, unit and meaning of each column.
    fn declared() -> Vec<Declared>;
    /// Adds this row.
    fn push(self, to: &mut Self::Columns);
    /// All columns so far; none are left afterwards.
    fn finish(from: &mut Self::Columns) -> Vec<ArrayRef>;
}

/// A column as it was declared.
pub(crate) struct Declared {
    pub(crate) name: &'static str,
    pub(crate) of: DataType,
    pub(crate) nullable: bool,
    pub(crate) unit: &'static str,
    pub(crate) about: &'static str,
}

/// Declares a file: a structure with one field a column, each with type, unit and meaning.
macro_rules! table {
    (
        $(#[doc = $about:literal])+
        struct $row:ident in $file:literal {
            $($(#[doc = $meaning:literal])+ $name:ident : $type:ty, $unit:literal;)+
        }
    ) => {
        $(#[doc = $about])+
        #[derive(Clone, Debug)]
        pub(crate) struct $row { $($(#[doc = $meaning])+ pub(crate) $name: $type,)+ }

        const _: () = {
            use $crate::{column::Cell, table::{Declared, Row}};

            #[derive(Default)]
            pub(crate) struct Columns { $($name: <$type as Cell>::Builder,)+ }

            impl Row for $row {
                const FILE: &'static str = $file;
                const ABOUT: &'static str = concat!($($about),+);
                type Columns = Columns;
                fn declared() -> Vec<Declared> {
                    Vec::from([$(Declared {
                        name: stringify!($name),
                        of: <$type as Cell>::data_type(),
                        nullable: <$type as Cell>::NULLABLE,
                        unit: $unit,
                        about: concat!($($meaning),+),
                    },)+])
                }
                fn push(self, to: &mut Columns) {
                    $(Cell::push(self.$name, &mut to.$name);)+
                }
                fn finish(from: &mut Columns) -> Vec<arrow_array::ArrayRef> {
                    Vec::from([$(<$type as Cell>::finish(&mut from.$name),)+])
                }
            }
        };
    };
}
pub(crate) use table;

/// The columns of a row as Arrow has them, unit and meaning in their metadata.
pub(crate) fn fields<R: Row>() -> Vec<Field> {
    let field = |column: Declared| {
        let about = column.about.trim().to_string();
        let metadata = [(UNIT, column.unit.to_string()), (ABOUT, about)];
        let metadata: HashMap<_, _> = metadata.map(|(key, text)| (key.to_string(), text)).into();
        Field::new(column.name, column.of, column.nullable).with_metadata(metadata)
    };
    R::declared().into_iter().map(field).collect()
}

/// A file as `zomma-lab columns` lists it.
#[derive(Clone, Debug)]
pub struct Table {
    /// Its name without its ending.
    pub file: &'static str,
    /// What a row is.
    pub about: &'static str,
    /// Its columns.
    pub fields: Vec<Field>,
}

impl Table {
    /// The file that holds rows of this type.
    pub(crate) fn of<R: Row>() -> Table {
        Table { file: R::FILE, about: R::ABOUT.trim(), fields: fields::<R>() }
    }

    /// Its columns, those inside of lists behind the list: name, type, unit, meaning.
    pub fn columns(&self) -> Vec<[String; 4]> {
        let mut rows = Vec::new();
        self.fields.iter().for_each(|field| describe("", field, &mut rows));
        rows
    }

    /// A heading, what a row is, and a table of the columns.
    pub fn markdown(&self) -> String {
        let mut text = format!("### `{}.parquet`\n\n{}\n\n", self.file, self.about);
        text += "| column | type | unit | meaning |\n|---|---|---|---|\n";
        for [name, of, unit, about] in self.columns() {
            let _ = writeln!(text, "| `{name}` | {of} | {unit} | {} |", about.replace('|', "\\|"));
        }
        text
    }
}

fn describe(within: &str, field: &Field, rows: &mut Vec<[String; 4]>) {
    let text = |key: &str| field.metadata().get(key).cloned().unwrap_or_default();
    let name = format!("{within}{}", field.name());
    let missing = if field.is_nullable() { ", or null" } else { "" };
    rows.push([name.clone(), type_name(field.data_type()) + missing, text(UNIT), text(ABOUT)]);
    if let DataType::List(item) = field.data_type()
        && let DataType::Struct(inner) = item.data_type()
    {
        inner.iter().for_each(|field| describe(&format!("{name}."), field, rows));
    }
}

/// A type as readers of the file know it.
fn type_name(of: &DataType) -> String {
    match of {
        DataType::Dictionary(_, _) | DataType::Utf8 => "string".into(),
        DataType::Timestamp(_, _) => "timestamp[ns, UTC]".into(),
        DataType::Decimal128(digits, places) => format!("decimal({digits}, {places})"),
        DataType::List(_) => "list of struct".into(),
        DataType::Date32 => "date".into(),
        other => other.to_string().to_lowercase(),
    }
}
