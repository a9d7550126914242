//! Media types, their quoted parameters and what a sender accepts (RFC 9110, RFC 2046).

use super::WebError;
use axum::http::{HeaderMap, header};

/// A media type with its parameters; names are in lower case.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct MediaType {
    pub(crate) essence: String,
    params: Vec<(String, String)>,
}

impl MediaType {
    /// Parses `type/subtype; name=value; name="quoted value"`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut pieces = split(text, b';').into_iter();
        let essence = pieces.next()?.trim().to_ascii_lowercase();
        let (kind, subtype) = essence.split_once('/')?;
        if kind.is_empty() || subtype.is_empty() || essence.contains(char::is_whitespace) {
            return None;
        }
        let mut params = Vec::new();
        for piece in pieces.map(str::trim).filter(|piece| !piece.is_empty()) {
            let (name, value) = piece.split_once('=')?;
            params.push((name.trim().to_ascii_lowercase(), unquote(value.trim())?));
        }
        Some(Self { essence, params })
    }

    pub(crate) fn param(&self, name: &str) -> Option<&str> {
        self.params.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }
}

/// Splits at a separator that does not stand in quotes.
fn split(text: &str, separator: u8) -> Vec<&str> {
    let (mut pieces, mut start, mut quoted, mut escaped) = (Vec::new(), 0, false, false);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            _ if byte == separator && !quoted => {
                pieces.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    pieces.push(&text[start..]);
    pieces
}

fn unquote(value: &str) -> Option<String> {
    let Some(inner) = value.strip_prefix('"') else {
        return Some(value.to_owned());
    };
    let inner = inner.strip_suffix('"')?;
    let mut plain = String::with_capacity(inner.len());
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        plain.push(if c == '\\' { chars.next()? } else { c });
    }
    Some(plain)
}

/// What the body of a STOW-RS request is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum StowBody {
    /// One instance.
    Single,
    /// Parts between boundaries.
    Multipart { boundary: String },
}

impl StowBody {
    /// Reads the content type of a request.
    pub(crate) fn of(headers: &HeaderMap) -> Result<Self, WebError> {
        let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let media = value.and_then(MediaType::parse).ok_or(WebError::MediaType)?;
        match media.essence.as_str() {
            "application/dicom" => Ok(Self::Single),
            "multipart/related" => {
                let kind = media.param("type");
                if kind.is_some_and(|kind| !kind.eq_ignore_ascii_case("application/dicom")) {
                    return Err(WebError::MediaType);
                }
                let boundary = media.param("boundary").filter(|text| boundary_allowed(text));
                let boundary = boundary.ok_or(WebError::Boundary)?.to_owned();
                Ok(Self::Multipart { boundary })
            }
            _ => Err(WebError::MediaType),
        }
    }
}

/// RFC 2046 5.1.1: 1 to 70 characters out of `bchars`, not ending with a space.
fn boundary_allowed(text: &str) -> bool {
    let bchar = |b: u8| b.is_ascii_alphanumeric() || b"'()+_,-./:=? ".contains(&b);
    (1..=70).contains(&text.len()) && !text.ends_with(' ') && text.bytes().all(bchar)
}

/// How the Store Instances Response is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// DICOM JSON Model (PS3.18 F).
    Json,
    /// Native DICOM Model (PS3.19 A.1).
    Xml,
}

impl Format {
    /// Chooses by the `Accept` headers; without one, JSON.
    pub(crate) fn accepted(headers: &HeaderMap) -> Result<Self, WebError> {
        let mut named = false;
        let mut best: Option<(u32, Self)> = None;
        for value in headers.get_all(header::ACCEPT) {
            let Ok(text) = value.to_str() else { return Err(WebError::NotAcceptable) };
            for media in split(text, b',').into_iter().filter_map(MediaType::parse) {
                named = true;
                let format = match media.essence.as_str() {
                    "*/*" | "application/*" | "application/dicom+json" | "application/json" => {
                        Self::Json
                    }
                    "application/dicom+xml" => Self::Xml,
                    _ => continue,
                };
                let weight = quality(media.param("q"));
                if weight > 0 && best.is_none_or(|(other, _)| weight > other) {
                    best = Some((weight, format));
                }
            }
        }
        match best {
            Some((_, format)) => Ok(format),
            None if named => Err(WebError::NotAcceptable),
            None => Ok(Self::Json),
        }
    }

