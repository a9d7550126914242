use super::*;
use crate::{Approvers, Ask, EscrowRequest, Reason, RequestId, RequestState, Target};
use scanveil_model::Coded;

const DAY: i64 = 86_400_000;

/// Three registered people and their tokens.
fn people() -> (Approvers, [(PersonName, Token); 3]) {
    let mut approvers = Approvers::default();
    let people = ["anna", "ben", "cleo"].map(|name| (person(name), token()));
    for (name, token) in &people {
        approvers.add(name, token, 0).unwrap();
    }
    (approvers, people)
}

fn id() -> RequestId {
    RequestId::parse("00112233445566ff").unwrap()
}

fn asked_by(by: &PersonName) -> EscrowRequest {
    EscrowRequest::new(Ask {
        id: id(),
        hospital: hospital(),
        project: research(),
        target: Target::pseudonym("SV0123456789ABCDEF").unwrap(),
        by: by.clone(),
        reason: Reason::parse("incidental finding").unwrap(),
        asked_at_ms: 10,
        expires_at_ms: 10 + 7 * DAY,
    })
}

fn code<T>(result: Result<T, crate::GovernError>) -> &'static str {
    result.err().map_or("done", |error| error.code())
}

#[test]
fn two_others_approve_and_who_asked_is_told_once() {
    let (approvers, [(anna, a), (ben, b), (cleo, c)]) = people();
    let mut request = asked_by(&anna);
    let state = |request: &EscrowRequest, at| request.state(&approvers, at);
    assert_eq!(state(&request, 20), RequestState::Waiting);
    assert_eq!(code(request.may_reveal(&approvers, &anna, &a, 20)), "SV-GOVERN-022");
    assert_eq!(code(request.approve(&approvers, &anna, &a, 20)), "SV-GOVERN-019");
    request.approve(&approvers, &ben, &b, 20).unwrap();
    assert_eq!(code(request.approve(&approvers, &ben, &b, 21)), "SV-GOVERN-020");
    assert_eq!(code(request.may_reveal(&approvers, &anna, &a, 20)), "SV-GOVERN-022");
    request.approve(&approvers, &cleo, &c, 30).unwrap();
    assert_eq!(state(&request, 40), RequestState::Approved);
    let (dora, d) = (person("dora"), token());
    let mut more = approvers.clone();
    more.add(&dora, &d, 0).unwrap();
    assert_eq!(code(request.approve(&more, &dora, &d, 40)), "SV-GOVERN-027");
    // It is the same after it was sealed and opened.
    let mut request = EscrowRequest::from_bytes(&id(), &request.to_bytes()).unwrap();
    assert_eq!(code(request.may_reveal(&approvers, &ben, &b, 40)), "SV-GOVERN-021");
    assert_eq!(code(request.may_reveal(&approvers, &anna, &b, 40)), "SV-GOVERN-014");
    request.may_reveal(&approvers, &anna, &a, 40).unwrap();
    for at in [9, 10 + 7 * DAY] {
        assert_eq!(state(&request, at), RequestState::Expired);
        assert_eq!(code(request.may_reveal(&approvers, &anna, &a, at)), "SV-GOVERN-017");
    }
    request.revealed(50);
    assert_eq!(state(&request, 60), RequestState::Revealed);
    assert_eq!(code(request.may_reveal(&approvers, &anna, &a, 60)), "SV-GOVERN-018");
    assert_eq!(code(request.approve(&approvers, &ben, &b, 60)), "SV-GOVERN-018");
}

#[test]
fn only_the_right_token_of_a_registered_person_approves() {
    let (mut approvers, [(anna, a), (ben, b), (cleo, c)]) = people();
    let mut request = asked_by(&anna);
    assert_eq!(code(request.approve(&approvers, &ben, &c, 20)), "SV-GOVERN-014");
    assert_eq!(code(request.approve(&approvers, &person("dora"), &b, 20)), "SV-GOVERN-011");
    assert_eq!(code(request.approve(&approvers, &ben, &b, 10 + 7 * DAY)), "SV-GOVERN-017");
    assert!(request.approvals().is_empty());
    request.approve(&approvers, &ben, &b, 20).unwrap();
    request.approve(&approvers, &cleo, &c, 20).unwrap();
    request.may_reveal(&approvers, &anna, &a, 20).unwrap();
    // Whoever was taken out has not approved; nor has another person who gets the same name.
    approvers.remove(&ben).unwrap();
    assert_eq!(code(request.may_reveal(&approvers, &anna, &a, 20)), "SV-GOVERN-022");
    let again = token();
    approvers.add(&ben, &again, 5).unwrap();
    assert_eq!(code(request.may_reveal(&approvers, &anna, &a, 20)), "SV-GOVERN-022");
    request.approve(&approvers, &ben, &again, 25).unwrap();
    assert_eq!(request.approvals().len(), 2);
    request.may_reveal(&approvers, &anna, &a, 30).unwrap();
    approvers.remove(&anna).unwrap();
    assert_eq!(code(request.may_reveal(&approvers, &anna, &a, 30)), "SV-GOVERN-011");
}

