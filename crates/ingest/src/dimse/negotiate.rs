//! Association negotiation on the acceptor's side (PS3.8 9.3.2 to 9.3.4): who may send, and what.

use super::limits::{MAX_PRESENTATION_CONTEXTS, MAX_TRANSFER_SYNTAXES};
use crate::intake::HospitalRoute;
use crate::places::Full;
use dicom_ul::pdu::{
    AssociationAC, AssociationRJ, AssociationRJResult, AssociationRJServiceProviderASCEReason,
    AssociationRJServiceProviderPresentationReason, AssociationRJServiceUserReason,
    AssociationRJSource, AssociationRQ, PresentationContextProposed, PresentationContextResult,
    PresentationContextResultReason, UserVariableItem,
};
use scanveil_model::{AeTitle, HospitalId, Uid};
use std::net::IpAddr;

/// DICOM Application Context Name (PS3.7 A.2.1).
pub(super) const APPLICATION_CONTEXT: &str = "1.2.840.10008.3.1.1.1";
/// Verification SOP Class (PS3.4 A).
pub(super) const VERIFICATION: &str = "1.2.840.10008.1.1";
/// Implicit VR little endian, the default transfer syntax (PS3.5 A.1).
pub(super) const IMPLICIT_LITTLE_ENDIAN: &str = "1.2.840.10008.1.2";
/// Implementation Class UID, the same as in the file meta information written here (PS3.7 D.3.3.2).
const IMPLEMENTATION_CLASS_UID: &str = "2.25.48536924685001016898451832837057309696";
const IMPLEMENTATION_VERSION_NAME: &str = "SCANVEIL_0_1";

/// Everything under the DICOM root is standard; everything else is private.
const DICOM_ROOT: &str = "1.2.840.10008.";
/// Storage SOP classes (PS3.4 B.5), retired ones too.
const STORAGE_ROOT: &str = "1.2.840.10008.5.1.4.1.1.";
/// Under the storage root, but queries and services: protocol approval (PS3.4 HH), inventory (KK).
const NOT_STORAGE: &[&str] = &[
    "1.2.840.10008.5.1.4.1.1.200.4",
    "1.2.840.10008.5.1.4.1.1.200.5",
    "1.2.840.10008.5.1.4.1.1.200.6",
    "1.2.840.10008.5.1.4.1.1.201.2",
    "1.2.840.10008.5.1.4.1.1.201.3",
    "1.2.840.10008.5.1.4.1.1.201.4",
    "1.2.840.10008.5.1.4.1.1.201.5",
    "1.2.840.10008.5.1.4.1.1.201.6",
];
/// Storage SOP classes outside the storage root.
const OTHER_STORAGE: &[&str] = &[
    // Stored print and hardcopy images, retired.
    "1.2.840.10008.5.1.1.27",
    "1.2.840.10008.5.1.1.29",
    "1.2.840.10008.5.1.1.30",
    // RT delivery instructions: trial, RT beams, brachy application setup.
    "1.2.840.10008.5.1.4.34.1",
    "1.2.840.10008.5.1.4.34.7",
    "1.2.840.10008.5.1.4.34.10",
    // Non-patient objects (PS3.4 GG): hanging protocol, colour palette, implant templates.
    "1.2.840.10008.5.1.4.38.1",
    "1.2.840.10008.5.1.4.39.1",
    "1.2.840.10008.5.1.4.43.1",
    "1.2.840.10008.5.1.4.44.1",
    "1.2.840.10008.5.1.4.45.1",
];

/// What an accepted presentation context is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Service {
    Verification,
    Storage,
}

