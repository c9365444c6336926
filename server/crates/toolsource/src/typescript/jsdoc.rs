//! JSDoc comments: a description, then `@param {type} name - text` and tags that models do not need.

/// What a comment says.
#[derive(Debug, Default)]
pub struct JsDoc {
    /// The text before the first tag.
    pub description: String,
    parameters: Vec<DocParameter>,
}

/// What a comment says about a parameter.
#[derive(Debug, Default)]
pub struct DocParameter {
    /// Its name; with a dot, that of a member.
    pub name: String,
    /// What it means.
    pub text: String,
    /// Its type as written.
    pub kind: Option<String>,
    /// Whether it may be left out: `[name]`.
    pub optional: bool,
}

impl JsDoc {
    /// Reads the text between `/**` and `*/`.
    pub fn parse(comment: &str) -> Self {
        let lines = comment.lines().map(|line| {
            let line = line.trim();
            line.strip_prefix('*').unwrap_or(line).trim()
        });
        let mut doc = Self::default();
        let mut description = Vec::new();
        let mut tag: Option<String> = None;
        for line in lines {
            if line.starts_with('@') {
                doc.tag(tag.replace(line.to_owned()));
            } else if let Some(tag) = &mut tag {
                tag.push('\n');
                tag.push_str(line);
            } else {
                description.push(line);
            }
        }
        doc.tag(tag);
        doc.description = description.join("\n").trim().to_owned();
        doc
    }

    /// What it says about a parameter.
    pub fn parameter(&self, name: &str) -> Option<&DocParameter> {
        self.parameters.iter().find(|parameter| parameter.name == name)
    }

    /// The only parameter that it names, which a pattern in the source then is.
    pub fn whole(&self) -> Option<&DocParameter> {
        let mut whole = self.parameters.iter().filter(|parameter| !parameter.name.contains('.'));
        let first = whole.next()?;
        whole.next().is_none().then_some(first)
    }

    /// What it says about the members of a parameter, each with its name.
    pub fn members(&self, name: &str) -> impl Iterator<Item = (&str, &DocParameter)> {
        self.parameters.iter().filter_map(move |parameter| {
            let member = parameter.name.strip_prefix(name)?.strip_prefix('.')?;
            (!member.contains('.') && !member.is_empty()).then_some((member, parameter))
        })
    }

    /// What it says about a member of a parameter: `@param options.name text`, or without the parameter.
    pub fn member(&self, name: &str) -> Option<&str> {
        let found = self.parameters.iter().find(|parameter| parameter.name.rsplit('.').next() == Some(name));
        found.map(|parameter| parameter.text.as_str()).filter(|text| !text.is_empty())
    }

    fn tag(&mut self, tag: Option<String>) {
        let Some(rest) = tag.as_deref().and_then(|tag| tag.strip_prefix("@param")) else { return };
        let mut rest = rest.trim_start();
        let mut parameter = DocParameter::default();
        if let Some(braced) = rest.strip_prefix('{') {
            let Some(end) = closing_brace(braced) else { return };
            let (kind, after) = braced.split_at(end);
            parameter.kind = Some(kind.trim().to_owned());
            rest = after.strip_prefix('}').unwrap_or(after).trim_start();
        }
        let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
        let (name, text) = match rest.strip_prefix('[').and_then(|inner| inner.split_once(']')) {
            Some((inner, text)) => {
                parameter.optional = true;
                (inner.split('=').next().unwrap_or_default().trim(), text)
            }
            None => rest.split_at(end),
        };
        let text = text.trim();
        parameter.name = name.to_owned();
        parameter.text = text.strip_prefix("- ").unwrap_or(text).trim().to_owned();
        self.parameters.push(parameter);
    }
}

fn closing_brace(text: &str) -> Option<usize> {
    let mut depth = 0usize;
    for (at, c) in text.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => return Some(at),
            '}' => depth -= 1,
            _ => {}
        }
    }
    None
}
