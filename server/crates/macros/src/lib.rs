//! The macros of the server's crates: `#[boxed]` and `#[derive(FromRow)]`.

mod boxed;
mod from_row;

use proc_macro::TokenStream;
use quote::ToTokens;
use syn::{DeriveInput, Item, parse_macro_input};

/// Lets a function, or every public one of an `impl`, return a boxed future instead of being an `async fn`.
///
/// Functions that are generic over types stay as they are: they are compiled for each caller anyway.
#[proc_macro_attribute]
pub fn boxed(_: TokenStream, item: TokenStream) -> TokenStream {
    let item = parse_macro_input!(item as Item);
    boxed::change_item(item).map_or_else(syn::Error::into_compile_error, Item::into_token_stream).into()
}

/// Reads a struct from a row of any of the databases: each field from the column of its name.
///
/// A field with `#[row(flatten)]` is itself read from the whole row.
#[proc_macro_derive(FromRow, attributes(row))]
pub fn from_row(item: TokenStream) -> TokenStream {
    let item = parse_macro_input!(item as DeriveInput);
    from_row::implement(&item).unwrap_or_else(syn::Error::into_compile_error).into()
}
