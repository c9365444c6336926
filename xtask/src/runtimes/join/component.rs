//! The component around the joined module.

use std::convert::Infallible;

use wasm_encoder::reencode::{Error, Reencode, ReencodeComponent, RoundtripReencoder};
use wasm_encoder::{
    Alias, CanonicalFunctionSection, CodeSection, Component, ComponentAliasSection, ConstExpr, ElementSection,
    Elements, Encode, EntityType, ExportKind, ExportSection, Function, FunctionSection, ImportSection, InstanceSection,
    Module, ModuleArg, ModuleSection, RawSection, RefType, TableSection, TableType, TypeSection,
};
use wasmparser::{ComponentAlias, ExternalKind, Payload};

use super::invalid;
use super::module::{HOST, Joined, function_type};
use super::outline::{self, Outline};
use crate::fail::Done;

/// The core modules and instances, in their order.
const ENTRY: u32 = 0;
const JOINED: u32 = 1;
const LATER: u32 = 2;
/// The section with the memory that the joined module begins with, and how it lies in the file, in bytes.
const MEMORY: &str = "mneme.memory";
const ALIGNMENT: usize = 64 << 10;
/// The table that the imports of the joined module go through.
const TABLE: &str = "table";

/// Writes the component again, with the joined module in the place of all others.
pub fn write(bytes: &[u8], outline: &Outline<'_>, joined: &Joined) -> Done<Vec<u8>> {
    let mut component = Component::new();
    let mut writer = Writer { indices: Indices::default(), joined, outline, started: false };
    let last = outline::top_level(bytes).filter(|part| matches!(part, Ok(Payload::InstanceSection(_)))).count();
    let mut instances = 0;
    for payload in outline::top_level(bytes) {
        let payload = payload?;
        match &payload {
            Payload::Version { .. } | Payload::End(_) | Payload::ModuleSection { .. } => {}
            // They name what is no longer there.
            Payload::CustomSection(_) => {}
            Payload::InstanceSection(_) => {
                writer.start(&mut component)?;
                instances += 1;
                if instances == last {
                    writer.finish(&mut component)?;
                }
            }
            Payload::ComponentAliasSection(section) => {
                let mut kept = ComponentAliasSection::new();
                for alias in section.clone() {
                    let alias = alias.map_err(|error| invalid(&error))?;
                    if !matches!(alias, ComponentAlias::CoreInstanceExport { .. }) {
                        kept.alias(RoundtripReencoder.component_alias(alias).map_err(|error| invalid(&error))?);
                    }
                }
                if !kept.is_empty() {
                    component.section(&kept);
                }
            }
            Payload::ComponentCanonicalSection(section) => {
                let mut functions = CanonicalFunctionSection::new();
                for function in section.clone() {
                    let function = function.map_err(|error| invalid(&error))?;
                    let is_core = outline::is_core(&function);
                    let indices = &mut writer.indices;
                    indices.parse_component_canonical(&mut functions, function).map_err(|error| invalid(&error))?;
                    if is_core {
                        indices.hosts.push(indices.next);
                        indices.next += 1;
                    }
                }
                component.section(&functions);
            }
            other => {
                if let Some((id, range)) = other.as_section() {
                    component.section(&RawSection { id, data: outline::slice(bytes, &range)? });
                }
            }
        }
    }
    let mut made = component.finish();
    append(&mut made, &joined.memory)?;
    Ok(made)
}

/// The section with the memory: its name, and from the next multiple of [`ALIGNMENT`] in the file on its bytes, so that they can be
/// mapped.
fn append(component: &mut Vec<u8>, memory: &[u8]) -> Done {
    const CUSTOM: u8 = 0;
    /// Of the length of the section, which is written with as many bytes as a number can have: it depends on where it ends.
    const LENGTH_BYTES: usize = 5;
    let start = component.len() + 1 + LENGTH_BYTES;
    let begin = (start + 1 + MEMORY.len()).next_multiple_of(ALIGNMENT);
    let length = u32::try_from(begin + memory.len() - start).map_err(|error| invalid(&error))?;
    component.push(CUSTOM);
    component.extend((0..LENGTH_BYTES).map(|byte| {
        let more = if byte + 1 < LENGTH_BYTES { 0x80 } else { 0 };
        (length >> (7 * byte) & 0x7f) as u8 | more
    }));
    MEMORY.encode(component);
    component.resize(begin, 0);
    component.extend_from_slice(memory);
    Ok(())
}

/// What the core indices of the component have become.
#[derive(Default)]
struct Indices {
    /// Functions and memories by their old index.
    functions: Vec<(u32, u32)>,
    memories: Vec<(u32, u32)>,
    /// Host functions in the order in which they were defined.
    hosts: Vec<u32>,
    /// The next core function's index.
    next: u32,
}

struct Writer<'a> {
    indices: Indices,
    joined: &'a Joined,
    outline: &'a Outline<'a>,
    started: bool,
}

