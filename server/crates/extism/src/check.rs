//! Telling a plugin from what cannot be one, before it is compiled.

use std::collections::BTreeSet;
use std::sync::Arc;

use sha2::{Digest, Sha256};
use wasmparser::{ExternalKind, Parser, Payload, TypeRef, Validator, WasmFeatures};

/// The modules that a plugin may import from.
const OFFERED: &[&str] = &["extism:host/env", "wasi_snapshot_preview1"];
/// The most elements of a table. The engine bounds memories itself, and tables not.
const MAX_TABLE: u64 = 64 << 10;
/// The most functions of a plugin. An interpreter with its library has some ten thousand.
const MAX_FUNCTIONS: u32 = 100_000;
/// The most bytes of a plugin.
const MAX_BYTES: usize = 16 << 20;

/// Why a module is no plugin that this server runs.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PluginError {
    /// More bytes than are taken.
    #[error("the plugin has {0} bytes; at most {MAX_BYTES} are accepted")]
    TooLarge(usize),
    /// Not a valid core module.
    #[error("not an Extism plugin: {0}")]
    Invalid(String),
    /// It imports what there is not.
    #[error("the plugin imports `{0}`, which the host does not offer; it offers {offered}", offered = OFFERED.join(" and "))]
    UnknownImport(String),
    /// It asks for more than a plugin can have.
    #[error("the plugin asks for too much: {0}")]
    TooMuch(String),
    /// It does not have a function.
    #[error("the plugin exports no function `{0}`; it exports {1}")]
    NoFunction(String, String),
}

/// A plugin that was checked. Clones share it.
#[derive(Debug, Clone)]
pub struct Plugin {
    pub(crate) wasm: Arc<[u8]>,
    pub(crate) hash: [u8; 32],
    pub(crate) functions: Arc<BTreeSet<String>>,
    imports: Arc<[String]>,
}

impl Plugin {
    /// Checks a module. Takes time in proportion to its size.
    ///
    /// # Errors
    /// For what is no module, too large, or imports or asks for what plugins do not get.
    pub fn check(wasm: &[u8]) -> Result<Self, PluginError> {
        if wasm.len() > MAX_BYTES {
            return Err(PluginError::TooLarge(wasm.len()));
        }
        let features = WasmFeatures::WASM2 | WasmFeatures::TAIL_CALL | WasmFeatures::EXTENDED_CONST;
        let invalid = |error: wasmparser::BinaryReaderError| PluginError::Invalid(error.to_string());
        let (mut functions, mut imports) = (BTreeSet::new(), Vec::new());
        for payload in Parser::new(0).parse_all(wasm) {
            match payload.map_err(invalid)? {
                Payload::Version { encoding: wasmparser::Encoding::Component, .. } => {
                    return Err(PluginError::Invalid("this is a component; upload it without `kind`".into()));
                }
                Payload::ImportSection(section) => {
                    for import in section.into_imports() {
                        let import = import.map_err(invalid)?;
                        let name = format!("{}::{}", import.module, import.name);
                        if !OFFERED.contains(&import.module) || !matches!(import.ty, TypeRef::Func(_)) {
                            return Err(PluginError::UnknownImport(name.chars().take(200).collect()));
                        }
                        imports.push(name);
                    }
                }
                Payload::FunctionSection(section) if section.count() > MAX_FUNCTIONS => {
                    return Err(PluginError::TooMuch(format!("{} functions", section.count())));
                }
                Payload::TableSection(section) => {
                    for table in section {
                        let table = table.map_err(invalid)?.ty;
                        if table.maximum.is_none_or(|most| most > MAX_TABLE) || table.initial > MAX_TABLE {
                            let what = format!("a table of more than {MAX_TABLE} elements, or without an end");
                            return Err(PluginError::TooMuch(what));
                        }
                    }
                }
                Payload::ExportSection(section) => {
                    for export in section {
                        let export = export.map_err(invalid)?;
                        if export.kind == ExternalKind::Func {
                            functions.insert(export.name.to_owned());
                        }
                    }
                }
                _ => {}
            }
        }
        Validator::new_with_features(features).validate_all(wasm).map_err(invalid)?;
        Ok(Self {
            wasm: wasm.into(),
            hash: Sha256::digest(wasm).into(),
            functions: Arc::new(functions),
            imports: imports.into(),
        })
    }

    /// The exported functions, in the order of their names.
    pub fn functions(&self) -> impl Iterator<Item = &str> {
        self.functions.iter().map(String::as_str)
    }

    /// What it imports, as `module::name`.
    pub fn imports(&self) -> &[String] {
        &self.imports
    }

    /// Makes sure that there is a function.
    ///
    /// # Errors
    /// Names the functions that there are.
    pub fn require(&self, function: &str) -> Result<(), PluginError> {
        const SHOWN: usize = 20;
        if self.functions.contains(function) {
            return Ok(());
        }
        let known: Vec<&str> = self.functions().take(SHOWN).collect();
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        Err(PluginError::NoFunction(function.to_owned(), known))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str) -> Result<Plugin, PluginError> {
        Plugin::check(&wat::parse_str(text).expect("valid text"))
    }

    #[test]
    fn a_plugin_has_the_functions_that_it_exports() {
        let plugin =
            check(r#"(module (memory (export "m") 1) (func (export "b")) (func (export "a")))"#).expect("taken");
        assert_eq!(plugin.functions().collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(plugin.require("a"), Ok(()));
        assert_eq!(plugin.require("c"), Err(PluginError::NoFunction("c".into(), "a, b".into())));
    }

    #[test]
    fn what_cannot_be_a_plugin_is_refused_with_the_reason() {
        for (text, hint) in [
            ("(component)", "component"),
            (r#"(module (import "env" "system" (func)))"#, "`env::system`"),
            (r#"(module (import "extism:host/env" "memory" (memory 1)))"#, "`extism:host/env::memory`"),
            (r#"(module (import "extism:host/user" "shell" (func)))"#, "`extism:host/user::shell`"),
            ("(module (table 10 funcref))", "without an end"),
            ("(module (table 10 1000000 funcref))", "a table of more"),
            ("(module (memory i64 1))", "not an Extism plugin"),
        ] {
            let error = check(text).expect_err(text).to_string();
            assert!(error.contains(hint), "{text}: {error}");
        }
        for bytes in [&b""[..], b"\0asm", b"<html>", &[0x5a; 1000]] {
            assert!(matches!(Plugin::check(bytes), Err(PluginError::Invalid(_))));
        }
        assert_eq!(Plugin::check(&vec![0; MAX_BYTES + 1]).expect_err("large"), PluginError::TooLarge(MAX_BYTES + 1));
    }
}
