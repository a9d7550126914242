//! Rows 18, 19, 22 to 24, 26 and 27: text, dates, character sets and names.

use super::{Case, EXPLICIT, Maker};
use crate::SynthError;
use crate::charset::Charset;
use crate::key::{Expect, Planted, PlantedKind as K};
use crate::wire::Vr;

pub(super) fn cases(maker: &mut Maker) -> Result<(), SynthError> {
    free_text(maker)?;
    unlisted_text(maker)?;
    dates(maker)?;
    hidden_dates(maker)?;
    character_sets(maker)?;
    wrong_character_sets(maker)?;
    names(maker)
}

/// What people type about a patient, in the order of the elements it is typed into.
fn typed(c: &Case) -> [String; 6] {
    let (family, given) = c.study.patient.latin();
    let p = &c.study.patient;
    [
        format!("MR head {} {given}", family.to_uppercase()),
        format!("t2 axial {}, {given}", family),
        format!("{given} {family} b. {}", p.birth.dotted()),
        format!("record {} seen {}", p.mrn, c.study.prior.iso()),
        format!("call {} about {family}", p.phone),
        format!("prior {} acc {}", c.study.prior.us_slashes(), c.study.accession),
    ]
}

fn type_into(c: &mut Case, elements: &[(u32, Vr)]) {
    let texts = typed(c);
    let family = c.study.patient.latin().0.to_owned();
    for (&(tag, vr), text) in elements.iter().zip(texts.iter().cycle()) {
        // Sixteen characters are all that VR SH has room for.
        c.d().text(tag, vr, if vr == Vr::Sh { &family } else { text });
    }
}

fn free_text(maker: &mut Maker) -> Result<(), SynthError> {
    maker.case(18, "descriptions-and-comments", |c| {
        type_into(
            c,
            &[
                (0x0008_1030, Vr::Lo),
                (0x0008_103e, Vr::Lo),
                (0x0018_1030, Vr::Lo),
                (0x0020_4000, Vr::Lt),
                (0x0010_4000, Vr::Lt),
                (0x0018_4000, Vr::Lt),
                (0x0010_21b0, Vr::Lt),
                (0x0008_1080, Vr::Lo),
                (0x0008_2111, Vr::St),
                (0x0018_1400, Vr::Lo),
                (0x0018_a003, Vr::St),
                (0x0020_3401, Vr::Lo),
                (0x0028_4000, Vr::Lt),
                (0x0032_1030, Vr::Lo),
                (0x0032_1060, Vr::Lo),
                (0x0032_4000, Vr::Lt),
                (0x0038_0062, Vr::Lo),
                (0x0038_4000, Vr::Lt),
                (0x0040_0007, Vr::Lo),
                (0x0040_0254, Vr::Lo),
                (0x0040_0280, Vr::St),
                (0x0040_0310, Vr::St),
                (0x0040_1002, Vr::Lo),
                (0x0040_1400, Vr::Lt),
                (0x0040_2001, Vr::Lo),
                (0x0040_2400, Vr::Lt),
                (0x0088_0904, Vr::Lo),
                (0x0088_0906, Vr::St),
                (0x0088_0912, Vr::Lo),
            ],
        );
    })
}

fn unlisted_text(maker: &mut Maker) -> Result<(), SynthError> {
    maker.case(19, "text-that-the-table-does-not-list", |c| {
        type_into(
            c,
            &[
                (0x0018_0010, Vr::Lo),
                (0x0018_0024, Vr::Sh),
                (0x0018_1160, Vr::Sh),
                (0x0018_1190, Vr::Sh),
                (0x0018_1250, Vr::Sh),
                (0x0018_1251, Vr::Sh),
                (0x0018_9087, Vr::Lo),
                (0x0028_0a04, Vr::Lo),
                (0x0028_1055, Vr::Lo),
                (0x0028_3003, Vr::Lo),
                (0x0042_0010, Vr::St),
                (0x0054_0400, Vr::Sh),
                (0x0070_0081, Vr::Lo),
            ],
        );
        let (family, _) = c.study.patient.latin();
        let family = family.to_owned();
        c.d().code(0x0008_2218, ["T-A0100", "SRT", &format!("Brain of {family}")]);
        c.d().one(0x0070_0060, |layer| {
            layer.text(0x0070_0002, Vr::Cs, "NOTES");
            layer.text(0x0070_0062, Vr::Is, "1");
            layer.text(0x0070_0068, Vr::Lo, &format!("drawn for {family}"));
        });
        c.d().one(0x0028_3010, |lut| {
            lut.text(0x0028_3003, Vr::Lo, &format!("window {family}"));
        });
        c.expect(Expect::Either);
    })
}

