//! How well the built-in model finds: questions that share no word with their answer, identifiers, and both at once.

use std::{collections::HashSet, fs, path::Path, sync::LazyLock};

use mneme_core::{LocalModel, PassageQuery};
use mneme_domain::{
    ArchiveId,
    archive::{CreateArchive, CreatePassage},
};

use crate::common::{On, World};

/// The model as `cargo xtask setup` packs it.
static MODEL: LazyLock<LocalModel> = LazyLock::new(|| {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../builtin-tools/dist/models/all-minilm-l6-v2.safetensors");
    let packed =
        fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}; `cargo xtask setup` makes it", path.display()));
    LocalModel { name: "all-minilm-l6-v2", packed: Box::leak(packed.into_boxed_slice()) }
});

/// A fact, and a question that has none of its words.
const FACTS: &[(&str, &str)] = &[
    ("Ada is fond of green tea", "favourite beverage"),
    ("The cat had four kittens in the barn", "feline offspring"),
    ("Her flight to Lisbon leaves on Friday at dawn", "travel plans at the end of the week"),
    ("He is allergic to peanuts", "food that makes him ill"),
    ("Grandmother's birthday is the third of May", "when was granny born"),
    ("The car needs new brakes before winter", "vehicle repair"),
    ("They bought a flat near the river", "purchase of an apartment"),
    ("My sister plays the violin in an orchestra", "sibling who makes music"),
    ("The dentist found two cavities", "problems with teeth"),
    ("We adopted a puppy from the shelter", "new dog"),
    ("The meeting was moved to Tuesday afternoon", "appointment rescheduled"),
    ("She finished the marathon in under four hours", "long distance running result"),
    ("The bakery on the corner sells rye bread", "shop for loaves"),
    ("He studied chemistry in Heidelberg", "university education"),
    ("Tomatoes grow badly on the shady balcony", "gardening trouble without sun"),
    ("The server room flooded during the storm", "water damage to computers"),
    ("Our profit doubled in the last quarter", "financial growth of the company"),
    ("The twins start school in September", "children beginning their education"),
    ("I lost my wallet on the train", "missing purse"),
    ("The doctor told him to sleep more", "medical advice about rest"),
    ("They married on a beach in Greece", "wedding abroad"),
    ("The soup was far too salty", "complaint about a meal"),
    ("Rust compiles slowly on old laptops", "programming language build speed"),
    ("The museum shows paintings by Monet", "impressionist art exhibition"),
];

/// What is known by its name alone, and a question with that name.
const IDENTIFIERS: &[(&str, &str)] = &[
    ("Ticket MNE-4711 is waiting for review", "MNE-4711"),
    ("Ticket MNE-4712 is waiting for review", "what about MNE-4712?"),
    ("The invoice INV_2024_0099 was paid twice", "INV_2024_0099"),
    ("The invoice INV_2024_0098 was paid twice", "INV_2024_0098"),
    ("Error E0716 appears while building", "E0716"),
    ("Error E0277 appears while building", "E0277"),
    ("The router answers at 10.1.7.23", "10.1.7.23"),
    ("The router answers at 10.1.7.32", "10.1.7.32"),
    ("Part number QX88-B fits the pump", "QX88-B"),
    ("Part number QX89-B fits the pump", "who needs QX89-B"),
];

fn words(text: &str) -> HashSet<String> {
    const SMALL: &[&str] =
        &["a", "an", "at", "by", "in", "is", "my", "of", "on", "that", "the", "to", "was", "with", "him", "about"];
    let words = text.split(|c: char| !c.is_alphanumeric()).map(str::to_lowercase);
    words.filter(|word| !word.is_empty() && !SMALL.contains(&word.as_str())).collect()
}

/// Of the questions, the share whose answer is first, and among the first five.
#[derive(Debug, Default, Clone, Copy)]
struct Share {
    asked: u32,
    first: u32,
    among_five: u32,
}

impl Share {
    fn add(&mut self, place: Option<usize>) {
        self.asked += 1;
        self.first += u32::from(place == Some(0));
        self.among_five += u32::from(place.is_some_and(|place| place < 5));
    }

    fn of(self, count: u32) -> f64 {
        f64::from(count) / f64::from(self.asked)
    }
}

/// Texts of many languages: to the model, which knows one, most of them are alike.
const MIXED: &[&str] = &[
    "Ada is fond of green tea",
    "The spare key of the boathouse is under the third plank",
    "東京タワーは赤い塔です。高さは333メートル。",
    "我们的办公室搬到了上海浦东新区",
    "서울 지하철 2호선은 순환선이다",
    "🎉 party budget is 500",
    "Ticket MNE-4711 was closed",
    "กรุงเทพมหานครเป็นเมืองหลวง",
    "Die Prüfgröße beträgt 12 µm",
    "C++ and C# code; 100% \"quoted\" OR NOT",
];

