//! Docstrings: what a function does and what each parameter means. Reads the Google style (`Args:`), and the
//! Sphinx (`:param name: …`) and NumPy (underlined `Parameters`) styles.

mod entry;
mod numpy;

use entry::Entries;

/// What a docstring says.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Docstring {
    /// The text outside of sections.
    pub description: String,
    parameters: Vec<(String, String)>,
}

/// Sections of parameters, or of fields, in the Google style.
const PARAMETERS: [&str; 9] = [
    "args",
    "arguments",
    "parameters",
    "params",
    "keyword args",
    "keyword arguments",
    "other parameters",
    "inputs",
    "attributes",
];
/// Other sections of the Google style, which models do not need.
const OTHERS: [&str; 9] =
    ["returns", "return", "raises", "exceptions", "except", "yields", "example", "examples", "usage"];

impl Docstring {
    /// Reads the text of a docstring as it stands in the source.
    pub fn parse(text: &str) -> Self {
        let lines = clean(text);
        numpy::parse(&lines).unwrap_or_else(|| google(&lines))
    }

    /// What it says about a parameter.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        let found = self.parameters.iter().rev().find(|(known, _)| known == name);
        found.map(|(_, text)| text.as_str()).filter(|text| !text.is_empty())
    }
}

/// What the lines after a heading are.
enum Section {
    Text,
    Parameters,
    /// One parameter of the Sphinx style.
    Field,
    Other,
}

/// Reads the Google and Sphinx styles, which do not exclude each other.
fn google(lines: &[String]) -> Docstring {
    let mut section = Section::Text;
    let mut description = Vec::new();
    let mut entries = Entries::default();
    for line in lines {
        if let Some(next) = heading(line) {
            section = next;
        } else if let Some((name, text)) = sphinx_parameter(line) {
            section = Section::Field;
            entries.start(name, text);
        } else if is_sphinx_field(line) {
            section = Section::Other;
        } else if matches!(section, Section::Parameters) && indent(line) == 0 && entries.has_at_margin(line) {
            entries.line(line);
        } else if !line.is_empty()
            && indent(line) == 0
            && !(matches!(section, Section::Other) && entries.are_at_margin())
        {
            section = Section::Text;
            description.push(line.as_str());
        } else {
            match section {
                Section::Text => description.push(line),
                Section::Parameters => entries.line(line),
                Section::Field => entries.continued(line),
                Section::Other => {}
            }
        }
    }
    Docstring { description: description.join("\n").trim().to_owned(), parameters: entries.finish() }
}

fn heading(line: &str) -> Option<Section> {
    let title = line.strip_suffix(':')?.to_ascii_lowercase();
    if PARAMETERS.contains(&title.as_str()) {
        Some(Section::Parameters)
    } else {
        OTHERS.contains(&title.as_str()).then_some(Section::Other)
    }
}

/// `:param name: text` or `:param type name: text`, by one of the names that the field has.
fn sphinx_parameter(line: &str) -> Option<(&str, &str)> {
    const FIELDS: [&str; 7] = [":param ", ":parameter ", ":arg ", ":argument ", ":key ", ":keyword ", "@param "];
    let (head, text) = FIELDS.iter().find_map(|field| line.strip_prefix(*field))?.split_once(':')?;
    Some((head.split_whitespace().next_back()?, text.trim()))
}

fn is_sphinx_field(line: &str) -> bool {
    const FIELDS: [&str; 10] =
        [":return", ":raise", ":rtype", ":type ", ":yield", ":except", "@return", "@raise", "@rtype", "@type "];
    FIELDS.iter().any(|field| line.starts_with(field))
}

/// Width of the blanks before a line.
fn indent(line: &str) -> usize {
    line.len() - line.trim_start_matches(' ').len()
}

