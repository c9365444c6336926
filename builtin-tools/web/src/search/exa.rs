//! Searching with Exa.

use mneme_tool_sdk::{Http, ToolError};
use serde_json::{Map, Value, json};

use super::{Found, Question};
use crate::exa::{Exa, Pages};

/// Characters of excerpts of one page.
const EXCERPTS: u32 = 1_000;

/// Asks Exa, which knows all of the question's terms itself.
pub fn search(http: &Http, exa: &Exa, question: &Question) -> Result<Vec<Found>, ToolError> {
    let pages: Pages = exa.post(http, "/search").json(&body(question)).send()?.ok()?.json()?;
    let found = pages.results.into_iter().filter_map(|page| {
        Some(Found {
            title: page.title,
            url: page.url?,
            published_date: page.published_date,
            author: page.author.filter(|author| !author.is_empty()),
            highlights: page.highlights,
            summary: page.summary,
            text: page.text.filter(|_| question.include_text),
        })
    });
    Ok(found.collect())
}

fn body(question: &Question) -> Value {
    let mut contents = Map::new();
    if question.include_text {
        contents.insert("text".to_owned(), true.into());
    }
    contents.insert("highlights".to_owned(), json!({"query": question.query, "maxCharacters": EXCERPTS}));
    let wanted = format!("What this page says about: {}", question.query);
    contents.insert("summary".to_owned(), json!({ "query": wanted }));

    let mut body = Map::new();
    let mut put = |name: &str, value: Value| {
        let empty = value.is_null() || value.as_array().is_some_and(Vec::is_empty);
        if !empty {
            body.insert(name.to_owned(), value);
        }
    };
    put("query", question.query.clone().into());
    put("type", "auto".into());
    put("numResults", question.num_results.into());
    put("category", json!(question.category));
    put("includeDomains", question.include_domains.clone().into());
    put("excludeDomains", question.exclude_domains.clone().into());
    put("startPublishedDate", question.start_published_date.clone().into());
    put("endPublishedDate", question.end_published_date.clone().into());
    put("userLocation", question.user_location.clone().into());
    put("contents", contents.into());
    body.into()
}
