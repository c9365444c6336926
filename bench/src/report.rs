//! The table for people and the JSON for programs.

use std::path::Path;

use serde_json::{Value, json};

use crate::catalogue::{Measure, Target};
use crate::failure::{Failure, Result};
use crate::figures::Figures;
use crate::retired::Retired;

/// Widths of the table's columns.
const WIDTHS: [usize; 7] = [48, 36, 11, 16, 6, 34, 8];
const TITLES: [&str; 7] = ["measure", "ours", "CPU ms", "target", "met", "retired server", "ratio"];

/// A measure and what came of it.
#[derive(Debug)]
pub struct Row {
    pub measure: &'static Measure,
    /// What is expected on this database.
    pub target: Option<Target>,
    pub outcome: Result<Figures>,
}

impl Row {
    /// Whether there are figures and they miss the target.
    pub fn misses(&self) -> bool {
        self.met() == Some(false)
    }

    /// Whether there should be figures and there are none.
    pub fn is_broken(&self) -> bool {
        matches!(self.outcome, Err(Failure::Broken(_)))
    }

    fn met(&self) -> Option<bool> {
        let figures = self.outcome.as_ref().ok()?;
        Some(self.target?.is_met(figures))
    }

    /// How many times better than the retired server.
    fn ratio(&self) -> Option<f64> {
        let (ours, theirs) = (self.outcome.as_ref().ok()?, self.measure.retired?);
        let more = |ours: Option<f64>, theirs: Option<f64>| Some(ours? / theirs?);
        more(ours.mebibytes, theirs.mebibytes)
            .map(|share| 1.0 / share)
            .or_else(|| more(ours.rate, theirs.rate))
            .or_else(|| more(theirs.p50, ours.p50_ms))
    }

    /// One line of the table.
    pub fn line(&self) -> String {
        let dash = || "-".to_owned();
        let (ours, cpu) = match &self.outcome {
            Ok(figures) => (shown(figures), figures.server_cpu_ms.map(number)),
            Err(Failure::Unserved(_)) => ("not served".to_owned(), None),
            Err(Failure::Broken(_)) => ("failed".to_owned(), None),
        };
        let met = self.met().map(|met| if met { "yes" } else { "NO" });
        line([
            self.measure.title.to_owned(),
            ours,
            cpu.unwrap_or_else(dash),
            self.target.map_or_else(dash, |target| target.to_string()),
            met.map_or_else(dash, str::to_owned),
            self.measure.retired.map_or_else(dash, shown_retired),
            self.ratio().map_or_else(dash, |ratio| format!("{}x", number(ratio))),
        ])
    }

    /// What does not fit the line.
    pub fn note(&self) -> Option<String> {
        let note = match &self.outcome {
            Ok(figures) => figures.note.clone()?,
            Err(failure) => failure.to_string(),
        };
        Some(format!("{}: {note}", self.measure.name))
    }

    fn json(&self) -> Value {
        let (figures, failure) = match &self.outcome {
            Ok(figures) => (Some(figures), None),
            Err(failure) => (None, Some(failure.to_string())),
        };
        let retired = self.measure.retired.map(|retired| {
            json!({
                "rate": retired.rate,
                "p50_ms": retired.p50,
                "p99_ms": retired.p99,
                "mebibytes": retired.mebibytes,
            })
        });
        json!({
            "name": self.measure.name,
            "title": self.measure.title,
            "figures": figures,
            "failure": failure,
            "target": self.target.map(|target| target.to_string()),
            "met": self.met(),
            "retired": retired,
            "ratio": self.ratio(),
        })
    }
}

/// The table's head, two lines that make it Markdown as well.
pub fn head() -> String {
    let rule = WIDTHS.map(|width| "-".repeat(width));
    format!("{}\n{}", line(TITLES.map(str::to_owned)), line(rule))
}

/// Writes everything as JSON. `run` says under what circumstances.
pub fn write_json(path: &Path, run: Value, rows: &[Row]) -> Result {
    let rows: Vec<Value> = rows.iter().map(Row::json).collect();
    let text = format!("{:#}\n", json!({"run": run, "rows": rows}));
    std::fs::write(path, text).map_err(Failure::while_doing(path.display()))
}

fn line(cells: [String; 7]) -> String {
    let padded: Vec<String> = cells.iter().zip(WIDTHS).map(|(cell, width)| format!("{cell:width$}")).collect();
    format!("| {} |", padded.join(" | "))
}

