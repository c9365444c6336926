//! `#[derive(FromRow)]`: rows of SQLite and Postgres as structs.
//!
//! What sqlx's own derive does for the shapes that are used here. That one comes in a crate that builds sqlx, its drivers and
//! SQLite a second time, for the compiler to check statements with; the statements here are written for two databases at once,
//! which it can't do.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::{Data, DeriveInput, Field, Fields, Result, WhereClause, parse_quote};

/// `impl FromRow` for the struct, over every kind of row that can decode its fields.
pub(crate) fn implement(item: &DeriveInput) -> Result<TokenStream> {
    let Data::Struct(data) = &item.data else { return Err(refused(item, "only structs are rows")) };
    let Fields::Named(fields) = &data.fields else { return Err(refused(item, "columns are found by names")) };
    if let Some(parameter) = item.generics.params.first() {
        return Err(refused(parameter, "a row's type stands for itself"));
    }

    let name = &item.ident;
    let mut clause: WhereClause = parse_quote!(where R: ::sqlx::Row, &'r str: ::sqlx::ColumnIndex<R>);
    let mut values = Vec::new();
    for field in &fields.named {
        let (ident, kind) = (&field.ident, &field.ty);
        if is_flat(field)? {
            clause.predicates.push(parse_quote!(#kind: ::sqlx::FromRow<'r, R>));
            values.push(quote!(#ident: ::sqlx::FromRow::from_row(row)?));
        } else {
            clause.predicates.push(parse_quote!(#kind: ::sqlx::Decode<'r, R::Database> + ::sqlx::Type<R::Database>));
            values.push(quote!(#ident: ::sqlx::Row::try_get(row, ::core::stringify!(#ident))?));
        }
    }
    Ok(quote! {
        #[automatically_derived]
        impl<'r, R> ::sqlx::FromRow<'r, R> for #name #clause {
            fn from_row(row: &'r R) -> ::sqlx::Result<Self> {
                Ok(Self { #(#values),* })
            }
        }
    })
}

/// Whether the field has `#[row(flatten)]`.
fn is_flat(field: &Field) -> Result<bool> {
    let mut flat = false;
    for attribute in field.attrs.iter().filter(|attribute| attribute.path().is_ident("row")) {
        attribute.parse_nested_meta(|meta| {
            flat = meta.path.is_ident("flatten");
            if flat { Ok(()) } else { Err(meta.error("only `flatten` is known")) }
        })?;
    }
    Ok(flat)
}

fn refused(place: impl ToTokens, why: &str) -> syn::Error {
    syn::Error::new_spanned(place, why)
}
