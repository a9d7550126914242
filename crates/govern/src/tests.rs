//! The log, the people and the requests, from outside the crate.

mod audit;
mod chain;
mod office;
mod power;
mod requests;

use crate::{Actor, Event, Outcome, PersonName, Token};
use scanveil_model::{HospitalId, ProjectName};
use std::sync::atomic::{AtomicU64, Ordering};

fn person(name: &str) -> PersonName {
    PersonName::parse(name).unwrap()
}

fn hospital() -> HospitalId {
    HospitalId::parse("st-wystan").unwrap()
}

fn research() -> ProjectName {
    ProjectName::parse("research").unwrap()
}

/// Tokens that never repeat.
fn token() -> Token {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    Token::generate(&|bytes| {
        let next = NEXT.fetch_add(1, Ordering::Relaxed).to_le_bytes();
        bytes[..next.len()].copy_from_slice(&next);
    })
}

fn event(at_ms: i64) -> Event {
    let action = crate::Action::SUBJECT_REQUEST;
    Event::new(at_ms, Actor::person(&person("anna")), action, Outcome::Done)
}
