//! One control line `k=v|k=v|word` in; its fields by name out, in whatever order they came.

/// The longest line taken from a client: 500 symbols of 22 characters and the rest.
pub const LINE_LEN_MAX: usize = 64 * 1024;

/// A control line.
#[derive(Clone, Copy, Debug)]
pub struct Line<'a>(&'a str);

impl<'a> Line<'a> {
    /// A line without its end.
    pub fn new(text: &'a str) -> Line<'a> {
        Line(text.trim_end_matches(['\r', '\n']))
    }

    /// The value of a field; an empty one for a field without `=`.
    pub fn get(&self, name: &str) -> Option<&'a str> {
        self.0.split('|').find_map(|field| match field.split_once('=') {
            Some((key, value)) => (key == name).then_some(value),
            None => (field == name).then_some(""),
        })
    }

    /// Whether it has the field, with a value or without.
    pub fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// Whether the field is there and says yes.
    pub fn is_on(&self, name: &str) -> bool {
        self.get(name).is_some_and(|v| v == "1" || v == "true")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_in_any_order() {
        for text in ["schema=trades|symbols=A,B|is_last=1\n", "is_last=1|symbols=A,B|schema=trades"]
        {
            let line = Line::new(text);
            assert_eq!(line.get("schema"), Some("trades"));
            assert_eq!(line.get("symbols"), Some("A,B"));
            assert!(line.is_on("is_last"));
        }
        for text in ["start_session\n", "start_session=0\n"] {
            assert!(Line::new(text).has("start_session"));
        }
        assert!(!Line::new("unsubscribe|schema=trades").has("start_session"));
    }
}