impl Writer<'_> {
    /// The modules, and the instances that need nothing of the host: before what needs their memory.
    fn start(&mut self, component: &mut Component) -> Done {
        if std::mem::replace(&mut self.started, true) {
            return Ok(());
        }
        let (entry, later) = stubs(&self.joined.imports)?;
        component.section(&ModuleSection(&entry));
        component.section(&RawSection { id: MODULE_SECTION, data: &self.joined.bytes });
        component.section(&ModuleSection(&later));
        let mut instances = InstanceSection::new();
        instances.instantiate(ENTRY, std::iter::empty::<(&str, ModuleArg)>());
        instances.instantiate(JOINED, [(HOST, ModuleArg::Instance(ENTRY))]);
        component.section(&instances);
        let mut aliases = ComponentAliasSection::new();
        aliases.alias(Alias::CoreInstanceExport { instance: ENTRY, kind: ExportKind::Table, name: TABLE });
        let mut memories = 0;
        for ((kind, old), name) in self.outline.used.iter().zip(&self.joined.exports) {
            let kind = match kind {
                ExternalKind::Memory => {
                    self.indices.memories.push((*old, memories));
                    memories += 1;
                    ExportKind::Memory
                }
                _ => {
                    self.indices.functions.push((*old, self.indices.next));
                    self.indices.next += 1;
                    ExportKind::Func
                }
            };
            aliases.alias(Alias::CoreInstanceExport { instance: JOINED, kind, name });
        }
        component.section(&aliases);
        Ok(())
    }

    /// The host functions are there: fills the table.
    fn finish(&self, component: &mut Component) -> Done {
        let mut items = vec![(TABLE.to_owned(), ExportKind::Table, 0)];
        for (position, (host, _)) in self.joined.imports.iter().enumerate() {
            let index = self.indices.hosts.get(*host).ok_or_else(|| invalid(&"a host function is defined too late"))?;
            items.push((position.to_string(), ExportKind::Func, *index));
        }
        let mut instances = InstanceSection::new();
        // The instance that this one becomes: after those of the first two modules.
        const BUNDLE: u32 = 2;
        instances.export_items(items);
        instances.instantiate(LATER, [(HOST, ModuleArg::Instance(BUNDLE))]);
        component.section(&instances);
        Ok(())
    }
}

/// The id of a section that holds a core module.
const MODULE_SECTION: u8 = 1;

/// Two modules: one whose functions call what a table holds, and one that fills the table.
fn stubs(imports: &[(usize, wasmparser::FuncType)]) -> Done<(Module, Module)> {
    let size = u32::try_from(imports.len()).map_err(|error| invalid(&error))?;
    let table = TableType {
        element_type: RefType::FUNCREF,
        table64: false,
        minimum: size.into(),
        maximum: Some(size.into()),
        shared: false,
    };
    let (mut types, mut functions, mut exports, mut code) =
        (TypeSection::new(), FunctionSection::new(), ExportSection::new(), CodeSection::new());
    let mut later = ImportSection::new();
    later.import(HOST, TABLE, EntityType::Table(table));
    exports.export(TABLE, ExportKind::Table, 0);
    for (index, (_, ty)) in (0..size).zip(imports) {
        types.ty().func_type(&function_type(ty)?);
        functions.function(index);
        exports.export(&index.to_string(), ExportKind::Func, index);
        later.import(HOST, &index.to_string(), EntityType::Function(index));
        let mut body = Function::new([]);
        let mut instructions = body.instructions();
        for (parameter, _) in (0..).zip(ty.params()) {
            instructions.local_get(parameter);
        }
        instructions.i32_const(index.cast_signed()).call_indirect(0, index).end();
        code.function(&body);
    }
    let (mut tables, mut elements) = (TableSection::new(), ElementSection::new());
    tables.table(table);
    let all: Vec<u32> = (0..size).collect();
    elements.active(Some(0), &ConstExpr::i32_const(0), Elements::Functions(all.as_slice().into()));
    let mut entry = Module::new();
    entry.section(&types).section(&functions).section(&tables).section(&exports).section(&code);
    let mut filling = Module::new();
    filling.section(&types).section(&later).section(&elements);
    Ok((entry, filling))
}

impl Reencode for Indices {
    type Error = Infallible;

    fn function_index(&mut self, old: u32) -> Result<u32, Error<Infallible>> {
        Ok(find(&self.functions, old))
    }

    fn memory_index(&mut self, old: u32) -> Result<u32, Error<Infallible>> {
        Ok(find(&self.memories, old))
    }
}

impl ReencodeComponent for Indices {}

/// The new index of what the component uses. All of that is known; the validation at the end is for what is not.
fn find(known: &[(u32, u32)], old: u32) -> u32 {
    known.iter().find(|(from, _)| *from == old).map_or(u32::MAX, |(_, to)| *to)
}
