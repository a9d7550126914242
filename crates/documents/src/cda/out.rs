//! Writes XML: elements in the one namespace, values escaped.

/// XML that is being written.
pub(crate) struct Out {
    text: String,
    /// Whether the last start tag may still get attributes.
    open: bool,
    /// The attributes that it has.
    given: Vec<String>,
}

impl Out {
    pub(crate) fn new() -> Self {
        Self {
            text: "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n".to_owned(),
            open: false,
            given: Vec::new(),
        }
    }

    fn close_tag(&mut self) {
        if self.open {
            self.text.push('>');
            self.open = false;
        }
    }

    pub(crate) fn start(&mut self, name: &str) {
        self.close_tag();
        self.text.push('<');
        self.text.push_str(name);
        self.open = true;
        self.given.clear();
    }

    /// An attribute of the element just started, unless it has one of this name.
    pub(crate) fn attribute(&mut self, name: &str, value: &str) {
        if self.given.iter().any(|given| given == name) {
            return;
        }
        self.given.push(name.to_owned());
        self.text.push(' ');
        self.text.push_str(name);
        self.text.push_str("=\"");
        self.escape(value, true);
        self.text.push('"');
    }

    pub(crate) fn text(&mut self, text: &str) {
        if !text.is_empty() {
            self.close_tag();
            self.escape(text, false);
        }
    }

    pub(crate) fn end(&mut self, name: &str) {
        if self.open {
            self.text.push_str("/>");
            self.open = false;
            return;
        }
        self.text.push_str("</");
        self.text.push_str(name);
        self.text.push('>');
    }

    fn escape(&mut self, text: &str, in_attribute: bool) {
        for c in text.chars() {
            match c {
                '&' => self.text.push_str("&amp;"),
                '<' => self.text.push_str("&lt;"),
                '>' => self.text.push_str("&gt;"),
                '"' if in_attribute => self.text.push_str("&quot;"),
                // Read again, they would be spaces (XML 1.0 3.3.3), or another line end (2.11).
                '\t' | '\n' if in_attribute => self.text.push_str(&format!("&#{};", c as u32)),
                '\r' => self.text.push_str("&#13;"),
                _ => self.text.push(c),
            }
        }
    }

    pub(crate) fn finish(mut self) -> Vec<u8> {
        self.close_tag();
        self.text.push('\n');
        self.text.into_bytes()
    }
}
