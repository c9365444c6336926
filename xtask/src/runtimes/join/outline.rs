//! What a component consists of, as far as its core modules are concerned.

use std::collections::HashMap;

use wasmparser::{
    CanonicalFunction, CanonicalOption, ComponentAlias, ComponentType, ExternalKind, Instance, Parser, Payload,
};

use super::invalid;
use crate::fail::Done;

/// A component's core modules and what becomes of them.
#[derive(Default)]
pub struct Outline<'a> {
    /// Their bytes.
    pub modules: Vec<&'a [u8]>,
    /// Their instances, and bundles of what other instances export.
    pub instances: Vec<CoreInstance<'a>>,
    /// Core functions by index.
    pub functions: Vec<Origin<'a>>,
    /// Core memories by index.
    pub memories: Vec<Origin<'a>>,
    /// Core tables by index.
    pub tables: Vec<Origin<'a>>,
    /// Core globals by index.
    pub globals: Vec<Origin<'a>>,
    /// The functions and memories that the component itself uses.
    pub used: Vec<(ExternalKind, u32)>,
}

/// A core instance.
pub enum CoreInstance<'a> {
    /// Of a module, with the instances that its imports come from.
    Module { module: usize, imports: HashMap<&'a str, usize> },
    /// Made of other things.
    Bundle(HashMap<&'a str, (ExternalKind, u32)>),
}

/// Where a core item comes from.
#[derive(Clone, Copy)]
pub enum Origin<'a> {
    /// An instance exports it.
    Export { instance: usize, name: &'a str },
    /// The host provides it. The number counts such functions.
    Host(usize),
}

impl<'a> Outline<'a> {
    /// Where an item comes from.
    pub fn origin(&self, kind: ExternalKind, index: u32) -> Done<Origin<'a>> {
        let space = match kind {
            ExternalKind::Func | ExternalKind::FuncExact => &self.functions,
            ExternalKind::Memory => &self.memories,
            ExternalKind::Table => &self.tables,
            ExternalKind::Global => &self.globals,
            ExternalKind::Tag => return Err(invalid(&"a tag is passed between modules")),
        };
        space.get(index as usize).copied().ok_or_else(|| invalid(&format!("there is no {kind:?} {index}")))
    }
}

/// Reads a component.
pub fn read(bytes: &[u8]) -> Done<Outline<'_>> {
    let mut outline = Outline::default();
    let mut hosts = 0;
    for payload in top_level(bytes) {
        match payload? {
            Payload::ModuleSection { unchecked_range, .. } => outline.modules.push(slice(bytes, &unchecked_range)?),
            Payload::InstanceSection(section) => {
                for instance in section {
                    let instance = instance.map_err(|error| invalid(&error))?;
                    outline.instances.push(core_instance(instance));
                }
            }
            Payload::ComponentAliasSection(section) => {
                for alias in section {
                    if let ComponentAlias::CoreInstanceExport { kind, instance_index, name } =
                        alias.map_err(|error| invalid(&error))?
                    {
                        let origin = Origin::Export { instance: instance_index as usize, name };
                        match kind {
                            ExternalKind::Func | ExternalKind::FuncExact => outline.functions.push(origin),
                            ExternalKind::Memory => outline.memories.push(origin),
                            ExternalKind::Table => outline.tables.push(origin),
                            ExternalKind::Global => outline.globals.push(origin),
                            ExternalKind::Tag => return Err(invalid(&"a tag is passed between modules")),
                        }
                    }
                }
            }
            Payload::ComponentCanonicalSection(section) => {
                for function in section {
                    let function = function.map_err(|error| invalid(&error))?;
                    use_of(&function, &mut outline.used);
                    if is_core(&function) {
                        outline.functions.push(Origin::Host(hosts));
                        hosts += 1;
                    }
                }
            }
            Payload::ComponentTypeSection(section) => {
                for ty in section {
                    if let ComponentType::Resource { dtor: Some(_), .. } = ty.map_err(|error| invalid(&error))? {
                        return Err(invalid(&"a module has a destructor"));
                    }
                }
            }
            _ => {}
        }
    }
    outline.used.sort_by_key(|(kind, index)| (*kind == ExternalKind::Func, *index));
    outline.used.dedup();
    Ok(outline)
}

/// The parts of a component, without those of the modules and components within it.
pub fn top_level(bytes: &[u8]) -> impl Iterator<Item = Done<Payload<'_>>> {
    let mut depth = 0_usize;
    Parser::new(0).parse_all(bytes).filter_map(move |payload| {
        let payload = match payload {
            Ok(payload) => payload,
            Err(error) => return Some(Err(invalid(&error))),
        };
        let inner = depth > 0;
        match payload {
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            _ => {}
        }
        (!inner).then_some(Ok(payload))
    })
}

/// Whether a canonical function is one that core modules call.
pub fn is_core(function: &CanonicalFunction) -> bool {
    !matches!(function, CanonicalFunction::Lift { .. })
}

/// Some bytes of the component.
pub fn slice<'a>(bytes: &'a [u8], range: &std::ops::Range<usize>) -> Done<&'a [u8]> {
    bytes.get(range.clone()).ok_or_else(|| invalid(&"a section beyond the end"))
}

fn core_instance(instance: Instance<'_>) -> CoreInstance<'_> {
    match instance {
        Instance::Instantiate { module_index, args } => CoreInstance::Module {
            module: module_index as usize,
            imports: args.iter().map(|arg| (arg.name, arg.index as usize)).collect(),
        },
        Instance::FromExports(exports) => {
            CoreInstance::Bundle(exports.iter().map(|export| (export.name, (export.kind, export.index))).collect())
        }
    }
}

fn use_of(function: &CanonicalFunction, used: &mut Vec<(ExternalKind, u32)>) {
    let options = match function {
        CanonicalFunction::Lift { core_func_index, options, .. } => {
            used.push((ExternalKind::Func, *core_func_index));
            options
        }
        CanonicalFunction::Lower { options, .. } => options,
        _ => return,
    };
    for option in options {
        match option {
            CanonicalOption::Memory(index) => used.push((ExternalKind::Memory, *index)),
            CanonicalOption::Realloc(index) | CanonicalOption::PostReturn(index) | CanonicalOption::Callback(index) => {
                used.push((ExternalKind::Func, *index));
            }
            _ => {}
        }
    }
}
