//! Tools that misbehave in every way the sandbox has to survive. Built for tests only.

mod exhaust;
mod noise;
mod snoop;
mod spin;
mod web;

mneme_tool_sdk::export_tools!(
    spin::spin,
    spin::spin_in_host_calls,
    spin::doze,
    spin::nap,
    exhaust::grow_memory,
    exhaust::recurse,
    exhaust::crash,
    exhaust::leave,
    exhaust::hoard_handles,
    exhaust::draw_randomness,
    noise::shout,
    noise::answer_at_length,
    noise::log_endlessly,
    noise::colour,
    snoop::environment,
    snoop::read_file,
    snoop::list_root,
    snoop::connect,
    snoop::resolve,
    snoop::remember,
    snoop::entropy,
    snoop::write_file,
    snoop::list_folder,
    snoop::overreach,
    web::fetch,
    web::fetch_undeclared,
    web::fetch_following,
    web::upload,
    web::fetch_often,
    web::ask_server,
    web::ask_server_undeclared,
);
