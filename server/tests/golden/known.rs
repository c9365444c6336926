//! Which recordings are compared, and where we answer otherwise on purpose.

use std::ops::RangeInclusive;

use crate::recording::Recording;

/// What to do with a recording.
pub enum Verdict {
    /// The answers have to have one shape.
    Compare,
    /// Not to be made again.
    LeftOut,
    /// We answer with this status, for the reason that stands beside it.
    Differs(u16),
}

/// Where we differ: the recording's number, our status, and why.
const DIFFERS: &[(u32, u16, &str)] = &[
    (16, 200, "an agent without an embedding model is a whole agent"),
    (21, 404, "a tool that does not exist is not found"),
    (31, 200, "both spellings of a path are answered directly"),
    (39, 422, "a limit below zero is refused"),
    (53, 200, "the variables of an agent's blocks can be read"),
    (55, 200, "there are templates"),
    (56, 200, "there are tokens for end users' programs"),
    (72, 200, "attaching what is attached changes nothing"),
    (233, 404, "an agent that does not exist is not found"),
    (234, 200, "steps can be listed"),
    (319, 200, "archives can be deleted"),
];

/// What is not made again, and why.
const LEFT_OUT: &[(RangeInclusive<u32>, &str)] = &[
    (51..=51, "shows the messages as a provider is sent them, which is each server's own"),
    (112..=113, "the recorded model thinks in the arguments of its calls"),
    (129..=129, "the same"),
    (139..=139, "a list that begins elsewhere"),
    (152..=152, "names what no recorded call made"),
    (155..=156, "shows the request to a provider, which is each server's own"),
    (164..=165, "the recorded model thinks in the arguments of its calls"),
    (167..=168, "the same"),
    (172..=173, "the recorded server sent its error as an event"),
    (175..=176, "the recorded server broke off, and knew no `streaming`"),
    (179..=231, "runs that went on while they were recorded, or that no recorded call made"),
    (236..=243, "name what no recorded call made"),
    (250..=284, "the same"),
];

/// The verdict about a recording.
pub fn verdict(recording: &Recording) -> Verdict {
    let number = recording.name.split('-').next().and_then(|number| number.parse().ok()).unwrap_or(0);
    // From here on: what needs another server beside this one, files, or a password.
    if number >= 320 || LEFT_OUT.iter().any(|(numbers, _)| numbers.contains(&number)) {
        return Verdict::LeftOut;
    }
    match DIFFERS.iter().find(|(one, ..)| *one == number) {
        Some((_, status, _)) => Verdict::Differs(*status),
        None => Verdict::Compare,
    }
}