/// The service of an abstract syntax; `None` when this is no service of ours. A private SOP class
/// counts as storage: refusing it would lose data, and the scrubber holds back what it cannot
/// judge.
pub(super) fn service_of(abstract_syntax: &str) -> Option<Service> {
    if abstract_syntax == VERIFICATION {
        return Some(Service::Verification);
    }
    let stored = !abstract_syntax.starts_with(DICOM_ROOT)
        || OTHER_STORAGE.contains(&abstract_syntax)
        || (abstract_syntax.starts_with(STORAGE_ROOT) && !NOT_STORAGE.contains(&abstract_syntax));
    stored.then_some(Service::Storage)
}

/// An accepted presentation context.
#[derive(Debug, Clone)]
pub(super) struct Context {
    pub(super) id: u8,
    pub(super) service: Service,
    pub(super) abstract_syntax: Uid,
    pub(super) transfer_syntax: Uid,
}

/// What an accepted association may do.
#[derive(Debug)]
pub(super) struct Agreed {
    pub(super) hospital: HospitalId,
    pub(super) called: AeTitle,
    pub(super) calling: AeTitle,
    pub(super) contexts: Vec<Context>,
    /// The longest P-DATA-TF the peer takes; 0 is no limit.
    pub(super) peer_max_pdu: usize,
}

impl Agreed {
    pub(super) fn context(&self, id: u8) -> Option<&Context> {
        self.contexts.iter().find(|context| context.id == id)
    }
}

/// Why an association is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    ProtocolVersion,
    ApplicationContext,
    CalledAe,
    CallingAe,
    TooManyAssociations(Full),
    /// The spool is nearly full: what room there is belongs to open associations.
    NoRoom,
}

impl Refusal {
    /// A-ASSOCIATE-RJ (PS3.8 9.3.4).
    pub(super) fn pdu(self) -> AssociationRJ {
        use AssociationRJServiceProviderPresentationReason as Presentation;
        use AssociationRJServiceUserReason as User;
        let source = match self {
            Self::ProtocolVersion => AssociationRJSource::ServiceProviderASCE(
                AssociationRJServiceProviderASCEReason::ProtocolVersionNotSupported,
            ),
            Self::ApplicationContext => {
                AssociationRJSource::ServiceUser(User::ApplicationContextNameNotSupported)
            }
            Self::CalledAe => AssociationRJSource::ServiceUser(User::CalledAETitleNotRecognized),
            Self::CallingAe => AssociationRJSource::ServiceUser(User::CallingAETitleNotRecognized),
            Self::TooManyAssociations(_) | Self::NoRoom => {
                AssociationRJSource::ServiceProviderPresentation(Presentation::LocalLimitExceeded)
            }
        };
        let result = match self {
            Self::TooManyAssociations(_) | Self::NoRoom => AssociationRJResult::Transient,
            _ => AssociationRJResult::Permanent,
        };
        AssociationRJ { result, source }
    }

    pub(super) fn label(self) -> &'static str {
        match self {
            Self::ProtocolVersion => "protocol-version",
            Self::ApplicationContext => "application-context",
            Self::CalledAe => "called-ae-title",
            Self::CallingAe => "calling-ae-title",
            Self::TooManyAssociations(full) => full.label(),
            Self::NoRoom => "spool-full",
        }
    }

    pub(super) fn next_step(self) -> &'static str {
        match self {
            Self::ProtocolVersion | Self::ApplicationContext => "report it to the peer's maker",
            Self::NoRoom => "find out why the pipeline does not empty the spool",
            Self::CalledAe => "have the peer call one of the hospitals' AE titles",
            Self::CallingAe => "allow the calling AE title and address for this hospital",
            Self::TooManyAssociations(Full::Address | Full::Token) => {
                "raise dimse.limits.max_per_address, or have the peer open fewer"
            }
            Self::TooManyAssociations(Full::Hospital | Full::Total) => {
                "raise dimse.max_associations, or have the hospital's senders open fewer"
            }
        }
    }
}

