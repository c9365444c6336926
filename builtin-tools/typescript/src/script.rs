//! Turns a TypeScript or JavaScript file into what the JavaScript runtime runs inside a function: types are gone,
//! `export` is gone, imports of packages are calls of `require`, wherever they stand.

use oxc::{
    allocator::Allocator,
    ast::ast::Program,
    codegen::{Codegen, CodegenOptions},
    parser::{ParseOptions, Parser},
    semantic::SemanticBuilder,
    span::SourceType,
    transformer::{TransformOptions, Transformer},
};

use mneme_tool_sdk::ToolError;
use serde::Serialize;

use crate::{edits::Edits, imports, modules};

/// A file's own mistakes, in words for its author.
pub type Result<T> = std::result::Result<T, ToolError>;

/// A file ready for the runtime.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Script {
    /// Statements of an asynchronous function.
    pub body: String,
    /// The packages that it imports, in order, each once.
    pub packages: Vec<String>,
    /// For each line of the body, from the first, the line of the file that it came from, from 1.
    pub lines: Vec<u32>,
}

/// Reads a TypeScript or JavaScript file. What nests without end overflows the stack, and the sandbox reports that.
///
/// # Errors
/// When it does not parse or exports from other files.
pub fn script(source: &str) -> Result<Script> {
    let allocator = Allocator::default();
    let program = parse(&allocator, source)?;
    let mut edits = Edits::new(source);
    let mut packages = modules::lift(&program, &mut edits)?;
    imports::lift(&program, &mut edits, &mut packages);
    let (body, lines) = lower(&edits.apply())?;
    Ok(Script { body, packages, lines })
}

/// A mistake of the file's author.
pub fn mistake(line: Option<usize>, reason: &str) -> ToolError {
    let place = line.map_or_else(String::new, |line| format!(" (line {line})"));
    ToolError::failed(format!("SyntaxError: {reason}{place}"))
}

fn parse<'a>(allocator: &'a Allocator, source: &'a str) -> Result<Program<'a>> {
    let options = ParseOptions { allow_return_outside_function: true, ..ParseOptions::default() };
    let parsed = Parser::new(allocator, source, SourceType::ts()).with_options(options).parse();
    match parsed.diagnostics.first() {
        Some(found) => {
            let offset = found.labels.first().map(|label| label.offset() as usize);
            let line = offset.map(|offset| source.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1);
            Err(mistake(line, &found.message))
        }
        None if parsed.panicked => Err(mistake(None, "the parser cannot read it")),
        None => Ok(parsed.program),
    }
}

/// Takes the types away. Returns the text and, for each of its lines, the line that it came from.
fn lower(source: &str) -> Result<(String, Vec<u32>)> {
    let allocator = Allocator::default();
    let mut program = parse(&allocator, source)?;
    let semantic = SemanticBuilder::new().with_excess_capacity(2.0).with_enum_eval(true).build(&program);
    let scoping = semantic.semantic.into_scoping();
    let options = TransformOptions::default();
    let file = std::path::Path::new("tool.ts");
    let transformed = Transformer::new(&allocator, file, &options).build_with_scoping(scoping, &mut program);
    if let Some(found) = transformed.diagnostics.first() {
        return Err(mistake(None, &found.message));
    }
    let options = CodegenOptions { source_map_path: Some(file.to_owned()), ..CodegenOptions::default() };
    let printed = Codegen::new().with_options(options).build(&program);
    let mut lines = vec![0; printed.code.lines().count()];
    for token in printed.map.iter().flat_map(|map| map.get_tokens()) {
        if let Some(line @ 0) = lines.get_mut(token.get_dst_line() as usize) {
            *line = token.get_src_line() + 1;
        }
    }
    let mut last = 1;
    for line in &mut lines {
        last = if *line == 0 { last } else { *line };
        *line = last;
    }
    Ok((printed.code, lines))
}
