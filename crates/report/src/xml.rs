//! Reads SVG and HTML text back as XML, for the tests.
#![allow(clippy::unwrap_used)]

use quick_xml::events::Event;

/// An element as it was read: its name, its attributes unescaped, the elements around it.
#[derive(Debug, Clone)]
pub(crate) struct Element {
    pub name: String,
    pub attributes: Vec<(String, String)>,
    /// The text directly inside, unescaped.
    pub text: String,
}

impl Element {
    pub(crate) fn attribute(&self, name: &str) -> &str {
        self.attributes.iter().find(|(found, _)| found == name).map_or("", |(_, value)| value)
    }

    pub(crate) fn number(&self, name: &str) -> f64 {
        self.attribute(name).parse().unwrap()
    }
}

/// Every element in document order; panics where the text is not well-formed.
pub(crate) fn elements(text: &str) -> Vec<Element> {
    let mut reader = quick_xml::Reader::from_str(text);
    let mut found: Vec<Element> = Vec::new();
    let mut open: Vec<usize> = Vec::new();
    loop {
        let (start, closed) = match reader.read_event().unwrap() {
            Event::Eof => break,
            Event::Start(start) => (start, false),
            Event::Empty(start) => (start, true),
            Event::End(_) => {
                open.pop().unwrap();
                continue;
            }
            Event::Text(words) => {
                if let Some(&index) = open.last() {
                    found[index].text.push_str(&words);
                }
                continue;
            }
            Event::GeneralRef(name) => {
                if let Some(&index) = open.last() {
                    let text = format!("&{};", &*name);
                    found[index].text.push_str(&quick_xml::escape::unescape(&text).unwrap());
                }
                continue;
            }
            _ => continue,
        };
        let name = start.name().as_ref().to_owned();
        let attributes = start
            .attributes()
            .map(|attribute| {
                let attribute = attribute.unwrap();
                let key = attribute.key.as_ref().to_owned();
                (key, quick_xml::escape::unescape(&attribute.value).unwrap().into_owned())
            })
            .collect();
        if !closed {
            open.push(found.len());
        }
        found.push(Element { name, attributes, text: String::new() });
    }
    assert!(open.is_empty(), "elements left open");
    found
}
