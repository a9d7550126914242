//! Reads the content of pages: where which characters are drawn. Whatever else is drawn and could
//! be letters holds the document back.

use super::font::Font;
use super::graph::{Found, resources};
use super::layout::{Layout, Run};
use super::lexical::scan;
use super::{PdfText, is_named, reference, spend, value};
use crate::Unread;
use lopdf::content::{Content, Operation};
use lopdf::{Dictionary, Document, Object, ObjectId, Stream};
use std::collections::{BTreeMap, BTreeSet};

/// Operators in all pages.
const MOST_OPERATORS: usize = 2_000_000;
/// Graphics states that wait.
const DEEPEST_STATE: usize = 64;
/// Forms within each other.
const DEEPEST_FORM: usize = 12;
/// Small shapes in a document: letters are made of more.
const MOST_SMALL: usize = 64;
/// Length up to which a line or a side is small, in points.
const SMALL: f64 = 24.0;

type Matrix = [f64; 6];
const IDENTITY: Matrix = [1.0, 0.0, 0.0, 1.0, 0.0, 0.0];

/// First `a`, then `b` (ISO 32000-1, 8.3.4).
fn concatenated(a: &Matrix, b: &Matrix) -> Matrix {
    [
        a[0] * b[0] + a[1] * b[2],
        a[0] * b[1] + a[1] * b[3],
        a[2] * b[0] + a[3] * b[2],
        a[2] * b[1] + a[3] * b[3],
        a[4] * b[0] + a[5] * b[2] + b[4],
        a[4] * b[1] + a[5] * b[3] + b[5],
    ]
}

fn applied(matrix: &Matrix, x: f64, y: f64) -> (f64, f64) {
    (matrix[0] * x + matrix[2] * y + matrix[4], matrix[1] * x + matrix[3] * y + matrix[5])
}

#[derive(Clone)]
struct State {
    matrix: Matrix,
    font: Option<usize>,
    size: f64,
    leading: f64,
    character: f64,
    word: f64,
    scale: f64,
}

struct Reader<'d, 'b> {
    document: &'d Document,
    budget: &'b mut usize,
    fonts: Vec<Font<'d>>,
    by_dictionary: BTreeMap<usize, usize>,
    operators: usize,
    small: usize,
    drawn: BTreeSet<ObjectId>,
    layout: Layout,
    state: State,
    waiting: Vec<State>,
    /// Text matrix and text line matrix.
    text: Matrix,
    line: Matrix,
    /// Where the path is, for lines.
    point: (f64, f64),
}

/// Reads every page, and every form that no page draws.
pub(crate) fn read_pages(
    document: &Document,
    found: &Found<'_>,
    budget: &mut usize,
    text: &mut PdfText,
) -> Result<(), Unread> {
    let mut reader = Reader {
        document,
        budget,
        fonts: Vec::new(),
        by_dictionary: BTreeMap::new(),
        operators: 0,
        small: 0,
        drawn: BTreeSet::new(),
        layout: Layout::default(),
        state: State::new(IDENTITY),
        waiting: Vec::new(),
        text: IDENTITY,
        line: IDENTITY,
        point: (0.0, 0.0),
    };
    for page in &found.pages {
        reader.page(page)?;
        std::mem::take(&mut reader.layout).read(text);
    }
    let rest: Vec<_> = found.forms.iter().filter(|(id, _)| !reader.drawn.contains(id)).collect();
    for (_, form) in rest {
        reader.state = State::new(IDENTITY);
        reader.form(form, 0)?;
        std::mem::take(&mut reader.layout).read(text);
    }
    Ok(())
}

impl State {
    fn new(matrix: Matrix) -> Self {
        Self { matrix, font: None, size: 0.0, leading: 0.0, character: 0.0, word: 0.0, scale: 1.0 }
    }
}

/// The numbers of an operation, as many as it must have.
fn numbers<const N: usize>(operation: &Operation) -> Result<[f64; N], Unread> {
    let read = operation.operands.iter().map(|object| object.as_float().map(f64::from));
    let read: Vec<f64> = read.collect::<Result<_, _>>().map_err(|_| Unread::Malformed)?;
    read.try_into().map_err(|_| Unread::Malformed)
}

