//! The commented default configuration.

use super::{keys::KEYS, provider::kinds};

/// Every key with its explanation, variables and default, as a TOML file in which everything is commented out.
pub fn render() -> String {
    let mut text = String::from(
        "# Settings of the mneme server. Every key shows its default; take the '#' before a key away to change it.\n\
         # Later layers win: this file, then environment variables, then the command line.\n",
    );
    for key in KEYS {
        text.push('\n');
        for line in key.doc {
            text.push_str(&format!("#{line}\n"));
        }
        let mut variables = vec![key.env()];
        variables.extend(key.aliases.iter().map(|name| (*name).to_owned()));
        text.push_str(&format!("# Environment: {}\n", variables.join(", ")));
        text.push_str(&format!("#{} = {}\n", key.name, (key.default)().unwrap_or_else(|| "\"…\"".to_owned())));
    }
    text.push_str(&format!(
        "\n# Model providers. Those whose usual variables are set (OPENAI_API_KEY, ANTHROPIC_API_KEY, OLLAMA_BASE_URL, …)\n\
         # need no entry. Kinds: {}.\n\
         #[[providers]]\n#name = \"local\"\n#kind = \"openai_compatible\"\n#base_url = \"http://127.0.0.1:9000/v1\"\n\
         #api_key_env = \"LOCAL_API_KEY\"\n",
        kinds()
    ));
    text
}
