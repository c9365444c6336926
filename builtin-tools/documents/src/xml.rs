//! The text of the XML that Office writes: paragraphs, headings, lists and tables. Word and PowerPoint name them alike.

use std::borrow::Cow;

use quick_xml::{
    Reader, XmlVersion,
    events::{BytesStart, Event},
};

use crate::outcome::{Result, check, unreadable};

/// Elements inside each other at most.
const MAX_DEPTH: usize = 512;

/// An attribute of an element, by its name without prefix.
pub fn attribute(element: &BytesStart<'_>, name: &str) -> Option<String> {
    element.attributes().flatten().find_map(|attribute| {
        let key: &str = attribute.key.as_ref();
        let local = key.rsplit(':').next().unwrap_or(key);
        (local == name).then(|| attribute.value.to_string())
    })
}

/// Goes through a file's elements; `see` gets each start.
pub fn elements(xml: &str, mut see: impl FnMut(&str, &BytesStart<'_>)) -> Result<()> {
    let mut reader = Reader::from_str(xml);
    loop {
        match reader.read_event().map_err(malformed)? {
            Event::Start(element) | Event::Empty(element) => see(local(&element).as_ref(), &element),
            Event::Eof => return Ok(()),
            _ => {}
        }
    }
}

fn local(element: &BytesStart<'_>) -> String {
    let name: &str = element.name().0;
    name.rsplit(':').next().unwrap_or(name).to_owned()
}

fn malformed(error: quick_xml::Error) -> mneme_tool_sdk::ToolError {
    unreadable(format!("The document cannot be read: its XML is damaged ({error})"))
}

/// A table under way: the cells of its current row.
#[derive(Default)]
struct Table {
    row: Vec<String>,
}

/// What was read of a file so far.
#[derive(Default)]
struct Body {
    out: String,
    /// The paragraph under way.
    paragraph: String,
    heading: usize,
    item: bool,
    tables: Vec<Table>,
    /// Cells under way, the innermost last.
    cells: Vec<String>,
    /// Elements of the kind that older programs read instead; what is in them is there twice.
    fallback: usize,
    in_text: bool,
}

/// The text of a file, as Markdown.
pub fn markdown(xml: &str) -> Result<String> {
    let mut reader = Reader::from_str(xml);
    let mut body = Body::default();
    let mut depth = 0_usize;
    loop {
        match reader.read_event().map_err(malformed)? {
            Event::Start(element) => {
                depth += 1;
                if depth > MAX_DEPTH {
                    return Err(unreadable("The document cannot be read: its XML nests too deeply"));
                }
                body.start(&local(&element), &element);
            }
            Event::Empty(element) => {
                let name = local(&element);
                body.start(&name, &element);
                body.end(&name);
            }
            Event::End(element) => {
                depth = depth.saturating_sub(1);
                let name: &str = element.name().0;
                body.end(name.rsplit(':').next().unwrap_or(name));
            }
            Event::Text(text) => body.text(text.xml_content(XmlVersion::Implicit1_0)),
            Event::CData(text) => body.text(text.xml_content(XmlVersion::Implicit1_0)),
            Event::GeneralRef(reference) => {
                let found = match reference.resolve_char_ref() {
                    Ok(Some(c)) => Some(c),
                    _ => named(&reference.xml_content(XmlVersion::Implicit1_0)),
                };
                // Entities of a document's own are not expanded: they are how small files become large ones.
                body.text(found.map_or(Cow::Borrowed(""), |c| Cow::Owned(c.to_string())));
            }
            Event::Eof => return Ok(body.finish()),
            _ => {}
        }
        check(body.out.len() + body.paragraph.len())?;
    }
}

fn named(name: &str) -> Option<char> {
    Some(match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        _ => return None,
    })
}

impl Body {
    fn start(&mut self, name: &str, element: &BytesStart<'_>) {
        match name {
            "Fallback" => self.fallback += 1,
            _ if self.fallback > 0 => {}
            "p" => self.paragraph.clear(),
            "t" => self.in_text = true,
            "tab" if !self.paragraph.is_empty() => self.paragraph.push('\t'),
            "br" | "cr" => self.paragraph.push('\n'),
            "noBreakHyphen" => self.paragraph.push('-'),
            "pStyle" => {
                let style = attribute(element, "val").unwrap_or_default();
                self.heading = level(&style).unwrap_or(0);
                self.item |= style.starts_with("List");
            }
            "ph" if attribute(element, "type").is_some_and(|kind| matches!(kind.as_str(), "title" | "ctrTitle")) => {
                self.heading = 2;
            }
            "numPr" => self.item = true,
            "tbl" => self.tables.push(Table::default()),
            "tc" => self.cells.push(String::new()),
            _ => {}
        }
    }

    fn end(&mut self, name: &str) {
        match name {
            "Fallback" => self.fallback = self.fallback.saturating_sub(1),
            _ if self.fallback > 0 => {}
            "t" => self.in_text = false,
            "p" => self.end_paragraph(),
            // The next shape of a slide is no title.
            "sp" => self.heading = 0,
            "tc" => {
                let cell = self.cells.pop().unwrap_or_default();
                if let Some(table) = self.tables.last_mut() {
                    table.row.push(cell.trim().replace('\n', " ").replace('|', "\\|"));
                }
            }
            "tr" => {
                let row = self.tables.last_mut().map(|table| std::mem::take(&mut table.row)).unwrap_or_default();
                if row.iter().any(|cell| !cell.is_empty()) {
                    let line = format!("| {} |\n", row.join(" | "));
                    self.place(&line);
                }
            }
            "tbl" => {
                self.tables.pop();
                self.place("\n");
            }
            _ => {}
        }
    }

    fn text(&mut self, text: Cow<'_, str>) {
        if self.in_text && self.fallback == 0 {
            self.paragraph.push_str(&text);
        }
    }

    fn end_paragraph(&mut self) {
        let text = std::mem::take(&mut self.paragraph);
        let (heading, item) = (self.heading, std::mem::take(&mut self.item));
        if text.trim().is_empty() {
            return;
        }
        let in_cell = !self.cells.is_empty();
        let text = text.trim_end();
        let line = match (in_cell, heading, item) {
            (true, ..) => format!("{text}\n"),
            (false, 0, true) => format!("- {text}\n"),
            (false, 0, false) => format!("{text}\n\n"),
            (false, level, _) => format!("\n{} {text}\n\n", "#".repeat(level.min(6))),
        };
        if !in_cell {
            self.heading = 0;
        }
        self.place(&line);
    }

    /// Puts text into the cell under way, or behind what there is.
    fn place(&mut self, text: &str) {
        match self.cells.last_mut() {
            Some(cell) => cell.push_str(text),
            None => self.out.push_str(text),
        }
    }

    fn finish(mut self) -> String {
        self.end_paragraph();
        self.out
    }
}

/// The level of a heading's style, by the name that Word gives it in most languages.
fn level(style: &str) -> Option<usize> {
    let style = style.to_ascii_lowercase();
    if style == "title" {
        return Some(1);
    }
    let names = ["heading", "berschrift", "titre", "ttulo", "titolo", "kop", "rubrik", "overskrift"];
    names.iter().any(|name| style.contains(name)).then(|| {
        let digits: String = style.chars().filter(char::is_ascii_digit).collect();
        digits.parse().unwrap_or(1).clamp(1, 6)
    })
}
