//! The joined module.

use std::collections::HashMap;

use wasm_encoder::reencode::{Error, Reencode};
use wasm_encoder::{
    CodeSection, ConstExpr, ElementMode, ElementSection, ElementSegment, Elements, EntityType, ExportKind,
    ExportSection, FunctionSection, GlobalSection, ImportSection, MemorySection, Module, TableSection, TypeSection,
};
use wasmparser::{
    CompositeInnerType, Data, DataKind, Element, ElementItems, ElementKind, ExternalKind, FuncType, FunctionBody,
    Parser, Payload, TypeRef,
};

use super::constant::Constant;
use super::image::Image;
use super::invalid;
use super::outline::{CoreInstance, Origin, Outline};
use crate::fail::Done;

/// A function of the joined module. Imported ones come first, and how many there are is known at the end.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Function {
    /// The n-th import.
    Import(u32),
    /// The n-th of its own.
    Own(u32),
}

impl Function {
    /// Its index, with so many imports.
    pub fn index(self, imports: u32) -> u32 {
        match self {
            Self::Import(index) => index,
            Self::Own(index) => imports + index,
        }
    }
}

/// What the host functions of the component are to the joined module, and what of it the component uses.
pub struct Joined {
    /// The module, without data.
    pub bytes: Vec<u8>,
    /// What its memory begins as.
    pub memory: Vec<u8>,
    /// Its imports: which of the component's host functions, and of which type.
    pub imports: Vec<(usize, FuncType)>,
    /// For each of [`Outline::used`], the name under which it is exported.
    pub exports: Vec<String>,
}

/// One module within the joined one: what it brings, and what its indices have become.
#[derive(Default)]
pub struct Part<'a> {
    types: Vec<u32>,
    functions: Vec<Function>,
    tables: Vec<u32>,
    memories: Vec<u32>,
    globals: Vec<u32>,
    exports: HashMap<&'a str, (ExternalKind, u32)>,
    elements: Vec<Element<'a>>,
    data: Vec<Data<'a>>,
    bodies: Vec<FunctionBody<'a>>,
    first_element: u32,
    /// How many imports the joined module has.
    imports: u32,
}

impl Part<'_> {
    /// What a function of the module has become.
    pub fn function(&self, index: u32) -> Done<Function> {
        at(&self.functions, index)
    }

    /// What a global of the module has become.
    pub fn global(&self, index: u32) -> Done<u32> {
        at(&self.globals, index)
    }
}

/// The modules so far.
#[derive(Default)]
struct Whole<'a> {
    types: Vec<FuncType>,
    type_indices: HashMap<FuncType, u32>,
    imports: Vec<(usize, u32)>,
    functions: Vec<u32>,
    tables: Vec<wasm_encoder::TableType>,
    memories: Vec<wasm_encoder::MemoryType>,
    globals: Vec<(wasm_encoder::GlobalType, Constant)>,
    /// The values of those globals that do not change.
    known: Vec<Option<Constant>>,
    elements: u32,
    /// By instance; none for bundles.
    parts: Vec<Option<Part<'a>>>,
}

/// An item of the joined module, or a host function.
enum Item {
    Function(Function),
    Table(u32),
    Memory(u32),
    Global(u32),
    Host(usize),
}

/// Joins the modules in the order in which they are instantiated.
pub fn join(outline: &Outline<'_>) -> Done<Joined> {
    let mut whole = Whole::default();
    let mut seen = vec![false; outline.modules.len()];
    for instance in &outline.instances {
        let part = match instance {
            CoreInstance::Bundle(_) => None,
            CoreInstance::Module { module, imports } => {
                let seen = seen.get_mut(*module).ok_or_else(|| invalid(&"an instance of no module"))?;
                if std::mem::replace(seen, true) {
                    return Err(invalid(&"a module is instantiated twice"));
                }
                Some(whole.add(outline, outline.modules[*module], imports)?)
            }
        };
        whole.parts.push(part);
    }
    whole.finish(outline)
}

