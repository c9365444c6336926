//! Searching with Tavily.

use mneme_tool_sdk::{Http, ToolError};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::service::Tavily;
use super::{Category, Found, Question, dates};

const BASE_URL: &str = "https://api.tavily.com";
/// The most that Tavily returns.
const MOST_RESULTS: u32 = 20;

/// Tavily calls countries by their names. These are the ones that it is mostly asked for; a search for another one is
/// made without a country.
const COUNTRIES: &[(&str, &str)] = &[
    ("AR", "argentina"),
    ("AT", "austria"),
    ("AU", "australia"),
    ("BE", "belgium"),
    ("BR", "brazil"),
    ("CA", "canada"),
    ("CH", "switzerland"),
    ("CL", "chile"),
    ("CN", "china"),
    ("CO", "colombia"),
    ("CZ", "czech republic"),
    ("DE", "germany"),
    ("DK", "denmark"),
    ("EG", "egypt"),
    ("ES", "spain"),
    ("FI", "finland"),
    ("FR", "france"),
    ("GB", "united kingdom"),
    ("GR", "greece"),
    ("HU", "hungary"),
    ("ID", "indonesia"),
    ("IE", "ireland"),
    ("IL", "israel"),
    ("IN", "india"),
    ("IT", "italy"),
    ("JP", "japan"),
    ("KE", "kenya"),
    ("KR", "south korea"),
    ("MX", "mexico"),
    ("MY", "malaysia"),
    ("NG", "nigeria"),
    ("NL", "netherlands"),
    ("NO", "norway"),
    ("NZ", "new zealand"),
    ("PH", "philippines"),
    ("PL", "poland"),
    ("PT", "portugal"),
    ("RO", "romania"),
    ("SE", "sweden"),
    ("SG", "singapore"),
    ("TH", "thailand"),
    ("TR", "turkey"),
    ("TW", "taiwan"),
    ("UA", "ukraine"),
    ("US", "united states"),
    ("VN", "vietnam"),
    ("ZA", "south africa"),
];

#[derive(Deserialize)]
struct Pages {
    #[serde(default)]
    results: Vec<Page>,
}

#[derive(Deserialize)]
struct Page {
    url: String,
    title: Option<String>,
    content: Option<String>,
    raw_content: Option<String>,
    published_date: Option<String>,
}

/// Asks Tavily. Categories that it does not have become sites or words of the query.
pub fn search(http: &Http, account: &Tavily, question: &Question) -> Result<Vec<Found>, ToolError> {
    let base = account.base_url.as_deref().unwrap_or(BASE_URL).trim_end_matches('/');
    let request = http.post(&format!("{base}/search")).bearer(&account.key).json(&body(question));
    let pages: Pages = request.send()?.ok()?.json()?;
    let found = pages.results.into_iter().map(|page| Found {
        title: page.title,
        url: page.url,
        published_date: page.published_date,
        author: None,
        highlights: page.content.into_iter().filter(|text| !text.is_empty()).collect(),
        summary: None,
        text: page.raw_content.filter(|_| question.include_text),
    });
    Ok(found.collect())
}

fn body(question: &Question) -> Value {
    let topic = match question.category {
        Some(Category::News) => "news",
        Some(Category::FinancialReport) => "finance",
        _ => "general",
    };
    let mut body = Map::new();
    let mut put = |name: &str, value: Value| {
        body.insert(name.to_owned(), value);
    };
    put("query", query(question).into());
    put("topic", topic.into());
    put("search_depth", "basic".into());
    put("max_results", question.num_results.min(MOST_RESULTS).into());
    if question.include_text {
        put("include_raw_content", "markdown".into());
    }
    let domains = question.domains();
    if !domains.is_empty() {
        put("include_domains", domains.into());
    }
    if !question.exclude_domains.is_empty() {
        put("exclude_domains", question.exclude_domains.clone().into());
    }
    if let Some(date) = &question.start_published_date {
        put("start_date", dates::date_part(date).into());
    }
    if let Some(date) = &question.end_published_date {
        put("end_date", dates::date_part(date).into());
    }
    let country = question.user_location.as_ref().and_then(|code| COUNTRIES.iter().find(|(known, _)| known == code));
    // Only the general topic knows countries.
    if let (Some((_, name)), "general") = (country, topic) {
        put("country", (*name).into());
    }
    body.into()
}

fn query(question: &Question) -> String {
    let words = match question.category {
        Some(Category::Pdf) => " filetype:pdf",
        Some(Category::ResearchPaper) => " research paper",
        Some(Category::Company) => " company",
        Some(Category::PersonalSite) => " personal site",
        _ => "",
    };
    format!("{}{words}", question.query)
}
