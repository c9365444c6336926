//! Events of background runs.

use mneme_domain::{Actor, RunId};
use mneme_macros::boxed;

use crate::{
    Conn, Result, StoreError,
    query::at_once,
    sql::{args, statements},
};

statements! {
    AFTER: "select seq, payload from run_events where org_id = $1 and run_id = $2 and seq > $3 order by seq limit $4";
}

/// Adds events with their places, which count from 1. [`StoreError::NotFound`] when there is no such run, or when it is
/// another server's than the one that is named.
#[boxed]
pub async fn append(c: &mut Conn, a: &Actor, run: &RunId, owner: Option<&str>, events: &[(i64, String)]) -> Result<()> {
    let rows = events.iter().map(|(seq, payload)| args![*seq, payload]).collect();
    for rows in at_once(c.engine(), rows) {
        let mut query = c.query("insert into run_events (org_id, run_id, seq, payload) select ");
        query.bind(&a.org).with(", ", run);
        query.push(", event.column1, event.column2 from (values ").rows(rows, ("", ""));
        // The first two binds are the organisation and the run.
        query.push(") as event where exists (select 1 from runs where runs.org_id = $1 and runs.id = $2");
        query.maybe(" and runs.owner = ", owner);
        // Nobody takes the run over while this is written.
        query.push_either(")", " for share)");
        if c.query_run(query).await? == 0 {
            return Err(StoreError::NotFound);
        }
    }
    Ok(())
}

/// The events after a place, in order, at most `limit`.
#[boxed]
pub async fn after(c: &mut Conn, a: &Actor, run: &RunId, seq: i64, limit: i64) -> Result<Vec<(i64, String)>> {
    c.all(&AFTER, args![&a.org, run, seq, limit]).await
}
