//! Workbooks: each sheet as lines of comma-separated values.

use std::io::Cursor;

use calamine::{Data, DataRef, Reader, Xlsx};

use crate::{
    archive,
    outcome::{Reading, Result, check, unreadable},
};

/// Empty cells that are told in a row at most: a lone cell far to the right is no reason for 16,000 commas.
const MAX_GAP: u32 = 64;

pub fn read(bytes: Vec<u8>) -> Result<Reading> {
    archive::check(&bytes)?;
    let wrong = |error: calamine::XlsxError| {
        unreadable(format!("The workbook cannot be read: it is damaged or cut off ({error})"))
    };
    let mut book = Xlsx::new(Cursor::new(bytes)).map_err(wrong)?;
    let mut text = String::new();
    let names = book.sheet_names();
    let mut said = false;
    for name in &names {
        // Charts are sheets without cells.
        let Ok(mut cells) = book.worksheet_cells_reader(name) else { continue };
        text.push_str(&format!("# Sheet: {name}\n"));
        let (mut row, mut column) = (None, 0);
        while let Some(cell) = cells.next_cell().map_err(wrong)? {
            let value = shown(cell.get_value());
            if value.is_empty() {
                continue;
            }
            let (at_row, at_column) = cell.get_position();
            if row != Some(at_row) {
                text.push('\n');
                (row, column) = (Some(at_row), 0);
            }
            for _ in 0..at_column.saturating_sub(column).min(MAX_GAP) {
                text.push(',');
            }
            column = at_column;
            text.push_str(&value);
            said = true;
            check(text.len())?;
        }
        text.push_str("\n\n");
    }
    if !said {
        return Err(unreadable("The workbook has no values in its cells"));
    }
    Ok(Reading { text: text.trim_end().to_owned() + "\n", pages: None })
}

/// A cell's value as people write it, quoted where a comma needs it.
fn shown(value: &DataRef<'_>) -> String {
    let text = match value {
        DataRef::Empty => String::new(),
        DataRef::DateTime(time) => match time.as_datetime() {
            Some(time) => {
                let text = time.to_string();
                text.strip_suffix(" 00:00:00").map(str::to_owned).unwrap_or(text)
            }
            None => time.to_string(),
        },
        DataRef::Error(error) => error.to_string(),
        DataRef::String(text) => text.trim().to_owned(),
        DataRef::SharedString(text) => text.trim().to_owned(),
        other => Data::from(other.clone()).to_string(),
    };
    if text.contains([',', '"', '\n']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}
