//! Puts the layers together.

use std::path::{Path, PathBuf};

use mneme_llm::ProviderKind;

use super::{
    FILE_NAME, aws,
    keys::{Config, Layer},
    provider::{self, ProviderEntry},
    validate,
    value::{Secret, expand},
};

/// Why there is no configuration. The text says which source and what to change.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ConfigError(pub String);

/// Where settings come from besides the defaults.
pub struct Source<'a> {
    /// The settings file that was named, if one was.
    pub file: Option<PathBuf>,
    /// Looks up an environment variable.
    pub env: &'a dyn Fn(&str) -> Option<String>,
    /// The command line.
    pub flags: Layer,
}

/// Reads, merges and checks the settings.
pub fn load(source: Source<'_>) -> Result<Config, ConfigError> {
    let environment = Layer::from_env(source.env).map_err(ConfigError)?;
    let file = match source.file.or_else(|| (source.env)("MNEME_CONFIG").map(PathBuf::from)) {
        Some(path) => read(&expand(&path))?,
        None => {
            let data_dir = source.flags.data_dir.as_ref().or(environment.data_dir.as_ref());
            let path = data_dir.map_or_else(|| Config::default().data_dir, |dir| expand(dir)).join(FILE_NAME);
            if path.is_file() { read(&path)? } else { Layer::default() }
        }
    };
    let mut config = Config::default();
    for layer in [file, environment, source.flags] {
        layer.apply(&mut config);
    }
    config.data_dir = expand(&config.data_dir);
    let from_env = provider::from_environment(source.env).map_err(ConfigError)?;
    config.providers = merge(config.providers, from_env, source.env)?;
    if config.secure && config.password.is_none() {
        config.password = Some(made_up_password());
        config.password_made_up = true;
    }
    validate::check(&config).map_err(ConfigError)?;
    Ok(config)
}

fn read(path: &Path) -> Result<Layer, ConfigError> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| ConfigError(format!("cannot read the settings file {}: {error}", path.display())))?;
    // The excerpt that the parser shows could hold a secret, so only its message and place are passed on.
    toml::from_str(&text).map_err(|error| {
        let line =
            error.span().map_or(1, |span| text.bytes().take(span.start).filter(|byte| *byte == b'\n').count() + 1);
        ConfigError(format!("{}, line {line}: {}", path.display(), error.message()))
    })
}

/// The environment's providers replace those of the file that have the same name.
fn merge(
    file: Vec<ProviderEntry>,
    environment: Vec<ProviderEntry>,
    env: &dyn Fn(&str) -> Option<String>,
) -> Result<Vec<ProviderEntry>, ConfigError> {
    let replaced = |entry: &ProviderEntry| environment.iter().any(|known| known.name == entry.name);
    let kept: Vec<ProviderEntry> = file.into_iter().filter(|entry| !replaced(entry)).collect();
    let mut merged = environment;
    for mut entry in kept {
        if let Some(variable) = &entry.api_key_env {
            let key = env(variable).filter(|key| !key.trim().is_empty()).ok_or_else(|| {
                ConfigError(format!("provider {}: the variable {variable} (api_key_env) is not set", entry.name))
            })?;
            entry.api_key = Some(Secret::new(key.trim()));
        }
        if let Some(file) = &entry.api_key_file {
            let read = provider::read_key(&expand(file));
            let named = |reason| ConfigError(format!("provider {}: api_key_file: {reason}", entry.name));
            entry.api_key = Some(read.map_err(named)?);
        }
        if entry.kind == ProviderKind::Bedrock && entry.api_key.is_none() && entry.access_key.is_none() {
            let wrong = |reason| ConfigError(format!("provider {}: {reason}", entry.name));
            entry.role = aws::any(env).map_err(wrong)?;
        }
        merged.push(entry);
    }
    Ok(merged)
}

/// 24 random characters.
#[expect(clippy::disallowed_methods, reason = "a secret that a test could decide would be none")]
fn made_up_password() -> Secret {
    use rand::{Rng, distr::Alphanumeric};
    let text: String = rand::rng().sample_iter(Alphanumeric).take(24).map(char::from).collect();
    Secret::new(text)
}
