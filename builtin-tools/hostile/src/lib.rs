//! Tools that misbehave in every way the sandbox has to survive. Built for tests only.

mod exhaust;
mod noise;
mod snoop;
mod spin;

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
    snoop::overreach,
);
