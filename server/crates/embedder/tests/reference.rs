//! The packed model against the published one, as another implementation runs it with whole weights.

use std::{fs, path::Path, time::Instant};

use mneme_embedder::Model;
use serde_json::Value;

fn model() -> Model {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../builtin-tools/dist/models/all-minilm-l6-v2.safetensors");
    let packed =
        fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}; `cargo xtask setup` makes it", path.display()));
    Model::load(Box::leak(packed.into_boxed_slice())).expect("a model")
}

fn cosine(one: &[f32], other: &[f32]) -> f32 {
    let product = |x: &[f32], y: &[f32]| x.iter().zip(y).map(|(x, y)| x * y).sum::<f32>();
    product(one, other) / (product(one, one) * product(other, other)).sqrt()
}

#[test]
fn vectors_are_those_of_the_published_model() {
    let cases: Vec<Value> = serde_json::from_str(include_str!("reference.json")).unwrap();
    let model = model();
    assert_eq!(model.dimensions(), 384);
    let texts: Vec<&str> = cases.iter().map(|case| case["text"].as_str().unwrap()).collect();
    for ((case, text), vector) in cases.iter().zip(&texts).zip(model.embed(&texts)) {
        assert_eq!(model.tokens(text) + 2, case["ids"].as_array().unwrap().len(), "{text:?}");
        let expected: Vec<f32> =
            case["vector"].as_array().unwrap().iter().map(|x| x.as_f64().unwrap() as f32).collect();
        let near = cosine(&vector[..expected.len()], &expected);
        assert!(near > 0.995, "{text:?}: {near}");
        let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
        assert!((length - 1.0).abs() < 1e-4, "{text:?}: {length}");
        // Whether it goes through the model alone or among others makes no difference.
        assert!(cosine(&model.embed(&[text])[0], &vector) > 0.9999, "{text:?}");
    }
}

#[test]
fn meaning_counts_and_not_words() {
    let model = model();
    let [question, answer, other] =
        ["What does she like to drink?", "Ada is fond of green tea", "The harbour closes in winter"];
    let vectors = model.embed(&[question, answer, other]);
    assert!(cosine(&vectors[0], &vectors[1]) > cosine(&vectors[0], &vectors[2]) + 0.1);
}

#[test]
fn long_texts_are_read_to_their_end_and_longer_ones_up_to_a_bound() {
    let model = model();
    let filler = "The committee met again to discuss the minutes. ".repeat(60);
    let with_end = format!("{filler}The violin was stolen from the museum.");
    assert!(model.tokens(&with_end) > 256);
    let vectors = model.embed(&[filler.as_str(), with_end.as_str(), "a stolen violin"]);
    assert!(cosine(&vectors[1], &vectors[2]) > cosine(&vectors[0], &vectors[2]) + 0.01);
    let start = Instant::now();
    let endless = "word ".repeat(1_000_000);
    assert!(model.tokens(&endless) <= 4096);
    assert!(start.elapsed().as_secs() < 5, "{:?}", start.elapsed());
}

#[test]
fn what_is_no_model_is_refused() {
    assert!(Model::load(b"").is_err());
    assert!(Model::load(b"\x08\0\0\0\0\0\0\0{}      ").is_err());
}
