//! The README's first command, on a machine without a provider key: it ends in a conversation with a real model.

use std::path::Path;
use std::process::{Command, Stdio};

use mneme_tests::server;

/// What a developer's own environment may hold, and what would make the script pick another model.
const PROVIDERS: [&str; 14] = [
    "OPENAI_API_KEY",
    "ANTHROPIC_API_KEY",
    "GEMINI_API_KEY",
    "OPENROUTER_API_KEY",
    "GROQ_API_KEY",
    "XAI_API_KEY",
    "DEEPSEEK_API_KEY",
    "TOGETHER_API_KEY",
    "MISTRAL_API_KEY",
    "OLLAMA_BASE_URL",
    "LMSTUDIO_BASE_URL",
    "VLLM_API_BASE",
    "VLLM_BASE_URL",
    "LLAMACPP_BASE_URL",
];

#[test]
fn ends_in_a_conversation() {
    let data = tempfile::tempdir().expect("a directory can be made");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts/quickstart");
    let mut command = Command::new(script);
    command.arg("--binary").arg(server::binary()).args(["--port", "0", "--data-dir"]).arg(data.path());
    for name in PROVIDERS {
        command.env_remove(name);
    }
    let output = command.env_remove("MNEME_MODEL").stdin(Stdio::null()).output().expect("the script runs");
    let (text, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{}\n{text}\n{errors}", output.status);
    assert_eq!(text.matches("you> ").count(), 2, "{text}");
    assert_eq!(text.matches("mo> ").count(), 2, "{text}");
    // What a model of this size says is anybody's guess; that it says words is not.
    let answers = text.split("mo> ").skip(1);
    for answer in answers {
        let words = answer.lines().next().unwrap_or_default();
        assert!(words.contains(char::is_alphabetic), "{text}");
    }
}
