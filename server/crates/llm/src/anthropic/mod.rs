//! Anthropic's Messages API.

mod request;
mod response;
mod thinking;

pub(crate) use request::{body, default_limit, vertex_body};
pub(crate) use response::MessagesDecoder;
pub(crate) use thinking::{is_adaptive, parameter as thinking};
