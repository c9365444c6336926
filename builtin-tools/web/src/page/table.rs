//! Tables of data. Tables that only arrange a page are no tables here.

use std::fmt;

use dom_query::NodeRef;

use super::markdown::inline_text;

const MOST_COLUMNS: usize = 30;
const MOST_ROWS: usize = 2_000;

/// The cells of a table, row by row, each on one line.
pub struct Table {
    caption: String,
    rows: Vec<Vec<String>>,
    columns: usize,
}

impl Table {
    /// Reads a table; `None` when it is no table of data: with one row or column, or with tables or lists inside.
    pub fn read(node: &NodeRef) -> Option<Self> {
        const LAYOUT: &[&str] = &["table", "ul", "ol", "pre", "h1", "h2", "h3", "form", "blockquote"];
        let arranges =
            node.descendants_it().any(|below| below.node_name().is_some_and(|name| LAYOUT.contains(&&*name)));
        if arranges {
            return None;
        }
        let mut table = Self { caption: String::new(), rows: Vec::new(), columns: 0 };
        for below in node.descendants_it() {
            if below.has_name("caption") {
                table.caption = inline_text(&below);
            } else if below.has_name("tr") && table.rows.len() < MOST_ROWS {
                table.add(&below);
            }
        }
        (table.rows.len() > 1 && (2..=MOST_COLUMNS).contains(&table.columns)).then_some(table)
    }

    fn add(&mut self, row: &NodeRef) {
        let cells = row.children_it(false).filter(|cell| cell.has_name("td") || cell.has_name("th"));
        let mut texts: Vec<String> = Vec::new();
        for cell in cells.take(MOST_COLUMNS + 1) {
            texts.push(inline_text(&cell).replace('|', "\\|"));
            // A wide cell leaves the columns after it empty, so that the others stay under their headings.
            let width = cell.attr("colspan").and_then(|width| width.parse::<usize>().ok()).unwrap_or(1);
            let width = width.clamp(1, MOST_COLUMNS);
            texts.extend(std::iter::repeat_n(String::new(), width - 1));
        }
        if texts.iter().any(|text| !text.is_empty()) {
            self.columns = self.columns.max(texts.len());
            self.rows.push(texts);
        }
    }
}

/// The first row is the heading, as Markdown wants one.
impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.caption.is_empty() {
            write!(f, "{}\n\n", self.caption)?;
        }
        for (number, row) in self.rows.iter().enumerate() {
            if number > 0 {
                f.write_str("\n")?;
            }
            f.write_str("|")?;
            for column in 0..self.columns {
                write!(f, " {} |", row.get(column).map_or("", String::as_str))?;
            }
            if number == 0 {
                write!(f, "\n|{}", " --- |".repeat(self.columns))?;
            }
        }
        Ok(())
    }
}
