//! The sandbox with real guests: the built-in tools, and guests that mean harm.

mod builtin;
mod cache;
mod cases;
mod concurrency;
mod files;
mod floods;
mod handmade;
mod isolation;
mod limits;
mod loading;
mod net_support;
mod network;
mod scripts;
mod support;
mod tls;
