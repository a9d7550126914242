use crate::{DocumentReader, InProcess, PdfText, Unread, from_answer, read_pdf, to_answer};
use flate2::{Compression, write::ZlibEncoder};
use std::io::Write;

/// A file made of objects, numbered from 1; the first is the catalog. `information` is the number
/// of the information dictionary.
pub(crate) fn file(objects: &[Vec<u8>], information: Option<usize>) -> Vec<u8> {
    let mut out = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n".to_vec();
    let mut offsets = Vec::new();
    for (at, object) in objects.iter().enumerate() {
        offsets.push(out.len());
        out.extend(format!("{} 0 obj\n", at + 1).bytes());
        out.extend(object);
        out.extend(b"\nendobj\n");
    }
    let section = out.len();
    let size = objects.len() + 1;
    out.extend(format!("xref\n0 {size}\n0000000000 65535 f \n").bytes());
    for offset in offsets {
        out.extend(format!("{offset:010} 00000 n \n").bytes());
    }
    let information = information.map_or(String::new(), |number| format!("/Info {number} 0 R "));
    let trailer = format!("trailer\n<< /Size {size} /Root 1 0 R {information}>>\n");
    out.extend(trailer.bytes());
    out.extend(format!("startxref\n{section}\n%%EOF\n").bytes());
    out
}

fn stream(keys: &str, content: &[u8]) -> Vec<u8> {
    let mut out = format!("<< {keys} /Length {} >>\nstream\n", content.len()).into_bytes();
    out.extend(content);
    out.extend(b"\nendstream");
    out
}