impl<'a> Whole<'a> {
    fn add(&mut self, outline: &Outline<'a>, bytes: &'a [u8], sources: &HashMap<&'a str, usize>) -> Done<Part<'a>> {
        let mut part = Part { first_element: self.elements, ..Part::default() };
        for payload in Parser::new(0).parse_all(bytes) {
            match payload.map_err(|error| invalid(&error))? {
                Payload::TypeSection(section) => {
                    for group in section {
                        for ty in group.map_err(|error| invalid(&error))?.into_types() {
                            let CompositeInnerType::Func(function) = ty.composite_type.inner else {
                                return Err(invalid(&"a type that is not a function's"));
                            };
                            part.types.push(self.type_index(function));
                        }
                    }
                }
                Payload::ImportSection(section) => {
                    for import in section.into_imports() {
                        let import = import.map_err(|error| invalid(&error))?;
                        let source = sources.get(import.module).copied();
                        let source =
                            source.ok_or_else(|| invalid(&format!("nothing is given for `{}`", import.module)))?;
                        let item = self.resolve(outline, source, import.name)?;
                        self.import(&mut part, import.ty, item)?;
                    }
                }
                Payload::FunctionSection(section) => {
                    for ty in section {
                        let ty = at(&part.types, ty.map_err(|error| invalid(&error))?)?;
                        part.functions.push(Function::Own(count(self.functions.len())?));
                        self.functions.push(ty);
                    }
                }
                Payload::TableSection(section) => {
                    for table in section {
                        let table = table.map_err(|error| invalid(&error))?;
                        if !matches!(table.init, wasmparser::TableInit::RefNull) {
                            return Err(invalid(&"a table that is filled with one value"));
                        }
                        part.tables.push(count(self.tables.len())?);
                        self.tables.push(table.ty.try_into().map_err(|error: Error| invalid(&error))?);
                    }
                }
                Payload::MemorySection(section) => {
                    for memory in section {
                        part.memories.push(count(self.memories.len())?);
                        self.memories.push(memory.map_err(|error| invalid(&error))?.into());
                    }
                }
                Payload::GlobalSection(section) => {
                    for global in section {
                        let global = global.map_err(|error| invalid(&error))?;
                        let value = Constant::of(&global.init_expr, &part, &self.known)?;
                        part.globals.push(count(self.globals.len())?);
                        let ty = global.ty.try_into().map_err(|error: Error| invalid(&error))?;
                        self.globals.push((ty, value));
                        self.known.push((!global.ty.mutable).then_some(value));
                    }
                }
                Payload::ExportSection(section) => {
                    for export in section {
                        let export = export.map_err(|error| invalid(&error))?;
                        part.exports.insert(export.name, (export.kind, export.index));
                    }
                }
                Payload::StartSection { .. } => return Err(invalid(&"a module has a function to start with")),
                Payload::TagSection(_) => return Err(invalid(&"a module throws")),
                Payload::ElementSection(section) => {
                    for element in section {
                        part.elements.push(element.map_err(|error| invalid(&error))?);
                        self.elements += 1;
                    }
                }
                Payload::DataSection(section) => {
                    for data in section {
                        part.data.push(data.map_err(|error| invalid(&error))?);
                    }
                }
                Payload::CodeSectionEntry(body) => part.bodies.push(body),
                _ => {}
            }
        }
        Ok(part)
    }

    fn type_index(&mut self, ty: FuncType) -> u32 {
        let next = u32::try_from(self.types.len()).unwrap_or(u32::MAX);
        *self.type_indices.entry(ty).or_insert_with_key(|ty| {
            self.types.push(ty.clone());
            next
        })
    }

    fn import(&mut self, part: &mut Part<'a>, ty: TypeRef, item: Item) -> Done {
        match (ty, item) {
            (TypeRef::Func(_), Item::Function(function)) => part.functions.push(function),
            (TypeRef::Func(ty), Item::Host(host)) => {
                let known = self.imports.iter().position(|(known, _)| *known == host);
                let index = known.unwrap_or(self.imports.len());
                if known.is_none() {
                    self.imports.push((host, at(&part.types, ty)?));
                }
                part.functions.push(Function::Import(count(index)?));
            }
            (TypeRef::Table(_), Item::Table(index)) => part.tables.push(index),
            (TypeRef::Memory(_), Item::Memory(index)) => part.memories.push(index),
            (TypeRef::Global(_), Item::Global(index)) => part.globals.push(index),
            _ => return Err(invalid(&"an import of another kind than what is given for it")),
        }
        Ok(())
    }

    /// What an instance exports under a name.
    fn resolve(&self, outline: &Outline<'a>, instance: usize, name: &str) -> Done<Item> {
        let missing = || invalid(&format!("nothing is exported as `{name}`"));
        match outline.instances.get(instance).ok_or_else(missing)? {
            CoreInstance::Bundle(items) => {
                let (kind, index) = items.get(name).copied().ok_or_else(missing)?;
                self.find(outline, kind, index)
            }
            CoreInstance::Module { .. } => {
                let part = self.parts.get(instance).and_then(Option::as_ref).ok_or_else(missing)?;
                let (kind, index) = part.exports.get(name).copied().ok_or_else(missing)?;
                Ok(match kind {
                    ExternalKind::Func | ExternalKind::FuncExact => Item::Function(part.function(index)?),
                    ExternalKind::Table => Item::Table(at(&part.tables, index)?),
                    ExternalKind::Memory => Item::Memory(at(&part.memories, index)?),
                    ExternalKind::Global => Item::Global(part.global(index)?),
                    ExternalKind::Tag => return Err(missing()),
                })
            }
        }
    }

    fn find(&self, outline: &Outline<'a>, kind: ExternalKind, index: u32) -> Done<Item> {
        match outline.origin(kind, index)? {
            Origin::Export { instance, name } => self.resolve(outline, instance, name),
            Origin::Host(host) => Ok(Item::Host(host)),
        }
    }

    fn finish(mut self, outline: &Outline<'a>) -> Done<Joined> {
        if self.memories.len() != 1 {
            return Err(invalid(&format!("there are {} memories instead of one", self.memories.len())));
        }
        let imports = count(self.imports.len())?;
        let mut names = Vec::new();
        let mut exports = ExportSection::new();
        for (position, (kind, index)) in outline.used.iter().enumerate() {
            let name = position.to_string();
            match self.find(outline, *kind, *index)? {
                Item::Function(function) => exports.export(&name, ExportKind::Func, function.index(imports)),
                Item::Memory(memory) => exports.export(&name, ExportKind::Memory, memory),
                _ => return Err(invalid(&"the component uses what is neither a function nor a memory of a module")),
            };
            names.push(name);
        }
        let mut parts: Vec<Part<'_>> = std::mem::take(&mut self.parts).into_iter().flatten().collect();
        for part in &mut parts {
            part.imports = imports;
        }
        let (bytes, memory) = self.write(&mut parts, &exports)?;
        let imports = self.imports.iter().map(|(host, ty)| Ok((*host, at(&self.types, *ty)?))).collect::<Done<_>>()?;
        Ok(Joined { bytes, memory, imports, exports: names })
    }

    fn write(&self, parts: &mut [Part<'a>], exports: &ExportSection) -> Done<(Vec<u8>, Vec<u8>)> {
        let (mut types, mut imports, mut functions) =
            (TypeSection::new(), ImportSection::new(), FunctionSection::new());
        for ty in &self.types {
            types.ty().func_type(&function_type(ty)?);
        }
        for (position, (_, ty)) in self.imports.iter().enumerate() {
            imports.import(HOST, &position.to_string(), EntityType::Function(*ty));
        }
        for ty in &self.functions {
            functions.function(*ty);
        }
        let (mut tables, mut memories, mut globals) = (TableSection::new(), MemorySection::new(), GlobalSection::new());
        for table in &self.tables {
            tables.table(*table);
        }
        for memory in &self.memories {
            memories.memory(*memory);
        }
        let hosts = count(self.imports.len())?;
        for (ty, value) in &self.globals {
            globals.global(*ty, &value.expression(hosts));
        }
        let (mut elements, mut code, mut image) = (ElementSection::new(), CodeSection::new(), Image::default());
        for part in parts {
            for element in std::mem::take(&mut part.elements) {
                self.element(part, &element, &mut elements)?;
            }
            for body in std::mem::take(&mut part.bodies) {
                part.parse_function_body(&mut code, body).map_err(|error| invalid(&error))?;
            }
            for segment in std::mem::take(&mut part.data) {
                let DataKind::Active { memory_index, offset_expr } = &segment.kind else {
                    return Err(invalid(&"a module keeps data for later"));
                };
                let (0, Constant::I32(offset)) =
                    (at(&part.memories, *memory_index)?, Constant::of(offset_expr, part, &self.known)?)
                else {
                    return Err(invalid(&"data of another memory than the first"));
                };
                image.place(offset.cast_unsigned(), segment.data)?;
            }
        }
        let mut module = Module::new();
        module
            .section(&types)
            .section(&imports)
            .section(&functions)
            .section(&tables)
            .section(&memories)
            .section(&globals);
        module.section(exports).section(&elements).section(&code);
        Ok((module.finish(), image.into_bytes()))
    }

    fn element(&self, part: &Part<'a>, element: &Element<'a>, section: &mut ElementSection) -> Done {
        let hosts = part.imports;
        let expressions: Vec<ConstExpr>;
        let functions: Vec<u32>;
        let items = match &element.items {
            ElementItems::Functions(list) => {
                let index = |function: Result<u32, _>| {
                    let function = function.map_err(|error: wasmparser::BinaryReaderError| invalid(&error))?;
                    Ok(part.function(function)?.index(hosts))
                };
                functions = list.clone().into_iter().map(index).collect::<Done<_>>()?;
                Elements::Functions(functions.as_slice().into())
            }
            ElementItems::Expressions(ty, list) => {
                let value = |expression: Result<wasmparser::ConstExpr<'a>, wasmparser::BinaryReaderError>| {
                    let expression = expression.map_err(|error| invalid(&error))?;
                    Ok(Constant::of(&expression, part, &self.known)?.expression(hosts))
                };
                expressions = list.clone().into_iter().map(value).collect::<Done<_>>()?;
                let ty = (*ty).try_into().map_err(|error: Error| invalid(&error))?;
                Elements::Expressions(ty, expressions.as_slice().into())
            }
        };
        let offset;
        let mode = match &element.kind {
            ElementKind::Passive => ElementMode::Passive,
            ElementKind::Declared => ElementMode::Declared,
            ElementKind::Active { table_index, offset_expr } => {
                offset = Constant::of(offset_expr, part, &self.known)?.expression(hosts);
                ElementMode::Active { table: Some(at(&part.tables, table_index.unwrap_or(0))?), offset: &offset }
            }
        };
        section.segment(ElementSegment { mode, elements: items });
        Ok(())
    }
}

/// The module that the host functions come from.
pub const HOST: &str = "host";

/// A type of functions, encoded.
pub fn function_type(ty: &FuncType) -> Done<wasm_encoder::FuncType> {
    ty.clone().try_into().map_err(|error: Error| invalid(&error))
}

fn at<T: Clone>(items: &[T], index: u32) -> Done<T> {
    items.get(index as usize).cloned().ok_or_else(|| invalid(&format!("there is nothing at index {index}")))
}

fn count(length: usize) -> Done<u32> {
    u32::try_from(length).map_err(|error| invalid(&error))
}

/// Code is written anew with what its indices have become.
impl Reencode for Part<'_> {
    type Error = crate::fail::Failure;

    fn type_index(&mut self, ty: u32) -> Result<u32, Error<Self::Error>> {
        at(&self.types, ty).map_err(Error::UserError)
    }

    fn function_index(&mut self, function: u32) -> Result<u32, Error<Self::Error>> {
        let function = self.function(function).map_err(Error::UserError)?;
        Ok(function.index(self.imports))
    }

    fn table_index(&mut self, table: u32) -> Result<u32, Error<Self::Error>> {
        at(&self.tables, table).map_err(Error::UserError)
    }

    fn memory_index(&mut self, memory: u32) -> Result<u32, Error<Self::Error>> {
        at(&self.memories, memory).map_err(Error::UserError)
    }

    fn global_index(&mut self, global: u32) -> Result<u32, Error<Self::Error>> {
        self.global(global).map_err(Error::UserError)
    }

    fn element_index(&mut self, element: u32) -> Result<u32, Error<Self::Error>> {
        Ok(self.first_element + element)
    }
}