fn dates(maker: &mut Maker) -> Result<(), SynthError> {
    maker.case(22, "dates-of-every-kind", |c| {
        c.words(&[
            (0x0008_0022, Vr::Da),
            (0x0008_0024, Vr::Da),
            (0x0008_0025, Vr::Da),
            (0x0008_002a, Vr::Dt),
            (0x0018_1012, Vr::Da),
            (0x0018_9074, Vr::Dt),
            (0x0032_1040, Vr::Da),
            (0x0038_0020, Vr::Da),
            (0x0040_0002, Vr::Da),
            (0x0040_0250, Vr::Da),
            (0x0040_2004, Vr::Da),
            (0x0040_a13a, Vr::Dt),
        ]);
        let (a, b, zone) = (c.canary(K::Date), c.canary(K::Date), c.canary(K::Date));
        c.d().text(0x0018_1200, Vr::Da, &format!("{a}\\{b}"));
        c.d().text(0x0018_1078, Vr::Dt, &format!("{zone}101112.123456+0900"));
    })?;
    maker.case(22, "malformed-dates", |c| {
        let days: Vec<String> = (0..7).map(|_| c.canary(K::Date)).collect();
        let split = |day: &str, s: &str| format!("{}{s}{}{s}{}", &day[..4], &day[4..6], &day[6..]);
        let d = c.d();
        d.text(0x0008_0022, Vr::Da, &split(&days[0], "."));
        d.text(0x0018_1012, Vr::Da, &split(&days[1], "-"));
        d.text(0x0018_1200, Vr::Da, &format!("{} 10:11", days[2]));
        d.text(0x0008_002a, Vr::Dt, &format!("{}T101112Z", split(&days[3], "-")));
        d.text(0x0038_0020, Vr::Da, &format!(" {}-", days[4]));
        d.text(0x0040_0250, Vr::Da, &format!("00000000\\{}", days[5]));
        d.text(0x0010_0030, Vr::Da, "193111");
        d.text(0x0018_1201, Vr::Tm, &days[6]);
        d.text(0x0008_0030, Vr::Tm, "25:61:61");
        c.expect(Expect::Either);
    })?;
    maker.case(22, "dates-where-none-belong", |c| {
        let days: Vec<String> = (0..6).map(|_| c.canary(K::Date)).collect();
        let d = c.d();
        d.text(0x0008_0050, Vr::Sh, &format!("A{}01", days[0]));
        d.text(0x0020_0010, Vr::Sh, &days[1]);
        d.text(0x0020_0052, Vr::Ui, &format!("1.3.6.1.4.1.58999.8.{}.1", days[2]));
        d.text(0x0018_1030, Vr::Lo, &format!("protocol of {}", days[3]));
        d.text(0x0040_0253, Vr::Sh, &days[4]);
        d.text(0x0020_0012, Vr::Is, &days[5]);
        c.expect(Expect::Either);
    })?;
    maker.case(22, "dates-in-the-wrong-vr", |c| {
        let days: Vec<String> = (0..4).map(|_| c.canary(K::Date)).collect();
        let d = c.d();
        d.text(0x0008_0022, Vr::Lo, &days[0]);
        d.text(0x0008_002a, Vr::Sh, &format!("{}101112", days[1]));
        d.text(0x0018_1012, Vr::Is, &days[2]);
        d.bytes(0x0018_1200, Vr::Ob, days[3].as_bytes());
        c.syntaxes = EXPLICIT;
        c.expect(Expect::Either);
    })
}

