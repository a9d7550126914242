//! Hand-written bytes against the receiver, over a connection in memory.

use super::kit::{CT, EXPLICIT, Mood, Stage, Step, VERIFICATION, data_set, limits, uid};
use crate::dimse::command::{Command, echo_request, store_request};
use crate::dimse::control::Phase;
use crate::dimse::limits::DimseLimits;
use crate::dimse::status::{Status, StoreOutcome};
use dicom_ul::pdu::{AssociationRQ, Pdu, PresentationContextProposed, UserVariableItem};
use proptest::prelude::*;
use std::sync::atomic::Ordering;
use std::time::Duration;

const INSTANCE: &str = "1.2.3.4.5";
/// Presentation contexts of [`request`]: Verification, CT, and one that is not accepted.
const ECHO: u8 = 1;
const STORE: u8 = 3;
const REFUSED: u8 = 5;

const COMMAND: u8 = 1;
const LAST: u8 = 2;

pub(super) fn request(called: &str, calling: &str) -> Vec<u8> {
    let context = |id, class: &str| PresentationContextProposed {
        id,
        abstract_syntax: class.into(),
        transfer_syntaxes: vec![EXPLICIT.into()],
    };
    let pdu = Pdu::AssociationRQ(AssociationRQ {
        protocol_version: 1,
        calling_ae_title: calling.into(),
        called_ae_title: called.into(),
        application_context_name: "1.2.840.10008.3.1.1.1".into(),
        presentation_contexts: vec![
            context(ECHO, VERIFICATION),
            context(STORE, CT),
            context(REFUSED, "1.2.840.10008.5.1.4.1.2.1.1"),
        ],
        user_variables: vec![UserVariableItem::MaxLength(16_384)],
    });
    let mut bytes = Vec::new();
    dicom_ul::write_pdu(&mut bytes, &pdu).unwrap();
    bytes
}

pub(super) type Value<'a> = (u8, u8, &'a [u8]);

/// One P-DATA-TF with these values: context, flags, bytes.
pub(super) fn pdata(values: &[Value]) -> Vec<u8> {
    let mut body = Vec::new();
    for (context, flags, bytes) in values {
        body.extend_from_slice(&(bytes.len() as u32 + 2).to_be_bytes());
        body.extend_from_slice(&[*context, *flags]);
        body.extend_from_slice(bytes);
    }
    let mut pdu = vec![4, 0];
    pdu.extend_from_slice(&(body.len() as u32).to_be_bytes());
    pdu.extend_from_slice(&body);
    pdu
}

const RELEASE: [u8; 10] = [5, 0, 0, 0, 0, 4, 0, 0, 0, 0];
const ABORT: [u8; 10] = [7, 0, 0, 0, 0, 4, 0, 0, 0, 0];

pub(super) fn store_command() -> Vec<u8> {
    store_request(9, &uid(CT), &uid(INSTANCE))
}

fn steps(parts: &[&[u8]]) -> Vec<Step> {
    parts.iter().map(|part| Step::Bytes(part.to_vec())).collect()
}

/// The statuses of all responses, and the types of all other PDUs after the acceptance.
fn answers(pdus: &[Vec<u8>]) -> (Vec<Status>, Vec<u8>) {
    let (mut statuses, mut others) = (Vec::new(), Vec::new());
    for pdu in &pdus[1..] {
        if pdu[0] == 4 {
            statuses.push(Command::parse(&pdu[12..]).unwrap().status.unwrap());
        } else {
            others.push(pdu[0]);
        }
    }
    (statuses, others)
}