/// The lines without the indentation that they share, the way Python itself shows a docstring.
fn clean(text: &str) -> Vec<String> {
    let expanded: Vec<String> = text.lines().map(|line| line.replace('\t', "        ").trim_end().to_owned()).collect();
    let rest = expanded.iter().skip(1).filter(|line| !line.is_empty());
    let margin = rest.map(|line| indent(line)).min().unwrap_or(0);
    let mut lines: Vec<String> = Vec::with_capacity(expanded.len());
    for (number, line) in expanded.iter().enumerate() {
        let line = if number == 0 { line.trim_start() } else { line.get(margin..).unwrap_or_default() };
        lines.push(line.to_owned());
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> (String, Vec<(String, String)>) {
        let docstring = Docstring::parse(text);
        (docstring.description, docstring.parameters)
    }

    fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
    }

    #[test]
    fn the_google_style() {
        let text = "\n    Find a flight.\n\n    Only direct ones.\n\n    Args:\n        origin (str): Where from:\n            an airport\n            \
                    or a city.\n\n        via (Dict[str, List[int]], optional): Stops: at most 2.\n        when: Any day.\n\n    \
                    Returns:\n        str: The flight.\n\n    Raises:\n        ValueError: never: really\n    ";
        let (description, parameters) = parsed(text);
        assert_eq!(description, "Find a flight.\n\nOnly direct ones.");
        let expected =
            [("origin", "Where from:\nan airport\nor a city."), ("via", "Stops: at most 2."), ("when", "Any day.")];
        assert_eq!(parameters, pairs(&expected));
    }

    #[test]
    fn text_after_the_sections_still_describes() {
        let (description, parameters) = parsed("One.\n\nArgs:\n  a: x\n\nNote that it is slow.\n");
        assert_eq!(description, "One.\n\nNote that it is slow.");
        assert_eq!(parameters, pairs(&[("a", "x")]));
    }

    #[test]
    fn text_on_the_first_line_and_lists_in_descriptions() {
        let (description, parameters) = parsed(
            "Sort things.\n\n    Args:\n        how: One of\n            - up\n            - down\n        *rest: More\n",
        );
        assert_eq!(description, "Sort things.");
        assert_eq!(parameters, pairs(&[("how", "One of\n- up\n- down"), ("rest", "More")]));
    }

    #[test]
    fn the_sphinx_style() {
        let text =
            "Add.\n\n:param a: first\n:param int b: second,\n    or none\n:type a: int\n:return: sum\n    of both\n";
        let (description, parameters) = parsed(text);
        assert_eq!(description, "Add.");
        assert_eq!(parameters, pairs(&[("a", "first"), ("b", "second,\nor none")]));
    }

    #[test]
    fn other_names_of_the_fields() {
        let text = "Add.\n\n:arg a: first\n:keyword int b: second\n@param c: third\n@return: sum\n";
        let (description, parameters) = parsed(text);
        assert_eq!(description, "Add.");
        assert_eq!(parameters, pairs(&[("a", "first"), ("b", "second"), ("c", "third")]));
    }

    #[test]
    fn entries_as_people_write_them() {
        for text in [
            "Add.\n\nArgs:\n    - a (int): first\n    - `b`: second\n",
            "Add.\n\nInputs:\n    a - first\n    **b** (int) - second\n",
            "Add.\n\nArgs:\na (int): first\nb: second\n\nReturns:\nint: the sum\n",
            "Add.\nParameters:\n- a: first\n- b: second\n",
        ] {
            let (description, parameters) = parsed(text);
            assert_eq!(description, "Add.", "{text}");
            assert_eq!(parameters, pairs(&[("a", "first"), ("b", "second")]), "{text}");
        }
        let (description, parameters) = parsed("Args:\n        a: first\n        b: second\n    ");
        assert_eq!((description.as_str(), parameters), ("", pairs(&[("a", "first"), ("b", "second")])));
    }

    #[test]
    fn the_numpy_style() {
        let text = "\n    Add.\n\n    Slowly.\n\n    Parameters\n    ----------\n    a : int\n        The first.\n\n        Really.\n    b, c : int, optional\n        \
                    The others.\n\n    Returns\n    -------\n    int\n        The sum.\n";
        let (description, parameters) = parsed(text);
        assert_eq!(description, "Add.\n\nSlowly.");
        let expected = [("a", "The first.\n\nReally."), ("b", "The others."), ("c", "The others.")];
        assert_eq!(parameters, pairs(&expected));
    }

    #[test]
    fn an_empty_description_is_none() {
        let docstring = Docstring::parse("Do.\n\nArgs:\n    a:\n    b: yes");
        assert_eq!(
            (docstring.parameter("a"), docstring.parameter("b"), docstring.parameter("c")),
            (None, Some("yes"), None)
        );
    }
}