/// How a request is answered.
pub(super) enum Decision {
    Accept(Box<Agreed>, AssociationAC),
    Reject(Refusal),
    /// Not a request that a conforming peer sends: abort.
    Malformed(&'static str),
}

/// An AE title from the wire: spaces around it are not significant (PS3.8 9.3.2); some peers pad
/// with NUL.
pub(super) fn ae_title(text: &str) -> Option<AeTitle> {
    AeTitle::parse(text.trim_matches([' ', '\0'])).ok()
}

fn uid(text: &str) -> Option<Uid> {
    Uid::parse(text.trim_matches([' ', '\0'])).ok()
}

/// Decides on a request from an address.
pub(super) fn decide(
    request: &AssociationRQ,
    address: IpAddr,
    routes: &[HospitalRoute],
    max_pdu_length: u32,
) -> Decision {
    // PS3.8 9.3.2: only bit 0 is tested.
    if request.protocol_version & 1 == 0 {
        return Decision::Reject(Refusal::ProtocolVersion);
    }
    if request.application_context_name.trim_matches([' ', '\0']) != APPLICATION_CONTEXT {
        return Decision::Reject(Refusal::ApplicationContext);
    }
    let called = ae_title(&request.called_ae_title);
    let Some((route, called)) = called
        .and_then(|called| Some((routes.iter().find(|route| route.called_ae == called)?, called)))
    else {
        return Decision::Reject(Refusal::CalledAe);
    };
    let calling = ae_title(&request.calling_ae_title);
    let Some(calling) = calling.filter(|calling| route.admits(calling, address)) else {
        return Decision::Reject(Refusal::CallingAe);
    };
    if let Err(why) = check_ids(&request.presentation_contexts) {
        return Decision::Malformed(why);
    }
    let (contexts, results) = answer_contexts(&request.presentation_contexts);
    let accepted = AssociationAC {
        protocol_version: 1,
        calling_ae_title: calling.to_string(),
        called_ae_title: called.to_string(),
        application_context_name: APPLICATION_CONTEXT.into(),
        presentation_contexts: results,
        user_variables: user_variables(max_pdu_length),
    };
    let agreed = Agreed {
        hospital: route.hospital.clone(),
        called,
        calling,
        contexts,
        peer_max_pdu: max_length(&request.user_variables),
    };
    Decision::Accept(Box::new(agreed), accepted)
}

/// What both roles say of themselves (PS3.7 D.3.3.1, D.3.3.2).
pub(super) fn user_variables(max_pdu_length: u32) -> Vec<UserVariableItem> {
    vec![
        UserVariableItem::MaxLength(max_pdu_length),
        UserVariableItem::ImplementationClassUID(IMPLEMENTATION_CLASS_UID.into()),
        UserVariableItem::ImplementationVersionName(IMPLEMENTATION_VERSION_NAME.into()),
    ]
}

/// The peer's Maximum Length (PS3.8 D.1); 0 when it names none.
pub(super) fn max_length(variables: &[UserVariableItem]) -> usize {
    variables
        .iter()
        .find_map(|item| match item {
            UserVariableItem::MaxLength(length) => Some(*length as usize),
            _ => None,
        })
        .unwrap_or(0)
}

/// Identifiers are odd and each is used once (PS3.8 9.3.2.2), so that there are at most 128.
fn check_ids(proposed: &[PresentationContextProposed]) -> Result<(), &'static str> {
    if proposed.len() > MAX_PRESENTATION_CONTEXTS {
        return Err("more than 128 presentation contexts");
    }
    let mut seen = [false; 256];
    for context in proposed {
        if context.id % 2 == 0 {
            return Err("presentation context with an even identifier");
        }
        if std::mem::replace(&mut seen[usize::from(context.id)], true) {
            return Err("presentation context identifier used twice");
        }
    }
    Ok(())
}

