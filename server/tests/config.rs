//! The settings: layers, names, checks.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{collections::HashMap, fs, path::PathBuf};

use mneme::config::{Config, ConfigError, DatabaseUrl, KEYS, Layer, LogFormat, Secret, Source, load, render};
use mneme_llm::{AwsRole, ProviderKind};
use tempfile::TempDir;

/// A data directory, an environment and flags.
struct Setup {
    home: TempDir,
    env: HashMap<String, String>,
    flags: Layer,
    file: Option<PathBuf>,
}

impl Setup {
    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        let flags = Layer { data_dir: Some(home.path().to_owned()), ..Layer::default() };
        Self { home, env: HashMap::new(), flags, file: None }
    }

    fn env(mut self, name: &str, value: &str) -> Self {
        self.env.insert(name.to_owned(), value.to_owned());
        self
    }

    fn toml(self, text: &str) -> Self {
        fs::write(self.home.path().join("mneme.toml"), text).unwrap();
        self
    }

    fn load(self) -> Result<Config, ConfigError> {
        load(Source { file: self.file, env: &|name| self.env.get(name).cloned(), flags: self.flags })
    }

    fn refusal(self) -> String {
        self.load().map(|config| format!("accepted: {config:?}")).unwrap_or_else(|error| error.to_string())
    }
}

#[test]
fn the_page_shows_what_the_program_prints() {
    let page = include_str!("../../docs/CONFIGURATION.md");
    let (_, rest) = page.split_once("```toml\n").unwrap();
    let (shown, _) = rest.split_once("```").unwrap();
    assert_eq!(shown, render());
}

#[test]
fn without_anything_the_server_is_local_and_keeps_a_file() {
    let setup = Setup::new();
    let home = setup.home.path().to_owned();
    let config = setup.load().unwrap();
    assert_eq!(config.address().to_string(), "127.0.0.1:8283");
    assert_eq!(config.database(), DatabaseUrl::sqlite(&home.join("mneme.db")));
    assert_eq!((config.log_format, config.default_context_window), (LogFormat::Text, 32_000));
    assert!(config.password.is_none() && config.providers.is_empty() && config.discover_local);
}

#[test]
fn later_layers_win() {
    let file = || Setup::new().toml("port = 1\nping_seconds = 7\nallowed_hosts = [\"a\"]\n");
    assert_eq!(file().load().unwrap().port, 1);
    assert_eq!(file().env("MNEME_PORT", "2").load().unwrap().port, 2);
    let mut setup = file().env("MNEME_PORT", "2").env("MNEME_ALLOWED_HOSTS", "b, c");
    setup.flags.port = Some(3);
    let config = setup.load().unwrap();
    assert_eq!((config.port, config.ping_seconds), (3, 7));
    assert_eq!(config.allowed_hosts, ["b", "c"]);
}

#[test]
fn a_named_file_takes_the_place_of_the_one_in_the_data_directory() {
    let mut setup = Setup::new().toml("port = 1");
    let other = setup.home.path().join("other.toml");
    fs::write(&other, "port = 9").unwrap();
    setup.file = Some(other.clone());
    assert_eq!(setup.load().unwrap().port, 9);
    let refusal = Setup::new().env("MNEME_CONFIG", "/no/such/file.toml").refusal();
    assert!(refusal.contains("cannot read the settings file /no/such/file.toml"), "{refusal}");
}

#[test]
fn every_key_can_be_set_by_a_variable_and_by_the_file() {
    for key in KEYS {
        let (text, toml) = match key.name {
            "host" => ("127.0.0.2", "\"127.0.0.2\""),
            "data_dir" | "compiled_dir" | "packages_dir" | "uploads_dir" => ("/tmp/x", "\"/tmp/x\""),
            "python_command" | "npm_command" => ("/opt/other", "\"/opt/other\""),
            "tool_private_hosts" => ("10.0.0.7:8080", "[\"10.0.0.7:8080\"]"),
            "database_url" => ("sqlite:x.db", "\"sqlite:x.db\""),
            "master_key" => {
                ("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", "\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\"")
            }
            "log_format" => ("json", "\"json\""),
            "mcp_stdio" => ("no", "\"no\""),
            "public_url" => ("https://agents.example.com", "\"https://agents.example.com\""),
            "price_file" => ("prices.toml", "\"prices.toml\""),
            "busy_agent" => ("reject", "\"reject\""),
            "log_level" => ("debug", "\"debug\""),
            "allowed_hosts" | "cors_origins" => ("http://a.example", "[\"http://a.example\"]"),
            "secure" | "discover_local" | "embed_messages" => ("false", "false"),
            "password" | "callback_secret" => ("pw", "\"pw\""),
            _ => ("2048", "2048"),
        };
        let mut setup = Setup::new().env(&key.env(), text);
        let flags = std::mem::take(&mut setup.flags);
        let by_variable = setup.load().unwrap_or_else(|error| panic!("{}: {error}", key.name));
        let mut setup = Setup { flags, ..Setup::new() };
        setup.home = tempfile::tempdir().unwrap();
        let path = setup.home.path().join("one.toml");
        fs::write(&path, format!("{} = {toml}", key.name)).unwrap();
        setup.file = Some(path);
        setup.flags = Layer::default();
        let by_file = setup.load().unwrap_or_else(|error| panic!("{}: {error}", key.name));
        assert_eq!(format!("{by_variable:?}"), format!("{by_file:?}"), "{}", key.name);
        if key.name != "secure" {
            assert_ne!(format!("{by_file:?}"), format!("{:?}", Config::default()), "{} had no effect", key.name);
        }
    }
}

