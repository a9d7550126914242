//! The last look before an instance leaves: parses what was written, and searches it for the
//! study's identifying values.

use crate::identity::Search;
use crate::values::dummy;
use scanveil_dataset::{Kind, Limits, Vr, open_slice};
use scanveil_model::{Reason, ReasonCode};

/// Searches a written header (file meta information and elements, no pixel data).
///
/// # Errors
/// [`ReasonCode::ResidualIdentifier`] with the element that holds one; [`ReasonCode::Internal`]
/// when what was written cannot be read back.
pub(crate) fn verify(written: &[u8], search: &Search, pseudonym: &str) -> Result<(), Reason> {
    let mut hits = search.long_forms(written).peekable();
    if hits.peek().is_none() {
        return Ok(());
    }
    let (header, _) = open_slice(written, &Limits::default())
        .map_err(|_| Reason::new(ReasonCode::Internal, "the output does not parse"))?;
    for hit in hits {
        let holder = header.data.elements().iter().enumerate().rev().find(|(_, element)| {
            let start = element.start as usize;
            element.kind == Kind::Leaf && (start..start + element.length as usize).contains(&hit)
        });
        let Some((index, element)) = holder else {
            return Err(Reason::new(ReasonCode::ResidualIdentifier, "outside the elements"));
        };
        // Digits of a keyed UID can fall together with a date or a number: they say nothing.
        let keyed = element.vr == Vr::UI && header.data.value(element).starts_with(b"2.25.");
        // What the rules write themselves can be equal to a name: somebody is called "Anonymous".
        let value = header.data.value(element).trim_ascii_end();
        let written = value == dummy(element.vr, element.encoding.big_endian)
            || element.tag.group() == 0x0012
            || value == pseudonym.as_bytes();
        if !keyed && !written {
            let at = header.data.path(index);
            return Err(Reason::at(ReasonCode::ResidualIdentifier, at, "found by verification"));
        }
    }
    Ok(())
}
