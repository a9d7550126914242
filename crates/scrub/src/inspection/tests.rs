use super::*;
use scanveil_dataset::{Encoding, Limits, TransferSyntax, Writer, file_meta, open_slice};

const LE: Encoding = Encoding { explicit: true, big_endian: false };

fn traces(elements: &[(u32, Vr, &[u8])]) -> Vec<(u32, Trace)> {
    let mut bytes =
        file_meta("1.2.840.10008.5.1.4.1.1.2", "2.25.1", TransferSyntax::EXPLICIT_LITTLE);
    let mut writer = Writer::new(&mut bytes);
    for (tag, vr, value) in elements {
        writer.element(Tag(*tag), *vr, value, LE);
    }
    let (header, _) = open_slice(&bytes, &Limits::default()).unwrap();
    let mut out = Vec::new();
    Inspector::new().look(&header, |place, trace| {
        let tag = match place {
            TracePlace::Whole => 0,
            TracePlace::Tag(tag) => tag.0,
            TracePlace::Element(at) => header.data.elements()[at].tag.0,
        };
        out.push((tag, trace));
    });
    out
}

#[test]
fn every_kind_of_trace_is_told_from_what_scanveil_writes() {
    let found = traces(&[
        (0x0008_0018, Vr::UI, b"1.2.3"),
        (0x0008_0020, Vr::DA, b"20240101"),
        (0x0008_0050, Vr::SH, b"ACC1"),
        (0x0008_1030, Vr::LO, b"seen by Dr Garrowby"),
        (0x0009_0010, Vr::LO, b"SOMEBODY"),
        (0x0010_0010, Vr::PN, b"Doe^Jo"),
        (0x0010_0020, Vr::LO, b"SV0123456789ABCDEF"),
        (0x0018_1030, Vr::LO, b""),
        (0x0028_0301, Vr::CS, b"YES"),
        (0x0020_9999, Vr::LO, b"what is it"),
    ]);
    for expected in [
        (0x0012_0062, Trace::NotStated),
        (0x0028_0301, Trace::BurnedIn),
        (0x0008_0018, Trace::Uid),
        (0x0008_0020, Trace::Date),
        (0x0008_0050, Trace::Value),
        (0x0009_0010, Trace::Private),
        (0x0010_0010, Trace::Identity),
        (0x0020_9999, Trace::Unknown),
    ] {
        assert!(found.contains(&expected), "{expected:08x?} in {found:08x?}");
    }
    assert!(!found.iter().any(|(tag, _)| matches!(tag, 0x0010_0020 | 0x0018_1030)), "{found:?}");
}

#[test]
fn what_is_stated_and_replaced_leaves_no_trace() {
    let found = traces(&[
        (0x0008_0018, Vr::UI, b"2.25.77"),
        (0x0008_0050, Vr::SH, b""),
        (0x0010_0010, Vr::PN, b"SV0123456789ABCDEF"),
        (0x0010_0020, Vr::LO, b"SV0123456789ABCDEF"),
        (0x0012_0062, Vr::CS, b"YES"),
        (0x0012_0063, Vr::LO, b"by somebody 2024-01-01"),
        (0x0020_0013, Vr::IS, b"12"),
    ]);
    assert_eq!(found, []);
}
