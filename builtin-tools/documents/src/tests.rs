//! Documents of every kind as they come, damaged, disguised and hostile.

use std::io::{Cursor, Write};

use zip::{ZipWriter, write::SimpleFileOptions};

use crate::read;

fn text(name: &str, bytes: &[u8]) -> String {
    let answer = read(name, bytes.to_vec(), 300, false).expect(name);
    answer.split_once('\n').expect("a head").1.to_owned()
}

fn refusal(name: &str, bytes: &[u8]) -> String {
    read(name, bytes.to_vec(), 300, false).expect_err(name).to_string()
}

fn head(name: &str, bytes: &[u8], tokens: usize) -> serde_json::Value {
    let answer = read(name, bytes.to_vec(), tokens, false).expect(name);
    serde_json::from_str(answer.split_once('\n').expect("a head").0).expect("JSON")
}

fn archive(parts: &[(&str, &str)]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in parts {
        zip.start_file(*name, SimpleFileOptions::default()).expect("a part");
        zip.write_all(content.as_bytes()).expect("written");
    }
    zip.finish().expect("an archive").into_inner()
}

/// A PDF with one line of text on each page; none for an empty line.
fn pdf(lines: &[&str]) -> Vec<u8> {
    let line = |line: &&str| if line.is_empty() { String::new() } else { format!("({line})") };
    pdf_in("<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>", &lines.iter().map(line).collect::<Vec<_>>())
}

/// The same in a font, with the lines as PDF writes strings.
fn pdf_in(font: &str, lines: &[String]) -> Vec<u8> {
    let kids: String = (0..lines.len()).map(|page| format!("{} 0 R ", 4 + 2 * page)).collect();
    let mut objects = vec![
        "<</Type/Catalog/Pages 2 0 R>>".to_owned(),
        format!("<</Type/Pages/Kids[{kids}]/Count {}>>", lines.len()),
        font.to_owned(),
    ];
    for (page, line) in lines.iter().enumerate() {
        let stream = if line.is_empty() { String::new() } else { format!("BT /F1 24 Tf 72 720 Td {line} Tj ET") };
        objects.push(format!(
            "<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents {} 0 R/Resources<</Font<</F1 3 0 R>>>>>>",
            5 + 2 * page
        ));
        objects.push(format!("<</Length {}>>stream\n{stream}\nendstream", stream.len()));
    }
    let mut out = b"%PDF-1.4\n".to_vec();
    let mut table = String::new();
    for (number, body) in objects.iter().enumerate() {
        table.push_str(&format!("{:010} 00000 n \n", out.len()));
        out.extend_from_slice(format!("{} 0 obj{body} endobj\n", number + 1).as_bytes());
    }
    let start = out.len();
    let size = objects.len() + 1;
    let tail = format!(
        "xref\n0 {size}\n0000000000 65535 f \n{table}trailer<</Size {size}/Root 1 0 R>>\nstartxref\n{start}\n%%EOF"
    );
    out.extend_from_slice(tail.as_bytes());
    out
}

const WORD: &str = r#"<?xml version="1.0"?><!DOCTYPE w:document [<!ENTITY lol "lol">]><w:document xmlns:w="w"><w:body>
<w:p><w:pPr><w:pStyle w:val="Heading1"/></w:pPr><w:r><w:t>Rivers &amp; lakes</w:t></w:r></w:p>
<w:p><w:r><w:t xml:space="preserve">The </w:t></w:r><w:r><w:t>Elbe&#x2019;s length.&lol;</w:t></w:r><w:r><w:br/><w:t>Next</w:t></w:r></w:p>
<w:p><w:pPr><w:numPr/></w:pPr><w:r><w:t>one item</w:t></w:r></w:p>
<w:tbl><w:tr><w:tc><w:p><w:r><w:t>Name</w:t></w:r></w:p></w:tc><w:tc><w:p><w:r><w:t>km</w:t></w:r></w:p></w:tc></w:tr>
<w:tr><w:tc><w:p><w:r><w:t>Elbe</w:t></w:r></w:p></w:tc><w:tc><w:p><w:r><w:t>1094</w:t></w:r></w:p></w:tc></w:tr></w:tbl>
<w:p><w:r><w:delText>deleted</w:delText></w:r></w:p></w:body></w:document>"#;

#[test]
fn a_word_document_keeps_its_headings_lists_and_tables() {
    let read = text("a.docx", &archive(&[("[Content_Types].xml", "<x/>"), ("word/document.xml", WORD)]));
    assert_eq!(
        read,
        "# Rivers & lakes\n\nThe Elbe\u{2019}s length.\nNext\n\n- one item\n| Name | km |\n| Elbe | 1094 |"
    );
}

