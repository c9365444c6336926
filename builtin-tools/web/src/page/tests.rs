//! Whole pages, friendly and hostile.

use std::time::{Duration, Instant};

use super::*;

fn page(html: &str) -> String {
    content::markdown(html, &Url::parse("https://site.example/docs/page?x=1").expect("an address"))
}

fn response(content_type: &str, body: &[u8]) -> Response {
    let response = Response::new(200).with_body(body);
    match content_type {
        "" => response,
        given => response.with_header("content-type", given),
    }
}

#[test]
fn what_is_written_becomes_markdown() {
    let markdown = page(
        "<html><head><title> The  page </title><style>p{}</style></head><body>
         <nav><a href=/>Home</a></nav>
         <h2>First &amp; <em>foremost</em></h2>
         <p>Some <b>bold </b>and <i>slanted</i> text,<br>a <a href='../other#x'>link [1]</a>, <code>a `b`</code>.
         <p>&lt;h1&gt; &copy; caf&eacute; <img src='i.png' alt='A picture'><img src=x.png alt=''>
         <ul><li>one<li>two<ol start=3><li>three<li><p>four</p><p>more</p></ol></ul>
         <blockquote><p>said</p><p>she</p></blockquote>
         <pre class='x language-rust'><code>fn main() {
    a  ();
}</code></pre>
         <table><caption>Ages</caption><tr><th>Name<th>Age</tr><tr><td>Ada<td>3|6</tr></table>
         <dl><dt>Term</dt><dd>Meaning</dd></dl><hr>
         <a href='/card'><h3>Card</h3><p>Text</p></a> <a href='javascript:x()'>no link</a>
         <form><label>Name</label><input value=q></form><p hidden>secret</p><p style='display: none'>secret</p>
         <footer>Imprint</footer><script>alert('<p>x</p>')</script></body></html>",
    );
    let expected = "\
# The page

## First & foremost

Some **bold** and *slanted* text,
a [link \\[1\\]](https://site.example/other), `` a `b` ``.

<h1> © café ![A picture](https://site.example/docs/i.png)

- one
- two
  3. three
  4. four

     more

> said
>
> she

```rust
fn main() {
    a  ();
}
```

Ages

| Name | Age |
| --- | --- |
| Ada | 3\\|6 |

**Term**

Meaning

---

### Card

Text

[link](https://site.example/card) no link";
    assert_eq!(markdown, expected);
}

#[test]
fn an_article_is_found_among_menus() {
    let sentence = "A lighthouse warns ships of the coast, and keepers lived in it, before the lamps were electric. ";
    let paragraphs = format!("<p>{}</p>", sentence.repeat(4)).repeat(5);
    let menu = "<div class='sidebar menu'><a href='/a'>Other things</a> <a href='/b'>More things</a></div>".repeat(6);
    let markdown = page(&format!(
        "<title>Lighthouses - Site</title><body><div id=header>{menu}</div><div class=content><h1>Lighthouses</h1>\
         {paragraphs}</div><div class=comments>First!</div>{menu}</body>"
    ));
    assert!(markdown.starts_with("# Lighthouses"), "{markdown}");
    assert_eq!(markdown.matches("keepers").count(), 20);
    assert!(!markdown.contains("Other things"), "{markdown}");
}

#[test]
fn a_page_of_links_is_kept_whole() {
    let items: String = (0..40).map(|n| format!("<tr><td><a href='/{n}'>Story {n}</a></td></tr>")).collect();
    let markdown = page(&format!("<title>News</title><table>{items}</table>"));
    assert!(markdown.contains("[Story 0](https://site.example/0)") && markdown.contains("Story 39"), "{markdown}");
}

#[test]
fn other_kinds_of_text_are_returned_as_they_are() {
    let read = |content_type: &str, body: &[u8]| {
        let mut response = response(content_type, body);
        response = response.with_header("x", "y");
        read(&response).map_err(|error| error.to_string())
    };
    assert_eq!(read("application/json; charset=utf-8", b"{\"a\": 1}"), Ok("{\"a\": 1}".into()));
    assert_eq!(read("text/markdown", b"# <b>"), Ok("# <b>".into()));
    assert_eq!(read("application/atom+xml", b"<feed/>"), Ok("<feed/>".into()));
    assert_eq!(read("text/plain; charset=latin1", b"caf\xe9"), Ok("caf\u{e9}".into()));
    assert_eq!(read("", b"plain"), Ok("plain".into()));
    assert!(read("application/pdf", b"%PDF").is_err_and(|text| text.contains("PDF")));
    assert!(read("image/png", b"x").is_err_and(|text| text.contains("image/png")));
    assert!(read("", b"\0\x01").is_err_and(|text| text.contains("no text")));
    assert!(read("text/plain", b"  ").is_err_and(|text| text.contains("no text to read")));
}

#[test]
fn what_is_too_long_is_cut() {
    let long = "ä".repeat(MOST_CHARACTERS + 1);
    let cut = cut(&long);
    assert!(cut.ends_with(CUT));
    assert_eq!(cut.chars().count(), MOST_CHARACTERS + CUT.chars().count());
    let html = format!("<p>{}</p>", "word ".repeat(1_000_000));
    assert!(super::cut(&page(&html)).ends_with(CUT));
}

/// Each must come back soon, whatever comes back.
#[test]
fn hostile_pages_are_survived() {
    let nested = |open: &str, times: usize| format!("<p>first</p>{}last", open.repeat(times));
    let formats: String = (0..50_000).map(|n| format!("<b x={n}><p>")).collect();
    let entities = "&amp;".repeat(1_000_000);
    for (name, html) in [
        ("deep elements", nested("<div>", 500_000)),
        ("deep elements with stray ends", nested("<div></i>", 300_000)),
        ("deep formats", nested("<b>", 500_000)),
        ("formats to reconstruct", formats),
        ("deep lists", nested("<ul><li>", 300_000)),
        ("deep quotations below the limit", nested("<blockquote>", 350)),
        ("deep tables", nested("<table><tr><td>", 200_000)),
        ("tables that close what they did not open", nested("<div><table><td></div></table>", 20_000)),
        ("open angles", "<".repeat(2_000_000)),
        ("open comments", "<!--".repeat(1_000_000)),
        ("open scripts", "<script></".repeat(500_000)),
        ("open quotes", "<a href=\"".repeat(500_000)),
        ("entities", format!("<p>{entities}</p>")),
        ("many attributes", format!("<p {}>x</p>", (0..200_000).map(|n| format!("a{n}=1 ")).collect::<String>())),
        ("wide table", format!("<table>{}</table>", "<tr><td colspan=999999999>x<td>y".repeat(5_000))),
        ("long list", format!("<ol start=4294967295>{}</ol>", "<li>x".repeat(50_000))),
        ("control characters", "\u{0}\u{1b}[31m<p>\u{202e}x".repeat(1_000)),
    ] {
        let start = Instant::now();
        let markdown = page(&html);
        let took = start.elapsed();
        assert!(took < Duration::from_secs(20), "{name} took {took:?}");
        assert!(markdown.len() <= MOST_CHARACTERS * 8, "{name}: {} bytes", markdown.len());
    }
}
