//! The tools with which agents talk to each other. They use the server's own routes, with the rights of their agent's
//! owner; the server knows which agents wait for which, and ends chains that grow too long.

mod group;
mod one;
mod replies;
mod tagged;

mneme_tool_sdk::export_tools!(
    group::choose_next_participant,
    group::send_message_to_all_agents_in_group,
    one::send_message_to_agent_and_wait_for_reply,
    one::send_message_to_agent_async,
    tagged::send_message_to_agents_matching_tags,
);
