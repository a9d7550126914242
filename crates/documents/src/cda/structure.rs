//! The elements of CDA R2 that may come out, and how each is treated. What is not here holds a
//! document back, unless it stands in something that goes as a whole.

/// How an element is treated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rule {
    /// Stays; what is in it is treated each by its own rule.
    Keep,
    /// Goes with everything in it: people, places, orders.
    Drop,
    /// The patient: only pseudonym and, by the profile, sex.
    Patient,
    /// The author of the document: only the time.
    Author,
    /// The custodian: nothing but that there is one.
    Custodian,
    /// Types CD, CE, CV, CS.
    Code,
    /// Types II.
    Identifier,
    /// `templateId` and `typeId`.
    Definition,
    /// Types PQ, INT, REAL, and intervals and ratios of them.
    Quantity,
    /// Types TS, and intervals and repetitions of them.
    Time,
    /// Type BL.
    Flag,
    /// Types ST and ED.
    Text,
    /// By its `xsi:type`.
    Value,
    /// The text of a section (Narrative Block).
    Narrative,
    /// A reference from structured content to the narrative: `#` and an ID.
    Pointer,
}

const KEPT: &[&str] = &[
    "ClinicalDocument",
    "act",
    "component",
    "consumable",
    "criterion",
    "documentationOf",
    "encounter",
    "entry",
    "entryRelationship",
    "externalAct",
    "externalDocument",
    "externalObservation",
    "externalProcedure",
    "manufacturedLabeledDrug",
    "manufacturedMaterial",
    "manufacturedProduct",
    "observation",
    "observationRange",
    "organizer",
    "parentDocument",
    "participantRole",
    "playingDevice",
    "playingEntity",
    "precondition",
    "procedure",
    "product",
    "qualifier",
    "referenceRange",
    "relatedDocument",
    "relatedSubject",
    "section",
    "serviceEvent",
    "specimen",
    "specimenPlayingEntity",
    "specimenRole",
    "structuredBody",
    "subject",
    "substanceAdministration",
    "supply",
];

const DROPPED: &[&str] = &[
    "addr",
    "asMaintainedEntity",
    "asOrganizationPartOf",
    "authenticator",
    "authorization",
    "birthTime",
    "componentOf",
    "dataEnterer",
    "deceasedInd",
    "deceasedTime",
    "desc",
    "informant",
    "informationRecipient",
    "inFulfillmentOf",
    "legalAuthenticator",
    "lotNumberText",
    "manufacturerOrganization",
    "performer",
    "responsibleParty",
    "scopingEntity",
    "telecom",
];

const CODES: &[&str] = &[
    "administrationUnitCode",
    "approachSiteCode",
    "awarenessCode",
    "code",
    "confidentialityCode",
    "event",
    "interpretationCode",
    "languageCode",
    "methodCode",
    "priorityCode",
    "realmCode",
    "routeCode",
    "statusCode",
    "targetSiteCode",
];

const QUANTITIES: &[&str] = &[
    "denominator",
    "doseQuantity",
    "maxDoseQuantity",
    "numerator",
    "offset",
    "period",
    "quantity",
    "rateQuantity",
    "repeatNumber",
    "sequenceNumber",
    "versionNumber",
    "width",
];

const TIMES: &[&str] = &["copyTime", "effectiveTime", "expectedUseTime", "phase", "time"];

/// The rule of an element in the element around it, whose rule is `around`.
pub(crate) fn rule(name: &str, parent: &str, around: Rule) -> Option<Rule> {
    let top = parent == "ClinicalDocument";
    Some(match (name, around) {
        ("recordTarget", _) if top => Rule::Patient,
        ("author", _) if top => Rule::Author,
        ("custodian", _) if top => Rule::Custodian,
        ("participant", _) if top => Rule::Drop,
        ("participant", Rule::Keep) => Rule::Keep,
        ("author", Rule::Keep) => Rule::Drop,
        ("administrativeGenderCode", _) => Rule::Code,
        // A point of an interval is what the interval is; a component of a repetition as well.
        ("low" | "high" | "center" | "comp", Rule::Time | Rule::Quantity) => around,
        ("reference", Rule::Text) => Rule::Pointer,
        ("reference", Rule::Keep) => Rule::Keep,
        ("originalText", Rule::Code | Rule::Quantity) => Rule::Text,
        ("translation", Rule::Code) => Rule::Code,
        ("translation", Rule::Quantity) => Rule::Quantity,
        ("qualifier", Rule::Code) => Rule::Keep,
        ("name" | "value", Rule::Keep) if parent == "qualifier" => Rule::Code,
        ("name", Rule::Keep) if parent.starts_with("manufactured") => Rule::Text,
        ("name", Rule::Keep) => Rule::Drop,
        ("manufacturerModelName" | "softwareName", Rule::Keep) => Rule::Text,
        ("typeId" | "templateId", Rule::Keep) => Rule::Definition,
        ("id" | "setId", Rule::Keep) => Rule::Identifier,
        ("title" | "derivationExpr", Rule::Keep) => Rule::Text,
        ("text", Rule::Keep) if parent == "section" => Rule::Narrative,
        ("text", Rule::Keep) => Rule::Text,
        ("value", Rule::Keep) => Rule::Value,
        ("independentInd" | "seperatableInd", Rule::Keep) => Rule::Flag,
        _ if KEPT.contains(&name) && around == Rule::Keep => Rule::Keep,
        _ if DROPPED.contains(&name) => Rule::Drop,
        _ if CODES.contains(&name) => Rule::Code,
        _ if QUANTITIES.contains(&name) => Rule::Quantity,
        _ if TIMES.contains(&name) => Rule::Time,
        _ => return None,
    })
}

