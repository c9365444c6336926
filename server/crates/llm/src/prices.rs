//! What calls cost, by a table of prices per token. The built-in one knows a few models at their makers' list prices and
//! ages like all such tables; an operator's own takes its place as a whole.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::{event::Usage, kinds::ProviderKind, models, provider::Provider};

/// Prices by model, in US dollars.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PriceTable {
    /// How many tokens the prices are for.
    #[serde(default = "million")]
    per_tokens: f64,
    /// By the beginning of a model's name, or of its handle `provider/model`. The longest that fits counts, a handle
    /// before a name.
    models: BTreeMap<String, Price>,
}

/// The prices of a model.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Price {
    /// Of a token of the request.
    input: f64,
    /// Of one that the provider had in its cache; without a price of its own it costs as much as any.
    #[serde(default)]
    cached_input: Option<f64>,
    /// Of one that the provider put into its cache, as a multiple of `input`; without it, it costs as much as any.
    #[serde(default)]
    cache_write_multiplier: Option<f64>,
    /// Of a token of the answer.
    #[serde(default)]
    output: f64,
}

fn million() -> f64 {
    1e6
}

impl Default for PriceTable {
    fn default() -> Self {
        // A test reads the file, so that this never happens.
        serde_json::from_str(include_str!("prices.json"))
            .unwrap_or(Self { per_tokens: million(), models: BTreeMap::new() })
    }
}

impl PriceTable {
    /// Whether every price is a number that can be a price.
    ///
    /// # Errors
    /// Names the model whose price is none.
    pub fn check(&self) -> Result<(), String> {
        let sound = |number: f64| number.is_finite() && number >= 0.0;
        if !(self.per_tokens.is_finite() && self.per_tokens > 0.0) {
            return Err("per_tokens must be above 0".into());
        }
        let odd = |price: &Price| {
            let given = [price.cached_input, price.cache_write_multiplier].into_iter().flatten();
            ![price.input, price.output].into_iter().chain(given).all(sound)
        };
        match self.models.iter().find(|(_, price)| odd(price)) {
            Some((model, _)) => Err(format!("the prices of {model} must be numbers from 0 on")),
            None => Ok(()),
        }
    }

    /// What a call cost, in US dollars; `None` when the table does not know the model. Models on servers of one's own
    /// cost what the table says of their handle only, whatever their names remind of.
    pub fn cost(&self, provider: &Provider, model: &str, usage: &Usage) -> Option<f64> {
        let price = self.price(provider, model)?;
        let cached = usage.cached_tokens.unwrap_or(0).min(usage.prompt_tokens);
        let written = usage.cache_write_tokens.unwrap_or(0).min(usage.prompt_tokens - cached);
        let fresh = usage.prompt_tokens - cached - written;
        let sum = fresh as f64 * price.input
            + written as f64 * price.input * price.cache_write_multiplier.unwrap_or(1.0)
            + cached as f64 * price.cached_input.unwrap_or(price.input)
            + usage.completion_tokens as f64 * price.output;
        Some(sum / self.per_tokens)
    }