fn shown(figures: &Figures) -> String {
    if let Some(size) = figures.mebibytes {
        let growth = figures.growth_mebibytes;
        let growth = growth.map(|growth| format!(", {growth:+.1}"));
        return format!("{size:.1} MiB{}", growth.unwrap_or_default());
    }
    if let Some(recall) = figures.recall {
        return format!("recall {recall:.3}");
    }
    if let Some(times) = figures.times {
        return format!("{}x, {}", number(times), joined(None, figures.p50_ms, figures.p99_ms));
    }
    joined(figures.rate, figures.p50_ms, figures.p99_ms)
}

fn shown_retired(retired: Retired) -> String {
    match retired.mebibytes {
        Some(size) => format!("{size:.0} MiB"),
        None => joined(retired.rate, retired.p50, retired.p99),
    }
}

fn joined(rate: Option<f64>, p50: Option<f64>, p99: Option<f64>) -> String {
    let rate = rate.map(|rate| format!("{}/s", number(rate)));
    let p50 = p50.map(|p50| format!("p50 {} ms", number(p50)));
    let p99 = p99.map(|p99| format!("p99 {} ms", number(p99)));
    let parts: Vec<String> = [rate, p50, p99].into_iter().flatten().collect();
    parts.join(", ")
}

/// Three digits that count.
fn number(value: f64) -> String {
    let digits = match value.abs() {
        size if size >= 100.0 => 0,
        size if size >= 10.0 => 1,
        size if size >= 1.0 => 2,
        _ => 3,
    };
    format!("{value:.digits$}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::MEASURES;

    fn row(name: &str, outcome: Result<Figures>) -> Row {
        let measure = MEASURES.iter().find(|measure| measure.name == name);
        let measure = measure.expect("a measure");
        Row { measure, target: measure.target, outcome }
    }

    fn cells(row: &Row) -> Vec<String> {
        let line = row.line();
        let cells = line.trim_matches('|').split('|');
        cells.map(|cell| cell.trim().to_owned()).collect()
    }

    #[test]
    fn a_rate_is_compared_with_a_rate() {
        let figures = Figures {
            rate: Some(7000.4),
            p50_ms: Some(4.256),
            p99_ms: Some(12.34),
            server_cpu_ms: Some(0.2),
            ..Figures::default()
        };
        let row = row("agent-get-32", Ok(figures));
        assert_eq!(
            cells(&row)[1..],
            [
                "7000/s, p50 4.26 ms, p99 12.3 ms",
                "0.200",
                "> 6000/s",
                "yes",
                "28.0/s, p50 1109 ms, p99 1392 ms",
                "250x"
            ]
        );
        assert!(!row.misses() && !row.is_broken());
    }

    #[test]
    fn less_time_and_less_memory_are_better() {
        let slow = Figures { p50_ms: Some(360.0), ..Figures::default() };
        let slow = row("start-warm", Ok(slow));
        assert!(slow.misses());
        assert_eq!(cells(&slow)[6], "50.0x");
        let memory =
            Figures { mebibytes: Some(100.6), growth_mebibytes: Some(3.0), rate: Some(1.0), ..Figures::default() };
        let memory = row("memory-growth", Ok(memory));
        assert!(!memory.misses());
        assert_eq!(cells(&memory)[1], "100.6 MiB, +3.0");
        assert_eq!(cells(&memory)[6], "5.00x");
    }

    #[test]
    fn what_is_found_is_shown_as_a_share() {
        let row = row("large-recall", Ok(Figures { recall: Some(0.94321), ..Figures::default() }));
        assert_eq!(cells(&row)[1..5], ["recall 0.943", "-", "recall > 0.95", "NO"]);
    }

    #[test]
    fn failures_are_told_apart_from_what_is_not_served() {
        let absent = row("python-tool", Err(Failure::Unserved("404".into())));
        assert!(!absent.is_broken() && !absent.misses());
        assert_eq!(cells(&absent)[1], "not served");
        let broken = row("turn-1", Err(Failure::Broken("500".into())));
        assert!(broken.is_broken() && !broken.misses());
        assert_eq!(broken.note().as_deref(), Some("turn-1: 500"));
    }

    #[test]
    fn the_json_holds_raw_figures() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("out.json");
        let figures = Figures { p50_ms: Some(0.123456), ..Figures::default() };
        let rows = [row("tool-call", Ok(figures)), row("turn-1", Err(Failure::Broken("500".into())))];
        write_json(&path, json!({"cores": 2}), &rows).expect("written");
        let text = std::fs::read_to_string(&path).expect("there");
        let read: Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(read["run"]["cores"], 2);
        assert_eq!(read["rows"][0]["figures"]["p50_ms"], 0.123456);
        assert_eq!(read["rows"][0]["retired"], Value::Null);
        assert_eq!(read["rows"][1]["failure"], "500");
        assert_eq!(read["rows"][1]["retired"]["rate"], 3.8);
    }
}
