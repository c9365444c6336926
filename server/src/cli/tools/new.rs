//! `mneme tools new`: a tool to start from.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use super::Lang;
use crate::cli::CommandError;

/// The SDK of the checkout that this program was built in.
const OWN_SDK: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tool-sdk");

const RUST: &[(&str, &str)] = &[
    ("Cargo.toml", include_str!("../../../../tool-sdk/template/Cargo.toml.tmpl")),
    ("README.md", include_str!("../../../../tool-sdk/template/README.md.tmpl")),
    ("src/lib.rs", include_str!("../../../../tool-sdk/template/src/lib.rs")),
];
const EXTISM: &[(&str, &str)] =
    &[("Cargo.toml", include_str!("templates/extism.toml")), ("src/lib.rs", include_str!("templates/extism.rs.txt"))];
const PYTHON: &str = include_str!("templates/python.py.txt");
const TYPESCRIPT: &str = include_str!("templates/typescript.ts.txt");

/// Writes the files.
pub fn run(name: &str, lang: Lang, path: Option<PathBuf>, sdk: Option<PathBuf>) -> Result<ExitCode, CommandError> {
    check(name)?;
    let extension = match lang {
        Lang::Rust | Lang::Extism => "",
        Lang::Python => ".py",
        Lang::Typescript => ".ts",
    };
    let place = path.unwrap_or_else(|| PathBuf::from(format!("{name}{extension}")));
    if place.exists() {
        return Err(CommandError::new(place.display().to_string(), "it is there already"));
    }
    let fill = |template: &str| template.replace("{{name}}", name).replace("{{file}}", name);
    match lang {
        Lang::Python => write(&place, &fill(PYTHON))?,
        Lang::Typescript => write(&place, &fill(TYPESCRIPT))?,
        Lang::Extism => files(&place, EXTISM, fill)?,
        Lang::Rust => {
            let sdk = sdk_dependency(sdk)?;
            files(&place, RUST, |template| fill(template).replace("{{sdk}}", &sdk))?;
        }
    }
    println!("{}", place.display());
    let next = match lang {
        Lang::Rust | Lang::Extism => format!("mneme tools build {}", place.display()),
        Lang::Python | Lang::Typescript => format!("mneme tools push {}", place.display()),
    };
    eprintln!("next: {next}");
    Ok(ExitCode::SUCCESS)
}

/// A name that is one for a model, for Cargo, for Python and for TypeScript.
fn check(name: &str) -> Result<(), CommandError> {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    let starts = name.starts_with(|c: char| c.is_ascii_lowercase());
    match starts && name.len() <= 64 && name.chars().all(fits) {
        true => Ok(()),
        false => Err(CommandError::new(
            format!("{name:?} is no name for a tool"),
            "use small letters, digits and `_`, a letter first, at most 64",
        )),
    }
}

/// The SDK is in no registry: it comes from a folder.
fn sdk_dependency(given: Option<PathBuf>) -> Result<String, CommandError> {
    let folder = given.unwrap_or_else(|| PathBuf::from(OWN_SDK));
    let missing = |reason: &dyn std::fmt::Display| {
        let hint = "name the folder `tool-sdk` of a checkout of Mneme with --sdk";
        CommandError::new(format!("the tool SDK is not at {} ({reason})", folder.display()), hint)
    };
    let folder = folder.canonicalize().map_err(|error| missing(&error))?;
    if !folder.join("Cargo.toml").is_file() {
        return Err(missing(&"there is no Cargo.toml"));
    }
    // A TOML string escapes as JSON does.
    Ok(format!("{{ path = {} }}", serde_json::Value::from(folder.display().to_string())))
}

fn files(folder: &Path, templates: &[(&str, &str)], fill: impl Fn(&str) -> String) -> Result<(), CommandError> {
    templates.iter().try_for_each(|(name, template)| write(&folder.join(name), &fill(template)))
}

fn write(path: &Path, text: &str) -> Result<(), CommandError> {
    let failed = |error| CommandError::new(format!("cannot write {}", path.display()), error);
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(failed)?;
    }
    fs::write(path, text).map_err(failed)
}
