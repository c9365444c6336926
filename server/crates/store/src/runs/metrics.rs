//! What a run's steps add up to.

use mneme_domain::{Actor, AgentId, RunId, run::RunMetrics, step::TurnUsage};
use mneme_macros::boxed;

use crate::{
    Conn, Result, distinct, json,
    sql::{args, statements},
};

statements! {
    RUN: "select r.agent_id, r.created_at, r.total_duration_ns, r.base_template_id, a.project_id, a.template_id
        from runs r join agents a on a.org_id = r.org_id and a.id = r.agent_id where r.org_id = $1 and r.id = $2";
    TOOLS_USED: "select tools_used from steps where org_id = $1 and run_id = $2 order by seq";
    USAGE: "select cast(coalesce(sum(s.prompt_tokens), 0) as bigint), cast(coalesce(sum(s.completion_tokens), 0) as bigint),
            cast(coalesce(sum(s.total_tokens), 0) as bigint), count(s.seq)
        from runs r left join steps s on s.org_id = r.org_id and s.run_id = r.id
        where r.org_id = $1 and r.id = $2 group by r.seq";
}

#[derive(mneme_macros::FromRow)]
struct RunTimes {
    agent_id: String,
    created_at: i64,
    total_duration_ns: Option<i64>,
    base_template_id: Option<String>,
    project_id: Option<String>,
    template_id: Option<String>,
}

/// The measures of a run: how many steps it took so far and which tools they used.
#[boxed]
pub async fn metrics(c: &mut Conn, a: &Actor, id: &RunId) -> Result<Option<RunMetrics>> {
    let Some(run) = c.one::<RunTimes>(&RUN, args![&a.org, id]).await? else {
        return Ok(None);
    };
    let steps: Vec<(String,)> = c.all(&TOOLS_USED, args![&a.org, id]).await?;
    let mut tools: Vec<String> = Vec::new();
    for (used,) in &steps {
        tools.extend(json::value::<Vec<String>>("steps.tools_used", used)?);
    }
    Ok(Some(RunMetrics {
        id: id.clone(),
        agent_id: AgentId::trusted(run.agent_id),
        project_id: run.project_id,
        run_start_ns: run.created_at.checked_mul(1000),
        run_ns: run.total_duration_ns,
        num_steps: i64::try_from(steps.len()).ok(),
        tools_used: Some(distinct(&tools)),
        template_id: run.template_id,
        base_template_id: run.base_template_id,
    }))
}

/// The tokens that a run used so far.
#[boxed]
pub async fn usage(c: &mut Conn, a: &Actor, id: &RunId) -> Result<Option<TurnUsage>> {
    let sums: Option<(i64, i64, i64, i64)> = c.one(&USAGE, args![&a.org, id]).await?;
    Ok(sums.map(|(prompt_tokens, completion_tokens, total_tokens, step_count)| TurnUsage {
        prompt_tokens,
        completion_tokens,
        total_tokens,
        step_count,
    }))
}