#[test]
fn messages_arrive_whole_however_they_are_cut() {
    let command = store_command();
    let data = data_set(CT, INSTANCE, 3000);
    let (c, d) = (command.as_slice(), data.as_slice());
    let one = |value: Value| pdata(&[value]);
    let table: Vec<(&str, Vec<Vec<u8>>)> = vec![
        ("one PDU each", vec![one((STORE, 3, c)), one((STORE, LAST, d))]),
        ("command and data in one PDU", vec![pdata(&[(STORE, 3, c), (STORE, LAST, d)])]),
        (
            "command and the first fragment in one PDU",
            vec![pdata(&[(STORE, 3, c), (STORE, 0, &d[..7])]), one((STORE, LAST, &d[7..]))],
        ),
        (
            "many values in each PDU",
            vec![
                pdata(&[
                    (STORE, COMMAND, &c[..5]),
                    (STORE, COMMAND, &c[5..9]),
                    (STORE, 3, &c[9..]),
                ]),
                pdata(&[(STORE, 0, &d[..1]), (STORE, 0, &d[1..2]), (STORE, LAST, &d[2..])]),
            ],
        ),
        (
            "command over three PDUs",
            vec![
                one((STORE, COMMAND, &c[..1])),
                one((STORE, COMMAND, &c[1..50])),
                one((STORE, 3, &c[50..])),
                one((STORE, LAST, d)),
            ],
        ),
        (
            "values of no length, also the last",
            vec![
                one((STORE, COMMAND, &[])),
                pdata(&[(STORE, COMMAND, c), (STORE, 3, &[])]),
                pdata(&[(STORE, 0, &[]), (STORE, 0, d), (STORE, 0, &[])]),
                one((STORE, LAST, &[])),
            ],
        ),
        (
            "PDUs of no length",
            vec![pdata(&[]), one((STORE, 3, c)), pdata(&[]), one((STORE, LAST, d)), pdata(&[])],
        ),
    ];
    let whole = {
        let mut file = scanveil_dataset::file_meta(CT, INSTANCE, EXPLICIT);
        file.extend_from_slice(d);
        file
    };
    for (name, parts) in &table {
        for piece in [1, 5, 4096, usize::MAX] {
            let mut all = steps(&[&request("WYSTAN", "PACS")]);
            all.extend(parts.iter().map(|part| Step::Bytes(part.clone())));
            all.extend(steps(&[&RELEASE]));
            let (pdus, memory) = Stage { piece, ..Stage::default() }.play(all);
            assert_eq!(answers(&pdus), (vec![Status::SUCCESS], vec![6]), "{name}, by {piece}");
            let stored = memory.stored.lock().unwrap();
            assert!(stored[0].bytes == whole, "{name}, by {piece}");
            assert_eq!(stored[0].meta.calling.as_deref(), Some("PACS"));
            assert_eq!(stored[0].meta.sop_instance_uid, Some(uid(INSTANCE)));
        }
    }
}

/// What is tried, the intake, the limits, the command, the data set and its context, the status.
type Row<'a> = (&'a str, Mood, &'a DimseLimits, Vec<u8>, (u8, Vec<u8>), u16);

#[test]
fn refusals_keep_the_association() {
    let small = DimseLimits { max_instance_bytes: 1000, ..limits() };
    let good = (STORE, data_set(CT, INSTANCE, 100));
    let other_class = (STORE, data_set("1.2.840.10008.5.1.4.1.1.4", INSTANCE, 100));
    let table: Vec<Row> = vec![
        ("taken", Mood::Takes, &small, store_command(), good.clone(), 0x0000),
        ("no hospital", Mood::Refuses, &small, store_command(), good.clone(), 0x0124),
        ("broken disk", Mood::FailsAtCommit, &small, store_command(), good.clone(), 0x0110),
        (
            "over the size limit",
            Mood::Takes,
            &small,
            store_command(),
            (STORE, data_set(CT, INSTANCE, 2000)),
            0xA700,
        ),
        ("other SOP class inside", Mood::Takes, &small, store_command(), other_class, 0xA900),
        ("nothing inside", Mood::Takes, &small, store_command(), (STORE, vec![]), 0xC000),
        (
            "SOP class of another context",
            Mood::Takes,
            &small,
            store_request(9, &uid("1.2.840.10008.5.1.4.1.1.4"), &uid(INSTANCE)),
            good.clone(),
            0x0122,
        ),
        (
            "storage in the verification context",
            Mood::Takes,
            &small,
            store_request(9, &uid(VERIFICATION), &uid(INSTANCE)),
            (ECHO, good.1.clone()),
            0x0122,
        ),
        ("a path as UID", Mood::Takes, &small, path_as_instance(), good.clone(), 0x0117),
        ("a query", Mood::Takes, &small, with_field(0x0020), good, 0x0211),
    ];
    for (name, mood, limits, command, (context, data), status) in table {
        let (pdus, memory) =
            Stage { mood, limits: limits.clone(), ..Stage::default() }.play(steps(&[
                &request("WYSTAN", "PACS"),
                &pdata(&[(context, 3, &command)]),
                &pdata(&[(context, 0, &data)]),
                &pdata(&[(context, LAST, &[])]),
                &pdata(&[(ECHO, 3, &echo_request(10, &uid(VERIFICATION)))]),
                &RELEASE,
            ]));
        let expected = vec![Status(status), Status::SUCCESS];
        assert_eq!(answers(&pdus), (expected, vec![6]), "{name}");
        assert_eq!(memory.count(), usize::from(status == 0), "{name}");
        assert_eq!(memory.open.load(Ordering::SeqCst), 0, "{name}");
    }
}

