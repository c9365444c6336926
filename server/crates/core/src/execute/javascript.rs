//! TypeScript and JavaScript before they run: a guest of the server's own takes the types away. Its parser would
//! recurse and search without bound for some texts; in the sandbox that costs the author their own call.

use std::sync::Arc;

use mneme_sandbox::{CallRequest, Grants, Limits, NoAgent, ScriptFailure, ScriptOutcome};
use serde::Deserialize;
use serde_json::json;

use crate::Core;

/// What a stack trace calls the file.
const FILE: &str = "tool.ts";
/// The tool of the guest.
const COMPILE: &str = "compile_script";

/// How a file finds what it imports: its packages, or what the runtime has of Node.js.
const REQUIRE: &str = "const require = (name) => (globalThis.__packages ?? {})[name] ?? globalThis.require(name); ";

/// What a file in the manner of Node.js writes its exports to. Nothing reads them: its functions are found by name.
const EXPORTS: &str = "globalThis.module ??= { exports: {} }; globalThis.exports ??= globalThis.module.exports; ";

/// A file as the runtime runs it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Script {
    /// Statements of an asynchronous function.
    body: String,
    /// The packages that it imports; those that it only asks `require` for are not among them.
    packages: Vec<String>,
    /// For each line of the body the line of the file, from 1.
    lines: Vec<usize>,
}

impl Script {
    /// What a stack trace calls the file.
    pub fn file(&self) -> &'static str {
        FILE
    }

    /// The body behind the packages that it imports. All of them stand on its first line, so that lines keep their
    /// number.
    pub fn with_packages(&self, bundle: Option<&str>) -> String {
        let exports = if self.body.contains("exports") { EXPORTS } else { "" };
        let asks = !self.packages.is_empty() || (bundle.is_some() && required(&self.body).next().is_some());
        if !asks {
            return format!("{exports}{}", self.body);
        }
        let bundle = bundle.unwrap_or_default().replace('\n', " ");
        format!("{bundle};{REQUIRE}{exports}{}", self.body)
    }

    /// What the file imports or requires, as it is written there.
    pub fn imports(&self) -> Vec<String> {
        self.packages.iter().cloned().chain(required(&self.body).map(str::to_owned)).collect()
    }

    /// An outcome whose places are those of the author's file, `source`.
    pub fn restored(&self, mut outcome: ScriptOutcome, source: &str) -> ScriptOutcome {
        if let Err(ScriptFailure::Raised(raised)) = &mut outcome.result {
            raised.traceback = self.restore_lines(&self.restore_excerpts(&raised.traceback, source));
        }
        for text in &mut outcome.stderr {
            *text = self.restore_lines(text);
        }
        outcome
    }

    /// The text with every excerpt (`tool.ts:LINE`, that line, a mark below it) taken from the author's file: what ran has
    /// other lines, and all packages on its first.
    fn restore_excerpts(&self, text: &str, source: &str) -> String {
        let mut restored: Vec<String> = Vec::new();
        let mut lines = text.lines();
        while let Some(line) = lines.next() {
            let mut behind = lines.clone().skip(1);
            let is_excerpt = behind.next().is_some_and(|mark| mark.trim_start() == "^");
            let Some((before, number)) = head(line).filter(|_| is_excerpt) else {
                restored.push(line.to_owned());
                continue;
            };
            lines.next();
            lines.next();
            let number = number.checked_sub(1).and_then(|index| self.lines.get(index)).copied();
            let written = number.and_then(|number| source.lines().nth(number.checked_sub(1)?));
            match (number, written) {
                (Some(number), Some(written)) => {
                    restored.push(format!("{before}{FILE}:{number}"));
                    restored.push(written.to_owned());
                }
                _ if before.is_empty() => {}
                _ => restored.push(before.trim_end().to_owned()),
            }
        }
        restored.join("\n")
    }

    /// The text with every `tool.ts:LINE:COLUMN` turned into the line of the author's file.
    fn restore_lines(&self, text: &str) -> String {
        let mut restored = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, after)) = rest.split_once(FILE) {
            restored.push_str(before);
            restored.push_str(FILE);
            rest = after;
            let Some((line, column, tail)) = place(after) else { continue };
            match line.checked_sub(1).and_then(|index| self.lines.get(index)) {
                Some(line) => restored.push_str(&format!(":{line}")),
                // The line that the server itself put behind the file.
                None => restored.push_str(&format!(":{line}:{column}")),
            }
            rest = tail;
        }
        restored.push_str(rest);
        restored
    }
}

