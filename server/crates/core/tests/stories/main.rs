//! What agents do, told through the core's public door.

mod background;
mod common;
mod legacy;
mod turns;