#[test]
fn slides_come_in_the_order_they_are_shown_with_their_notes() {
    let slide =
        |text: &str| format!("<p:sld xmlns:p=\"p\" xmlns:a=\"a\"><a:p><a:r><a:t>{text}</a:t></a:r></a:p></p:sld>");
    let parts = archive(&[
        (
            "ppt/presentation.xml",
            "<p:presentation xmlns:p=\"p\" xmlns:r=\"r\"><p:sldIdLst><p:sldId id=\"256\" r:id=\"rId2\"/>\
             <p:sldId id=\"257\" r:id=\"rId1\"/></p:sldIdLst></p:presentation>",
        ),
        (
            "ppt/_rels/presentation.xml.rels",
            "<Relationships><Relationship Id=\"rId1\" Type=\"t/slide\" Target=\"slides/slide1.xml\"/>\
             <Relationship Id=\"rId2\" Type=\"t/slide\" Target=\"/ppt/slides/slide2.xml\"/></Relationships>",
        ),
        ("ppt/slides/slide1.xml", &slide("second")),
        ("ppt/slides/slide2.xml", &slide("first")),
        (
            "ppt/slides/_rels/slide2.xml.rels",
            "<Relationships><Relationship Id=\"r\" Type=\"t/notesSlide\" Target=\"../notesSlides/n.xml\"/></Relationships>",
        ),
        ("ppt/notesSlides/n.xml", &slide("say hello")),
    ]);
    assert_eq!(text("a.pptx", &parts), "# Slide 1\n\nfirst\n\nNotes:\n\nsay hello\n\n# Slide 2\n\nsecond");
}

#[test]
fn a_workbook_becomes_lines_of_values() {
    let parts = archive(&[
        (
            "_rels/.rels",
            "<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\"><Relationship Id=\"rId1\" \
             Type=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument\" \
             Target=\"xl/workbook.xml\"/></Relationships>",
        ),
        (
            "xl/workbook.xml",
            "<workbook xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\" \
             xmlns:r=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships\"><sheets>\
             <sheet name=\"Costs\" sheetId=\"1\" r:id=\"rId1\"/></sheets></workbook>",
        ),
        (
            "xl/_rels/workbook.xml.rels",
            "<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\"><Relationship Id=\"rId1\" \
             Type=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet\" \
             Target=\"worksheets/sheet1.xml\"/></Relationships>",
        ),
        (
            "xl/worksheets/sheet1.xml",
            "<worksheet xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\"><sheetData>\
             <row r=\"1\"><c r=\"A1\" t=\"inlineStr\"><is><t>Item</t></is></c><c r=\"C1\" t=\"inlineStr\"><is><t>a, b</t></is></c></row>\
             <row r=\"9\"><c r=\"B9\"><v>12.5</v></c><c r=\"XFD9\"><v>7</v></c></row></sheetData></worksheet>",
        ),
    ]);
    let read = text("a.xlsx", &parts);
    assert!(read.starts_with("# Sheet: Costs\n\nItem,,\"a, b\"\n,12.5,"), "{read}");
    assert!(read.trim_end().ends_with(",7") && read.len() < 200, "{read}");
}

#[test]
fn the_pages_of_a_pdf_become_text() {
    for careful in [false, true] {
        let answer = read("a.pdf", pdf(&["Hello from page one", "and two"]), 300, careful).expect("read");
        assert!(answer.starts_with("{\"kind\":\"application/pdf\",\"pages\":2,"), "{answer}");
        assert!(answer.contains("Hello from page one") && answer.contains("and two"), "{answer}");
    }
}

#[test]
fn a_pdf_in_a_font_of_east_asia_is_read_without_a_table_of_its_letters() {
    for encoding in ["UniJIS-UCS2-H", "UniJIS-UTF16-V", "UniGB-UCS2-V", "UniCNS-UTF16-H", "UniKS-UCS2-H"] {
        let font = format!(
            "<</Type/Font/Subtype/Type0/BaseFont/Some/Encoding/{encoding}/DescendantFonts[<</Type/Font/Subtype/CIDFontType0\
             /BaseFont/Some/CIDSystemInfo<</Registry(Adobe)/Ordering(Some)/Supplement 2>>>>]>>"
        );
        let bytes = pdf_in(&font, &["<67714EAC>".to_owned()]);
        let answer = read("a.pdf", bytes, 300, true).expect(encoding);
        assert!(answer.contains("東京"), "{encoding}: {answer}");
    }
}

#[test]
fn texts_come_in_any_encoding() {
    assert_eq!(text("a.txt", "\u{feff}eins\r\nzwei\rdrei".as_bytes()), "eins\nzwei\ndrei");
    let utf16: Vec<u8> = "\u{feff}größer".encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(text("a.txt", &utf16), "größer");
    assert_eq!(text("a.txt", b"caf\xe9 cr\xe8me br\xfbl\xe9e"), "café crème brûlée");
    assert_eq!(text("a.py", b"def f():\n    return 1\n"), "def f():\n    return 1\n");
    assert!(text("a.html", b"<html><script>x()</script><h1>Title</h1><p>Some <b>bold</b> text").contains("# Title"));
    let wide = format!("[{}]", vec!["{\"k\": 1}"; 400].join(","));
    assert!(text("a.json", wide.as_bytes()).contains("\n    \"k\": 1\n"), "laid out");
    assert_eq!(text("a.json", b"{\"k\": 1}"), "{\"k\": 1}");
    assert_eq!(text("empty.txt", b""), "");
}

