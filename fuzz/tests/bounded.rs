//! Each target over a few hundred inputs of fixed seeds. Longer runs are made by hand.

use mneme_fuzz::{Mutator, Until, find, run};

fn fuzz(name: &str, inputs: u64) {
    let target = find(name).expect("a target");
    for seed in 1..=3 {
        // The input stands in the message of a failing test.
        let mut last = Vec::new();
        let tried = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            run(&target, seed, Until::Inputs(inputs), |input| input.clone_into(&mut last))
        }));
        let tried = tried.unwrap_or_else(|_| panic!("{name}, seed {seed}: {:?}", String::from_utf8_lossy(&last)));
        assert_eq!(tried, inputs);
    }
}

#[test]
fn signatures_of_python_sources() {
    fuzz("python", 700);
}

#[test]
fn signatures_of_typescript_sources() {
    fuzz("typescript", 700);
}

#[test]
fn the_guest_that_reads_typescript() {
    fuzz("script", 120);
}

#[test]
fn components() {
    fuzz("component", 250);
}

/// Without this a fuzzer that feeds the same valid text for ever would pass for one.
#[test]
fn inputs_differ_and_can_be_had_again() {
    let target = find("python").expect("a target");
    let inputs = |seed| {
        let mut mutator = Mutator::new(seed, target.seeds(), target.words());
        (0..200).map(|number| mutator.input(number)).collect::<Vec<_>>()
    };
    let (one, again, other) = (inputs(1), inputs(1), inputs(2));
    assert_eq!(one, again);
    assert_ne!(one, other);
    let distinct: std::collections::HashSet<_> = one.iter().collect();
    assert!(distinct.len() > 180, "{}", distinct.len());
    assert_eq!(&one[..target.seeds().len()], &target.seeds()[..], "the seeds come first");
}
