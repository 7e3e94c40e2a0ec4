//! `#[derive(ReadJson, WriteJson)]`: how a type is read from JSON and written as JSON, for `rolecall_core::json`.
//!
//! A struct is an object with a member for each field; a struct with one field without a name is what it holds. An enum's variant is its
//! name, or an object with one member of that name. serde's derive makes much the same of a type, in many times the code, which
//! counts in the extension.
//!
//! | attribute | on | meaning |
//! |---|---|---|
//! | `#[json(rename_all = "camelCase")]` | a type | how its variants, and its and their fields are spelt; also `kebab-case`, `lowercase`, `PascalCase` |
//! | `#[json(default)]` | a type, a field | a member that is missing has the default value |
//! | `#[json(name = "x5c")]` | a field | the member's name |
//! | `#[json(read = path)]` | a field | a function that makes the field of the member, which may be absent |
//! | `#[json(write = path)]` | a field | a function that gives what is written for the field |

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{
    Attribute, Data, DataEnum, DeriveInput, Error, Field, Fields, FieldsNamed, Generics, LitStr, Path,
    Variant, parse_macro_input, parse_quote,
};

/// Derives `rolecall_core::json::ReadJson`.
#[proc_macro_derive(ReadJson, attributes(json))]
pub fn read_json(input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    derived(&parse_macro_input!(input as DeriveInput), read)
}

/// Derives `rolecall_core::json::WriteJson`.
#[proc_macro_derive(WriteJson, attributes(json))]
pub fn write_json(input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    derived(&parse_macro_input!(input as DeriveInput), write)
}

fn derived(
    input: &DeriveInput,
    derive: fn(&DeriveInput) -> Result<TokenStream, Error>,
) -> proc_macro::TokenStream {
    derive(input).unwrap_or_else(|error| error.to_compile_error()).into()
}

