//! Presentations: slide by slide, in the order in which they are shown, with their notes.

use std::collections::HashMap;

use crate::{
    archive::Parts,
    outcome::{Reading, Result, check, unreadable},
    xml,
};

pub fn read(bytes: Vec<u8>) -> Result<Reading> {
    let mut parts = Parts::open(bytes)?;
    let shown = parts.text("ppt/presentation.xml")?.unwrap_or_default();
    let targets = relations(&mut parts, "ppt/_rels/presentation.xml.rels", "ppt")?;
    let mut order = Vec::new();
    xml::elements(&shown, |name, element| {
        // `id` there is twice: the slide's number, and the relation that names its file.
        if name == "sldId" {
            let ids = element.attributes().flatten().map(|attribute| attribute.value.to_string());
            order.extend(ids.filter_map(|id| targets.get(&id).map(|target| target.path.clone())).next());
        }
    })?;
    let mut text = String::new();
    for (number, slide) in order.iter().enumerate() {
        let Some(content) = parts.text(slide)? else { continue };
        let body = xml::markdown(&content)?;
        text.push_str(&format!("\n# Slide {}\n\n{}\n", number + 1, body.trim()));
        if let Some(notes) = notes(&mut parts, slide)? {
            text.push_str(&format!("\nNotes:\n\n{notes}\n"));
        }
        check(text.len())?;
    }
    // Headings that the server made are no text of the author's.
    if text.lines().all(|line| line.trim().is_empty() || line.starts_with("# Slide ")) {
        return Err(unreadable(format!("The presentation has {} slides and no text in them", order.len())));
    }
    Ok(Reading { text: text.trim().to_owned(), pages: Some(order.len()) })
}

fn notes(parts: &mut Parts, slide: &str) -> Result<Option<String>> {
    let Some((folder, file)) = slide.rsplit_once('/') else { return Ok(None) };
    let found = relations(parts, &format!("{folder}/_rels/{file}.rels"), folder)?;
    let Some(target) = found.into_values().find(|target| target.kind.ends_with("/notesSlide")) else { return Ok(None) };
    let Some(content) = parts.text(&target.path)? else { return Ok(None) };
    let text = xml::markdown(&content)?;
    // The number of the page is a text of its own there.
    let said = text.trim();
    Ok((!said.is_empty() && said.parse::<u32>().is_err()).then(|| said.to_owned()))
}

/// Where a relation of a part leads.
struct Target {
    path: String,
    kind: String,
}

/// The relations of a part by their ids, with paths from the document's root.
fn relations(parts: &mut Parts, name: &str, folder: &str) -> Result<HashMap<String, Target>> {
    let mut found = HashMap::new();
    let Some(text) = parts.text(name)? else { return Ok(found) };
    xml::elements(&text, |name, element| {
        if name != "Relationship" {
            return;
        }
        let read = |name: &str| xml::attribute(element, name).unwrap_or_default();
        found.insert(read("Id"), Target { path: joined(folder, &read("Target")), kind: read("Type") });
    })?;
    Ok(found)
}

/// A path as seen from a folder of the document.
fn joined(folder: &str, path: &str) -> String {
    if let Some(path) = path.strip_prefix('/') {
        return path.to_owned();
    }
    let mut steps: Vec<&str> = folder.split('/').collect();
    for step in path.split('/') {
        match step {
            ".." => drop(steps.pop()),
            "." => {}
            step => steps.push(step),
        }
    }
    steps.join("/")
}