#[test]
fn approvals_are_bound_to_what_was_asked() {
    let (approvers, [(anna, a), (ben, b), (cleo, c)]) = people();
    let mut request = asked_by(&anna);
    request.approve(&approvers, &ben, &b, 20).unwrap();
    request.approve(&approvers, &cleo, &c, 30).unwrap();
    let good = String::from_utf8(request.to_bytes()).unwrap();
    let twice = {
        let mut value: serde_json::Value = serde_json::from_str(&good).unwrap();
        let ben = value["approvals"][0].clone();
        value["approvals"][1] = ben;
        value.to_string()
    };
    let table = [
        good.replace("SV0123456789ABCDEF", "SV0123456789ABCDEG"),
        good.replace("st-wystan", "mercy"),
        good.replace("\"research\"", "\"other\""),
        good.replace("incidental finding", "curiosity"),
        good.replace("\"expires_at_ms\":604800010", "\"expires_at_ms\":904800010"),
        good.replace("\"at_ms\":30", "\"at_ms\":31"),
        good.replace("\"by\":\"ben\"", "\"by\":\"cleo\""),
        twice,
    ];
    for text in table {
        assert_ne!(text, good);
        let forged = EscrowRequest::from_bytes(&id(), text.as_bytes()).unwrap();
        assert_eq!(code(forged.may_reveal(&approvers, &anna, &a, 40)), "SV-GOVERN-022", "{text}");
    }
    // Who asked cannot become another one afterwards.
    let forged = good.replace("\"by\":\"anna\"", "\"by\":\"ben\"");
    let forged = EscrowRequest::from_bytes(&id(), forged.as_bytes()).unwrap();
    assert_eq!(code(forged.may_reveal(&approvers, &ben, &b, 40)), "SV-GOVERN-022");
}

#[test]
fn states_that_are_none_are_refused() {
    let request = asked_by(&person("anna"));
    let good = String::from_utf8(request.to_bytes()).unwrap();
    let other = RequestId::parse("ffffffffffffffff").unwrap();
    assert_eq!(code(EscrowRequest::from_bytes(&other, good.as_bytes())), "SV-GOVERN-016");
    let table = [
        ("", "SV-GOVERN-016"),
        ("{}", "SV-GOVERN-016"),
        (&good.replace("\"format\":1", "\"format\":2"), "SV-GOVERN-003"),
        (&good.replace("\"format\":1", "\"format\":0"), "SV-GOVERN-016"),
        (&good.replace("\"format\":1", "\"colour\":1,\"format\":1"), "SV-GOVERN-016"),
        (&good.replace("SV0123", "sv0123\\n"), "done"),
    ];
    for (text, expected) in table {
        assert_eq!(code(EscrowRequest::from_bytes(&id(), text.as_bytes())), expected, "{text}");
    }
}

#[test]
fn tokens_are_read_as_written_and_never_shown() {
    let token = token();
    let text = token.to_text();
    assert_eq!(Token::parse(&format!("  {}\n", *text)).unwrap().to_text(), text);
    assert_eq!(format!("{token:?}"), "Token(..)");
    for bad in ["", "svg_", &text[4..], &text[..text.len() - 1], &text.to_uppercase()] {
        assert_eq!(code(Token::parse(bad)), "SV-GOVERN-009");
    }
    let mut approvers = Approvers::default();
    approvers.add(&person("anna"), &token, 3).unwrap();
    let kept = serde_json::to_string(&approvers).unwrap();
    assert!(!kept.contains(&text[4..]), "what is kept is not the token");
    assert_eq!(code(approvers.add(&person("anna"), &token, 4)), "SV-GOVERN-012");
}

#[test]
fn names_reasons_and_targets_are_checked() {
    for (name, right) in
        [("anna", true), ("a.b-c_9", true), ("", false), ("Anna", false), ("9a", false)]
    {
        assert_eq!(PersonName::parse(name).is_ok(), right, "{name}");
    }
    assert!(PersonName::parse(&"a".repeat(33)).is_err());
    let long = "é".repeat(201);
    for (reason, right) in [("why", true), ("no", false), ("a\nb c", false), (&long, false)] {
        assert_eq!(Reason::parse(reason).is_ok(), right, "{reason}");
    }
    for (text, right) in [
        ("SV0123456789ABCDEF", true),
        ("SV0123456789ABCDE", false),
        ("SV0123456789ABCDEI", false),
        ("sv0123456789abcdef", false),
        ("PATIENT-12345678AA", false),
    ] {
        assert_eq!(Target::pseudonym(text).is_ok(), right, "{text}");
    }
    assert!(Target::uid("2.25.1").is_ok() && Target::uid("Anna").is_err());
    for (text, right) in [("00112233445566ff", true), ("00112233445566FF", false), ("../x", false)]
    {
        assert_eq!(RequestId::parse(text).is_ok(), right, "{text}");
    }
}