/// Not every sender notices a refusal by status: the association ends behind it.
#[test]
fn a_full_spool_ends_the_association() {
    for mood in [Mood::Full, Mood::FullAfter(400)] {
        let (pdus, memory) = Stage { mood, ..Stage::default() }.play(steps(&[
            &request("WYSTAN", "PACS"),
            &pdata(&[(STORE, 3, &store_command())]),
            &pdata(&[(STORE, LAST, &data_set(CT, INSTANCE, 100))]),
        ]));
        assert_eq!(answers(&pdus), (vec![Status::OUT_OF_RESOURCES], vec![7]));
        assert_eq!((memory.count(), memory.open.load(Ordering::SeqCst)), (0, 0));
    }
}

/// While there is room for those who have begun, nobody else begins (PS3.8 9.3.4: transient, local
/// limit exceeded).
#[test]
fn a_nearly_full_spool_rejects_new_associations() {
    let stage = Stage { mood: Mood::Closed, ..Stage::default() };
    let (pdus, _) = stage.play(steps(&[&request("WYSTAN", "PACS")]));
    assert_eq!(pdus[0][0], 3, "A-ASSOCIATE-RJ");
    assert_eq!(pdus[0][7..10], [2, 3, 2]);
}

fn path_as_instance() -> Vec<u8> {
    let mut command = store_request(9, &uid(CT), &uid("1.2.3.4.5.6.7.8"));
    let at = command.len() - 16;
    command[at..].copy_from_slice(b"../../etc/passwd");
    command
}

/// A C-STORE-RQ whose Command Field is another.
fn with_field(field: u16) -> Vec<u8> {
    let mut command = store_command();
    let tag = [0, 0, 0, 1, 2, 0, 0, 0];
    let at = command.windows(8).position(|window| window == tag).unwrap() + 8;
    command[at..at + 2].copy_from_slice(&field.to_le_bytes());
    command
}

/// A C-STORE-RQ that says that no data set follows.
fn without_data_set() -> Vec<u8> {
    let mut command = store_command();
    let tag = [0, 0, 0, 8, 2, 0, 0, 0];
    let at = command.windows(8).position(|window| window == tag).unwrap() + 8;
    command[at..at + 2].copy_from_slice(&0x0101_u16.to_le_bytes());
    command
}

#[test]
fn a_store_without_data_set_is_refused_and_a_cancel_is_passed_over() {
    let mut cancel = without_data_set();
    let at = with_field(0).iter().zip(store_command()).position(|(a, b)| *a != b).unwrap();
    cancel[at..at + 2].copy_from_slice(&0x0FFF_u16.to_le_bytes());
    let (pdus, memory) = Stage::default().play(steps(&[
        &request("WYSTAN", "PACS"),
        &pdata(&[(STORE, 3, &without_data_set())]),
        &pdata(&[(STORE, 3, &cancel)]),
        &RELEASE,
    ]));
    assert_eq!(answers(&pdus), (vec![Status::CANNOT_UNDERSTAND], vec![6]));
    assert_eq!(memory.count(), 0);
}

#[test]
fn violations_abort_and_leave_nothing() {
    let command = store_command();
    let data = data_set(CT, INSTANCE, 500);
    let begun = pdata(&[(STORE, 3, &command), (STORE, 0, &data)]);
    let huge = vec![0; 17 * 1024];
    let claim = |kind: u8, length: u32| [&[kind, 0][..], &length.to_be_bytes()].concat();
    let mut short = pdata(&[(STORE, 3, &command)]);
    short[9] = 1;
    let mut long = pdata(&[(STORE, 3, &command)]);
    long[8] = 0xFF;
    let table: Vec<(&str, Vec<u8>)> = vec![
        ("PDU over the announced length", claim(4, 131_073)),
        ("PDU of four gigabytes", claim(4, u32::MAX)),
        ("release of four gigabytes", claim(5, u32::MAX)),
        ("value shorter than its head", short),
        ("value past its PDU", long),
        ("PDU too short for a value", [&claim(4, 3)[..], &[0, 0, 0]].concat()),
        ("unknown PDU", [&claim(9, 4)[..], &[0; 4]].concat()),
        ("second association request", request("WYSTAN", "PACS")),
        ("context that was not accepted", pdata(&[(REFUSED, 3, &command)])),
        ("context never proposed", pdata(&[(77, 3, &command)])),
        ("data set before a command", pdata(&[(STORE, LAST, &data)])),
        ("endless command", pdata(&[(STORE, COMMAND, &huge)])),
        ("command that does not parse", pdata(&[(STORE, 3, &data)])),
        ("response to nothing", pdata(&[(STORE, 3, &with_field(0x8001))])),
        ("command within a data set", [begun.clone(), pdata(&[(STORE, 3, &command)])].concat()),
        ("data set in another context", [begun.clone(), pdata(&[(ECHO, LAST, &data)])].concat()),
        ("release within a data set", [&begun[..], &RELEASE].concat()),
    ];
    for (name, bytes) in table {
        let all = steps(&[&request("WYSTAN", "PACS"), &bytes]);
        let (pdus, memory) = Stage::default().play(all);
        assert_eq!(answers(&pdus), (vec![], vec![7]), "{name}");
        assert_eq!((memory.count(), memory.open.load(Ordering::SeqCst)), (0, 0), "{name}");
    }
}