    fn price(&self, provider: &Provider, model: &str) -> Option<Price> {
        let longest = |name: &str| {
            let fits = self.models.iter().filter(|(prefix, _)| name.starts_with(prefix.as_str()));
            fits.max_by_key(|(prefix, _)| prefix.len()).map(|(_, price)| *price)
        };
        let handle = format!("{}/{model}", provider.name());
        let by_handle = self.models.iter().filter(|(prefix, _)| prefix.contains('/') && handle.starts_with(*prefix));
        if let Some((_, price)) = by_handle.max_by_key(|(prefix, _)| prefix.len()) {
            return Some(*price);
        }
        let own = matches!(
            provider.kind(),
            ProviderKind::Ollama
                | ProviderKind::Vllm
                | ProviderKind::LmStudio
                | ProviderKind::LlamaCpp
                | ProviderKind::OpenAiCompatible
        );
        if own { None } else { longest(&models::base_name(model)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn provider(name: &str, kind: ProviderKind) -> Provider {
        Provider::new(name, kind, "https://a.example".parse().expect("url"), None)
    }

    fn usage(prompt: u64, cached: u64, completion: u64) -> Usage {
        Usage {
            prompt_tokens: prompt,
            completion_tokens: completion,
            total_tokens: prompt + completion,
            cached_tokens: Some(cached),
            cache_write_tokens: None,
            reasoning_tokens: None,
        }
    }

    #[test]
    fn the_longest_name_counts_and_cached_tokens_are_cheaper() {
        let table = PriceTable::default();
        assert_eq!(table.check(), Ok(()));
        assert!(table.models.len() > 20);
        let openai = provider("openai", ProviderKind::OpenAi);
        let cost = |model: &str| table.cost(&openai, model, &usage(1_000_000, 400_000, 100_000));
        assert_eq!(cost("gpt-4o-mini-2024-07-18"), Some(0.6 * 0.15 + 0.4 * 0.075 + 0.1 * 0.6));
        assert_eq!(cost("gpt-4o-2024-08-06"), Some(0.6 * 2.5 + 0.4 * 1.25 + 0.1 * 10.0));
        assert_eq!(cost("unheard-of"), None);
        let bedrock = provider("bedrock", ProviderKind::Bedrock);
        let claude = "us.anthropic.claude-sonnet-4-20250514-v1:0";
        assert_eq!(table.cost(&bedrock, claude, &usage(1_000_000, 0, 0)), Some(3.0));
        let mine = provider("vllm", ProviderKind::Vllm);
        assert_eq!(table.cost(&mine, "gpt-4o", &usage(1, 0, 1)), None, "a namesake at home costs nothing");
    }

    #[test]
    fn what_is_written_to_a_cache_costs_more_where_the_table_says_so() {
        let table = PriceTable::default();
        let anthropic = provider("anthropic", ProviderKind::Anthropic);
        let written = Usage { cache_write_tokens: Some(500_000), ..usage(1_000_000, 100_000, 0) };
        let claude = table.cost(&anthropic, "claude-sonnet-4-20250514", &written).expect("a price");
        assert!((claude - (0.4 * 3.0 + 0.5 * 3.0 * 1.25 + 0.1 * 0.3)).abs() < 1e-9, "{claude}");
        let openai = provider("openai", ProviderKind::OpenAi);
        let plain = table.cost(&openai, "gpt-4o", &written).expect("a price");
        assert!((plain - (0.9 * 2.5 + 0.1 * 1.25)).abs() < 1e-9, "{plain}");
        let mut claudes = table.models.iter().filter(|(name, _)| name.starts_with("claude"));
        assert!(claudes.all(|(_, price)| price.cache_write_multiplier.is_some_and(|times| times > 1.0)));
        // A provider whose parts are more than its whole.
        let odd = Usage { cache_write_tokens: Some(9), ..usage(10, 8, 0) };
        let cost = table.cost(&openai, "gpt-4o", &odd).expect("a price");
        assert!((cost * 1e6 - (2.0 * 2.5 + 8.0 * 1.25)).abs() < 1e-6, "{cost}");
        let table = r#"{"models": {"m": {"input": 1, "cache_write_multiplier": -1}}}"#;
        let odd: PriceTable = serde_json::from_str(table).expect("a table");
        assert!(odd.check().is_err());
    }

    #[test]
    fn an_operators_table_is_checked_and_knows_handles() {
        let table: PriceTable = serde_json::from_str(
            r#"{"per_tokens": 1000, "models": {"m": {"input": 1}, "vllm/": {"input": 2, "output": 4}}}"#,
        )
        .expect("a table");
        let mine = provider("vllm", ProviderKind::Vllm);
        assert_eq!(table.cost(&mine, "m-large", &usage(1000, 500, 500)), Some(4.0));
        assert_eq!(table.cost(&provider("xai", ProviderKind::Xai), "m-large", &usage(1000, 500, 500)), Some(1.0));
        let odd: PriceTable = serde_json::from_str(r#"{"models": {"m": {"input": -1}}}"#).expect("a table");
        assert!(odd.check().is_err_and(|reason| reason.contains('m')));
        assert!(serde_json::from_str::<PriceTable>(r#"{"models": {"m": {"inptu": 1}}}"#).is_err());
    }
}
