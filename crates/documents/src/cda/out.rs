//! Writes XML: elements in the one namespace, values escaped.

use quick_xml::Writer;
use quick_xml::escape::{escape, partial_escape};
use quick_xml::events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event};

/// XML that is being written.
pub(crate) struct Out {
    xml: Writer<Vec<u8>>,
    /// The last start tag, while it may still get attributes.
    open: Option<BytesStart<'static>>,
    /// The attributes that it has.
    given: Vec<String>,
}

impl Out {
    pub(crate) fn new() -> Self {
        let mut out = Self { xml: Writer::new(Vec::new()), open: None, given: Vec::new() };
        out.event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)));
        out.event(Event::Text(BytesText::from_escaped("\n")));
        out
    }

    fn event(&mut self, event: Event<'_>) {
        // Writing to memory cannot fail.
        let _ = self.xml.write_event(event);
    }

    fn close_tag(&mut self) {
        if let Some(tag) = self.open.take() {
            self.event(Event::Start(tag));
        }
    }

    pub(crate) fn start(&mut self, name: &str) {
        self.close_tag();
        self.open = Some(BytesStart::new(name.to_owned()));
        self.given.clear();
    }

    /// An attribute of the element just started, unless it has one of this name.
    pub(crate) fn attribute(&mut self, name: &str, value: &str) {
        let Some(tag) = self.open.as_mut() else { return };
        if self.given.iter().any(|given| given == name) {
            return;
        }
        self.given.push(name.to_owned());
        // Read again, they would be spaces (XML 1.0 3.3.3), or another line end (2.11).
        let value = escape(value)
            .replace('\t', "&#9;")
            .replace('\n', "&#10;")
            .replace('\r', CARRIAGE_RETURN);
        tag.push_attribute((name.as_bytes(), value.as_bytes()));
    }

    pub(crate) fn text(&mut self, text: &str) {
        if !text.is_empty() {
            self.close_tag();
            let text = partial_escape(text).replace('\r', CARRIAGE_RETURN);
            self.event(Event::Text(BytesText::from_escaped(text)));
        }
    }

    pub(crate) fn end(&mut self, name: &str) {
        match self.open.take() {
            Some(tag) => self.event(Event::Empty(tag)),
            None => self.event(Event::End(BytesEnd::new(name))),
        }
    }

    pub(crate) fn finish(mut self) -> Vec<u8> {
        self.close_tag();
        self.event(Event::Text(BytesText::from_escaped("\n")));
        self.xml.into_inner()
    }
}

/// A line end that a reader does not make another of (XML 1.0 2.11).
const CARRIAGE_RETURN: &str = "&#13;";
