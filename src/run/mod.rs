//! Live and replay: a configuration in, the same stages between other ends, reports out.

pub mod report;
