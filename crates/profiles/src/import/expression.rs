//! The expressions of CTP's anonymizer scripts: text, and calls `@name(arguments){clause}{clause}`.

/// Clauses within clauses.
const DEPTH: usize = 16;
/// Arguments of one call.
const MOST_ARGUMENTS: usize = 16;

/// One part of an expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part {
    /// Text as it stands.
    Text(String),
    /// A function.
    Call(Call),
}

/// A call of a function.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Call {
    /// Its name in lower case.
    pub(super) name: String,
    /// Its arguments, quotes taken off.
    pub(super) arguments: Vec<String>,
    /// What stands in braces after it.
    pub(super) clauses: Vec<Vec<Part>>,
}

impl Call {
    /// An argument; the empty text where there is none.
    pub(super) fn argument(&self, at: usize) -> &str {
        self.arguments.get(at).map_or("", String::as_str)
    }
}

/// Reads an expression; `None` when parentheses, quotes or braces are not closed, or too deep.
pub(super) fn parse(text: &str) -> Option<Vec<Part>> {
    let mut reader = Reader { text, at: 0 };
    let parts = reader.parts(0)?;
    (reader.at == text.len()).then_some(parts)
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
}

impl Reader<'_> {
    fn peek(&self) -> Option<char> {
        self.text.get(self.at..)?.chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += c.len_utf8();
        Some(c)
    }

    fn skip_space(&mut self) {
        while self.peek().is_some_and(char::is_whitespace) {
            self.next();
        }
    }

    /// Parts up to the end, or to the brace that closes the clause.
    fn parts(&mut self, depth: usize) -> Option<Vec<Part>> {
        let mut parts = Vec::new();
        let mut text = String::new();
        while let Some(c) = self.peek() {
            match c {
                '}' if depth > 0 => break,
                '@' => {
                    if !text.trim().is_empty() {
                        parts.push(Part::Text(std::mem::take(&mut text)));
                    }
                    text.clear();
                    self.next();
                    parts.push(Part::Call(self.call(depth)?));
                }
                // CTP's escape: the character after it stands for itself.
                '\\' => {
                    self.next();
                    text.extend(self.next());
                }
                _ => text.extend(self.next()),
            }
        }
        let text = text.trim();
        if !text.is_empty() {
            parts.push(Part::Text(text.to_owned()));
        }
        Some(parts)
    }

    fn call(&mut self, depth: usize) -> Option<Call> {
        if depth == DEPTH {
            return None;
        }
        let mut call = Call::default();
        self.skip_space();
        while let Some(c) = self.peek().filter(|c| c.is_ascii_alphanumeric() || *c == '_') {
            call.name.push(c.to_ascii_lowercase());
            self.next();
        }
        self.skip_space();
        if self.peek() == Some('(') {
            self.next();
            call.arguments = self.arguments()?;
        }
        let most = match call.name.as_str() {
            "if" | "select" => 2,
            "append" => 1,
            _ => 0,
        };
        while call.clauses.len() < most {
            let before = self.at;
            self.skip_space();
            if self.peek() != Some('{') {
                self.at = before;
                break;
            }
            self.next();
            call.clauses.push(self.parts(depth + 1)?);
            (self.next()? == '}').then_some(())?;
        }
        Some(call)
    }

    /// Arguments up to the closing parenthesis: quoted ones may hold anything but a quote.
    fn arguments(&mut self) -> Option<Vec<String>> {
        let mut arguments = vec![String::new()];
        let (mut open, mut quoted) = (0, false);
        loop {
            let c = self.next()?;
            match c {
                '"' => quoted = !quoted,
                '(' if !quoted => open += 1,
                ')' if !quoted && open == 0 => break,
                ')' if !quoted => open -= 1,
                ',' if !quoted && open == 0 && arguments.len() < MOST_ARGUMENTS => {
                    arguments.push(String::new());
                    continue;
                }
                _ => {}
            }
            arguments.last_mut()?.push(c);
        }
        let mut arguments: Vec<String> = arguments.iter().map(|text| unquoted(text)).collect();
        if arguments.len() == 1 && arguments[0].is_empty() {
            arguments.clear();
        }
        Some(arguments)
    }
}

fn unquoted(text: &str) -> String {
    let text = text.trim();
    let inner = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    inner.unwrap_or(text).to_owned()
}