#[test]
fn the_content_decides_and_lies_are_told() {
    assert!(text("really-a-pdf.txt", &pdf(&["Hello"])).contains("Hello"));
    assert!(text("a.pdf", &archive(&[("word/document.xml", WORD)])).contains("Rivers"));
    for (name, bytes, hint) in [
        ("a.pdf", &b"just words"[..], "is no PDF: it holds plain text"),
        ("a.docx", b"just words", "is no Word document"),
        ("a.txt", b"\x89PNG\r\n\x1a\n\0\0\0", "a picture (PNG)"),
        ("a.md", b"\x7fELF\x02\x01\x01\0\0", "a program (ELF)"),
        ("a.csv", b"a,b\0\x01\x02\0\0", "binary data"),
        ("a.pdf", b"", "empty"),
    ] {
        let told = refusal(name, bytes);
        assert!(told.contains(hint), "{name}: {told}");
    }
    assert!(refusal("a.docx", &archive(&[("other.txt", "x")])).contains("another kind of archive"));
    assert!(refusal("a.zip", &archive(&[("other.txt", "x")])).contains("unpack it"));
}

#[test]
fn damaged_encrypted_and_textless_documents_say_so() {
    let whole = pdf(&["Hello"]);
    assert!(refusal("a.pdf", &whole[..60]).contains("damaged or cut off"));
    let word = archive(&[("word/document.xml", WORD)]);
    assert!(refusal("a.docx", &word[..word.len() / 2]).contains("damaged or cut off"));
    let broken = archive(&[("word/document.xml", "<w:document><w:p></w:body>")]);
    assert!(refusal("a.docx", &broken).contains("damaged"));
    assert!(refusal("a.pdf", &pdf(&["", ""])).contains("2 pages and no text"));
    let mut wrapped = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1".to_vec();
    assert!(refusal("a.xls", &wrapped).contains("old binary format"));
    wrapped.extend("EncryptedPackage".encode_utf16().flat_map(u16::to_le_bytes));
    assert!(refusal("a.docx", &wrapped).contains("password"));
}

#[test]
fn bombs_are_given_up() {
    let zeros = format!("<w:document><w:t>{}</w:t></w:document>", "0".repeat(60 << 20));
    let bomb = archive(&[("word/document.xml", &zeros)]);
    assert!(bomb.len() < 1 << 20 && refusal("a.docx", &bomb).contains("unpacks to more than 48 MB"));
    let sheet = archive(&[("xl/workbook.xml", "<x/>"), ("xl/worksheets/sheet1.xml", &zeros)]);
    assert!(refusal("a.xlsx", &sheet).contains("unpacks to more than"));
    let deep = format!("<w:document>{}", "<w:p>".repeat(100_000));
    assert!(refusal("a.docx", &archive(&[("word/document.xml", &deep)])).contains("too deeply"));
    let nested = "<div>".repeat(100_000);
    assert!(refusal("a.html", nested.as_bytes()).contains("nest too deeply"));
    let laughs = "<!DOCTYPE d [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;&a;&a;\">]><d><t>&b;&b; end</t></d>";
    assert_eq!(text("a.docx", &archive(&[("word/document.xml", laughs)])), "end");
    assert!(refusal("a.txt", "word ".repeat(6 << 20).as_bytes()).contains("more than 24 MB of text"));
}

#[test]
fn chunks_follow_the_text_and_its_structure() {
    let paragraphs: Vec<String> =
        (0..200).map(|n| format!("## Part {n}\n\n{}", "The quick brown fox jumps over it. ".repeat(6))).collect();
    let text = paragraphs.join("\n\n");
    let head = head("a.md", text.as_bytes(), 100);
    let chunks: Vec<(usize, usize)> = serde_json::from_value(head["chunks"].clone()).expect("places");
    assert!(chunks.len() >= 150, "{}", chunks.len());
    let mut end = 0;
    for (start, stop) in chunks {
        assert!(start >= end && stop > start && crate::tokens::count(&text[start..stop]) <= 100);
        assert!(text[end..start].trim().is_empty(), "nothing is left out");
        end = stop;
    }
    assert!(text[end..].trim().is_empty());
    let chinese = "狐狸跳过了懒狗。".repeat(100);
    assert!(crate::tokens::count(&chinese) > 400, "no spaces, and still tokens");
    let one_word = "x".repeat(300_000);
    assert!(crate::chunk::places(&one_word, false, 100).len() > 100, "a word without end is cut");
}
