//! `#[boxed]`: public asynchronous functions whose futures are compiled where they are written.
//!
//! The code of an `async fn` is compiled by whoever awaits it, with that of everything it awaits in turn. So the outermost
//! crate would compile the whole server once more, and every test binary too; and each time the compiler would look through
//! futures within futures to find that they can be sent. Behind `Pin<Box<dyn Future + Send>>` a function is compiled once,
//! for one allocation in a call.

use proc_macro2::{Span, TokenStream as Tokens};
use quote::quote;
use syn::{
    Attribute, Block, FnArg, GenericParam, Generics, ImplItem, Item, Lifetime, LifetimeParam, ReturnType, Signature,
    Type, TypeImplTrait, TypeReference, Visibility, parse_quote,
    visit_mut::{self, VisitMut},
};

/// Changes the function, or the public functions of the `impl`.
pub(crate) fn change_item(mut item: Item) -> syn::Result<Item> {
    match &mut item {
        Item::Fn(function) => change(&mut function.attrs, &mut function.sig, &mut function.block, &Generics::default()),
        Item::Impl(block) if block.trait_.is_none() && block.generics.type_params().next().is_none() => {
            for item in &mut block.items {
                if let ImplItem::Fn(function) = item
                    && matches!(function.vis, Visibility::Public(_))
                {
                    change(&mut function.attrs, &mut function.sig, &mut function.block, &block.generics);
                }
            }
        }
        other => {
            let message = "`boxed` goes on a function or on an inherent `impl` that is not generic over types";
            return Err(syn::Error::new_spanned(other, message));
        }
    }
    Ok(item)
}

/// Changes one function, if it is asynchronous and not generic over types.
fn change(attributes: &mut Vec<Attribute>, sig: &mut Signature, block: &mut Block, outer: &Generics) {
    let mut hidden = HiddenTypes::default();
    hidden.visit_signature_mut(sig);
    if sig.asyncness.is_none() || hidden.found || sig.generics.type_params().next().is_some() {
        return;
    }
    sig.asyncness = None;

    let mut names = Names::default();
    sig.inputs.iter_mut().for_each(|input| names.visit_fn_arg_mut(input));
    let receiver = sig.receiver().and_then(|_| names.first.clone());
    let mut output = match &sig.output {
        ReturnType::Default => parse_quote!(()),
        ReturnType::Type(_, output) => (**output).clone(),
    };
    // As without the attribute: what is returned lives as long as `self`, or as the only reference that is taken.
    if let Some(source) = receiver.or_else(|| names.first.clone()) {
        Sources(source).visit_type_mut(&mut output);
    }

    let lives: Vec<Lifetime> = outer
        .lifetimes()
        .chain(sig.generics.lifetimes())
        .map(|parameter| parameter.lifetime.clone())
        .chain(names.made.iter().cloned())
        .collect();
    for name in &names.made {
        sig.generics.params.push(GenericParam::Lifetime(LifetimeParam::new(name.clone())));
    }
    let mut bound = Tokens::new();
    if !lives.is_empty() {
        sig.generics.params.push(parse_quote!('boxed));
        let clause = sig.generics.make_where_clause();
        for life in &lives {
            clause.predicates.push(parse_quote!(#life: 'boxed));
        }
        bound = quote!(+ 'boxed);
    }

    // The first lines only tell the compiler the type, for `?` and `return`. A body may well return before its end.
    attributes.push(parse_quote!(#[allow(unreachable_code)]));
    *block = parse_quote!({
        ::std::boxed::Box::pin(async move {
            if let ::core::option::Option::Some(output) = ::core::option::Option::None::<#output> {
                return output;
            }
            let output: #output = #block;
            output
        })
    });
    sig.output = parse_quote! {
        -> ::core::pin::Pin<::std::boxed::Box<dyn ::core::future::Future<Output = #output> + ::core::marker::Send #bound>>
    };
}

/// Looks for `impl Trait`, which makes a function generic without saying so.
#[derive(Default)]
struct HiddenTypes {
    found: bool,
}

impl VisitMut for HiddenTypes {
    fn visit_type_impl_trait_mut(&mut self, _: &mut TypeImplTrait) {
        self.found = true;
    }
}

/// Gives a name to every lifetime without one.
#[derive(Default)]
struct Names {
    made: Vec<Lifetime>,
    /// The first lifetime of all, whoever named it.
    first: Option<Lifetime>,
}

impl Names {
    fn make(&mut self) -> Lifetime {
        let name = Lifetime::new(&format!("'boxed{}", self.made.len()), Span::call_site());
        self.made.push(name.clone());
        name
    }

    fn note(&mut self, life: &Lifetime) {
        if self.first.is_none() {
            self.first = Some(life.clone());
        }
    }
}

impl VisitMut for Names {
    fn visit_fn_arg_mut(&mut self, argument: &mut FnArg) {
        match argument {
            FnArg::Receiver(receiver) => match &mut receiver.reference {
                Some((_, life)) => {
                    let life = life.get_or_insert_with(|| self.make()).clone();
                    self.note(&life);
                }
                None => self.visit_type_mut(&mut receiver.ty),
            },
            FnArg::Typed(typed) => self.visit_type_mut(&mut typed.ty),
        }
    }

    fn visit_type_reference_mut(&mut self, reference: &mut TypeReference) {
        let life = reference.lifetime.get_or_insert_with(|| self.make());
        if life.ident == "_" {
            *life = self.make();
        }
        let life = life.clone();
        self.note(&life);
        self.visit_type_mut(&mut reference.elem);
    }

    fn visit_lifetime_mut(&mut self, life: &mut Lifetime) {
        if life.ident == "_" {
            *life = self.make();
        }
        let life = life.clone();
        self.note(&life);
    }
}

/// Gives what is returned the lifetime that it comes from.
struct Sources(Lifetime);

impl VisitMut for Sources {
    fn visit_type_reference_mut(&mut self, reference: &mut TypeReference) {
        reference.lifetime.get_or_insert_with(|| self.0.clone());
        visit_mut::visit_type_reference_mut(self, reference);
    }

    fn visit_lifetime_mut(&mut self, life: &mut Lifetime) {
        if life.ident == "_" {
            *life = self.0.clone();
        }
    }

    fn visit_type_mut(&mut self, kind: &mut Type) {
        visit_mut::visit_type_mut(self, kind);
    }
}