/// The rule of a value by its type, and the type as it is written.
pub(crate) fn of_type(name: &str) -> Option<(Rule, &'static str)> {
    const TYPES: &[(&str, Rule)] = &[
        ("CD", Rule::Code),
        ("CE", Rule::Code),
        ("CV", Rule::Code),
        ("CS", Rule::Code),
        ("CO", Rule::Code),
        ("PQ", Rule::Quantity),
        ("IVL_PQ", Rule::Quantity),
        ("RTO", Rule::Quantity),
        ("RTO_PQ_PQ", Rule::Quantity),
        ("REAL", Rule::Quantity),
        ("IVL_REAL", Rule::Quantity),
        ("INT", Rule::Quantity),
        ("IVL_INT", Rule::Quantity),
        ("BL", Rule::Flag),
        ("ST", Rule::Text),
        ("ED", Rule::Text),
        ("TS", Rule::Time),
        ("IVL_TS", Rule::Time),
        ("PIVL_TS", Rule::Time),
        ("EIVL_TS", Rule::Time),
        ("SXCM_TS", Rule::Time),
        ("SXPR_TS", Rule::Time),
        ("II", Rule::Identifier),
    ];
    TYPES.iter().find(|(known, _)| *known == name).map(|(known, rule)| (*rule, *known))
}

/// Values of classCode, moodCode, typeCode, determinerCode, contextControlCode, operator and
/// nullFlavor in CDA R2.
pub(crate) const STRUCTURAL: &[&str] = &[
    "A",
    "ACCM",
    "ACT",
    "ADMM",
    "ALC",
    "APND",
    "APT",
    "ARQ",
    "ASSIGNED",
    "ASSERTION",
    "AUT",
    "AUTHEN",
    "BATTERY",
    "BBY",
    "BEN",
    "BIRTHPL",
    "CALLBCK",
    "CAUS",
    "CITIZEN",
    "CLUSTER",
    "CNTRCT",
    "COMP",
    "COND",
    "CON",
    "CONS",
    "CONTENT",
    "COV",
    "CSM",
    "CST",
    "DERIVED",
    "DERIV",
    "DEV",
    "DEVICE",
    "DIR",
    "DOC",
    "DOCBODY",
    "DOCCLIN",
    "DOCSECT",
    "DRIV",
    "DST",
    "ELNK",
    "ENC",
    "ENT",
    "EVN",
    "EXPR",
    "EXLOC",
    "FLFS",
    "GEVL",
    "GOL",
    "H",
    "I",
    "IND",
    "INF",
    "INT",
    "INV",
    "INSTANCE",
    "KIND",
    "LIST",
    "LOC",
    "MANU",
    "MAT",
    "MFST",
    "MMAT",
    "MSK",
    "MTH",
    "NA",
    "NASK",
    "NAV",
    "NI",
    "NINF",
    "NRD",
    "OBS",
    "ON",
    "OP",
    "ORG",
    "OTH",
    "OWN",
    "P",
    "PART",
    "PAT",
    "PCPR",
    "PINF",
    "PLC",
    "PPRF",
    "PRCN",
    "PRD",
    "PRF",
    "PRMS",
    "PROC",
    "PROP",
    "PRP",
    "PRS",
    "PSN",
    "PUB",
    "QUANTIFIED",
    "QUERY",
    "REFR",
    "REFV",
    "REV",
    "RESBDY",
    "RGT",
    "RPLC",
    "RQO",
    "RSON",
    "SAS",
    "SBADM",
    "SBJ",
    "SCH",
    "SPC",
    "SPEC",
    "SPLY",
    "SPRF",
    "SUBJ",
    "SUCC",
    "TERR",
    "TRC",
    "UNK",
    "UPDT",
    "VERIF",
    "VRF",
    "VRXCRPT",
    "X",
    "XCRPT",
    "XFRM",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_element_is_on_one_list() {
        let lists = [KEPT, DROPPED, CODES, QUANTITIES, TIMES];
        let mut all: Vec<&str> = lists.concat();
        let many = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), many);
        assert_eq!(rule("nonXMLBody", "component", Rule::Keep), None);
        assert_eq!(rule("observationMedia", "entry", Rule::Keep), None);
        assert_eq!(rule("name", "playingEntity", Rule::Keep), Some(Rule::Drop));
        assert_eq!(rule("name", "qualifier", Rule::Keep), Some(Rule::Code));
    }
}
