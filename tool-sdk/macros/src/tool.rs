//! `#[tool]`: a type named like the function that implements `Tool` by calling it.

use proc_macro2::TokenStream;
use quote::quote;
use syn::parse::Parser;
use syn::{ItemFn, LitStr};

use crate::docs;
use crate::parameter::Parameter;

/// Expands the attribute.
pub fn expand(attribute: TokenStream, item: TokenStream) -> syn::Result<TokenStream> {
    let mut function: ItemFn = syn::parse2(item)?;
    let signature = &function.sig;
    if let Some(keyword) = &signature.asyncness {
        return Err(syn::Error::new_spanned(keyword, "a tool is not async: host calls block"));
    }
    if !signature.generics.params.is_empty() {
        return Err(syn::Error::new_spanned(&signature.generics, "a tool cannot be generic"));
    }

    let ident = signature.ident.clone();
    let name = tool_name(attribute)?.unwrap_or_else(|| ident.to_string().trim_start_matches("r#").to_owned());
    let docs = docs::parse(&docs::lines(&function.attrs));
    if docs.text.is_empty() {
        return Err(syn::Error::new_spanned(&ident, "a tool needs a doc comment: it is what the model reads"));
    }
    let parameters = function.sig.inputs.iter_mut().map(Parameter::take).collect::<syn::Result<Vec<_>>>()?;
    if let Some(stray) =
        docs.arguments.keys().find(|documented| !parameters.iter().any(|p| p.argument_name() == Some(documented)))
    {
        return Err(syn::Error::new_spanned(
            &ident,
            format!("the doc comment describes `{stray}`, which is no argument of the tool"),
        ));
    }

    let text = docs.text;
    let schemas = parameters.iter().filter_map(|parameter| {
        let documented = parameter.argument_name().and_then(|name| docs.arguments.get(name));
        parameter.schema(documented)
    });
    let capabilities = parameters.iter().filter_map(Parameter::capability);
    let bindings = parameters.iter().map(Parameter::binding);
    let passed = parameters.iter().map(Parameter::passed);
    let visibility = &function.vis;

    Ok(quote! {
        #function

        #[doc(hidden)]
        #[allow(non_camel_case_types, dead_code)]
        #visibility struct #ident {}

        impl ::mneme_tool_sdk::Tool for #ident {
            const NAME: &'static str = #name;

            fn spec() -> ::mneme_tool_sdk::ToolSpec {
                ::mneme_tool_sdk::ToolSpec::new(
                    #name,
                    #text,
                    ::std::vec![#(#schemas),*],
                    &[#(#capabilities),*],
                )
            }

            #[allow(unused_variables, unused_mut)]
            fn call(
                host: &dyn ::mneme_tool_sdk::Host,
                mut arguments: ::mneme_tool_sdk::Arguments,
            ) -> ::core::result::Result<::std::string::String, ::mneme_tool_sdk::ToolError> {
                #(#bindings)*
                ::mneme_tool_sdk::IntoAnswer::into_answer(#ident(#(#passed),*))
            }
        }
    })
}

/// Reads `name = "…"`.
fn tool_name(attribute: TokenStream) -> syn::Result<Option<String>> {
    let mut name = None;
    let parser = syn::meta::parser(|meta| {
        if !meta.path.is_ident("name") {
            return Err(meta.error("the only option is `name = \"…\"`"));
        }
        name = Some(meta.value()?.parse::<LitStr>()?.value());
        Ok(())
    });
    parser.parse2(attribute)?;
    Ok(name)
}