fn deflated(content: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

const FINDING: &str = "No acute fracture of the left radius.";

fn clean_page() -> String {
    format!("BT /F1 12 Tf 72 720 Td ({FINDING}) Tj 0 -14 Td (Follow-up in six weeks.) Tj ET")
}

/// A document of one page: catalog, pages, page, content, font, and more.
pub(super) struct Pdf {
    catalog: String,
    page: String,
    resources: String,
    content: Vec<u8>,
    font: String,
    more: Vec<Vec<u8>>,
    information: Option<usize>,
}

impl Default for Pdf {
    fn default() -> Self {
        Self {
            catalog: String::new(),
            page: String::new(),
            resources: String::new(),
            content: clean_page().into_bytes(),
            font: "/Subtype /Type1 /BaseFont /Helvetica".to_owned(),
            more: Vec::new(),
            information: None,
        }
    }
}

impl Pdf {
    pub(super) fn content(content: &str) -> Self {
        Self { content: content.as_bytes().to_vec(), ..Self::default() }
    }

    pub(super) fn bytes(self) -> Vec<u8> {
        self.with_content(|content| stream("", content))
    }

    fn with_content(self, make: impl Fn(&[u8]) -> Vec<u8>) -> Vec<u8> {
        let page = format!(
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R {} \
             /Resources << /Font << /F1 5 0 R >> {} >> >>",
            self.page, self.resources
        );
        let mut objects = vec![
            format!("<< /Type /Catalog /Pages 2 0 R {} >>", self.catalog).into_bytes(),
            b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_vec(),
            page.into_bytes(),
            make(&self.content),
            format!("<< /Type /Font {} >>", self.font).into_bytes(),
        ];
        objects.extend(self.more);
        file(&objects, self.information)
    }
}

pub(super) fn read(bytes: &[u8]) -> PdfText {
    read_pdf(bytes).unwrap_or_else(|unread| panic!("{unread}"))
}

#[test]
fn a_document_of_text_is_read_whole() {
    let plain = read(&Pdf::default().bytes());
    assert_eq!(plain.pages, [format!("{FINDING}\nFollow-up in six weeks.")]);
    assert!(plain.strings.is_empty() && plain.software.is_empty() && !plain.dated);
    let compressed =
        Pdf::default().with_content(|content| stream("/Filter /FlateDecode", &deflated(content)));
    assert_eq!(read(&compressed).pages, plain.pages);
    // Literal, octal, hexadecimal, spaced and by its own operators: the same text.
    for show in [
        "(Ash\\147rove) Tj",
        "<417368 67726f7665> Tj",
        "[(Ash) -20 (gro) 15 (ve)] TJ",
        "(Ashgrove) '",
        "1 0 (Ashgrove) \"",
        "(Ash) Tj (grove) Tj",
    ] {
        let text = read(&Pdf::content(&format!("BT /F1 12 Tf 72 720 Td {show} ET")).bytes());
        let all = text.pages.concat() + &text.readings.concat();
        assert!(all.contains("Ashgrove"), "{show}");
    }
}

#[test]
fn letters_are_read_where_they_stand() {
    // Drawn from right to left, each letter by itself; then down the page.
    let mut backwards = "BT /F1 12 Tf ".to_owned();
    let mut down = "BT /F1 12 Tf ".to_owned();
    for (at, letter) in "Ashgrove".chars().enumerate().collect::<Vec<_>>().into_iter().rev() {
        backwards.push_str(&format!("1 0 0 1 {} 700 Tm ({letter}) Tj ", 72 + at * 8));
        down.push_str(&format!("1 0 0 1 72 {} Tm ({letter}) Tj ", 700 - at * 14));
    }
    for content in [backwards + "ET", down + "ET"] {
        let text = read(&Pdf::content(&content).bytes());
        let all = text.pages.join(" ") + " " + &text.readings.join(" ");
        assert!(all.contains("Ashgrove"), "{all}");
    }
    // With widths, words are told apart; without, both readings are there.
    let content = "BT /F1 10 Tf 1 0 0 1 72 700 Tm (No) Tj 1 0 0 1 86 700 Tm (fracture) Tj ET";
    let widths = vec!["500"; 224].join(" ");
    let font = format!(
        "/Subtype /TrueType /BaseFont /A /Encoding /WinAnsiEncoding /FirstChar 32 /Widths [{widths}]"
    );
    let known = read(&Pdf { font, ..Pdf::content(content) }.bytes());
    assert_eq!(known.pages, ["No fracture"]);
    let unknown = read(&Pdf::content(content).bytes());
    assert_eq!(unknown.pages, ["Nofracture", "No fracture"]);
}

fn cmap(lines: &str) -> Vec<u8> {
    cmap_of("<0000> <ffff>", lines)
}

fn cmap_of(space: &str, lines: &str) -> Vec<u8> {
    let text = format!(
        "/CIDInit /ProcSet findresource begin\n12 dict begin\nbegincmap\n/CMapName /X def\n\
         1 begincodespacerange\n{space}\nendcodespacerange\n{lines}\nendcmap\n\
         CMapName currentdict /CMap defineresource pop\nend\nend\n"
    );
    stream("", text.as_bytes())
}

#[test]
fn codes_without_characters_hold_a_document_back() {
    let composite = "/Subtype /Type0 /BaseFont /A /Encoding /Identity-H /DescendantFonts [6 0 R]";
    let descendant = b"<< /Type /Font /Subtype /CIDFontType2 /BaseFont /A /DW 500 >>".to_vec();
    let content = "BT /F1 12 Tf <000100020003> Tj ET";
    let with = |map: Option<&str>| Pdf {
        font: format!("{composite} {}", map.map_or("", |_| "/ToUnicode 7 0 R")),
        more: std::iter::once(descendant.clone()).chain(map.map(cmap)).collect(),
        ..Pdf::content(content)
    };
    let whole = with(Some("1 beginbfrange\n<0001> <0003> <0041>\nendbfrange"));
    assert_eq!(read(&whole.bytes()).pages, ["ABC"]);
    let part = with(Some("1 beginbfrange\n<0001> <0002> <0041>\nendbfrange"));
    let private = with(Some("1 beginbfrange\n<0001> <0003> <e041>\nendbfrange"));
    for (name, pdf) in [
        ("without a mapping", with(None)),
        ("a code that is not mapped", part),
        ("mapped to nobody's characters", private),
        ("Type 3", Pdf { font: "/Subtype /Type3 /CharProcs << >>".into(), ..Pdf::default() }),
        ("symbols", Pdf { font: "/Subtype /Type1 /BaseFont /Symbol".into(), ..Pdf::default() }),
        (
            "an encoding of its own",
            Pdf {
                font:
                    "/Subtype /TrueType /BaseFont /ABCDEF+X /Encoding << /Differences [65 /g1] >>"
                        .into(),
                ..Pdf::default()
            },
        ),
    ] {
        assert_eq!(read_pdf(&pdf.bytes()).err(), Some(Unread::Unmapped), "{name}");
    }
    // Two answers of one font: both are read.
    let both = Pdf {
        font: "/Subtype /TrueType /BaseFont /A /Encoding /WinAnsiEncoding /ToUnicode 6 0 R".into(),
        more: vec![cmap_of("<00> <ff>", "1 beginbfrange\n<41> <43> <0058>\nendbfrange")],
        ..Pdf::content("BT /F1 12 Tf (ABC) Tj ET")
    };
    let text = read(&both.bytes());
    assert!(text.pages.contains(&"XYZ".to_owned()) && text.pages.contains(&"ABC".to_owned()));
}

fn form(content: &str) -> Vec<u8> {
    stream("/Subtype /Form /BBox [0 0 9 9]", content.as_bytes())
}

fn catalog(keys: &str) -> Pdf {
    Pdf { catalog: keys.to_owned(), ..Pdf::default() }
}

fn page(keys: &str) -> Pdf {
    Pdf { page: keys.to_owned(), ..Pdf::default() }
}

fn resources(keys: &str) -> Pdf {
    Pdf { resources: keys.to_owned(), ..Pdf::default() }
}

impl Pdf {
    /// With one more object, number 6.
    fn and(self, object: &[u8]) -> Self {
        Self { more: vec![object.to_vec()], ..self }
    }

    /// With an information dictionary.
    fn informed(self, keys: &str) -> Self {
        let object = format!("<< {keys} >>").into_bytes();
        Self { information: Some(6), more: vec![object], ..self }
    }

    /// With XMP.
    fn described(xmp: &str) -> Self {
        let stream = stream("/Type /Metadata /Subtype /XML", xmp.as_bytes());
        catalog("/Metadata 6 0 R").and(&stream)
    }
}

/// What holds a document back, each by a file that has nothing else wrong with it.
fn held_back(cases: Vec<(&str, Pdf, Unread)>) {
    for (name, pdf, unread) in cases {
        assert_eq!(read_pdf(&pdf.bytes()).err(), Some(unread), "{name}");
    }
}

#[test]
fn what_is_drawn_and_no_text_holds_a_document_back() {
    let image = stream("/Type /XObject /Subtype /Image /Width 1 /Height 1", &[0]);
    let with_image = || resources("/XObject << /I 6 0 R >>").and(&image);
    let drawn = Pdf { content: b"/I Do".to_vec(), ..with_image() };
    let inline = Pdf::content("BI /W 1 /H 1 /BPC 8 /CS /G ID x\nEI");
    let small: String = (0..100).map(|at| format!("{at} 0 2 10 re f ")).collect();
    let shading = resources("/Shading << /S 6 0 R >>").and(b"<< /ShadingType 1 >>");
    let mask = resources("/ExtGState << /G << /SMask << /G 6 0 R >> >> >>").and(&form(""));
    let font = resources("/ExtGState << /G << /Type /ExtGState /Font [5 0 R 9] >> >>");
    let font = Pdf { content: b"/G gs BT (a) Tj ET".to_vec(), ..font };
    held_back(vec![
        ("image only", drawn, Unread::Image),
        ("image that no page draws", with_image(), Unread::Image),
        ("inline image", inline, Unread::Image),
        ("thumbnail", page("/Thumb 6 0 R").and(&form("")), Unread::Image),
        ("curves", Pdf::content("0 0 m 1 1 2 2 3 3 c S"), Unread::Drawing),
        ("slanted lines", Pdf::content("0 0 m 10 10 l S"), Unread::Drawing),
        ("many small boxes", Pdf::content(&small), Unread::Drawing),
        ("shading", shading, Unread::Drawing),
        ("soft mask", mask, Unread::Drawing),
        ("a graphics state with a font", font, Unread::Unlisted),
        ("unknown operator", Pdf::content("0 0 0 0 d0"), Unread::Unlisted),
        ("comment in a page", Pdf::content("BT ET % Ottoline Ashgrove\n"), Unread::Leftovers),
    ]);
}

#[test]
fn what_hangs_on_a_document_holds_it_back() {
    let note = b"<< /Type /Annot /Subtype /Text /Contents (Ottoline Ashgrove) >>";
    let files = "/Names << /EmbeddedFiles << /Names [] >> >>";
    let action = "/OpenAction << /S /JavaScript /JS (x) >>";
    let private = "/PieceInfo << /X << /Private (Ottoline) >> >>";
    let filter = page("/Metadata 6 0 R").and(&stream("/Filter /LZWDecode", b"x"));
    let own = Pdf::default().informed("/Patient (Ottoline Ashgrove)");
    let twice = Pdf::default().informed("/Producer (Ottoline Ashgrove) /Producer (cairo)");
    let owner = "<x xmlns='urn:x'><owner>Ottoline Ashgrove</owner></x>";
    let definition = "<!DOCTYPE x [<!ENTITY a 'b'>]><x/>";
    held_back(vec![
        ("annotation", page("/Annots [6 0 R]").and(note), Unread::Annotations),
        ("form", catalog("/AcroForm << /Fields [] >>"), Unread::Annotations),
        ("attachment", catalog(files), Unread::Embedded),
        ("script", catalog("/Names << /JavaScript << /Names [] >> >>"), Unread::Actions),
        ("action", catalog(action), Unread::Actions),
        ("private data", page(private), Unread::Metadata),
        ("unknown key", page("/Ottoline (x)"), Unread::Unlisted),
        ("layers", catalog("/OCProperties << >>"), Unread::Unlisted),
        ("unreachable object", Pdf::default().and(b"(Ottoline)"), Unread::Unreachable),
        ("comment in an object", catalog("% Ottoline Ashgrove\n"), Unread::Leftovers),
        ("Info: a key of its own", own, Unread::Metadata),
        ("Info: key twice", twice, Unread::Metadata),
        ("XMP: a property of its own", Pdf::described(owner), Unread::Metadata),
        ("XMP: definition", Pdf::described(definition), Unread::Definition),
        ("another filter", filter, Unread::Unlisted),
    ]);
}

#[test]
fn every_byte_belongs_to_a_part() {
    let clean = Pdf::default().bytes();
    let text = String::from_utf8_lossy(&clean).into_owned();
    let put = |before: &str, what: &str| {
        let at = clean.windows(before.len()).position(|w| w == before.as_bytes()).unwrap();
        let mut changed = clean.clone();
        changed.splice(at..at, what.bytes());
        changed
    };
    assert!(text.contains("startxref"));
    let update = {
        let mut bytes = clean.clone();
        let start = text.rfind("xref\n0").unwrap_or(0);
        let at = bytes.len();
        bytes.extend(b"5 0 obj\n<< /Type /Font /Subtype /Type1 /BaseFont /Courier >>\nendobj\n");
        let section = bytes.len();
        let entry = format!("xref\n5 1\n{at:010} 00000 n \n");
        let rest = format!(
            "{entry}trailer\n<< /Size 6 /Root 1 0 R /Prev {start} >>\nstartxref\n{section}\n%%EOF\n"
        );
        bytes.extend(rest.bytes());
        bytes
    };
    for (name, bytes) in [
        ("behind the end", [&clean[..], b"Ottoline Ashgrove"].concat()),
        ("before the trailer", put("trailer", "% Ottoline\n")),
        ("before the begin", [b"Ottoline\n", &clean[..]].concat()),
        ("in the header", put("1 0 obj", "% Ottoline Ashgrove\n")),
        ("an earlier revision", update),
        ("cut", clean[..clean.len() / 2].to_vec()),
        ("nothing", Vec::new()),
        ("no PDF", b"Ottoline Ashgrove".to_vec()),
    ] {
        assert!(read_pdf(&bytes).is_err(), "{name}");
    }
    // Between an object's end and the next object.
    let mut objects = vec![
        b"<< /Type /Catalog /Pages 2 0 R >>\nendobj\nOttoline Ashgrove".to_vec(),
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_vec(),
        b"<< /Type /Page /Parent 2 0 R >>".to_vec(),
    ];
    assert!(read_pdf(&file(&objects, None)).is_err());
    objects[0] = b"<< /Type /Catalog /Pages 2 0 R >>".to_vec();
    assert!(read_pdf(&file(&objects, None)).is_ok());
    // Behind the end of deflated bytes.
    let hidden = Pdf::default().with_content(|content| {
        stream("/Filter /FlateDecode", &[&deflated(content)[..], b"Ottoline Ashgrove"].concat())
    });
    assert_eq!(read_pdf(&hidden).err(), Some(Unread::Leftovers));
    let encrypted = put("/Root", "/Encrypt << /Filter /Standard >> ");
    assert!(read_pdf(&encrypted).is_err());
}

#[test]
fn strings_and_names_outside_the_pages_are_handed_out() {
    let pdf = Pdf {
        catalog: "/Outlines 6 0 R /Lang (en-US)".into(),
        more: vec![
            b"<< /Type /Outlines /First 7 0 R /Last 7 0 R /Count 1 >>".to_vec(),
            b"<< /Title <feff0041007300680067> /Title (Ottoline) /Parent 6 0 R >>".to_vec(),
            b"<< /Producer (cairo 1.16) /CreationDate (D:20240301101500Z) /Title (Garrowby) >>"
                .to_vec(),
        ],
        information: Some(8),
        resources: "/Properties << /Ash#67rove << /Type /X >> >>".into(),
        content: b"/Span << /ActualText (Barnaby) >> BDC BT /F1 9 Tf (x) Tj ET EMC".to_vec(),
        ..Pdf::default()
    };
    let text = read(&pdf.bytes());
    assert_eq!(text.software, ["cairo 1.16"]);
    assert!(text.dated);
    for string in ["Ashg", "Ottoline", "Barnaby", "Garrowby"] {
        assert!(text.strings.iter().any(|found| found == string), "{string}");
    }
    assert!(text.names.concat().contains("Ashgrove"));
}

#[test]
fn what_inflates_without_end_is_held_back() {
    let bomb = deflated(&vec![b' '; 64 << 20]);
    assert!(bomb.len() < 1 << 20);
    let page = Pdf::default().with_content(|_| stream("/Filter /FlateDecode", &bomb));
    assert_eq!(read_pdf(&page).err(), Some(Unread::Inflation));
    let mapping = Pdf {
        font: "/Subtype /TrueType /BaseFont /A /ToUnicode 6 0 R".into(),
        more: vec![stream("/Filter /FlateDecode", &bomb)],
        ..Pdf::default()
    };
    assert!(read_pdf(&mapping.bytes()).is_err());
    let deep =
        Pdf { catalog: format!("/K {}{}", "[".repeat(5000), "]".repeat(5000)), ..Pdf::default() };
    assert!(read_pdf(&deep.bytes()).is_err());
    let itself = Pdf {
        resources: "/XObject << /X 6 0 R >>".into(),
        more: vec![stream(
            "/Subtype /Form /BBox [0 0 9 9] /Resources << /XObject << /X 6 0 R >> >>",
            b"/X Do",
        )],
        ..Pdf::content("/X Do")
    };
    assert_eq!(read_pdf(&itself.bytes()).err(), Some(Unread::TooMuch));
}

/// The same document in the ways that a writer has: object streams, a cross-reference stream.
#[test]
fn object_streams_are_taken_apart() {
    let mut document = lopdf::Document::load_mem(&Pdf::default().bytes()).unwrap();
    let mut bytes = Vec::new();
    let options = lopdf::SaveOptions::builder().use_object_streams(true).use_xref_streams(true);
    document.save_with_options(&mut bytes, options.build()).unwrap();
    match read_pdf(&bytes) {
        Ok(text) => assert!(text.pages.concat().contains(FINDING)),
        Err(unread) => panic!("{unread}"),
    }
}

#[test]
fn answers_come_back_as_they_were() {
    let bytes = Pdf::default().bytes();
    let text = from_answer(&to_answer(InProcess.read_pdf(&bytes))).unwrap_or_default();
    assert!(text.pages.concat().contains(FINDING));
    for unread in Unread::ALL {
        assert_eq!(from_answer(&to_answer(Err(*unread))).err(), Some(*unread));
    }
    for answer in [&b""[..], b"{}", b"{\"format\":9,\"read\":{\"Ok\":{}}}", b"Ottoline"] {
        assert_eq!(from_answer(answer).err(), Some(Unread::ReaderFailed));
    }
}

/// A name written over any eight bytes of a document: it is handed out to be searched, or the
/// document is held back.
#[test]
fn whatever_stands_anywhere_is_read_or_refused() {
    let name = b"Ashgrove";
    let pdf = Pdf {
        catalog: "/Outlines 6 0 R /Lang (en-US) /ViewerPreferences << /FitWindow true >>".into(),
        more: vec![
            b"<< /Type /Outlines /First 7 0 R /Last 7 0 R /Count 1 >>".to_vec(),
            b"<< /Title (Findings and impression) /Parent 6 0 R >>".to_vec(),
            b"<< /Producer (cairo 1.16.0 with more) /Creator (LibreOffice Writer 7) >>".to_vec(),
        ],
        information: Some(8),
        ..Pdf::default()
    };
    let clean = pdf.bytes();
    assert!(read_pdf(&clean).is_ok());
    let (mut read, mut refused) = (0, 0);
    for at in 0..clean.len() - name.len() {
        let mut changed = clean.clone();
        changed[at..at + name.len()].copy_from_slice(name);
        let Ok(text) = read_pdf(&changed) else {
            refused += 1;
            continue;
        };
        read += 1;
        let all = [text.pages, text.readings, text.strings, text.names, text.software];
        assert!(all.concat().concat().contains("Ashgrove"), "at {at}");
    }
    assert!(read > 50 && refused > 500, "{read} read, {refused} refused");
}