#[test]
fn the_variables_of_the_guides_work_as_they_are() {
    let config = Setup::new()
        .env("LETTA_SERVER_PASSWORD", "pw")
        .env("LETTA_PG_URI", "postgresql+asyncpg://letta:secret@db.example:5432/letta")
        .env("LETTA_PG_POOL_SIZE", "80")
        .load()
        .unwrap();
    assert_eq!(config.password.as_ref().map(Secret::reveal), Some("pw"));
    assert_eq!(config.database().reveal(), "postgres://letta:secret@db.example:5432/letta");
    assert_eq!(config.database().to_string(), "postgres://db.example:5432/letta");
    assert_eq!(config.database_connections, 80);
    let own = Setup::new().env("LETTA_SERVER_PASSWORD", "theirs").env("MNEME_PASSWORD", "ours").load().unwrap();
    assert_eq!(own.password.as_ref().map(Secret::reveal), Some("ours"));
}

#[test]
fn a_secure_server_makes_up_a_password() {
    let config = Setup::new().env("SECURE", "true").env("MNEME_HOST", "0.0.0.0").load().unwrap();
    let password = config.password.as_ref().map(Secret::reveal).unwrap_or_default();
    assert!(config.password_made_up && password.len() == 24, "{password}");
    let again = Setup::new().env("SECURE", "true").load().unwrap();
    assert_ne!(again.password.as_ref().map(Secret::reveal), Some(password));
    let given = Setup::new().env("SECURE", "true").env("LETTA_SERVER_PASSWORD", "pw").load().unwrap();
    assert!(!given.password_made_up);
}

#[test]
fn an_address_for_others_needs_a_password() {
    for host in ["0.0.0.0", "::", "192.168.1.5", "[::]"] {
        let refusal = Setup::new().env("MNEME_HOST", host).refusal();
        assert!(refusal.contains("no password is set") && refusal.contains("MNEME_PASSWORD"), "{host}: {refusal}");
        assert!(Setup::new().env("MNEME_HOST", host).env("MNEME_PASSWORD", "pw").load().is_ok(), "{host}");
    }
    for host in ["127.0.0.1", "localhost", "::1", "[::1]", "127.8.8.8"] {
        assert!(Setup::new().env("MNEME_HOST", host).load().is_ok(), "{host}");
    }
}

#[test]
fn refusals_name_the_setting() {
    for (name, value, expected) in [
        ("MNEME_PORT", "http", "MNEME_PORT: 'http' is not a whole number from 0 to 65535"),
        ("MNEME_PORT", "65536", "MNEME_PORT: '65536' is not a whole number from 0 to 65535"),
        ("SECURE", "perhaps", "SECURE: 'perhaps' is neither true nor false"),
        ("MNEME_LOG_FORMAT", "xml", "MNEME_LOG_FORMAT: 'xml' is neither text nor json"),
        ("MNEME_LOG_LEVEL", "a=b=c", "log_level:"),
        ("MNEME_HOST", "example.com", "host: 'example.com' is neither an IP address nor localhost"),
        (
            "MNEME_DATABASE_URL",
            "mysql://x",
            "MNEME_DATABASE_URL: the database scheme 'mysql' is neither sqlite nor postgres",
        ),
        ("LETTA_PG_URI", "host=x", "LETTA_PG_URI: a database URL starts with sqlite: or postgres://"),
        ("MNEME_MAX_REQUESTS", "0", "max_requests: it must be at least 1, not 0"),
        ("MNEME_RUN_LEASE_SECONDS", "0", "run_lease_seconds: it must be at least 1, not 0"),
        ("MNEME_CORS_ORIGINS", "*", "cors_origins: '*' lets any web page use the server, so it needs a password"),
        ("MNEME_CORS_ORIGINS", "https://a.example/path", "cors_origins: 'https://a.example/path' must be"),
        ("MNEME_MASTER_KEY", "short", "master_key: this is not 32 bytes"),
        ("OLLAMA_BASE_URL", "ftp://x", "OLLAMA_BASE_URL: this is not an http:// or https:// address"),
    ] {
        let refusal = Setup::new().env(name, value).refusal();
        assert!(refusal.starts_with(expected), "{name}={value}: {refusal}");
    }
}

