//! A picture's data as JSON in; one page that draws it out. No other file is needed to read it.

use serde_json::Value;

/// The page: `view` is the script that draws `data`.
pub(crate) fn page(title: &str, view: &str, data: &Value) -> String {
    let shell = include_str!("page.html").replace("/*TITLE*/", title);
    shell.replace("/*VIEW*/", view).replace("/*DATA*/null", &data.to_string())
}