#[test]
fn what_opens_no_association_is_aborted() {
    let mut even = request("WYSTAN", "PACS");
    let item = even.windows(4).position(|window| window == [0x20, 0, 0, 48]).unwrap();
    even[item + 4] = 2;
    let mut cut = request("WYSTAN", "PACS");
    cut.truncate(100);
    cut[2..6].copy_from_slice(&94_u32.to_be_bytes());
    let table: Vec<(&str, Vec<u8>)> = vec![
        ("request of four gigabytes", vec![1, 0, 0xFF, 0xFF, 0xFF, 0xFF]),
        ("data first", pdata(&[(STORE, 3, &store_command())])),
        ("an HTTP client", b"GET / HTTP/1.1\r\n\r\n".to_vec()),
        ("request without items", cut),
        ("even context identifier", even),
    ];
    for (name, bytes) in table {
        let (pdus, memory) = Stage::default().play(steps(&[&bytes]));
        assert_eq!(pdus.len(), 1, "{name}");
        assert_eq!(pdus[0][0], 7, "{name}");
        assert_eq!(memory.count(), 0, "{name}");
    }
}

#[test]
fn rejections_carry_the_standards_numbers() {
    // Result, source, reason: PS3.8 9.3.4.
    let table: &[(&str, &str, &'static str, [u8; 3])] = &[
        ("NOBODY", "PACS", "127.0.0.1:1", [1, 1, 7]),
        ("WYSTAN", "OTHER", "127.0.0.1:1", [1, 1, 3]),
        ("WYSTAN", "PACS", "192.0.2.1:1", [1, 1, 3]),
    ];
    for (called, calling, peer, numbers) in table {
        let stage = Stage { peer, ..Stage::default() };
        let (pdus, _) = stage.play(steps(&[&request(called, calling)]));
        assert_eq!(pdus.len(), 1);
        assert_eq!((pdus[0][0], &pdus[0][7..10]), (3, &numbers[..]), "{called} {calling} {peer}");
    }
}

#[test]
fn a_peer_that_goes_leaves_nothing() {
    let command = store_command();
    let data = data_set(CT, INSTANCE, 500);
    let begun = pdata(&[(STORE, 3, &command), (STORE, 0, &data)]);
    for (name, end) in [("abort", &ABORT[..]), ("disconnect", &[])] {
        for cut in 0..begun.len() {
            let all = steps(&[&request("WYSTAN", "PACS"), &begun[..cut], end]);
            let (_, memory) = Stage::default().play(all);
            let left = (memory.count(), memory.open.load(Ordering::SeqCst));
            assert_eq!(left, (0, 0), "{name} after {cut} bytes");
        }
    }
}

#[test]
fn waiting_ends_at_its_limit() {
    let begun = pdata(&[(STORE, 3, &store_command()), (STORE, 0, &data_set(CT, INSTANCE, 500))]);
    let opened = request("WYSTAN", "PACS");
    let long = Duration::from_secs(599);
    // Where the peer falls silent, and whether an acceptance came before the abort.
    let table: Vec<(&str, Vec<Step>, usize)> = vec![
        ("before its request", vec![], 0),
        ("within its request", steps(&[&opened[..50]]), 0),
        ("between messages", steps(&[&opened]), 1),
        ("within a PDU", steps(&[&opened, &begun[..begun.len() - 1]]), 1),
        ("within a message", steps(&[&opened, &begun]), 1),
    ];
    for (name, all, accepted) in table {
        let (pdus, memory) = Stage { then_silent: true, ..Stage::default() }.play(all);
        let kinds: Vec<u8> = pdus.iter().map(|pdu| pdu[0]).collect();
        assert_eq!(kinds, [&[2_u8][..accepted], &[7]].concat(), "{name}");
        assert_eq!(memory.open.load(Ordering::SeqCst), 0, "{name}");
    }
    // Pauses below the limit are allowed, over and over, until the association has lasted too long.
    let echo = pdata(&[(ECHO, 3, &echo_request(1, &uid(VERIFICATION)))]);
    let mut patient = steps(&[&opened]);
    for _ in 0..200 {
        patient.push(Step::Pause(long));
        patient.push(Step::Bytes(echo.clone()));
    }
    let (pdus, _) = Stage::default().play(patient);
    let (statuses, others) = answers(&pdus);
    assert_eq!(others, [7]);
    assert_eq!(statuses.len(), 24 * 3600 / 599);
}

#[test]
fn a_dripping_peer_is_not_waited_for() {
    let begun = pdata(&[(STORE, 3, &store_command()), (STORE, 0, &data_set(CT, INSTANCE, 500))]);
    let mut all = steps(&[&request("WYSTAN", "PACS")]);
    for byte in begun {
        all.push(Step::Pause(Duration::from_secs(1)));
        all.push(Step::Bytes(vec![byte]));
    }
    let (pdus, memory) = Stage::default().play(all);
    assert_eq!(answers(&pdus), (vec![], vec![7]));
    assert_eq!(memory.count(), 0);
}

#[test]
fn a_stop_lets_the_instance_end_and_an_abort_does_not() {
    let command = pdata(&[(STORE, 3, &store_command())]);
    let data = data_set(CT, INSTANCE, 500);
    for (phase, stored) in [(Phase::Stopping, 1), (Phase::Aborting, 0)] {
        let mut all = steps(&[&request("WYSTAN", "PACS"), &command]);
        all.push(Step::Stop(phase));
        all.extend(steps(&[
            &pdata(&[(STORE, 0, &data[..100])]),
            &pdata(&[(STORE, LAST, &data[100..])]),
            &command,
        ]));
        let (pdus, memory) = Stage::default().play(all);
        let (statuses, others) = answers(&pdus);
        assert_eq!((statuses.len(), others), (stored, vec![7]), "{phase:?}");
        assert_eq!((memory.count(), memory.open.load(Ordering::SeqCst)), (stored, 0), "{phase:?}");
    }
}

#[test]
fn comments_fit_their_element_and_carry_a_code() {
    use StoreOutcome as Outcome;
    for outcome in [
        Outcome::SpoolFull,
        Outcome::SpoolRefused,
        Outcome::SpoolFailed,
        Outcome::TooLong,
        Outcome::WrongClass,
        Outcome::NoDataSet,
        Outcome::ClassNotSupported,
        Outcome::InvalidInstance,
    ] {
        let comment = outcome.comment().unwrap();
        assert!(comment.len() <= 64 && comment.starts_with("SV-INGEST-"), "{comment}");
        assert!(!outcome.status().is_taken());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// No mutation of a session panics, and nothing is stored that is longer than what was sent.
    #[test]
    fn mutated_sessions_end(
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        cut in any::<prop::sample::Index>(),
        piece in 1_usize..5000,
    ) {
        let data = data_set(CT, INSTANCE, 300);
        let mut session = [
            request("WYSTAN", "PACS"),
            pdata(&[(ECHO, 3, &echo_request(1, &uid(VERIFICATION)))]),
            pdata(&[(STORE, 3, &store_command()), (STORE, 0, &data[..50])]),
            pdata(&[(STORE, 0, &[]), (STORE, LAST, &data[50..])]),
            RELEASE.to_vec(),
        ]
        .concat();
        for (at, byte) in changes {
            let at = at.index(session.len());
            session[at] = byte;
        }
        session.truncate(cut.index(session.len()) + 1);
        let sent = session.len();
        let (pdus, memory) = Stage { piece, ..Stage::default() }.play(steps(&[&session]));
        prop_assert!(pdus.len() <= 16);
        prop_assert_eq!(memory.open.load(Ordering::SeqCst), 0);
        let stored = memory.stored.lock().unwrap();
        prop_assert!(stored.iter().all(|instance| instance.bytes.len() <= sent + 1024));
    }
}