async fn filled(world: &World, core: &std::sync::Arc<mneme_core::Core>, texts: &[&str]) -> ArchiveId {
    let body = CreateArchive {
        name: "facts".into(),
        embedding: Some("local/all-minilm-l6-v2".into()),
        embedding_config: None,
        description: None,
    };
    let archive = core.create_archive(&world.actor, body).await.unwrap();
    assert_eq!(archive.embedding_config.as_ref().unwrap().embedding_dim, 384);
    let bodies = texts
        .iter()
        .map(|text| CreatePassage { text: (*text).into(), tags: None, created_at: None, metadata: None })
        .collect();
    let made = core.create_passages(&world.actor, &archive.id, bodies).await.unwrap();
    assert!(made.iter().all(|passage| passage.embedding.as_ref().is_some_and(|vector| vector.len() == 384)));
    archive.id
}

/// Places of an answer by meaning, by words and by both.
async fn places(
    world: &World,
    core: &std::sync::Arc<mneme_core::Core>,
    archive: &ArchiveId,
    question: &str,
    answer: &str,
) -> [Option<usize>; 3] {
    let query = PassageQuery { text: question.into(), limit: Some(34), ..PassageQuery::default() };
    let found = core.search_passages(&world.actor, Some(archive), None, query).await.unwrap();
    let place = found.iter().position(|found| found.passage.text == answer);
    let answer = place.map(|place| &found[place]);
    let rank = |rank: Option<u32>| rank.map(|rank| rank as usize - 1);
    [answer.and_then(|found| rank(found.vector_rank)), answer.and_then(|found| rank(found.text_rank)), place]
}

async fn figures(on: On) {
    let world = World::on(on).await;
    let core = world.another(|config| config.local_model = Some(*MODEL)).await;
    let texts: Vec<&str> = FACTS.iter().chain(IDENTIFIERS).map(|(text, _)| *text).collect();
    let archive = filled(&world, &core, &texts).await;
    let mut shares = [[Share::default(); 3]; 2];
    for (kind, cases) in [FACTS, IDENTIFIERS].into_iter().enumerate() {
        for (answer, question) in cases {
            if kind == 0 {
                assert!(words(answer).is_disjoint(&words(question)), "{question:?} shares a word with {answer:?}");
            }
            for (share, place) in shares[kind].iter_mut().zip(places(&world, &core, &archive, question, answer).await) {
                share.add(place);
            }
        }
    }
    for (kind, shares) in ["meaning", "identifier"].iter().zip(&shares) {
        for (by, share) in ["vectors", "words", "both"].iter().zip(shares) {
            println!(
                "{kind} by {by}: first {:.2}, among five {:.2}",
                share.of(share.first),
                share.of(share.among_five)
            );
        }
    }
    let [meaning, identifier] = shares;
    // By meaning alone: most questions without a word of their answer.
    assert!(meaning[0].of(meaning[0].among_five) >= 0.85, "{meaning:?}");
    assert_eq!(meaning[1].among_five, 0, "no word is shared");
    // By words alone: every identifier, and first.
    assert!(identifier[1].of(identifier[1].first) >= 1.0, "{identifier:?}");
    // By both: as good at either.
    assert!(meaning[2].of(meaning[2].among_five) >= 0.85, "{meaning:?}");
    assert!(identifier[2].of(identifier[2].first) >= 0.9, "{identifier:?}");
}

#[tokio::test]
async fn the_built_in_model_finds_by_meaning_and_words_find_names_on_sqlite() {
    figures(On::Sqlite).await;
}

#[tokio::test]
async fn the_built_in_model_finds_by_meaning_and_words_find_names_on_postgres() {
    figures(On::Postgres).await;
}

async fn short_results(on: On) {
    let world = World::on(on).await;
    let core = world.another(|config| config.local_model = Some(*MODEL)).await;
    let archive = filled(&world, &core, MIXED).await;
    for (question, answer) in [("100%", 9), ("333", 2), ("上海", 3), ("지하철", 4), ("🎉", 5), ("third", 1), ("12", 8)]
    {
        for limit in [1, 2, 5] {
            let query = PassageQuery { text: question.into(), limit: Some(limit), ..PassageQuery::default() };
            let found = core.search_passages(&world.actor, Some(&archive), None, query).await.unwrap();
            let best = found.first().map(|found| found.passage.text.as_str());
            assert_eq!(best, Some(MIXED[answer]), "{question:?}, the best {limit}");
        }
    }
}

#[tokio::test]
async fn a_short_result_begins_like_a_longer_one_on_sqlite() {
    short_results(On::Sqlite).await;
}

#[tokio::test]
async fn a_short_result_begins_like_a_longer_one_on_postgres() {
    short_results(On::Postgres).await;
}
