//! Searching with a SearXNG instance of one's own.

use mneme_tool_sdk::{Http, ToolError};
use serde::Deserialize;

use super::{Category, Found, Question, dates};

/// An instance answers in pages of its own size; this many are asked for at most.
const MOST_PAGES: u32 = 5;

#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    results: Vec<Page>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    url: String,
    title: Option<String>,
    content: Option<String>,
    published_date: Option<String>,
    author: Option<String>,
}

/// Asks an instance, page by page, until there is enough.
pub fn search(http: &Http, base_url: &str, question: &Question) -> Result<Vec<Found>, ToolError> {
    let wanted = question.num_results as usize;
    let mut found: Vec<Found> = Vec::new();
    for number in 1..=MOST_PAGES {
        let page = page(http, base_url, question, number)?;
        let before = found.len();
        for result in page.results {
            let known = found.iter().any(|known| known.url == result.url);
            if !known && in_time(question, result.published_date.as_deref()) {
                found.push(result.into());
            }
        }
        if found.len() >= wanted || found.len() == before {
            break;
        }
    }
    found.truncate(wanted);
    Ok(found)
}

impl From<Page> for Found {
    fn from(page: Page) -> Self {
        Self {
            title: page.title,
            url: page.url,
            published_date: page.published_date,
            author: page.author.filter(|author| !author.is_empty()),
            highlights: page.content.into_iter().filter(|text| !text.is_empty()).collect(),
            summary: None,
            text: None,
        }
    }
}

fn page(http: &Http, base_url: &str, question: &Question, number: u32) -> Result<Answer, ToolError> {
    let mut request = http
        .get(&format!("{}/search", base_url.trim_end_matches('/')))
        .query("q", &query(question))
        .query("format", "json")
        .query("categories", category(question.category))
        .query("pageno", &number.to_string());
    if let Some(range) = time_range(question) {
        request = request.query("time_range", range);
    }
    let response = request.send()?;
    if response.status() == 403 {
        return Err(ToolError::failed(
            "The SearXNG instance refuses to answer in JSON. Whoever runs it has to add `json` to `search.formats` in \
             its settings.yml.",
        ));
    }
    response.ok()?.json()
}

/// The query with the domains in the words that most engines understand.
fn query(question: &Question) -> String {
    let sites: Vec<_> = question.domains().iter().map(|domain| format!("site:{domain}")).collect();
    let mut query = question.query.clone();
    match &sites[..] {
        [] => {}
        [one] => query += &format!(" {one}"),
        several => query += &format!(" ({})", several.join(" OR ")),
    }
    for domain in &question.exclude_domains {
        query += &format!(" -site:{domain}");
    }
    if question.category == Some(Category::Pdf) {
        query += " filetype:pdf";
    }
    query
}

fn category(category: Option<Category>) -> &'static str {
    match category {
        Some(Category::News) => "news",
        Some(Category::ResearchPaper) => "science",
        _ => "general",
    }
}

/// The narrowest range that reaches back to the first day. Ranges end today, so the last day is left to
/// [`in_time`].
fn time_range(question: &Question) -> Option<&'static str> {
    let first = question.start_published_date.as_deref().and_then(dates::day)?;
    match dates::day_of(question.now) - first {
        ..=1 => Some("day"),
        2..=30 => Some("month"),
        31..=365 => Some("year"),
        _ => None,
    }
}

/// Whether a page was published between the days that were asked for; one without a date may have been.
fn in_time(question: &Question, published: Option<&str>) -> bool {
    let Some(published) = published.and_then(dates::day) else { return true };
    let bound = |date: &Option<String>| date.as_deref().and_then(dates::day);
    bound(&question.start_published_date).is_none_or(|first| first <= published)
        && bound(&question.end_published_date).is_none_or(|last| published <= last)
}
