//! A report in, one self-contained page of HTML out: it loads nothing and works offline.

use super::{Report, json};
use alloc::string::String;

const PAGE: &str = include_str!("page.html");
/// Where the page wants its data.
const PLACE: &str = "\"zomma-report-data\"";

/// The page.
pub fn html(report: &Report) -> String {
    // No text of the data can end the script that it stands in.
    let data = alloc::format!("{}", json(report)).replace("</", "<\\/").replace("<!--", "<\\!--");
    PAGE.replacen(PLACE, &data, 1)
}
