//! Documents that mean harm, of every kind that is taken, in the real server: each ends soon, says why, and leaves nothing;
//! what comes after it is read as ever.

#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::time::{Duration, Instant};

use mneme_tests::{Provider, Server};
use serde_json::{Value, json};

#[path = "bombs/archive.rs"]
mod archive;
#[path = "files/documents.rs"]
#[allow(dead_code, reason = "no agent reads what is refused")]
mod documents;

use archive::{Part, zip};
use documents::{folder, pdf, stored, upload};

/// What a small file unpacks to.
const MUCH: usize = 60 << 20;
/// The sandbox stops a reader after a minute of computing, and a PDF has two of them.
const LIMIT: Duration = Duration::from_secs(300);

fn part(name: &str, content: impl Into<Vec<u8>>) -> Part {
    Part::Stored(name.to_owned(), content.into())
}

fn zeros(name: &str, opening: &'static str) -> Part {
    Part::Zeros(name.to_owned(), opening, MUCH)
}

/// A PDF of these objects, the first of which is its catalog.
fn pdf_of(objects: &[String], trailer: &str) -> Vec<u8> {
    let mut out = b"%PDF-1.4\n".to_vec();
    let mut table = String::new();
    for (number, body) in objects.iter().enumerate() {
        table.push_str(&format!("{:010} 00000 n \n", out.len()));
        out.extend_from_slice(format!("{} 0 obj{body} endobj\n", number + 1).as_bytes());
    }
    let (start, size) = (out.len(), objects.len() + 1);
    let table = format!("xref\n0 {size}\n0000000000 65535 f \n{table}");
    let tail = format!("{table}trailer<</Size {size}/Root 1 0 R{trailer}>>\nstartxref\n{start}\n%%EOF");
    out.extend_from_slice(tail.as_bytes());
    out
}

const CATALOG: &str = "<</Type/Catalog/Pages 2 0 R>>";

/// A tree of pages that is as deep as a well.
fn deep_pdf() -> Vec<u8> {
    let mut objects = vec![CATALOG.to_owned()];
    objects.extend((3..20_000).map(|next| format!("<</Type/Pages/Count 1/Kids[{next} 0 R]>>")));
    objects.push("<</Type/Page/MediaBox[0 0 9 9]>>".to_owned());
    pdf_of(&objects, "")
}

/// A tree of pages that bites its own tail.
fn round_pdf() -> Vec<u8> {
    let pages = "<</Type/Pages/Count 3/Kids[3 0 R 2 0 R 3 0 R]>>".to_owned();
    pdf_of(&[CATALOG.to_owned(), pages, "<</Type/Pages/Count 2/Kids[2 0 R 3 0 R]>>".to_owned()], "")
}

/// Nothing but the same page, again and again.
fn wide_pdf() -> Vec<u8> {
    let kids = "3 0 R ".repeat(200_000);
    let pages = format!("<</Type/Pages/Count 200000/Kids[{kids}]>>");
    pdf_of(&[CATALOG.to_owned(), pages, "<</Type/Page/MediaBox[0 0 9 9]>>".to_owned()], "")
}

/// A PDF that opens with a password that nobody tells.
fn locked_pdf() -> Vec<u8> {
    let pages = "<</Type/Pages/Count 1/Kids[3 0 R]>>".to_owned();
    let lock = format!("<</Filter/Standard/V 1/R 2/P -4/O<{0}>/U<{0}>>>", "5a".repeat(32));
    let objects = [CATALOG.to_owned(), pages, "<</Type/Page/MediaBox[0 0 9 9]>>".to_owned(), lock];
    pdf_of(&objects, &format!("/Encrypt 4 0 R/ID[<{0}><{0}>]", "0b".repeat(16)))
}

/// A file in the wrapping that Office gives to what it encrypts.
fn locked_office() -> Vec<u8> {
    let mut wrapped = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1".to_vec();
    wrapped.extend("EncryptedPackage".encode_utf16().flat_map(u16::to_le_bytes));
    wrapped
}

fn cut(whole: &[u8]) -> Vec<u8> {
    whole[..whole.len() / 2].to_vec()
}