/// The modules that a script asks `require` for by a name that it has in quotes.
fn required(body: &str) -> impl Iterator<Item = &str> {
    body.split("require(").skip(1).filter_map(|call| {
        let call = call.trim_start();
        let quote = call.chars().next().filter(|first| matches!(first, '"' | '\'' | '`'))?;
        call.get(1..)?.split_once(quote).map(|(name, _)| name)
    })
}

/// `:LINE:COLUMN` at the start of a text, and what follows it.
fn place(text: &str) -> Option<(usize, usize, &str)> {
    let (line, rest) = number(text.strip_prefix(':')?)?;
    let (column, rest) = number(rest.strip_prefix(':')?)?;
    Some((line, column, rest))
}

/// What stands before `tool.ts:LINE` at the end of a line, and the number.
fn head(line: &str) -> Option<(&str, usize)> {
    let (before, place) = line.rsplit_once(FILE)?;
    let (number, rest) = number(place.strip_prefix(':')?)?;
    rest.is_empty().then_some((before, number))
}

fn number(text: &str) -> Option<(usize, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    Some((digits.parse().ok()?, rest))
}

impl Core {
    /// A file as the runtime runs it.
    ///
    /// # Errors
    /// Why the file cannot be run, for its author.
    pub(super) async fn compile_script(&self, source: &str) -> std::result::Result<Arc<Script>, String> {
        if let Some(known) = self.scripts.get(&source.to_owned()) {
            return Ok(known);
        }
        let guest = self.sandbox.typescript().await.map_err(|error| error.to_string())?;
        let request = CallRequest {
            tool: COMPILE.into(),
            arguments: json!({ "source": source }).to_string(),
            host: Arc::new(NoAgent),
            limits: Limits { output_bytes: 16 << 20, memory_bytes: 256 << 20, ..Limits::default() },
            grants: Grants { capabilities: Vec::new(), ..Grants::default() },
            env: Vec::new(),
        };
        let text = self.sandbox.call(&guest, request).await.result.map_err(|failure| failure.to_string())?;
        let script: Script = serde_json::from_str(&text).map_err(|error| error.to_string())?;
        let script = Arc::new(script);
        self.scripts.insert(source.to_owned(), script.clone());
        Ok(script)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_those_of_the_authors_file() {
        let script = Script { body: String::new(), packages: Vec::new(), lines: vec![3, 9] };
        let text = "Error: x\n    at go (tool.ts:2:9)\n    at tool.ts:99:1, and tool.ts alone";
        let restored = script.restore_lines(text);
        assert_eq!(restored, "Error: x\n    at go (tool.ts:9)\n    at tool.ts:99:1, and tool.ts alone");
    }

    #[test]
    fn packages_are_there_for_those_who_import_or_require_them() {
        let script = |body: &str, packages: &[&str]| Script {
            body: body.to_owned(),
            packages: packages.iter().map(|&name| name.to_owned()).collect(),
            lines: Vec::new(),
        };
        let called = script("const a = require(\"ms\"), b = require('dayjs/plugin/utc'), c = require(name);", &[]);
        assert_eq!(called.imports(), ["ms", "dayjs/plugin/utc"]);
        assert!(called.with_packages(Some("BUNDLE")).starts_with("BUNDLE;const require"));
        assert_eq!(called.with_packages(None), called.body, "the runtime has its own");
        assert_eq!(script("go();", &[]).with_packages(Some("BUNDLE")), "go();", "nobody asks for it");
        assert!(script("x();", &["ms"]).with_packages(None).contains("globalThis.require(name)"));
    }

    #[test]
    fn excerpts_are_the_authors_own_lines() {
        let script = Script { body: String::new(), packages: Vec::new(), lines: vec![2, 3] };
        let source = "// A tool.\nimport x from 'x';\nx.go();\n";
        let text = "tool.ts:1\n;a whole package; x.y()\n    ^\nError: x\n    at tool.ts:1:5\nCaused by: tool.ts:2\n\tx.go();\n\t^\nError: y";
        let restored = script.restore_lines(&script.restore_excerpts(text, source));
        let expected =
            "tool.ts:2\nimport x from 'x';\nError: x\n    at tool.ts:2\nCaused by: tool.ts:3\nx.go();\nError: y";
        assert_eq!(restored, expected);
        let unknown = script.restore_excerpts("tool.ts:9\nreturn it\n  ^\nError: x", source);
        assert_eq!(unknown, "Error: x");
        let said = "Error: tool.ts:1\nis\nwrong";
        assert_eq!(script.restore_excerpts(said, source), said);
    }
}