impl<'d> Reader<'d, '_> {
    fn page(&mut self, page: &'d Dictionary) -> Result<(), Unread> {
        let mut content = Vec::new();
        let streams = match value(self.document, page, b"Contents") {
            None | Some(Object::Null) => Vec::new(),
            Some(Object::Stream(stream)) => vec![stream],
            Some(Object::Array(array)) => {
                let streams = array.iter().map(|object| super::resolve(self.document, object));
                let streams = streams.map(Object::as_stream).collect::<Result<Vec<_>, _>>();
                streams.map_err(|_| Unread::Malformed)?
            }
            Some(_) => return Err(Unread::Malformed),
        };
        for stream in streams {
            content.extend(spend(stream, self.budget)?);
            content.push(b'\n');
        }
        self.state = State::new(IDENTITY);
        let names = resources(self.document, page);
        self.run(&content, names, 0)
    }

    fn form(&mut self, form: &'d Stream, depth: usize) -> Result<(), Unread> {
        if depth > DEEPEST_FORM || !is_named(&form.dict, b"Subtype", b"Form") {
            return Err(if depth > DEEPEST_FORM { Unread::TooMuch } else { Unread::Image });
        }
        let content = spend(form, self.budget)?;
        let matrix = match value(self.document, &form.dict, b"Matrix") {
            Some(Object::Array(array)) => {
                let operands = array.clone();
                numbers::<6>(&Operation::new("cm", operands))?
            }
            _ => IDENTITY,
        };
        let outer = (self.state.clone(), self.text, self.line);
        self.state.matrix = concatenated(&matrix, &self.state.matrix);
        let own = value(self.document, &form.dict, b"Resources").and_then(|own| own.as_dict().ok());
        let waiting = std::mem::take(&mut self.waiting);
        self.run(&content, own, depth)?;
        self.waiting = waiting;
        (self.state, self.text, self.line) = outer;
        Ok(())
    }

    fn run(
        &mut self,
        content: &[u8],
        names: Option<&'d Dictionary>,
        depth: usize,
    ) -> Result<(), Unread> {
        let operations = Content::decode_strict(content).map_err(|_| Unread::Malformed)?.operations;
        if operations.iter().any(|operation| operation.operator == "BI") {
            return Err(Unread::Image);
        }
        if scan(content)?.operators() != operations.len() {
            return Err(Unread::Leftovers);
        }
        self.operators += operations.len();
        if self.operators > MOST_OPERATORS {
            return Err(Unread::TooMuch);
        }
        for operation in &operations {
            self.operation(operation, names, depth)?;
        }
        Ok(())
    }

    fn operation(
        &mut self,
        operation: &Operation,
        names: Option<&'d Dictionary>,
        depth: usize,
    ) -> Result<(), Unread> {
        match operation.operator.as_str() {
            "q" if self.waiting.len() < DEEPEST_STATE => self.waiting.push(self.state.clone()),
            "q" => return Err(Unread::TooMuch),
            "Q" => self.state = self.waiting.pop().ok_or(Unread::Malformed)?,
            "cm" => {
                self.state.matrix = concatenated(&numbers::<6>(operation)?, &self.state.matrix);
            }
            "w" | "J" | "j" | "M" | "d" | "ri" | "i" | "W" | "W*" | "S" | "s" | "f" | "F"
            | "f*" | "B" | "B*" | "b" | "b*" | "n" | "CS" | "cs" | "SC" | "sc" | "SCN" | "scn"
            | "G" | "g" | "RG" | "rg" | "K" | "k" | "h" => {}
            "gs" => self.graphics_state(operation, names)?,
            "m" | "l" | "re" => self.shape(operation)?,
            "c" | "v" | "y" | "sh" => return Err(Unread::Drawing),
            "Do" => self.draw(operation, names, depth)?,
            "BMC" | "BDC" | "MP" | "DP" => self.marked(operation)?,
            "EMC" => {}
            _ => return self.text_operation(operation, names),
        }
        Ok(())
    }

    fn text_operation(
        &mut self,
        operation: &Operation,
        names: Option<&'d Dictionary>,
    ) -> Result<(), Unread> {
        let one = |operation: &Operation| numbers::<1>(operation).map(|[number]| number);
        match operation.operator.as_str() {
            "BT" => self.set_text(IDENTITY),
            "ET" | "Tr" | "Ts" => {}
            "Tc" => self.state.character = one(operation)?,
            "Tw" => self.state.word = one(operation)?,
            "Tz" => self.state.scale = one(operation)? / 100.0,
            "TL" => self.state.leading = one(operation)?,
            "Tf" => self.set_font(operation, names)?,
            "Td" | "TD" => {
                let [x, y] = numbers::<2>(operation)?;
                if operation.operator == "TD" {
                    self.state.leading = -y;
                }
                self.next_line(x, y);
            }
            "Tm" => self.set_text(numbers::<6>(operation)?),
            "T*" => self.next_line(0.0, -self.state.leading),
            "Tj" => self.show(operation.operands.first())?,
            "TJ" => self.show_spaced(operation.operands.first())?,
            "'" => {
                self.next_line(0.0, -self.state.leading);
                self.show(operation.operands.first())?;
            }
            "\"" => {
                let number = |at: usize| operation.operands.get(at).and_then(|n| n.as_float().ok());
                let (word, character) = number(0).zip(number(1)).ok_or(Unread::Malformed)?;
                (self.state.word, self.state.character) = (word.into(), character.into());
                self.next_line(0.0, -self.state.leading);
                self.show(operation.operands.get(2))?;
            }
            _ => return Err(Unread::Unlisted),
        }
        Ok(())
    }

    fn set_text(&mut self, matrix: Matrix) {
        (self.text, self.line) = (matrix, matrix);
    }

    fn next_line(&mut self, x: f64, y: f64) {
        self.set_text(concatenated(&[1.0, 0.0, 0.0, 1.0, x, y], &self.line));
    }

    fn named(
        &self,
        names: Option<&'d Dictionary>,
        kind: &[u8],
        operation: &Operation,
    ) -> Result<(&'d Dictionary, &'d [u8]), Unread> {
        let name = operation.operands.first().and_then(|name| name.as_name().ok());
        let kinds = names.and_then(|names| value(self.document, names, kind));
        let kinds = kinds.and_then(|kinds| kinds.as_dict().ok()).zip(name);
        let (kinds, name) = kinds.ok_or(Unread::Malformed)?;
        let (name, _) = kinds.iter().find(|(key, _)| *key == name).ok_or(Unread::Malformed)?;
        Ok((kinds, name))
    }

    fn set_font(
        &mut self,
        operation: &Operation,
        names: Option<&'d Dictionary>,
    ) -> Result<(), Unread> {
        let (fonts, name) = self.named(names, b"Font", operation)?;
        let font = value(self.document, fonts, name).and_then(|font| font.as_dict().ok());
        let font = font.ok_or(Unread::Unmapped)?;
        let size = operation.operands.get(1).and_then(|size| size.as_float().ok());
        self.state.size = f64::from(size.ok_or(Unread::Malformed)?);
        // A font is told by where its dictionary lies.
        let place = std::ptr::from_ref(font) as usize;
        let known = self.by_dictionary.get(&place).copied();
        self.state.font = Some(match known {
            Some(known) => known,
            None => {
                self.fonts.push(Font::new(self.document, font)?);
                self.by_dictionary.insert(place, self.fonts.len() - 1);
                self.fonts.len() - 1
            }
        });
        Ok(())
    }

    /// A graphics state may name a font; a text then has another one than is seen here.
    fn graphics_state(
        &mut self,
        operation: &Operation,
        names: Option<&'d Dictionary>,
    ) -> Result<(), Unread> {
        let (states, name) = self.named(names, b"ExtGState", operation)?;
        let state = value(self.document, states, name).and_then(|state| state.as_dict().ok());
        let state = state.ok_or(Unread::Malformed)?;
        if state.has(b"Font") { Err(Unread::Unlisted) } else { Ok(()) }
    }

    fn draw(
        &mut self,
        operation: &Operation,
        names: Option<&'d Dictionary>,
        depth: usize,
    ) -> Result<(), Unread> {
        let (forms, name) = self.named(names, b"XObject", operation)?;
        self.drawn.extend(reference(forms, name));
        match value(self.document, forms, name) {
            Some(Object::Stream(form)) => self.form(form, depth + 1),
            _ => Err(Unread::Malformed),
        }
    }

    /// Marked content: what it says in place of the text (`ActualText`, `Alt`).
    fn marked(&mut self, operation: &Operation) -> Result<(), Unread> {
        let Some(Object::Dictionary(properties)) = operation.operands.get(1) else { return Ok(()) };
        for (_, object) in properties.iter() {
            match object {
                Object::String(..) => {
                    let read = lopdf::decode_text_string(object).map_err(|_| Unread::Unmapped)?;
                    self.layout.aside(&read);
                }
                Object::Dictionary(_) | Object::Array(_) => return Err(Unread::Unlisted),
                _ => {}
            }
        }
        Ok(())
    }

    /// Lines and boxes along the axes: tables. Anything slanted, and many that are small, could be
    /// letters.
    fn shape(&mut self, operation: &Operation) -> Result<(), Unread> {
        let matrix = self.state.matrix;
        let (from, to) = match operation.operator.as_str() {
            "re" => {
                let [x, y, width, height] = numbers::<4>(operation)?;
                (applied(&matrix, x, y), applied(&matrix, x + width, y + height))
            }
            operator => {
                let [x, y] = numbers::<2>(operation)?;
                let from = std::mem::replace(&mut self.point, (x, y));
                if operator == "m" {
                    return Ok(());
                }
                if (from.0 - x).abs() > 0.01 && (from.1 - y).abs() > 0.01 {
                    return Err(Unread::Drawing);
                }
                (applied(&matrix, from.0, from.1), applied(&matrix, x, y))
            }
        };
        let small = (from.0 - to.0).abs() < SMALL && (from.1 - to.1).abs() < SMALL;
        self.small += usize::from(small);
        if self.small > MOST_SMALL { Err(Unread::Drawing) } else { Ok(()) }
    }

    fn show(&mut self, string: Option<&Object>) -> Result<(), Unread> {
        let Some(Object::String(bytes, _)) = string else { return Err(Unread::Malformed) };
        self.shown(bytes)
    }

    fn show_spaced(&mut self, array: Option<&Object>) -> Result<(), Unread> {
        let Some(Object::Array(array)) = array else { return Err(Unread::Malformed) };
        for object in array {
            match object {
                Object::String(bytes, _) => self.shown(bytes)?,
                number => {
                    let number = number.as_float().map_err(|_| Unread::Malformed)?;
                    let back = f64::from(number) / 1000.0 * self.state.size * self.state.scale;
                    self.text = concatenated(&[1.0, 0.0, 0.0, 1.0, -back, 0.0], &self.text);
                }
            }
        }
        Ok(())
    }

    fn shown(&mut self, bytes: &[u8]) -> Result<(), Unread> {
        let font = self.state.font.and_then(|font| self.fonts.get_mut(font));
        let glyphs = font.ok_or(Unread::Unmapped)?.glyphs(bytes)?;
        for glyph in glyphs {
            let matrix = concatenated(&self.text, &self.state.matrix);
            let (x, y) = applied(&matrix, 0.0, 0.0);
            let spacing = self.state.character + if glyph.space { self.state.word } else { 0.0 };
            let width = glyph.width.map(|width| width / 1000.0 * self.state.size);
            let advance = (width.unwrap_or(0.0) + spacing) * self.state.scale;
            let end = width.map(|width| applied(&matrix, width * self.state.scale, 0.0));
            let (top_x, top_y) = applied(&matrix, 0.0, self.state.size);
            let size = (top_x - x).hypot(top_y - y);
            if ![x, y, size, advance].iter().all(|number| number.is_finite()) {
                return Err(Unread::Malformed);
            }
            self.layout.put(Run { text: glyph.text, other: glyph.other, x, y, end, size })?;
            self.text = concatenated(&[1.0, 0.0, 0.0, 1.0, advance, 0.0], &self.text);
        }
        self.layout.pause();
        Ok(())
    }
}