fn hidden_dates(maker: &mut Maker) -> Result<(), SynthError> {
    maker.case(23, "one-date-that-reveals-the-offset", |c| {
        // All dates of the file but these are the study's own.
        c.words(&[
            (0x0018_9701, Vr::Dt),
            (0x0018_9804, Vr::Dt),
            (0x0040_4005, Vr::Dt),
            (0x0040_4050, Vr::Dt),
            (0x0070_0082, Vr::Da),
        ]);
        let (inner, private) = (c.canary(K::Date), c.canary(K::Date));
        c.d().one(0x0040_9096, |item| {
            item.text(0x0040_a13a, Vr::Dt, &format!("{inner}101112"));
        });
        c.d().text(0x0035_0010, Vr::Lo, "INVENTED DEVICE 7");
        c.d().text(0x0035_1003, Vr::Da, &private);
    })?;
    maker.case(24, "ages-over-89", |c| {
        c.plant(K::Text, "104Y");
        c.plant(K::Date, "19111103");
        c.d().text(0x0010_0030, Vr::Da, "19111103");
        c.d().text(0x0010_1010, Vr::As, "104Y");
        c.d().text(0x0010_4000, Vr::Lt, "104Y old, born 3 November 1911");
    })
}

fn character_sets(maker: &mut Maker) -> Result<(), SynthError> {
    let cases = [
        ("utf-8", 1, Charset::Utf8),
        ("gb18030", 1, Charset::Gb18030),
        ("iso-2022-japanese", 1, Charset::Iso2022Jp),
        ("iso-2022-korean", 1, Charset::Iso2022Kr),
        ("latin-1", 0, Charset::Latin1),
    ];
    for (name, hospital, charset) in cases {
        let mut case = maker.new_case(hospital, charset);
        let native = case.study.patient.native().unwrap_or_default();
        case.d().text(0x0018_1030, Vr::Lo, &format!("t2 {native}"));
        case.d().text(0x0040_0254, Vr::Lo, &format!("{native} t2"));
        maker.finish(26, name, case)?;
    }
    Ok(())
}

fn wrong_character_sets(maker: &mut Maker) -> Result<(), SynthError> {
    // The declared set, and the patient's name in the set the bytes are really in.
    let cases: [(&str, Option<&str>, &str, &[u8]); 5] = [
        ("utf-8-declared-latin-1", Some("ISO_IR 100"), "诸葛^明月", "诸葛^明月".as_bytes()),
        ("utf-8-undeclared", None, "小早川^静香", "小早川^静香".as_bytes()),
        ("gb18030-undeclared", None, "诸葛^明月", b"\xd6\xee\xb8\xf0^\xc3\xf7\xd4\xc2"),
        (
            "unknown-set-declared",
            Some("ISO_IR 999"),
            "Grünewäldt^Jörgen",
            b"Gr\xfcnew\xe4ldt^J\xf6rgen",
        ),
        // ISO 8859-7, rightly declared.
        ("greek", Some("ISO_IR 126"), "Διονυσιος", b"\xc4\xe9\xef\xed\xf5\xf3\xe9\xef\xf2"),
    ];
    for (name, declared, value, bytes) in cases {
        maker.case(26, name, |c| {
            match declared {
                Some(set) => c.d().text(0x0008_0005, Vr::Cs, set),
                None => c.d().remove(0x0008_0005),
            };
            c.raw.push(Planted {
                kind: K::PersonName,
                value: value.to_owned(),
                encoded: bytes.to_vec(),
            });
            c.d().bytes(0x0010_0010, Vr::Pn, bytes);
            c.d().bytes(0x0010_4000, Vr::Lt, [b"seen ", bytes].concat());
            c.expect(Expect::Either);
        })?;
    }
    Ok(())
}

fn names(maker: &mut Maker) -> Result<(), SynthError> {
    maker.case(27, "names-in-every-order", |c| {
        let (a, b, e) = (c.canary(K::Text), c.canary(K::Text), c.canary(K::Text));
        let (one, two) = (c.canary(K::PersonName), c.canary(K::PersonName));
        let (family, given) = c.study.patient.latin();
        let spoken = format!("Mrs {given} {family}");
        let listed = format!("{}, {given}", family.to_uppercase());
        let d = c.d();
        d.text(0x0010_1005, Vr::Pn, &format!("{a}^{b}^{e}^Dr^Jr"));
        d.text(0x0010_1001, Vr::Pn, &format!("{one}\\{two}"));
        d.text(0x0010_2297, Vr::Pn, &spoken);
        d.text(0x0010_2299, Vr::Lo, &listed);
        d.text(0x0040_0006, Vr::Pn, &listed);
        d.text(0x0008_1070, Vr::Pn, &format!("{two}\\{one}"));
        d.text(0x0018_1030, Vr::Lo, &format!("for {spoken}"));
    })
}
