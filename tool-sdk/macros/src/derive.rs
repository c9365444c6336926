//! `#[derive(ToolSchema)]`.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Attribute, Data, DeriveInput, Fields, LitStr, Token};

use crate::docs;

/// Expands the derive.
pub fn expand(item: TokenStream) -> syn::Result<TokenStream> {
    let input: DeriveInput = syn::parse2(item)?;
    let serde = Serde::read(&input.attrs)?;
    let (schema, expected) = match &input.data {
        Data::Struct(data) => (structure(&data.fields, &serde)?, quote!("an object".to_owned())),
        Data::Enum(data) => enumeration(data, &serde)?,
        Data::Union(_) => {
            return Err(syn::Error::new_spanned(&input.ident, "a union has no JSON Schema"));
        }
    };
    let ident = &input.ident;
    let (generics, arguments, bounds) = input.generics.split_for_impl();
    Ok(quote! {
        impl #generics ::mneme_tool_sdk::ToolSchema for #ident #arguments #bounds {
            fn schema() -> ::mneme_tool_sdk::serde_json::Value {
                #schema
            }
            fn expected() -> ::std::string::String {
                #expected
            }
        }
    })
}

fn structure(fields: &Fields, serde: &Serde) -> syn::Result<TokenStream> {
    let Fields::Named(fields) = fields else {
        return Err(syn::Error::new_spanned(fields, "only structs with named fields have a schema"));
    };
    let mut entries = Vec::new();
    for field in &fields.named {
        let own = Serde::read(&field.attrs)?;
        let Some(ident) = &field.ident else { continue };
        let ident = ident.to_string();
        let name = own.name(ident.trim_start_matches("r#"), serde, Case::field);
        let description = docs::parse(&docs::lines(&field.attrs)).text;
        let ty = &field.ty;
        let required = if own.default || serde.default {
            quote!(false)
        } else {
            quote!(!<#ty as ::mneme_tool_sdk::ToolSchema>::optional())
        };
        entries.push(quote! {
            ::mneme_tool_sdk::Parameter {
                name: #name,
                description: #description,
                required: #required,
                schema: <#ty as ::mneme_tool_sdk::ToolSchema>::schema(),
            }
        });
    }
    Ok(quote! {
        ::mneme_tool_sdk::ToolSpec::new("", "", ::std::vec![#(#entries),*], &[]).parameters
    })
}

fn enumeration(data: &syn::DataEnum, serde: &Serde) -> syn::Result<(TokenStream, TokenStream)> {
    let mut names = Vec::new();
    for variant in &data.variants {
        if !matches!(variant.fields, Fields::Unit) {
            return Err(syn::Error::new_spanned(variant, "only variants without data have a schema"));
        }
        let own = Serde::read(&variant.attrs)?;
        names.push(own.name(&variant.ident.to_string(), serde, Case::variant));
    }
    let quoted: Vec<_> = names.iter().map(|name| format!("\"{name}\"")).collect();
    let expected = format!("one of {}", quoted.join(", "));
    let schema = quote! {
        ::mneme_tool_sdk::serde_json::json!({ "type": "string", "enum": [#(#names),*] })
    };
    Ok((schema, quote!(#expected.to_owned())))
}

/// The serde attributes that change what the JSON looks like.
#[derive(Default)]
struct Serde {
    rename: Option<String>,
    rename_all: Option<Case>,
    default: bool,
}

impl Serde {
    fn read(attributes: &[Attribute]) -> syn::Result<Self> {
        let mut found = Self::default();
        for attribute in attributes.iter().filter(|a| a.path().is_ident("serde")) {
            attribute.parse_nested_meta(|meta| {
                if meta.path.is_ident("default") {
                    found.default = true;
                    if meta.input.peek(Token![=]) {
                        meta.value()?.parse::<LitStr>()?;
                    }
                    return Ok(());
                }
                let known = meta.path.is_ident("rename") || meta.path.is_ident("rename_all");
                if !known {
                    return match meta.path.is_ident("deny_unknown_fields") {
                        true => Ok(()),
                        false => Err(meta.error("the tool schema does not follow this serde option")),
                    };
                }
                let text: LitStr = meta.value()?.parse()?;
                if meta.path.is_ident("rename") {
                    found.rename = Some(text.value());
                } else {
                    found.rename_all = Some(Case::named(&text)?);
                }
                Ok(())
            })?;
        }
        Ok(found)
    }

    fn name(&self, ident: &str, container: &Self, apply: fn(Case, &str) -> String) -> String {
        match (&self.rename, container.rename_all) {
            (Some(name), _) => name.clone(),
            (None, Some(case)) => apply(case, ident),
            (None, None) => ident.to_owned(),
        }
    }
}

/// serde's naming styles.
#[derive(Clone, Copy)]
enum Case {
    Lower,
    Upper,
    Pascal,
    Camel,
    Snake,
    ScreamingSnake,
    Kebab,
    ScreamingKebab,
}

impl Case {
    fn named(text: &LitStr) -> syn::Result<Self> {
        Ok(match text.value().as_str() {
            "lowercase" => Self::Lower,
            "UPPERCASE" => Self::Upper,
            "PascalCase" => Self::Pascal,
            "camelCase" => Self::Camel,
            "snake_case" => Self::Snake,
            "SCREAMING_SNAKE_CASE" => Self::ScreamingSnake,
            "kebab-case" => Self::Kebab,
            "SCREAMING-KEBAB-CASE" => Self::ScreamingKebab,
            _ => return Err(syn::Error::new(text.span(), "no naming style of serde's")),
        })
    }

    /// Renames a variant, whose words start with capitals.
    fn variant(self, ident: &str) -> String {
        let mut words: Vec<String> = Vec::new();
        for character in ident.chars() {
            match words.last_mut() {
                Some(word) if !character.is_uppercase() => word.push(character),
                _ => words.push(character.to_string()),
            }
        }
        self.join(&words)
    }

    /// Renames a field, whose words are separated by underscores.
    fn field(self, ident: &str) -> String {
        let words: Vec<String> = ident.split('_').map(str::to_owned).collect();
        match self {
            // serde leaves the underscores of fields alone in these two.
            Self::Lower => ident.to_owned(),
            Self::Upper => ident.to_uppercase(),
            _ => self.join(&words),
        }
    }

    fn join(self, words: &[String]) -> String {
        let lower = || words.iter().map(|word| word.to_lowercase());
        match self {
            Self::Lower => lower().collect(),
            Self::Upper => words.concat().to_uppercase(),
            Self::Pascal => words.iter().map(|word| capitalised(word)).collect(),
            Self::Camel => {
                lower().enumerate().map(|(index, word)| if index == 0 { word } else { capitalised(&word) }).collect()
            }
            Self::Snake => lower().collect::<Vec<_>>().join("_"),
            Self::ScreamingSnake => words.join("_").to_uppercase(),
            Self::Kebab => lower().collect::<Vec<_>>().join("-"),
            Self::ScreamingKebab => words.join("-").to_uppercase(),
        }
    }
}

fn capitalised(word: &str) -> String {
    let mut characters = word.chars();
    match characters.next() {
        Some(first) => first.to_uppercase().chain(characters).collect(),
        None => String::new(),
    }
}