#[test]
fn refusals_of_the_file_name_the_line_and_keep_secrets() {
    for (text, expected) in [
        ("port = 1\nprot = 2\n", "line 2: unknown field `prot`"),
        ("port = \"x\"", "line 1: invalid type"),
        ("\n\npassword = hunter2\n", "line 3:"),
        ("[[providers]]\nname = \"x\"\nkind = \"zzz\"", "'zzz' is no kind of provider"),
        ("[[providers]]\nname = \"x\"\nkind = \"openai_compatible\"", "providers: x needs a base_url"),
        ("[[providers]]\nname = \"a/b\"\nkind = \"openai\"", "providers: the name 'a/b'"),
        (
            "[[providers]]\nname = \"a\"\nkind = \"openai\"\n[[providers]]\nname = \"a\"\nkind = \"openai\"",
            "used twice",
        ),
        ("[[providers]]\nname = \"a\"\nkind = \"openai\"\napi_key_env = \"NOT_SET\"", "NOT_SET"),
        ("[[providers]]\nname = \"a\"\nkind = \"ollama\"\nbase_url = \"file:///x\"", "must start with http"),
    ] {
        let refusal = Setup::new().toml(text).refusal();
        assert!(refusal.contains(expected), "{text}: {refusal}");
        assert!(!refusal.contains("hunter2"), "{refusal}");
    }
}

#[test]
fn providers_come_from_their_usual_variables() {
    let find = |setup: Setup| {
        let config = setup.load().unwrap();
        let providers = config.providers.iter().map(|p| {
            let key = p.api_key.as_ref().map(Secret::reveal).unwrap_or_default().to_owned();
            (p.name.clone(), p.kind, p.url().map(|url| url.to_string()).unwrap_or_default(), key)
        });
        providers.collect::<Vec<_>>()
    };
    use ProviderKind::*;
    for (variables, name, kind, url, key) in [
        (&[("OPENAI_API_KEY", "k")][..], "openai", OpenAi, "https://api.openai.com/v1", "k"),
        (&[("OPENAI_API_KEY", "k"), ("OPENAI_API_BASE", "http://h/v1")], "openai", OpenAi, "http://h/v1", "k"),
        (&[("OPENAI_BASE_URL", "http://h/v1")], "openai", OpenAi, "http://h/v1", ""),
        (
            &[("OPENAI_API_KEY", "k"), ("OPENAI_API_BASE", "https://openrouter.ai/api/v1")],
            "openai",
            OpenRouter,
            "https://openrouter.ai/api/v1",
            "k",
        ),
        (&[("ANTHROPIC_API_KEY", " k\n")], "anthropic", Anthropic, "https://api.anthropic.com/", "k"),
        (&[("GEMINI_API_KEY", "k"), ("GEMINI_BASE_URL", "http://h/")], "google_ai", Gemini, "http://h/", "k"),
        (&[("GROQ_API_KEY", "k")], "groq", Groq, "https://api.groq.com/openai/v1", "k"),
        (&[("CEREBRAS_API_KEY", "k")], "cerebras", Cerebras, "https://api.cerebras.ai/v1", "k"),
        (&[("HF_TOKEN", "k")], "hugging-face", HuggingFace, "https://router.huggingface.co/v1", "k"),
        (&[("OPENROUTER_API_KEY", "k")], "openrouter", OpenRouter, "https://openrouter.ai/api/v1", "k"),
        (&[("OLLAMA_BASE_URL", "http://h:11434")], "ollama", Ollama, "http://h:11434/", ""),
        (&[("OLLAMA_BASE_URL", "h:11434")], "ollama", Ollama, "http://h:11434/", ""),
        (&[("VLLM_API_BASE", "http://h:8000")], "vllm", Vllm, "http://h:8000/", ""),
        (&[("LMSTUDIO_BASE_URL", "http://h:1234")], "lmstudio_openai", LmStudio, "http://h:1234/", ""),
    ] {
        let setup = variables.iter().fold(Setup::new(), |setup, (name, value)| setup.env(name, value));
        assert_eq!(find(setup), [(name.to_owned(), kind, url.to_owned(), key.to_owned())], "{variables:?}");
    }
    for nothing in ["OPENAI_API_KEY", "OLLAMA_BASE_URL", "OLLAMA_API_KEY", "VLLM_API_KEY"] {
        let value = if nothing.ends_with("KEY") && !nothing.starts_with("OPENAI") { "k" } else { " " };
        assert_eq!(find(Setup::new().env(nothing, value)), [], "{nothing}={value:?}");
    }
}

