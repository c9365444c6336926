//! The macros of `mneme-tool-sdk`; use them through that crate.

mod derive;
mod docs;
mod parameter;
mod tool;

use proc_macro::TokenStream;

/// Makes a function a tool.
///
/// The doc comment is what the model reads; a `# Arguments` section with `* name - meaning`
/// lines describes the arguments, and so does `#[arg("meaning")]` on a parameter.
/// `#[arg(default = expression)]` makes an argument optional, as does an `Option` type.
/// A parameter taken by reference is a capability, except `&str` and slices.
/// `#[env("NAME")]` makes a parameter an environment variable, which the tool thereby declares.
/// `#[tool(name = "other")]` gives the tool another name than the function's.
#[proc_macro_attribute]
pub fn tool(attribute: TokenStream, item: TokenStream) -> TokenStream {
    tool::expand(attribute.into(), item.into()).unwrap_or_else(syn::Error::into_compile_error).into()
}

/// Derives the JSON Schema of a struct with named fields or of an enum without data.
///
/// Doc comments become descriptions; serde's `rename`, `rename_all` and `default` are followed.
#[proc_macro_derive(ToolSchema, attributes(serde))]
pub fn tool_schema(item: TokenStream) -> TokenStream {
    derive::expand(item.into()).unwrap_or_else(syn::Error::into_compile_error).into()
}