fn answer_contexts(
    proposed: &[PresentationContextProposed],
) -> (Vec<Context>, Vec<PresentationContextResult>) {
    use PresentationContextResultReason as Reason;
    let mut contexts = Vec::new();
    let mut results = Vec::with_capacity(proposed.len());
    for context in proposed {
        let abstract_syntax = uid(&context.abstract_syntax);
        let service = abstract_syntax.as_ref().and_then(|class| service_of(class.as_str()));
        // The first proposed is what the sender has, so that it needs not transcode.
        let transfer_syntax =
            context.transfer_syntaxes.iter().take(MAX_TRANSFER_SYNTAXES).find_map(|s| uid(s));
        let (reason, shown) = match (abstract_syntax, service, transfer_syntax) {
            (Some(abstract_syntax), Some(service), Some(transfer_syntax)) => {
                let shown = transfer_syntax.as_str().to_owned();
                let id = context.id;
                contexts.push(Context { id, service, abstract_syntax, transfer_syntax });
                (Reason::Acceptance, shown)
            }
            // PS3.8 9.3.3.2: the transfer syntax of a refused context is not significant.
            (_, None, _) | (None, _, _) => {
                (Reason::AbstractSyntaxNotSupported, IMPLICIT_LITTLE_ENDIAN.to_owned())
            }
            (_, _, None) => {
                (Reason::TransferSyntaxesNotSupported, IMPLICIT_LITTLE_ENDIAN.to_owned())
            }
        };
        results.push(PresentationContextResult { id: context.id, reason, transfer_syntax: shown });
    }
    (contexts, results)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::intake::{CallingRule, Network};

    #[test]
    fn services_are_told_apart() {
        let table: &[(&str, Option<Service>)] = &[
            ("1.2.840.10008.1.1", Some(Service::Verification)),
            ("1.2.840.10008.5.1.4.1.1.2", Some(Service::Storage)),
            ("1.2.840.10008.5.1.4.1.1.88.11", Some(Service::Storage)),
            ("1.2.840.10008.5.1.4.1.1.200.3", Some(Service::Storage)),
            ("1.2.840.10008.5.1.4.1.1.200.4", None),
            ("1.2.840.10008.5.1.4.1.1.201.1", Some(Service::Storage)),
            ("1.2.840.10008.5.1.4.1.1.201.2", None),
            ("1.2.840.10008.5.1.4.1.1.9999", Some(Service::Storage)),
            ("1.2.840.10008.5.1.4.34.7", Some(Service::Storage)),
            ("1.2.840.10008.5.1.4.34.6.1", None),
            ("1.2.840.10008.5.1.4.43.1", Some(Service::Storage)),
            ("1.2.840.10008.5.1.4.43.2", None),
            ("1.3.12.2.1107.5.99.3.10", Some(Service::Storage)),
            ("2.25.12345", Some(Service::Storage)),
            ("1.2.840.10008.5.1.4.1.2.1.1", None),
            ("1.2.840.10008.5.1.4.1.2.2.2", None),
            ("1.2.840.10008.5.1.4.31", None),
            ("1.2.840.10008.3.1.2.3.3", None),
            ("1.2.840.10008.1.20.1", None),
            ("1.2.840.10008.5.1.1.9", None),
            ("1.2.840.10008.1.3.10", None),
        ];
        for (class, service) in table {
            assert_eq!(service_of(class), *service, "{class}");
        }
    }

    fn routes() -> Vec<HospitalRoute> {
        vec![HospitalRoute {
            hospital: HospitalId::parse("st-wystan").unwrap(),
            called_ae: AeTitle::parse("WYSTAN").unwrap(),
            calling: vec![CallingRule {
                ae: Some(AeTitle::parse("PACS").unwrap()),
                network: Network::parse("192.0.2.0/24").unwrap(),
            }],
        }]
    }

    fn request(contexts: Vec<PresentationContextProposed>) -> AssociationRQ {
        AssociationRQ {
            protocol_version: 1,
            calling_ae_title: "PACS".into(),
            called_ae_title: "WYSTAN".into(),
            application_context_name: APPLICATION_CONTEXT.into(),
            presentation_contexts: contexts,
            user_variables: vec![UserVariableItem::MaxLength(4096)],
        }
    }

    fn proposed(id: u8, class: &str, syntaxes: &[&str]) -> PresentationContextProposed {
        PresentationContextProposed {
            id,
            abstract_syntax: class.into(),
            transfer_syntaxes: syntaxes.iter().map(|s| (*s).to_owned()).collect(),
        }
    }

    fn decided(request: &AssociationRQ, address: &str) -> Decision {
        decide(request, address.parse().unwrap(), &routes(), 131_072)
    }

    #[test]
    fn refusals_name_their_reason() {
        type Change = fn(&mut AssociationRQ);
        let table: &[(Change, &str, Refusal)] = &[
            (|r| r.protocol_version = 2, "192.0.2.1", Refusal::ProtocolVersion),
            (
                |r| r.application_context_name = "1.2".into(),
                "192.0.2.1",
                Refusal::ApplicationContext,
            ),
            (|r| r.called_ae_title = "OTHER".into(), "192.0.2.1", Refusal::CalledAe),
            (|r| r.called_ae_title = String::new(), "192.0.2.1", Refusal::CalledAe),
            (|r| r.called_ae_title = "wystan".into(), "192.0.2.1", Refusal::CalledAe),
            (|r| r.calling_ae_title = "OTHER".into(), "192.0.2.1", Refusal::CallingAe),
            (|r| r.calling_ae_title = "\u{fc}".into(), "192.0.2.1", Refusal::CallingAe),
            (|_| (), "192.0.3.1", Refusal::CallingAe),
        ];
        for (at, (change, address, refusal)) in table.iter().enumerate() {
            let mut request = request(vec![]);
            change(&mut request);
            match decided(&request, address) {
                Decision::Reject(why) => assert_eq!(why, *refusal, "row {at}"),
                _ => panic!("row {at} was not rejected"),
            }
        }
    }

    #[test]
    fn the_first_transfer_syntax_proposed_is_accepted_as_it_is() {
        let request = request(vec![
            proposed(1, VERIFICATION, &[IMPLICIT_LITTLE_ENDIAN]),
            proposed(
                3,
                "1.2.840.10008.5.1.4.1.1.2",
                &["1.2.840.10008.1.2.4.90", "1.2.840.10008.1.2"],
            ),
            proposed(5, "1.2.840.10008.5.1.4.1.2.1.1", &[IMPLICIT_LITTLE_ENDIAN]),
            proposed(7, "1.2.840.10008.5.1.4.1.1.4", &[]),
            proposed(9, "9.8.7", &["not a uid", "1.3.46.670589.33.1.4.1"]),
        ]);
        let Decision::Accept(agreed, answer) = decided(&request, "192.0.2.77") else {
            panic!("not accepted");
        };
        let reasons: Vec<_> =
            answer.presentation_contexts.iter().map(|c| (c.id, c.reason.clone() as u8)).collect();
        assert_eq!(reasons, [(1, 0), (3, 0), (5, 3), (7, 4), (9, 0)]);
        assert_eq!(agreed.context(3).unwrap().transfer_syntax.as_str(), "1.2.840.10008.1.2.4.90");
        assert_eq!(agreed.context(9).unwrap().transfer_syntax.as_str(), "1.3.46.670589.33.1.4.1");
        assert!(agreed.context(5).is_none());
        assert_eq!(agreed.peer_max_pdu, 4096);
    }

    #[test]
    fn identifiers_are_odd_and_unique() {
        for (contexts, ok) in [(vec![1, 3, 255], true), (vec![2], false), (vec![1, 1], false)] {
            let proposed = contexts
                .iter()
                .map(|id| proposed(*id, VERIFICATION, &[IMPLICIT_LITTLE_ENDIAN]))
                .collect();
            let malformed =
                matches!(decided(&request(proposed), "192.0.2.1"), Decision::Malformed(_));
            assert_eq!(malformed, !ok, "{contexts:?}");
        }
    }
}
