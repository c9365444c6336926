//! Cursor pagination over any list.

use mneme_domain::{Actor, Order, Page};

use crate::{Conn, Result, conn::Row, query::Query, sql::Arg};

/// What a list is ordered by: an expression, then the order of insertion.
pub(crate) struct Keyset {
    /// Reads `key` and `seq` of a cursor's row; continued with `… id = <cursor>`. Starts with the test of the organisation.
    pub(crate) lookup: &'static str,
    /// The sort key (never null), as the list's query names it; none when the order of insertion is all.
    pub(crate) key: Option<&'static str>,
    /// The order of insertion, as the list's query names it.
    pub(crate) seq: &'static str,
}

/// The place of a cursor in a list.
#[derive(Debug, Clone, Copy, mneme_macros::FromRow)]
pub(crate) struct Place {
    key: i64,
    seq: i64,
}

/// How many rows a page holds.
pub(crate) fn limit_of(page: &Page) -> i64 {
    i64::from(page.limit.min(Page::MAX_LIMIT))
}

async fn place(c: &mut Conn, a: &Actor, keyset: &Keyset, cursor: Option<&String>) -> Result<Option<Place>> {
    let Some(cursor) = cursor else {
        return Ok(None);
    };
    let mut query = c.query(keyset.lookup);
    query.bind(&a.org).with(" and id = ", cursor);
    c.query_one(query).await
}

impl Keyset {
    fn restrict(&self, query: &mut Query<'_>, comparison: &'static str, place: Place) {
        query.push(" and (");
        if let Some(key) = self.key {
            query.push(key).push(", ").push(self.seq).push(")").push(comparison).push("(");
            query.bind(place.key).push(", ").bind(place.seq).push(")");
        } else {
            query.push(self.seq).push(comparison).bind(place.seq).push(")");
        }
    }

    fn order(&self, query: &mut Query<'_>, direction: &'static str) {
        query.push(" order by ");
        if let Some(key) = self.key {
            query.push(key).push(direction).push(", ");
        }
        query.push(self.seq).push(direction);
    }

    /// A page of a list whose cursors follow its order. The query ends in its conditions. An unknown cursor is
    /// as good as none. With `before` alone, the page is the one that ends there.
    pub(crate) async fn page<R: Row>(
        &self,
        c: &mut Conn,
        a: &Actor,
        mut query: Query<'_>,
        page: &Page,
    ) -> Result<Vec<R>> {
        let after = place(c, a, self, page.after.as_ref()).await?;
        let before = place(c, a, self, page.before.as_ref()).await?;
        let (later, earlier) = match page.order {
            Order::Asc => (" > ", " < "),
            Order::Desc => (" < ", " > "),
        };
        if let Some(place) = after {
            self.restrict(&mut query, later, place);
        }
        if let Some(place) = before {
            self.restrict(&mut query, earlier, place);
        }
        let backwards = before.is_some() && after.is_none();
        let ascending = (page.order == Order::Asc) != backwards;
        self.order(&mut query, if ascending { " asc" } else { " desc" });
        query.with(" limit ", limit_of(page));
        let mut rows = c.query_all(query).await?;
        if backwards {
            rows.reverse();
        }
        Ok(rows)
    }

    /// A page of a list whose cursors go by time whatever its order, as those of messages do.
    pub(crate) async fn page_by_time<R: Row>(
        &self,
        c: &mut Conn,
        a: &Actor,
        mut query: Query<'_>,
        page: &Page,
    ) -> Result<Vec<R>> {
        if let Some(place) = place(c, a, self, page.after.as_ref()).await? {
            self.restrict(&mut query, " > ", place);
        }
        if let Some(place) = place(c, a, self, page.before.as_ref()).await? {
            self.restrict(&mut query, " < ", place);
        }
        self.order(&mut query, if page.order == Order::Asc { " asc" } else { " desc" });
        query.with(" limit ", Arg::from(limit_of(page)));
        c.query_all(query).await
    }
}