    pub(crate) fn content_type(self) -> &'static str {
        match self {
            Self::Json => "application/dicom+json",
            Self::Xml => "application/dicom+xml",
        }
    }
}

/// A quality value (RFC 9110 12.4.2) in thousandths.
fn quality(text: Option<&str>) -> u32 {
    let Some(text) = text else { return 1000 };
    let value: f64 = text.parse().unwrap_or(0.0);
    let thousandths = (value.clamp(0.0, 1.0) * 1000.0).round();
    // In range by the clamp; NaN becomes 0.
    thousandths as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn with(name: header::HeaderName, value: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(name, HeaderValue::from_str(value).unwrap());
        headers
    }

    #[test]
    fn content_types_are_read_as_senders_write_them() {
        let multi = |text: &str| Ok(StowBody::Multipart { boundary: text.to_owned() });
        let table: &[(&str, Result<StowBody, WebError>)] = &[
            ("application/dicom", Ok(StowBody::Single)),
            ("Application/DICOM; transfer-syntax=1.2.840.10008.1.2.1", Ok(StowBody::Single)),
            ("multipart/related; type=\"application/dicom\"; boundary=abc", multi("abc")),
            ("multipart/related;type=application/dicom;boundary=\"a b:c\"", multi("a b:c")),
            ("Multipart/Related; BOUNDARY=\"x\\y\"; type=\"Application/Dicom\"", multi("xy")),
            ("multipart/related; boundary=only", multi("only")),
            ("multipart/related; type=\"application/dicom\"; boundary=a;", multi("a")),
            ("multipart/related; type=\"application/dicom\"", Err(WebError::Boundary)),
            ("multipart/related; boundary=\"\"", Err(WebError::Boundary)),
            ("multipart/related; boundary=\"a\u{7f}\"", Err(WebError::MediaType)),
            ("multipart/related; boundary=\"a;b\"", Err(WebError::Boundary)),
            (
                "multipart/related; type=\"application/dicom+json\"; boundary=a",
                Err(WebError::MediaType),
            ),
            ("multipart/form-data; boundary=a", Err(WebError::MediaType)),
            ("multipart/related; boundary=\"unterminated", Err(WebError::MediaType)),
            ("dicom", Err(WebError::MediaType)),
            ("/", Err(WebError::MediaType)),
            ("", Err(WebError::MediaType)),
        ];
        for (text, wanted) in table {
            let Ok(value) = HeaderValue::from_str(text) else { continue };
            let mut headers = HeaderMap::new();
            headers.insert(header::CONTENT_TYPE, value);
            assert_eq!(&StowBody::of(&headers), wanted, "{text}");
        }
        let long = format!("multipart/related; boundary={}", "a".repeat(71));
        assert_eq!(StowBody::of(&with(header::CONTENT_TYPE, &long)), Err(WebError::Boundary));
        assert_eq!(StowBody::of(&HeaderMap::new()), Err(WebError::MediaType));
    }

    #[test]
    fn the_answer_is_what_the_sender_likes_best() {
        let table: &[(&str, Result<Format, WebError>)] = &[
            ("*/*", Ok(Format::Json)),
            ("application/dicom+xml", Ok(Format::Xml)),
            ("application/json", Ok(Format::Json)),
            ("application/dicom+json;q=0.5, application/dicom+xml;q=0.9", Ok(Format::Xml)),
            ("application/dicom+xml;q=0, */*;q=0.1", Ok(Format::Json)),
            ("application/dicom+xml;q=0", Err(WebError::NotAcceptable)),
            ("text/html, image/png", Err(WebError::NotAcceptable)),
            ("text/html, application/*;q=0.2", Ok(Format::Json)),
        ];
        for (text, wanted) in table {
            assert_eq!(&Format::accepted(&with(header::ACCEPT, text)), wanted, "{text}");
        }
        assert_eq!(Format::accepted(&HeaderMap::new()), Ok(Format::Json));
    }
}
