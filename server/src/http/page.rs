//! Cursors, limits and orders of lists.

use axum::{extract::FromRequestParts, http::request::Parts};
use mneme_domain::{Order, Page};
use utoipa::IntoParams;

use super::{
    Client,
    error::ApiError,
    problem::{Problem, Step},
    query,
};
use crate::app::AppState;

/// Items of a page unless the client says otherwise.
pub const DEFAULT_LIMIT: u32 = 50;

/// What a client says about the page it wants.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Paging {
    before: Option<String>,
    after: Option<String>,
    limit: Option<u32>,
    order: Option<Order>,
}

/// The same for the API's description.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes the parameters that `Paging` reads")]
pub struct PageParams {
    /// Only items before the one with this id, in the order of the list.
    before: Option<String>,
    /// Only items after the one with this id, in the order of the list.
    after: Option<String>,
    /// How many items at most; 0 asks for as many as one page may have.
    #[param(minimum = 0, maximum = 1000)]
    limit: Option<i64>,
    /// `asc` for oldest first, `desc` for newest first.
    #[param(inline)]
    order: Option<SortOrder>,
    /// Oldest first, in the words of older clients; `order` wins.
    ascending: Option<bool>,
    /// What the list is sorted by.
    order_by: Option<String>,
}

/// Which end of a list comes first.
#[derive(utoipa::ToSchema)]
#[schema(rename_all = "lowercase")]
pub enum SortOrder {
    /// Oldest first.
    Asc,
    /// Newest first.
    Desc,
}

impl Paging {
    /// The page, with the route's own order and limit where the client has no wish.
    pub fn page(self, order: Order, limit: u32) -> Page {
        let limit = match self.limit.unwrap_or(limit) {
            0 => Page::MAX_LIMIT,
            some => some.min(Page::MAX_LIMIT),
        };
        Page { before: self.before, after: self.after, limit, order: self.order.unwrap_or(order) }
    }

    /// The page of a list of messages, whose own cursors go by time: `before` gives older messages and `after` newer ones,
    /// even where the newest come first. That is what older clients are used to, whatever order they ask for. 1.x clients
    /// walk a list by giving its last message as `after`, so for them `after` follows the order of the list; what they
    /// ask for with `before` is older messages, as everybody does.
    pub fn page_by_time(self, client: Client, order: Order, limit: u32) -> Page {
        let mut page = self.page(order, limit);
        if client == Client::Current && page.order == Order::Desc && page.after.is_some() {
            std::mem::swap(&mut page.before, &mut page.after);
        }
        page
    }

    fn read(pairs: Vec<(String, String)>) -> Result<Self, Problem> {
        let mut paging = Self::default();
        let mut ascending = None;
        for (key, value) in pairs.into_iter().filter(|(_, value)| !value.is_empty()) {
            match key.as_str() {
                "before" => paging.before = Some(value),
                "after" => paging.after = Some(value),
                "limit" => paging.limit = Some(limit(value)?),
                "order" => paging.order = Some(order(value)?),
                "ascending" => ascending = Some(matches!(value.to_ascii_lowercase().as_str(), "true" | "1" | "yes")),
                _ => {}
            }
        }
        // Older clients say `ascending`; an explicit order wins.
        let older = ascending.map(|ascending| if ascending { Order::Asc } else { Order::Desc });
        paging.order = paging.order.or(older);
        Ok(paging)
    }
}

fn at(key: &str) -> Vec<Step> {
    vec!["query".into(), key.into()]
}

fn limit(text: String) -> Result<u32, Problem> {
    let Ok(limit) = text.parse::<i64>() else {
        let message = "Input should be a valid integer, unable to parse string as an integer";
        return Err(Problem::new("int_parsing", at("limit"), message).input(text.into()));
    };
    if limit < 0 {
        let message = "Input should be greater than or equal to 0";
        return Err(Problem::new("greater_than_equal", at("limit"), message).input(text.into()));
    }
    Ok(u32::try_from(limit).unwrap_or(u32::MAX))
}

fn order(text: String) -> Result<Order, Problem> {
    match text.as_str() {
        "asc" => Ok(Order::Asc),
        "desc" => Ok(Order::Desc),
        _ => {
            let expected = "'asc' or 'desc'";
            let mut problem = Problem::new("literal_error", at("order"), format!("Input should be {expected}"));
            problem.ctx = vec![("expected", expected.to_owned())];
            Err(problem.input(text.into()))
        }
    }
}

impl FromRequestParts<AppState> for Paging {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &AppState) -> Result<Self, ApiError> {
        Ok(Self::read(query::pairs(parts.uri.query().unwrap_or_default())?)?)
    }
}
