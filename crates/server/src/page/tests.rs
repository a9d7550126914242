use super::*;
use crate::status::{
    PipelineStatus, Problem, QuarantineStatus, ReleaseStatus, SpoolStatus, StoreStatus, Volume,
};
use scanveil_model::{AeTitle, HospitalId, ProjectName, ReasonCode};

/// A service of two hospitals, one of which has sent.
pub(crate) fn busy() -> StatusSnapshot {
    let volume = |instances, bytes| Volume { instances, bytes };
    let hospital = |name: &str, ae: &str| HospitalStatus {
        hospital: HospitalId::parse(name).unwrap(),
        called_ae: Some(AeTitle::parse(ae).unwrap()),
        received: 0,
        waiting: 0,
        oldest_waiting_ms: None,
        last_arrival_at_ms: None,
        stored: Volume::default(),
        held_back: 0,
        quarantined: Vec::new(),
    };
    let mut first = hospital("st-wystan", "WYSTAN");
    first.received = 12_847;
    first.waiting = 212;
    first.oldest_waiting_ms = Some(94_000);
    first.last_arrival_at_ms = Some(1_800_000_000_000 - 7_000);
    first.held_back = 134;
    first.stored = volume(12_501, 5_910_000_000);
    first.quarantined = vec![
        QuarantineStatus { code: ReasonCode::BurnedInText, instances: 121 },
        QuarantineStatus { code: ReasonCode::SlideLabel, instances: 9 },
        QuarantineStatus { code: ReasonCode::MixedPatients, instances: 4 },
    ];
    StatusSnapshot {
        version: "0.1.0".into(),
        taken_at_ms: 1_800_000_000_000,
        started_at_ms: 1_800_000_000_000 - 26 * 3_600_000,
        ready: true,
        problems: Vec::new(),
        dicom: Some(Entrance { address: "127.0.0.1:11112".parse().unwrap(), tls: false }),
        web: Some(Entrance { address: "127.0.0.1:8042".parse().unwrap(), tls: false }),
        spool: SpoolStatus {
            used_bytes: 7_900_000_000,
            max_bytes: 53_687_091_200,
            waiting: 212,
            oldest_waiting_ms: Some(94_000),
            set_aside: 0,
        },
        pipeline: PipelineStatus { studies: 3, ..PipelineStatus::default() },
        store: StoreStatus { reachable: true, errors: 0 },
        hospitals: vec![first, hospital("kvinesdal", "KVINESDAL")],
        releases: vec![ReleaseStatus {
            project: ProjectName::parse("lung-screening").unwrap(),
            id: "lung-screening-3".into(),
            volume: volume(11_204, 5_210_000_000),
            created_at_ms: 1_800_000_000_000 - 5 * 3_600_000,
        }],
    }
}

/// The same service before anything has arrived.
pub(crate) fn empty() -> StatusSnapshot {
    let mut status = busy();
    for hospital in &mut status.hospitals {
        *hospital = HospitalStatus {
            received: 0,
            waiting: 0,
            oldest_waiting_ms: None,
            last_arrival_at_ms: None,
            stored: Volume::default(),
            held_back: 0,
            quarantined: Vec::new(),
            ..hospital.clone()
        };
    }
    let spool = SpoolStatus { max_bytes: status.spool.max_bytes, ..SpoolStatus::default() };
    StatusSnapshot { spool, releases: Vec::new(), ..status }
}

#[test]
fn the_empty_page_says_how_to_push_the_first_study() {
    let page = render(&empty(), "scan.example");
    for command in [
        "storescu -v -aec &#39;WYSTAN&#39; 127.0.0.1 11112 image.dcm",
        "--data-binary @image.dcm http://127.0.0.1:8042/studies",
        "-T study.zip -X POST http://127.0.0.1:8042/upload",
        "Authorization: Bearer $TOKEN",
    ] {
        assert!(page.contains(command), "{command}");
    }
    assert!(page.contains("No study has arrived yet"));
}

#[test]
fn an_address_of_every_interface_is_shown_as_the_reader_reached_it() {
    let mut status = empty();
    status.web = Some(Entrance { address: "0.0.0.0:8042".parse().unwrap(), tls: true });
    status.dicom = Some(Entrance { address: "[::]:2762".parse().unwrap(), tls: true });
    let page = render(&status, "scan.example");
    assert!(page.contains("https://scan.example:8042/studies"));
    assert!(page.contains("+cf ca.crt -v -aec &#39;WYSTAN&#39; scan.example 2762 image.dcm"));
    assert!(render(&status, "fd00::1").contains("https://[fd00::1]:8042/studies"));
}

#[test]
fn the_busy_page_shows_every_stage_and_what_to_do() {
    let page = render(&busy(), "localhost");
    for text in [
        "12\u{202f}847",
        "<code>burned-in-text</code>",
        ReasonCode::SlideLabel.next_step(),
        "lung-screening-3",
        "oldest 94\u{a0}s",
        "5.9\u{a0}GB",
        "value=\"14\"",
        "class=\"state good\"",
    ] {
        assert!(page.contains(text), "{text}");
    }
    assert!(!page.contains("No study has arrived yet"));
}

#[test]
fn problems_are_shown_first_and_as_text() {
    let mut status = busy();
    status.problems = vec![Problem {
        code: "SV-INGEST-001".into(),
        message: "the spool is <full>".into(),
        next_step: "free & wait".into(),
    }];
    let page = render(&status, "localhost");
    assert!(page.contains("the spool is &lt;full&gt;") && page.contains("free &amp; wait"));
    assert!(page.contains("class=\"state warn\""));
    status.ready = false;
    assert!(render(&status, "localhost").contains("class=\"state bad\""));
}

#[test]
fn a_service_without_hospitals_says_what_is_missing() {
    let page = render(&StatusSnapshot::default(), "localhost");
    assert!(page.contains("No hospital is configured"));
}

#[test]
fn tags_are_closed() {
    for status in [busy(), empty(), StatusSnapshot::default()] {
        let page = render(&status, "localhost");
        for tag in ["section", "table", "tr", "td", "th", "dl", "div", "main", "details", "pre"] {
            let opened = page.matches(&format!("<{tag}>")).count()
                + page.matches(&format!("<{tag} ")).count();
            assert_eq!(opened, page.matches(&format!("</{tag}>")).count(), "{tag}");
        }
    }
}

#[test]
fn the_page_is_as_it_was_read() {
    let mut status = busy();
    status.problems.push(Problem {
        code: "SV-INGEST-001".into(),
        message: "the spool is full".into(),
        next_step: "find out why the pipeline does not empty it".into(),
    });
    insta::assert_snapshot!(render(&status, "scanveil.example:8080"));
}
