//! One parameter of a tool function: an argument of the model's, a capability of the host's, or a variable.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::parse::{Parse, ParseStream};
use syn::{Expr, ExprLit, FnArg, Ident, Lit, LitStr, Pat, Token, Type};

/// A parameter, understood.
pub struct Parameter {
    name: String,
    kind: Kind,
}

enum Kind {
    /// Handed in by the host: the type behind the reference.
    Capability(Type),
    /// An environment variable.
    Variable {
        owned: Type,
        /// Whether the function wants a reference to the owned value.
        borrowed: bool,
        variable: String,
    },
    /// Filled in by the model.
    Argument {
        owned: Type,
        /// Whether the function wants a reference to the owned value.
        borrowed: bool,
        description: Option<String>,
        default: Option<Expr>,
    },
}

impl Parameter {
    /// Understands a parameter and takes its `#[arg]` attributes off.
    pub fn take(parameter: &mut FnArg) -> syn::Result<Self> {
        let FnArg::Typed(typed) = parameter else {
            return Err(syn::Error::new_spanned(parameter, "a tool is a free function"));
        };
        let Pat::Ident(pattern) = &*typed.pat else {
            return Err(syn::Error::new_spanned(&typed.pat, "a parameter of a tool needs a plain name"));
        };
        let name = pattern.ident.to_string().trim_start_matches("r#").to_owned();
        let mut given = ArgAttribute::default();
        let mut variable = None;
        for attribute in &typed.attrs {
            if attribute.path().is_ident("arg") {
                given = attribute.parse_args()?;
            } else if attribute.path().is_ident("env") {
                variable = Some(variable_name(&attribute.parse_args()?)?);
            }
        }
        typed.attrs.retain(|attribute| !attribute.path().is_ident("arg") && !attribute.path().is_ident("env"));
        if let Some(variable) = variable {
            if given.description.is_some() || given.default.is_some() {
                return Err(syn::Error::new_spanned(&typed.ty, "the model does not fill in a variable"));
            }
            let (owned, borrowed) = match &*typed.ty {
                Type::Reference(reference) => match &*reference.elem {
                    Type::Path(path) if path.path.is_ident("str") => (syn::parse_quote!(::std::string::String), true),
                    other => (other.clone(), true),
                },
                other => (other.clone(), false),
            };
            return Ok(Self { name, kind: Kind::Variable { owned, borrowed, variable } });
        }

        let (owned, borrowed) = match &*typed.ty {
            Type::Reference(reference) => match &*reference.elem {
                Type::Path(path) if path.path.is_ident("str") => (syn::parse_quote!(::std::string::String), true),
                Type::Slice(slice) => {
                    let item = &slice.elem;
                    (syn::parse_quote!(::std::vec::Vec<#item>), true)
                }
                capability => {
                    if given.description.is_some() || given.default.is_some() {
                        return Err(syn::Error::new_spanned(
                            &typed.ty,
                            "a reference is a capability, which the model does not fill in",
                        ));
                    }
                    return Ok(Self { name, kind: Kind::Capability(capability.clone()) });
                }
            },
            other => (other.clone(), false),
        };
        Ok(Self {
            name,
            kind: Kind::Argument { owned, borrowed, description: given.description, default: given.default },
        })
    }

    /// The name of an argument; `None` for a capability.
    pub fn argument_name(&self) -> Option<&str> {
        matches!(self.kind, Kind::Argument { .. }).then_some(self.name.as_str())
    }

    fn variable(&self) -> Ident {
        format_ident!("__{}", self.name)
    }

    /// The entry of the schema.
    pub fn schema(&self, documented: Option<&String>) -> Option<TokenStream> {
        let Kind::Argument { owned, description, default, .. } = &self.kind else {
            return None;
        };
        let name = &self.name;
        let description = description.as_ref().or(documented).cloned().unwrap_or_default();
        let required = match default {
            Some(_) => quote!(false),
            None => quote!(!<#owned as ::mneme_tool_sdk::ToolSchema>::optional()),
        };
        Some(quote! {
            ::mneme_tool_sdk::Parameter {
                name: #name,
                description: #description,
                required: #required,
                schema: <#owned as ::mneme_tool_sdk::ToolSchema>::schema(),
            }
        })
    }

    /// The capability names of the host.
    pub fn capability(&self) -> Option<TokenStream> {
        match &self.kind {
            Kind::Capability(ty) => Some(quote!(<#ty as ::mneme_tool_sdk::Capability>::NAMES)),
            Kind::Variable { variable, .. } => {
                let declared = format!("env:{variable}");
                Some(quote!(&[#declared]))
            }
            Kind::Argument { .. } => None,
        }
    }

    /// The statement that obtains the value.
    pub fn binding(&self) -> TokenStream {
        let (variable, name) = (self.variable(), &self.name);
        match &self.kind {
            Kind::Capability(ty) => quote! {
                let #variable = <#ty as ::mneme_tool_sdk::Capability>::granted(host);
            },
            Kind::Variable { owned, variable: declared, .. } => quote! {
                let #variable: #owned = ::mneme_tool_sdk::FromEnvironment::from_environment(
                    #declared,
                    ::mneme_tool_sdk::Host::variable(host, #declared).filter(|value| !value.is_empty()),
                )?;
            },
            Kind::Argument { owned, default: Some(default), .. } => {
                // A text literal stands for an owned string; everything else already has the type.
                let default = match default {
                    Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => quote!(#text.into()),
                    other => quote!(#other),
                };
                quote! {
                    let #variable: #owned = arguments.take_or(#name, || #default)?;
                }
            }
            Kind::Argument { owned, default: None, .. } => quote! {
                let #variable: #owned = arguments.take(#name)?;
            },
        }
    }

    /// What is passed to the function.
    pub fn passed(&self) -> TokenStream {
        let variable = self.variable();
        match &self.kind {
            Kind::Capability(_) | Kind::Argument { borrowed: true, .. } | Kind::Variable { borrowed: true, .. } => {
                quote!(&#variable)
            }
            Kind::Argument { .. } | Kind::Variable { .. } => quote!(#variable),
        }
    }
}

/// Checks the name in `#[env("NAME")]`.
fn variable_name(text: &LitStr) -> syn::Result<String> {
    let name = text.value();
    let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    match plain && name.starts_with(|c: char| !c.is_ascii_digit()) {
        true => Ok(name),
        false => Err(syn::Error::new(text.span(), "a variable is named with letters, digits and underscores")),
    }
}

/// `#[arg("meaning", default = expression)]`, either part optional.
#[derive(Default)]
struct ArgAttribute {
    description: Option<String>,
    default: Option<Expr>,
}

impl Parse for ArgAttribute {
    fn parse(input: ParseStream) -> syn::Result<Self> {
        let mut parsed = Self::default();
        while !input.is_empty() {
            if input.peek(LitStr) {
                parsed.description = Some(input.parse::<LitStr>()?.value());
            } else {
                let key: Ident = input.parse()?;
                if key != "default" {
                    return Err(syn::Error::new(key.span(), "expected a text or `default = …`"));
                }
                input.parse::<Token![=]>()?;
                parsed.default = Some(input.parse()?);
            }
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        Ok(parsed)
    }
}