/// Waits for a document however long its readers may take, and tells how long that was.
async fn read(server: &Server, folder: &str, name: &str, content: &[u8]) -> (Value, Duration) {
    let began = Instant::now();
    let (status, file) = upload(server, folder, name, content, "").await;
    assert_eq!(status, 200, "{name}: {file}");
    let path = format!("/v1/folders/{folder}/files/{}?include_content=true", file["id"].as_str().unwrap());
    loop {
        let (status, file) = server.get(&path).await;
        assert_eq!(status, 200, "{name}: {file}");
        if matches!(file["processing_status"].as_str(), Some("completed" | "error")) {
            return (file, began.elapsed());
        }
        assert!(began.elapsed() < LIMIT, "{name} is not read yet\n{}", server.log());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn assert_refused(name: &str, file: &Value, hints: &str) {
    assert_eq!(file["processing_status"], "error", "{name}: {}", file["error_message"]);
    let reason = file["error_message"].as_str().unwrap();
    assert!(hints.split('|').any(|hint| reason.contains(hint)), "{name}: {reason}");
    assert_eq!((&file["content"], &file["total_chunks"]), (&Value::Null, &Value::Null), "{name}");
}

#[tokio::test]
async fn a_document_that_means_harm_is_given_up_and_the_next_one_is_read() {
    let provider = Provider::start().await;
    let server = Server::start(&provider).await;
    let docs = folder(&server, "docs").await;
    let word = zip(&[part("word/document.xml", "<w:document><w:p><w:r><w:t>x</w:t></w:r></w:p></w:document>")]);
    let many = (0..60_000).map(|number| part(&number.to_string(), "")).collect::<Vec<_>>();
    let deep = format!("<w:document>{}", "<w:p>".repeat(100_000));
    let bombs: Vec<(&str, Vec<u8>, &str)> = vec![
        ("zeros.docx", zip(&[zeros("word/document.xml", "<w:document><w:t>")]), "unpacks to more than"),
        (
            "zeros.xlsx",
            zip(&[part("xl/workbook.xml", "<x/>"), zeros("xl/worksheets/sheet1.xml", "<x>")]),
            "unpacks to more than",
        ),
        ("zeros.pptx", zip(&[zeros("ppt/presentation.xml", "<p>")]), "unpacks to more than"),
        ("many.docx", zip(&many), "more than 50000 parts"),
        ("deep.docx", zip(&[part("word/document.xml", deep)]), "too deeply"),
        ("deep.html", "<div>".repeat(100_000).into_bytes(), "nest too deeply"),
        ("russian.docx", zip(&[part("inner.docx", word.clone())]), "another kind of archive"),
        ("cut.docx", cut(&word), "damaged or cut off"),
        ("cut.xlsx", cut(&zip(&[part("xl/workbook.xml", "<x/>".repeat(99))])), "damaged or cut off"),
        ("cut.pptx", cut(&zip(&[part("ppt/presentation.xml", "<x/>".repeat(99))])), "damaged or cut off"),
        ("locked.docx", locked_office(), "password"),
        ("locked.xlsx", locked_office(), "password"),
        ("locked.pptx", locked_office(), "password"),
        ("locked.pdf", locked_pdf(), "password|damaged|no text"),
        ("picture.md", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec(), "a picture (PNG)"),
        ("nul.txt", b"a\0b".to_vec(), "binary data"),
        ("round.pdf", round_pdf(), ""),
        ("deep.pdf", deep_pdf(), ""),
        ("wide.pdf", wide_pdf(), ""),
    ];
    for (name, content, hints) in bombs {
        assert!(content.len() < 8 << 20, "{name} is small: {}", content.len());
        let (file, took) = read(&server, &docs, name, &content).await;
        assert_refused(name, &file, hints);
        println!("{name}: {} bytes, {took:?}: {}", content.len(), file["error_message"]);
    }
    let (_, passages) = server.get(&format!("/v1/folders/{docs}/passages")).await;
    assert_eq!(passages, json!([]), "nothing of them is indexed");
    assert_eq!(std::fs::read_dir(server.data_dir().join("uploads")).unwrap().count(), 0, "their bytes are gone");

    // A Word document is one whatever it is called.
    let (disguised, _) = read(&server, &docs, "disguised.json", &word).await;
    assert_eq!(disguised["content"].as_str().unwrap().trim(), "x", "{disguised}");
    assert!(disguised["file_type"].as_str().unwrap().contains("wordprocessingml"), "{disguised}");
    // Brackets without end are a text like any other: nobody follows them down.
    let (brackets, _) = read(&server, &docs, "deep.json", "[".repeat(50_000).as_bytes()).await;
    assert_eq!(brackets["processing_status"], "completed", "{}", brackets["error_message"]);
    assert_eq!(brackets["content"].as_str().unwrap().trim_end().len(), 50_000);
    assert_eq!(brackets["chunks_embedded"], brackets["total_chunks"]);
    let last = stored(&server, &docs, "last.pdf", &pdf(&["The last page".to_owned()])).await;
    assert!(last["content"].as_str().unwrap().contains("The last page"), "{last}");
}