fn read(input: &DeriveInput) -> Result<TokenStream, Error> {
    let options = Options::of(&input.attrs)?;
    let body = match &input.data {
        Data::Struct(data) => match &data.fields {
            Fields::Named(fields) => {
                let fields = read_fields(fields, &options)?;
                quote! { let object = value.object()?; Ok(Self { #fields }) }
            }
            Fields::Unnamed(fields) if fields.unnamed.len() == 1 => {
                quote! { ::rolecall_core::json::ReadJson::read(value).map(Self) }
            }
            _ => return Err(unsupported(input)),
        },
        Data::Enum(data) if data.variants.iter().all(|variant| variant.fields == Fields::Unit) => {
            quote! { value.choice() }
        }
        Data::Enum(data) => read_enum(data, &options)?,
        Data::Union(_) => return Err(unsupported(input)),
    };
    let choice = match &input.data {
        Data::Enum(data) => choice(input, data, &options),
        _ => None,
    };
    let (bounds, name) =
        (bounded(&input.generics, &parse_quote!(::rolecall_core::json::ReadJson)), &input.ident);
    let (implemented, named, conditions) = bounds.split_for_impl();
    Ok(quote! {
        #choice
        #[automatically_derived]
        impl #implemented ::rolecall_core::json::ReadJson for #name #named #conditions {
            fn read(value: ::rolecall_core::json::Value<'_>) -> Result<Self, ::rolecall_core::json::Malformed> {
                #body
            }
        }
    })
}

/// The names of an enum of which no variant holds anything.
fn choice(input: &DeriveInput, data: &DataEnum, options: &Options) -> Option<TokenStream> {
    if data.variants.iter().any(|variant| variant.fields != Fields::Unit) {
        return None;
    }
    let entries = data.variants.iter().map(|variant| {
        let (name, ident) = (options.variant(variant), &variant.ident);
        quote! { (#name, Self::#ident) }
    });
    let name = &input.ident;
    Some(quote! {
        #[automatically_derived]
        impl ::rolecall_core::json::Choice for #name {
            const NAMES: &'static [(&'static str, Self)] = &[#(#entries),*];
        }
    })
}

fn read_enum(data: &DataEnum, options: &Options) -> Result<TokenStream, Error> {
    let arms = data.variants.iter().map(|variant| {
        let (name, ident) = (options.variant(variant), &variant.ident);
        Ok(match &variant.fields {
            Fields::Unit => quote! { #name => variant.nothing().map(|()| Self::#ident) },
            Fields::Unnamed(fields) if fields.unnamed.len() == 1 => {
                quote! { #name => variant.content().and_then(::rolecall_core::json::ReadJson::read).map(Self::#ident) }
            }
            Fields::Named(fields) => {
                let fields = read_fields(fields, options)?;
                quote! { #name => { let object = variant.content()?.object()?; Ok(Self::#ident { #fields }) } }
            }
            Fields::Unnamed(_) => return Err(unsupported(variant)),
        })
    });
    let arms = arms.collect::<Result<Vec<_>, Error>>()?;
    let names = data.variants.iter().map(|variant| options.variant(variant));
    Ok(quote! {
        let variant = value.variant()?;
        match variant.name() {
            #(#arms,)*
            _ => Err(::rolecall_core::json::Malformed::unknown(&[#(#names),*])),
        }
    })
}

fn read_fields(fields: &FieldsNamed, options: &Options) -> Result<TokenStream, Error> {
    let fields = fields.named.iter().map(|field| {
        let own = Options::of(&field.attrs)?;
        let (ident, name) = (&field.ident, options.field(field, &own));
        let value = match &own.read {
            Some(path) => quote! { #path(object.member(#name)?) },
            None if own.default || options.default => quote! { object.get_or_default(#name)? },
            None => quote! { object.get(#name)? },
        };
        Ok(quote! { #ident: #value })
    });
    let fields = fields.collect::<Result<Vec<_>, Error>>()?;
    Ok(quote! { #(#fields),* })
}

fn write(input: &DeriveInput) -> Result<TokenStream, Error> {
    let options = Options::of(&input.attrs)?;
    let body = match &input.data {
        Data::Struct(data) => match &data.fields {
            Fields::Named(fields) => {
                let members = write_fields(fields, &options, |ident| quote! { &self.#ident })?;
                quote! { writer.object(&[#members]) }
            }
            Fields::Unnamed(fields) if fields.unnamed.len() == 1 => {
                quote! { ::rolecall_core::json::WriteJson::write(&self.0, writer) }
            }
            _ => return Err(unsupported(input)),
        },
        Data::Enum(data) => {
            let arms = data.variants.iter().map(|variant| write_variant(variant, &options));
            let arms = arms.collect::<Result<Vec<_>, Error>>()?;
            quote! { match self { #(#arms),* } }
        }
        Data::Union(_) => return Err(unsupported(input)),
    };
    let (bounds, name) =
        (bounded(&input.generics, &parse_quote!(::rolecall_core::json::WriteJson)), &input.ident);
    let (implemented, named, conditions) = bounds.split_for_impl();
    Ok(quote! {
        #[automatically_derived]
        impl #implemented ::rolecall_core::json::WriteJson for #name #named #conditions {
            fn write(&self, writer: &mut ::rolecall_core::json::Writer) {
                #body
            }
        }
    })
}

fn write_variant(variant: &Variant, options: &Options) -> Result<TokenStream, Error> {
    let (name, ident) = (options.variant(variant), &variant.ident);
    Ok(match &variant.fields {
        Fields::Unit => quote! { Self::#ident => writer.string(#name) },
        Fields::Unnamed(fields) if fields.unnamed.len() == 1 => {
            quote! { Self::#ident(content) => writer.newtype(#name, content) }
        }
        Fields::Named(fields) => {
            let idents = fields.named.iter().map(|field| &field.ident);
            let members = write_fields(fields, options, |ident| quote! { #ident })?;
            quote! { Self::#ident { #(#idents),* } => writer.variant(#name, &[#members]) }
        }
        Fields::Unnamed(_) => return Err(unsupported(variant)),
    })
}

fn write_fields(
    fields: &FieldsNamed,
    options: &Options,
    reference: impl Fn(&syn::Ident) -> TokenStream,
) -> Result<TokenStream, Error> {
    let members = fields.named.iter().map(|field| {
        let own = Options::of(&field.attrs)?;
        let name = options.field(field, &own);
        let ident = field.ident.clone().unwrap_or_else(|| format_ident!("unnamed"));
        let reference = reference(&ident);
        let value = own.write.as_ref().map_or(reference.clone(), |path| quote! { &#path(#reference) });
        Ok(quote! { (#name, #value) })
    });
    let members = members.collect::<Result<Vec<_>, Error>>()?;
    Ok(quote! { #(#members),* })
}

/// How names can be spelt.
const SPELLINGS: [&str; 4] = ["camelCase", "PascalCase", "kebab-case", "lowercase"];

/// What the attributes say.
#[derive(Default)]
struct Options {
    rename_all: Option<String>,
    default: bool,
    name: Option<String>,
    read: Option<Path>,
    write: Option<Path>,
}

impl Options {
    fn of(attributes: &[Attribute]) -> Result<Self, Error> {
        let mut options = Self::default();
        for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("json")) {
            attribute.parse_nested_meta(|meta| {
                if meta.path.is_ident("default") {
                    options.default = true;
                } else if meta.path.is_ident("rename_all") {
                    let spelling = meta.value()?.parse::<LitStr>()?.value();
                    if !SPELLINGS.contains(&spelling.as_str()) {
                        return Err(meta.error(format!("it must be one of {}", SPELLINGS.join(", "))));
                    }
                    options.rename_all = Some(spelling);
                } else if meta.path.is_ident("name") {
                    options.name = Some(meta.value()?.parse::<LitStr>()?.value());
                } else if meta.path.is_ident("read") {
                    options.read = Some(meta.value()?.parse()?);
                } else if meta.path.is_ident("write") {
                    options.write = Some(meta.value()?.parse()?);
                } else {
                    return Err(meta.error("no such attribute"));
                }
                Ok(())
            })?;
        }
        Ok(options)
    }

    fn variant(&self, variant: &Variant) -> String {
        self.spelt(&words(&variant.ident.to_string()), false)
    }

    fn field(&self, field: &Field, own: &Self) -> String {
        let ident = field.ident.as_ref().map(ToString::to_string).unwrap_or_default();
        let words: Vec<_> = ident.trim_start_matches("r#").split('_').map(str::to_owned).collect();
        own.name.clone().unwrap_or_else(|| self.spelt(&words, true))
    }

    fn spelt(&self, words: &[String], is_field: bool) -> String {
        let capital = |word: &String| {
            let mut letters = word.chars();
            letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
        };
        match self.rename_all.as_deref() {
            Some("camelCase") => {
                let rest: String = words.iter().skip(1).map(capital).collect();
                words.first().cloned().unwrap_or_default() + &rest
            }
            Some("PascalCase") => words.iter().map(capital).collect(),
            Some("kebab-case") => words.join("-"),
            Some("lowercase") => words.concat(),
            _ if is_field => words.join("_"),
            _ => words.iter().map(capital).collect(),
        }
    }
}

/// The words of a variant's name, in lower case.
fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for letter in name.chars() {
        match words.last_mut() {
            Some(word) if !letter.is_uppercase() => word.push(letter),
            _ => words.push(letter.to_lowercase().collect()),
        }
    }
    words
}

/// The type's parameters, each of which has to be readable or writable too.
fn bounded(generics: &Generics, bound: &syn::TypeParamBound) -> Generics {
    let mut generics = generics.clone();
    for parameter in generics.type_params_mut() {
        parameter.bounds.push(bound.clone());
    }
    generics
}

fn unsupported(what: impl quote::ToTokens) -> Error {
    Error::new_spanned(what, "only named fields, or one field without a name")
}
