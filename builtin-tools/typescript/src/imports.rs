//! Modules that a file imports where it needs them, `await import("…")`: the runtime cannot load modules, and a bundle holds
//! only those that are named.

use oxc::{
    ast::{
        AstKind,
        ast::{Expression, Program},
    },
    semantic::SemanticBuilder,
};

use crate::edits::Edits;
use crate::modules::quoted;

/// What comes in the place of an import whose module is computed.
const COMPUTED: &str = r#"Promise.reject(new Error("import() takes the name of a module in quotes here"))"#;

/// Makes them calls of `require`, and adds the modules to the packages, each once.
pub fn lift(program: &Program<'_>, edits: &mut Edits<'_>, packages: &mut Vec<String>) {
    let semantic = SemanticBuilder::new().with_build_nodes(true).build(program).semantic;
    let mut done = 0;
    for node in semantic.nodes().iter() {
        let AstKind::ImportExpression(import) = node.kind() else { continue };
        if import.span.start < done {
            continue;
        }
        done = import.span.end;
        let instead = match &import.source {
            Expression::StringLiteral(name) => {
                let name = name.value.as_str();
                if !packages.iter().any(|known| known == name) {
                    packages.push(name.to_owned());
                }
                imported(name)
            }
            _ => COMPUTED.to_owned(),
        };
        edits.replace(import.span.start, import.span.end, &instead);
    }
}

/// A module as `import(…)` gives it: also one that is from before there were modules has a default. It begins with a name, so
/// that it does not become the arguments of what stands on the line before.
fn imported(name: &str) -> String {
    let module = "m => ({ ...m, default: m && m.default !== undefined ? m.default : m })";
    format!("Promise.resolve().then(() => ({module})(require({})))", quoted(name))
}
