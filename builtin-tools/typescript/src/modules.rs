//! Imports and exports, which a function's body cannot have.

use oxc::{
    ast::ast::{
        ExportDefaultDeclarationKind, ImportDeclaration, ImportDeclarationSpecifier, ImportOrExportKind, Program,
        Statement,
    },
    span::GetSpan,
};

use mneme_tool_sdk::ToolError;

use crate::edits::Edits;
use crate::script::{Result, mistake};

/// What a function or value that is exported by default and has no name is called in the script. The server's reader of
/// signatures knows it as well (`toolsource`).
const ANONYMOUS: &str = "__default_export";

/// Edits them away. Returns the names of the imported packages.
pub fn lift(program: &Program<'_>, edits: &mut Edits<'_>) -> Result<Vec<String>> {
    let mut packages: Vec<String> = Vec::new();
    for statement in &program.body {
        match statement {
            Statement::ImportDeclaration(import) => {
                let package = import.source.value.to_string();
                let is_type = import.import_kind == ImportOrExportKind::Type;
                let instead = if is_type { String::new() } else { required(import) };
                edits.replace(import.span.start, import.span.end, &instead);
                if !is_type && !packages.contains(&package) {
                    packages.push(package);
                }
            }
            Statement::ExportDeclaration(export) => {
                edits.replace(export.span.start, export.declaration.span().start, "");
            }
            Statement::ExportNamedDeclaration(export) => edits.replace(export.span.start, export.span.end, ""),
            Statement::ExportDefaultDeclaration(export) => {
                let name = match &export.declaration {
                    ExportDefaultDeclarationKind::FunctionDeclaration(function) => function.id.is_some(),
                    ExportDefaultDeclarationKind::ClassDeclaration(class) => class.id.is_some(),
                    ExportDefaultDeclarationKind::TSInterfaceDeclaration(_) => true,
                    _ => false,
                };
                let instead = if name { String::new() } else { format!("const {ANONYMOUS} = ") };
                edits.replace(export.span.start, export.declaration.span().start, &instead);
                if !name {
                    // A declaration needs none behind it, but this is no declaration any more.
                    edits.replace(export.span.end, export.span.end, ";");
                }
            }
            Statement::ExportFromDeclaration(export) if export.export_kind == ImportOrExportKind::Value => {
                return Err(elsewhere(edits.source(), export.span.start));
            }
            Statement::ExportFromDeclaration(export) => edits.replace(export.span.start, export.span.end, ""),
            Statement::ExportAllDeclaration(export) => return Err(elsewhere(edits.source(), export.span.start)),
            _ => {}
        }
    }
    Ok(packages)
}

fn elsewhere(source: &str, offset: u32) -> ToolError {
    let line = source.bytes().take(offset as usize).filter(|byte| *byte == b'\n').count() + 1;
    mistake(Some(line), "a tool is one file, it cannot export from another")
}

/// An import as a statement of a function's body.
fn required(import: &ImportDeclaration<'_>) -> String {
    let module = format!("require({})", quoted(&import.source.value));
    let mut statement = String::new();
    let mut names = Vec::new();
    for specifier in import.specifiers.iter().flatten() {
        match specifier {
            ImportDeclarationSpecifier::ImportSpecifier(one) if one.import_kind == ImportOrExportKind::Value => {
                names.push(format!("{}: {}", quoted(&one.imported.name()), one.local.name));
            }
            ImportDeclarationSpecifier::ImportSpecifier(_) => {}
            ImportDeclarationSpecifier::ImportDefaultSpecifier(one) => {
                // Older packages have no default: there the module itself is meant.
                let local = &one.local.name;
                statement +=
                    &format!("const {local} = (m => m && m.default !== undefined ? m.default : m)({module}); ");
            }
            ImportDeclarationSpecifier::ImportNamespaceSpecifier(one) => {
                statement += &format!("const {} = {module}; ", one.local.name);
            }
        }
    }
    match (names.is_empty(), statement.is_empty()) {
        (false, _) => statement + &format!("const {{ {} }} = {module};", names.join(", ")),
        (true, true) => module + ";",
        (true, false) => statement,
    }
}

/// A string as JavaScript writes it. JSON is a part of it.
pub fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