#[test]
fn bedrock_takes_the_machines_own_credentials_where_there_is_no_key() {
    let asked = |setup: Setup| {
        let config = setup.load().unwrap();
        let bedrock = config.providers.iter().find(|provider| provider.name == "bedrock")?;
        match bedrock.role.clone()? {
            AwsRole::Container { url, .. } => Some(url.to_string()),
            AwsRole::Instance { endpoint } => Some(endpoint.to_string()),
        }
    };
    let at_aws = || Setup::new().env("AWS_REGION", "eu-west-1");
    let relative = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI";
    let full = "AWS_CONTAINER_CREDENTIALS_FULL_URI";
    assert_eq!(asked(at_aws()), None, "a region is no wish");
    assert_eq!(asked(at_aws().env(relative, "/v2/x")).as_deref(), Some("http://169.254.170.2/v2/x"));
    assert_eq!(asked(at_aws().env(full, "http://169.254.170.23/y")).as_deref(), Some("http://169.254.170.23/y"));
    let endpoint = at_aws().env("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://127.0.0.1:1338");
    assert_eq!(asked(endpoint).as_deref(), Some("http://127.0.0.1:1338/"));
    let with_key = at_aws().env(relative, "/v2/x").env("AWS_BEARER_TOKEN_BEDROCK", "k");
    assert_eq!(asked(with_key), None, "a key comes first");
    for (variable, value) in [(full, "http://elsewhere.example/"), (relative, "elsewhere")] {
        let refusal = at_aws().env(variable, value).refusal();
        assert!(refusal.contains(variable), "{refusal}");
    }

    let file = || Setup::new().toml("[[providers]]\nname = \"bedrock\"\nkind = \"bedrock\"\nregion = \"eu-west-1\"\n");
    assert_eq!(asked(file()).as_deref(), Some("http://169.254.169.254/"));
    assert_eq!(asked(file().env("AWS_EC2_METADATA_DISABLED", "true")), None);
}

#[test]
fn the_environment_replaces_providers_of_the_file() {
    let file = "[[providers]]\nname = \"openai\"\nkind = \"openai\"\napi_key = \"from-file\"\n\
                [[providers]]\nname = \"mine\"\nkind = \"openai_compatible\"\nbase_url = \"http://h/v1\"\napi_key_env = \"MINE\"\n";
    let config = Setup::new().toml(file).env("OPENAI_API_KEY", "from-env").env("MINE", "m").load().unwrap();
    let keys: Vec<_> =
        config.providers.iter().map(|p| (p.name.as_str(), p.api_key.as_ref().map(Secret::reveal))).collect();
    assert_eq!(keys, [("openai", Some("from-env")), ("mine", Some("m"))]);
}

#[test]
fn nothing_secret_is_shown() {
    let config = Setup::new()
        .env("MNEME_PASSWORD", "canary-password")
        .env("MNEME_MASTER_KEY", &"ab".repeat(32))
        .env("OPENAI_API_KEY", "canary-key")
        .env("MNEME_DATABASE_URL", "postgres://user:canary-db@host/name?password=canary-query")
        .load()
        .unwrap();
    let shown = format!("{config:?} {}", config.database());
    assert!(!shown.contains("canary") && !shown.contains("abab"), "{shown}");
    assert!(shown.contains("postgres://host/name"), "{shown}");
}

#[test]
fn the_printed_file_shows_every_key_and_changes_nothing() {
    let text = render();
    for key in KEYS {
        assert!(text.contains(&format!("\n#{} = ", key.name)) && text.contains(&key.env()), "{}", key.name);
        assert!(key.aliases.iter().all(|alias| text.contains(alias)), "{}", key.name);
    }
    let as_it_is = Setup::new().toml(&text).load().unwrap();
    assert_eq!(as_it_is.port, Config::default().port);
    let settings =
        |line: &&str| line.starts_with('#') && line.contains(" = ") && !line.contains('…') && !line.starts_with("# ");
    let providers = text.find("\n#[[providers]]").unwrap();
    let active: Vec<&str> = text[..providers].lines().filter(settings).map(|line| &line[1..]).collect();
    assert!(active.len() + 9 == KEYS.len(), "{active:?}");
    let mut setup = Setup::new().toml(&active.join("\n"));
    setup.flags = Layer { data_dir: setup.flags.data_dir.take(), ..Layer::default() };
    let home = setup.home.path().to_owned();
    let config = setup.load().unwrap();
    assert_eq!(format!("{config:?}"), format!("{:?}", Config { data_dir: home, ..Config::default() }));
}
