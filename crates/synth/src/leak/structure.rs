//! Rows 1 to 6, 12, 16 and 40: what surrounds the data set, and how it is nested.

use super::{Case, EXPLICIT, Maker};
use crate::SynthError;
use crate::file::Syntax;
use crate::key::{Expect, PlantedKind as K};
use crate::wire::{DataSet, Lengths, Value, Vr, implicit_items};

pub(super) fn cases(maker: &mut Maker) -> Result<(), SynthError> {
    around(maker)?;
    directory(maker)?;
    nested(maker)?;
    lengths(maker)
}

fn around(maker: &mut Maker) -> Result<(), SynthError> {
    maker.case(1, "preamble", |c| {
        let word = c.canary(K::Text);
        c.preamble[..4].copy_from_slice(b"II*\0");
        c.preamble[40..40 + word.len()].copy_from_slice(word.as_bytes());
    })?;
    maker.case(2, "file-meta", |c| {
        for tag in [0x0002_0016, 0x0002_0017, 0x0002_0018] {
            let word = c.canary(K::Text);
            c.meta.text(tag, Vr::Ae, &word);
        }
        for tag in [0x0002_0026, 0x0002_0027, 0x0002_0028] {
            let word = c.canary(K::Text);
            c.meta.text(tag, Vr::Ur, &format!("dicom://{word}.example:104"));
        }
        let (creator, word) = (c.canary(K::Uid), c.canary(K::Text));
        c.meta.text(0x0002_0100, Vr::Ui, &creator);
        c.meta.bytes(0x0002_0102, Vr::Ob, word);
    })?;
    maker.case(3, "media-storage-instance-uid", |c| {
        let uid = c.canary(K::Uid);
        c.meta.text(0x0002_0003, Vr::Ui, &uid);
        c.expect(Expect::Either);
    })?;
    maker.case(4, "trailing-padding", |c| {
        let word = c.canary(K::Text);
        c.d().bytes(0xfffc_fffc, Vr::Ob, word);
    })?;
    maker.case(5, "after-the-last-element", |c| {
        c.trailing = c.canary(K::Text).into_bytes();
        c.expect(Expect::Either);
    })?;
    maker.case(5, "after-the-deflated-stream", |c| {
        c.after = c.canary(K::Text).into_bytes();
        c.syntaxes = &[Syntax::Deflated];
        c.expect(Expect::Either);
    })?;
    maker.case(5, "past-the-last-pixel", |c| {
        let word = c.canary(K::Text);
        if let Some(frame) = c.draft.pixels.as_mut().and_then(|p| p.frames.first_mut()) {
            frame.extend(word.bytes().chain([0, 0, 0, 0]));
        }
        c.syntaxes = &[Syntax::ImplicitLe, Syntax::ExplicitLe, Syntax::Deflated];
        c.expect(Expect::Either);
    })
}

fn directory(maker: &mut Maker) -> Result<(), SynthError> {
    maker.case(6, "group-0004-in-an-image", |c| {
        c.words(&[(0x0004_1130, Vr::Cs), (0x0004_1500, Vr::Cs), (0x0004_1511, Vr::Ui)]);
        c.expect(Expect::Either);
    })?;
    maker.case(6, "dicomdir", |c| {
        let charset = c.draft.data.charset();
        let (name, id) = (c.canary(K::PersonName), c.canary(K::PatientId));
        let mut d = DataSet::new(charset);
        d.text(0x0004_1130, Vr::Cs, "FILESET");
        d.ul(0x0004_1200, &[0]);
        d.ul(0x0004_1202, &[0]);
        d.us(0x0004_1212, &[0]);
        d.one(0x0004_1220, |record| {
            record.ul(0x0004_1400, &[0]);
            record.us(0x0004_1410, &[0xffff]);
            record.ul(0x0004_1420, &[0]);
            record.text(0x0004_1430, Vr::Cs, "PATIENT");
            record.text(0x0010_0010, Vr::Pn, &name);
            record.text(0x0010_0020, Vr::Lo, &id);
        });
        c.draft.data = d;
        c.draft.class = "1.2.840.10008.1.3.10";
        c.draft.pixels = None;
        c.syntaxes = &[Syntax::ExplicitLe];
        c.expect(Expect::Quarantine);
    })
}

/// An element that profiles keep, nested in itself `depth` times, with canaries at every level.
fn nest(c: &mut Case, depth: usize) -> DataSet {
    let charset = c.draft.data.charset();
    let mut inner = DataSet::new(charset);
    for level in 0..depth {
        let mut item = DataSet::new(charset);
        item.text(0x0008_0100, Vr::Sh, "T-A0100");
        item.text(0x0008_0102, Vr::Sh, "SRT");
        item.text(0x0008_0104, Vr::Lo, "Brain");
        let name = c.canary(K::PersonName);
        item.text(0x0010_0010, Vr::Pn, &name);
        if level > 0 {
            item.seq(0x0008_2218, vec![inner]);
        }
        inner = item;
    }
    inner
}

fn nested(maker: &mut Maker) -> Result<(), SynthError> {
    const BOTH: &[Lengths] = &[Lengths::Undefined, Lengths::Defined];
    for (name, depth) in [("depth-2", 2), ("depth-7", 7), ("depth-30", 30)] {
        maker.case(16, name, |c| {
            let item = nest(c, depth);
            c.d().seq(0x0008_2218, vec![item]);
            c.lengths = BOTH;
            c.expect(if depth > 15 { Expect::Either } else { Expect::Clean });
        })?;
    }
    maker.case(16, "depth-300", |c| {
        let item = nest(c, 300);
        c.d().seq(0x0008_2218, vec![item]);
        c.syntaxes = &[Syntax::ExplicitLe, Syntax::ImplicitLe];
        c.expect(Expect::Either);
    })?;
    maker.case(12, "private-sequence", |c| {
        let item = nest(c, 3);
        c.d().text(0x0033_0010, Vr::Lo, "INVENTED SEQUENCES");
        c.d().seq(0x0033_1001, vec![item]);
        c.lengths = BOTH;
    })?;
    maker.case(12, "unknown-vr-holding-items", |c| {
        let item = nest(c, 2);
        c.d().text(0x0033_0010, Vr::Lo, "INVENTED SEQUENCES");
        c.d().bytes(0x0033_1001, Vr::Un, implicit_items(&[item]));
        c.syntaxes = EXPLICIT;
    })?;
    maker.case(12, "unknown-vr-of-undefined-length", |c| {
        let item = nest(c, 2);
        c.d().put(0x0008_2218, Vr::Un, Value::ImplicitItems(vec![item]));
        c.syntaxes = &[Syntax::ExplicitLe, Syntax::Deflated, Syntax::Rle];
        c.expect(Expect::Either);
    })
}

fn lengths(maker: &mut Maker) -> Result<(), SynthError> {
    maker.case(40, "empty-items-and-lengths", |c| {
        let item = nest(c, 2);
        let empty = c.d().item(|_| {});
        c.d().seq(0x0008_2218, vec![empty.clone(), item, empty]);
        c.d().seq(0x0008_1140, Vec::new());
        c.words(&[(0x0010_1005, Vr::Pn), (0x0008_009c, Vr::Pn)]);
        c.lengths = &[Lengths::Undefined, Lengths::Defined];
    })
}
