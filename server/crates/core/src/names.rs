//! Names for agents that were created without one.

use uuid::Uuid;

const FIRST: [&str; 32] = [
    "Amber", "Bold", "Brisk", "Calm", "Candid", "Clever", "Coral", "Crisp", "Dapper", "Eager", "Early", "Fair", "Fond",
    "Gentle", "Golden", "Hardy", "Ivory", "Jolly", "Keen", "Lively", "Lucid", "Mellow", "Nimble", "Noble", "Patient",
    "Quiet", "Rapid", "Silver", "Steady", "Sunny", "Vivid", "Witty",
];
const SECOND: [&str; 32] = [
    "Acorn", "Anchor", "Aspen", "Beacon", "Birch", "Brook", "Cedar", "Comet", "Coyote", "Crane", "Dune", "Falcon",
    "Fern", "Finch", "Harbor", "Heron", "Juniper", "Lantern", "Lark", "Maple", "Meadow", "Otter", "Pebble", "Pine",
    "Quill", "Raven", "Reef", "River", "Sparrow", "Summit", "Thistle", "Willow",
];

/// A two-word name, chosen by a random UUID.
pub fn agent_name(seed: Uuid) -> String {
    // The last bytes: the first ones tell the time.
    let [.., first, second] = *seed.as_bytes();
    format!("{}{}", FIRST[usize::from(first) % FIRST.len()], SECOND[usize::from(second) % SECOND.len()])
}
