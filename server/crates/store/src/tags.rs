//! The tags in use in an organisation.

use mneme_domain::{Actor, Order, Page};
use mneme_macros::boxed;

use crate::{Conn, Result, page::limit_of};

/// A page of the tags that agents have, in the order of their bytes; the cursors are tags. `query_text` is a part
/// of the tags, whatever the case.
#[boxed]
pub async fn list(c: &mut Conn, a: &Actor, query_text: Option<&str>, page: &Page) -> Result<Vec<String>> {
    let mut query = c.query("select distinct g.tag from agent_tags g");
    query.with(" where g.org_id = ", &a.org);
    if let Some(part) = query_text {
        query.and_contains("g.tag", part);
    }
    let (later, earlier) = match page.order {
        Order::Asc => (" and g.tag > ", " and g.tag < "),
        Order::Desc => (" and g.tag < ", " and g.tag > "),
    };
    query.maybe(later, page.after.as_ref());
    query.maybe(earlier, page.before.as_ref());
    // With `before` alone the page is the one that ends there.
    let backwards = page.before.is_some() && page.after.is_none();
    let ascending = (page.order == Order::Asc) != backwards;
    query.push(if ascending { " order by g.tag asc" } else { " order by g.tag desc" });
    query.with(" limit ", limit_of(page));
    let rows: Vec<(String,)> = c.query_all(query).await?;
    let mut tags: Vec<String> = rows.into_iter().map(|(tag,)| tag).collect();
    if backwards {
        tags.reverse();
    }
    Ok(tags)
}
