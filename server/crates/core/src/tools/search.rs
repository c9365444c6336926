//! Finds tools by the words of their names, tags, arguments and descriptions.

use std::{cmp::Reverse, collections::HashSet, sync::Arc};

use mneme_domain::{
    Actor, Order, Page,
    tool::{Tool, ToolType},
};
use mneme_store::tools::{self, ToolFilter};

use crate::{Core, Result, fusion::Rank};

/// The shortest beginning that makes two words alike.
const MIN_STEM: usize = 3;

/// What tools are looked for by.
#[derive(Debug, Clone, Default)]
pub struct ToolSearch {
    /// Words; without any the newest tools come.
    pub query: Option<String>,
    /// One of these tags, when any is given.
    pub tags: Vec<String>,
    /// One of these kinds, when any is given.
    pub tool_types: Vec<ToolType>,
    /// At most so many tools.
    pub limit: usize,
}

/// A tool, and why it was found.
#[derive(Debug, Clone)]
pub struct FoundTool {
    /// The tool.
    pub tool: Tool,
    /// What was looked through.
    pub text: String,
    /// More is better.
    pub score: f64,
    /// Place by words, from 1; without any words, by time.
    pub rank: u32,
}

impl Core {
    /// Tools of the organisation, the best first.
    ///
    /// # Errors
    /// 503 without a database.
    pub async fn search_tools(self: &Arc<Self>, actor: &Actor, search: ToolSearch) -> Result<Vec<FoundTool>> {
        let wanted = words(search.query.as_deref().unwrap_or_default());
        let filter = ToolFilter { tool_types: search.tool_types, ..ToolFilter::default() };
        let mut page = Page { order: Order::Desc, ..Page::all() };
        let mut found: Vec<(u32, Tool)> = Vec::new();
        loop {
            let mut conn = self.store.read().await?;
            let some = tools::list(&mut conn, actor, &filter, &page).await?;
            drop(conn);
            let over = some.len() < Page::MAX_LIMIT as usize;
            page.after = some.last().map(|tool| tool.id.to_string());
            for tool in some {
                let tagged = search.tags.is_empty() || tool.tags.iter().any(|tag| search.tags.contains(tag));
                let value = worth(&tool, &wanted);
                if tagged && (value > 0 || wanted.is_empty()) {
                    found.push((value, tool));
                }
            }
            if over {
                break;
            }
        }
        // Of equally good ones the newest stays first.
        found.sort_by_key(|(value, _)| Reverse(*value));
        found.truncate(search.limit);
        let ranked = found.into_iter().zip(1..).map(|((_, tool), place)| {
            let rank = Rank { id: (), vector: None, text: Some(place) };
            FoundTool { text: fields(&tool).map(|(_, text)| text).join("\n"), score: rank.score(), rank: place, tool }
        });
        Ok(ranked.collect())
    }
}

/// What is looked through, and how much a word in it is worth.
fn fields(tool: &Tool) -> [(u32, String); 4] {
    let schema = tool.json_schema.as_ref();
    let properties = schema.and_then(|schema| schema.get("parameters")?.get("properties")?.as_object());
    let arguments: Vec<&str> = properties.into_iter().flatten().map(|(name, _)| name.as_str()).collect();
    [
        (4, tool.call_name().to_owned()),
        (3, tool.tags.join(" ")),
        (2, arguments.join(" ")),
        (1, tool.description.clone().unwrap_or_default()),
    ]
}

/// The words of a text; the parts of a name like `roll_dice` are words.
fn words(text: &str) -> HashSet<String> {
    let parts = text.split(|letter: char| !letter.is_alphanumeric());
    parts.filter(|part| !part.is_empty()).map(str::to_lowercase).collect()
}

fn worth(tool: &Tool, wanted: &HashSet<String>) -> u32 {
    let in_field = |(each, text): (u32, String)| {
        let held = words(&text);
        wanted.iter().map(|word| each * likeness(word, &held)).sum::<u32>()
    };
    fields(tool).into_iter().map(in_field).sum()
}

/// 2 for a word that is there, 1 for one that is there in another form: `rolls` for `roll`.
fn likeness(word: &str, held: &HashSet<String>) -> u32 {
    if held.contains(word) {
        return 2;
    }
    let alike = |other: &String| {
        let (short, long) = if other.len() < word.len() { (other.as_str(), word) } else { (word, other.as_str()) };
        short.chars().count() >= MIN_STEM && long.starts_with(short)
    };
    u32::from(held.iter().any(alike))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_words_count_more_than_beginnings() {
        let held = words("Rolls a die: roll_dice(SIDES)");
        assert_eq!(held, words("a rolls DIE dice sides roll"));
        let found = ["roll", "side", "rolling", "a", "an", "cube"].map(|word| likeness(word, &held));
        assert_eq!(found, [2, 1, 1, 2, 0, 0]);
    }
}
