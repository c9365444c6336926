//! The NumPy style: a heading underlined with dashes, the names at the margin, their texts below and indented.

use super::{Docstring, entry::Entries, indent};

/// Reads the lines when they have an underlined section of parameters.
pub fn parse(lines: &[String]) -> Option<Docstring> {
    let is_heading = |at: usize| {
        let underlined = lines.get(at + 1).is_some_and(|line| line.len() >= 3 && line.chars().all(|c| c == '-'));
        underlined && lines.get(at).is_some_and(|line| !line.is_empty() && indent(line) == 0)
    };
    let first = (0..lines.len()).find(|at| is_heading(*at))?;
    let begin = (first..lines.len()).find(|at| {
        let title = lines.get(*at).map(String::as_str);
        is_heading(*at) && matches!(title, Some("Parameters" | "Other Parameters"))
    })?;
    let mut entries = Entries::default();
    let mut at = begin + 2;
    while let Some(line) = lines.get(at).filter(|_| !is_heading(at)) {
        if line.is_empty() || indent(line) > 0 {
            entries.continued(line);
        } else {
            let names = line.split_once(':').map_or(line.as_str(), |(names, _)| names);
            let names = names.split(',').map(|name| name.trim().trim_start_matches('*').to_owned()).collect();
            entries.start_all(names, "");
        }
        at += 1;
    }
    let description = lines.iter().take(first).map(String::as_str).collect::<Vec<_>>().join("\n");
    Some(Docstring { description: description.trim().to_owned(), parameters: entries.finish() })
}
