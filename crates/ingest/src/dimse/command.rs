//! Command sets (PS3.7 6.3.1): group 0000 in implicit VR little endian, always.

use super::error::DimseError;
use super::limits::MAX_COMMAND_LENGTH;
use super::status::Status;
use scanveil_model::Uid;

/// C-STORE-RQ (PS3.7 E.1-1).
pub(super) const C_STORE_RQ: u16 = 0x0001;
/// C-ECHO-RQ.
pub(super) const C_ECHO_RQ: u16 = 0x0030;
/// C-CANCEL-RQ, which has no response.
pub(super) const C_CANCEL_RQ: u16 = 0x0FFF;
/// The bit that makes a request's Command Field its response's.
pub(super) const RESPONSE: u16 = 0x8000;

/// Command Data Set Type (0000,0800): no data set follows.
const NO_DATA_SET: u16 = 0x0101;
/// Command Data Set Type: a data set follows; any other value would do.
const A_DATA_SET: u16 = 0x0000;
/// Priority (0000,0700): medium.
const MEDIUM: u16 = 0x0000;

const GROUP_LENGTH: u16 = 0x0000;
const AFFECTED_SOP_CLASS_UID: u16 = 0x0002;
const COMMAND_FIELD: u16 = 0x0100;
const MESSAGE_ID: u16 = 0x0110;
const MESSAGE_ID_RESPONDED: u16 = 0x0120;
const PRIORITY: u16 = 0x0700;
const DATA_SET_TYPE: u16 = 0x0800;
const STATUS: u16 = 0x0900;
const ERROR_COMMENT: u16 = 0x0902;
const AFFECTED_SOP_INSTANCE_UID: u16 = 0x1000;

/// A command as far as a storage service needs it. A UID that is absent or no UID is `None`.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Command {
    pub(super) field: u16,
    pub(super) message_id: u16,
    pub(super) responded_to: Option<u16>,
    pub(super) status: Option<Status>,
    pub(super) has_data_set: bool,
    pub(super) sop_class: Option<Uid>,
    pub(super) sop_instance: Option<Uid>,
}

fn u16_of(value: &[u8]) -> Option<u16> {
    Some(u16::from_le_bytes(value.try_into().ok()?))
}

fn uid_of(value: &[u8]) -> Option<Uid> {
    // PS3.5 9.1: padded with one NUL; some senders pad with a space.
    let text = std::str::from_utf8(value).ok()?;
    Uid::parse(text.trim_end_matches(['\0', ' '])).ok()
}

impl Command {
    /// Parses a whole command set.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, DimseError> {
        const BROKEN: DimseError = DimseError::Protocol("command set does not parse");
        let mut command = Self { has_data_set: true, ..Self::default() };
        let (mut field, mut data_set_type) = (None, None);
        let mut rest = bytes;
        while let Some((head, tail)) = rest.split_first_chunk::<8>() {
            let [g0, g1, e0, e1, l0, l1, l2, l3] = *head;
            let length = u32::from_le_bytes([l0, l1, l2, l3]) as usize;
            if u16::from_le_bytes([g0, g1]) != 0 || length > tail.len() {
                return Err(BROKEN);
            }
            let (value, tail) = tail.split_at(length);
            rest = tail;
            match u16::from_le_bytes([e0, e1]) {
                AFFECTED_SOP_CLASS_UID => command.sop_class = uid_of(value),
                AFFECTED_SOP_INSTANCE_UID => command.sop_instance = uid_of(value),
                COMMAND_FIELD => field = u16_of(value),
                MESSAGE_ID => command.message_id = u16_of(value).ok_or(BROKEN)?,
                MESSAGE_ID_RESPONDED => command.responded_to = u16_of(value),
                DATA_SET_TYPE => data_set_type = u16_of(value),
                STATUS => command.status = u16_of(value).map(Status),
                _ => {}
            }
        }
        let (Some(field), Some(data_set_type), true) = (field, data_set_type, rest.is_empty())
        else {
            return Err(BROKEN);
        };
        command.field = field;
        command.has_data_set = data_set_type != NO_DATA_SET;
        Ok(command)
    }

    /// The response to this request: echoes its UIDs where they are UIDs.
    pub(super) fn response(&self, status: Status, comment: Option<&'static str>) -> Vec<u8> {
        let mut set = CommandSet::new();
        set.uid(AFFECTED_SOP_CLASS_UID, self.sop_class.as_ref());
        set.number(COMMAND_FIELD, self.field | RESPONSE);
        set.number(MESSAGE_ID_RESPONDED, self.message_id);
        set.number(DATA_SET_TYPE, NO_DATA_SET);
        set.number(STATUS, status.0);
        if let Some(comment) = comment {
            set.text(ERROR_COMMENT, comment, b' ');
        }
        set.uid(AFFECTED_SOP_INSTANCE_UID, self.sop_instance.as_ref());
        set.finish()
    }
}

/// A C-ECHO-RQ.
pub(super) fn echo_request(message_id: u16, sop_class: &Uid) -> Vec<u8> {
    let mut set = CommandSet::new();
    set.uid(AFFECTED_SOP_CLASS_UID, Some(sop_class));
    set.number(COMMAND_FIELD, C_ECHO_RQ);
    set.number(MESSAGE_ID, message_id);
    set.number(DATA_SET_TYPE, NO_DATA_SET);
    set.finish()
}

/// A C-STORE-RQ.
pub(super) fn store_request(message_id: u16, sop_class: &Uid, sop_instance: &Uid) -> Vec<u8> {
    let mut set = CommandSet::new();
    set.uid(AFFECTED_SOP_CLASS_UID, Some(sop_class));
    set.number(COMMAND_FIELD, C_STORE_RQ);
    set.number(MESSAGE_ID, message_id);
    set.number(PRIORITY, MEDIUM);
    set.number(DATA_SET_TYPE, A_DATA_SET);
    set.uid(AFFECTED_SOP_INSTANCE_UID, Some(sop_instance));
    set.finish()
}

/// A command set being written, elements in ascending order.
struct CommandSet(Vec<u8>);

impl CommandSet {
    fn new() -> Self {
        let mut bytes = Vec::with_capacity(512);
        bytes.extend_from_slice(&[0, 0]);
        bytes.extend_from_slice(&GROUP_LENGTH.to_le_bytes());
        bytes.extend_from_slice(&[4, 0, 0, 0, 0, 0, 0, 0]);
        Self(bytes)
    }

    fn element(&mut self, element: u16, length: u32) {
        self.0.extend_from_slice(&[0, 0]);
        self.0.extend_from_slice(&element.to_le_bytes());
        self.0.extend_from_slice(&length.to_le_bytes());
    }

    fn number(&mut self, element: u16, value: u16) {
        self.element(element, 2);
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    fn text(&mut self, element: u16, text: &str, pad: u8) {
        let odd = text.len() % 2;
        self.element(element, (text.len() + odd) as u32);
        self.0.extend_from_slice(text.as_bytes());
        self.0.extend(std::iter::repeat_n(pad, odd));
    }

    fn uid(&mut self, element: u16, uid: Option<&Uid>) {
        if let Some(uid) = uid {
            self.text(element, uid.as_str(), 0);
        }
    }

    /// Fills in Command Group Length (0000,0000): the bytes after its own value.
    fn finish(mut self) -> Vec<u8> {
        let length = (self.0.len() - 12) as u32;
        self.0[8..12].copy_from_slice(&length.to_le_bytes());
        self.0
    }
}

/// Appends a command as P-DATA-TF PDUs no longer than the peer takes (PS3.8 9.3.5): nearly always
/// one.
pub(super) fn pack_command(out: &mut Vec<u8>, context: u8, command: &[u8], peer_max_pdu: usize) {
    debug_assert!(command.len() <= MAX_COMMAND_LENGTH);
    let room = pdv_room(peer_max_pdu);
    let mut fragments = command.chunks(room).peekable();
    while let Some(fragment) = fragments.next() {
        let flags = COMMAND_FRAGMENT | if fragments.peek().is_none() { LAST_FRAGMENT } else { 0 };
        out.extend_from_slice(&pdata_header(context, flags, fragment.len()));
        out.extend_from_slice(fragment);
    }
}

/// Message control header bit 0: the fragment is command information (PS3.8 E.2).
pub(super) const COMMAND_FRAGMENT: u8 = 1;
/// Message control header bit 1: it is the last fragment.
pub(super) const LAST_FRAGMENT: u8 = 2;
/// Bytes of a P-DATA-TF before the fragment: PDU header 6, PDV length 4, context 1, flags 1.
pub(super) const PDATA_HEADER: usize = 12;

/// Bytes of a message that fit in one P-DATA-TF of a peer with this limit (0: no limit): even, as
/// PS3.8 9.3.5 Annex E wants fragments to be.
pub(super) fn pdv_room(peer_max_pdu: usize) -> usize {
    const LARGEST: usize = 131_072;
    let limit = if peer_max_pdu == 0 { LARGEST } else { peer_max_pdu.clamp(8, LARGEST) };
    (limit - 6) & !1
}

/// The head of a P-DATA-TF with one presentation data value of `length` bytes.
pub(super) fn pdata_header(context: u8, flags: u8, length: usize) -> [u8; PDATA_HEADER] {
    let pdv = (length as u32 + 2).to_be_bytes();
    let pdu = (length as u32 + 6).to_be_bytes();
    [4, 0, pdu[0], pdu[1], pdu[2], pdu[3], pdv[0], pdv[1], pdv[2], pdv[3], context, flags]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn uid(text: &str) -> Uid {
        Uid::parse(text).unwrap()
    }

    #[test]
    fn requests_and_responses_are_read_back() {
        let request = store_request(7, &uid("1.2.3"), &uid("1.2.3.4"));
        let command = Command::parse(&request).unwrap();
        assert_eq!(command.field, C_STORE_RQ);
        assert_eq!(command.message_id, 7);
        assert!(command.has_data_set);
        assert_eq!(command.sop_class, Some(uid("1.2.3")));
        assert_eq!(command.sop_instance, Some(uid("1.2.3.4")));

        let answer = command.response(Status::OUT_OF_RESOURCES, Some("SV-INGEST-001 full"));
        let answer = Command::parse(&answer).unwrap();
        assert_eq!(answer.field, C_STORE_RQ | RESPONSE);
        assert_eq!(answer.responded_to, Some(7));
        assert_eq!(answer.status, Some(Status::OUT_OF_RESOURCES));
        assert!(!answer.has_data_set);
    }

    #[test]
    fn group_length_counts_what_follows_it() {
        let request = echo_request(1, &uid("1.2.840.10008.1.1"));
        let length = u32::from_le_bytes(request[8..12].try_into().unwrap()) as usize;
        assert_eq!(length, request.len() - 12);
        assert_eq!(request.len() % 2, 0);
    }

    #[test]
    fn broken_command_sets_are_refused() {
        let whole = store_request(7, &uid("1.2.3"), &uid("1.2.3.4"));
        for cut in 1..whole.len() {
            // Cut between elements it may still parse, but never without its data set type.
            if let Ok(command) = Command::parse(&whole[..cut]) {
                assert_eq!(command.field, C_STORE_RQ, "cut at {cut}");
            }
        }
        let mut other_group = whole.clone();
        other_group[12] = 8;
        assert!(Command::parse(&other_group).is_err());
        assert!(Command::parse(&[]).is_err());
        let mut long = whole;
        long[16..20].copy_from_slice(&u32::MAX.to_le_bytes());
        assert!(Command::parse(&long).is_err());
    }

    #[test]
    fn a_path_is_no_instance_uid() {
        let mut request = store_request(7, &uid("1.2.3"), &uid("1.2.3.4.5.6.7.8"));
        let at = request.len() - 16;
        request[at..].copy_from_slice(b"../../etc/passwd");
        assert_eq!(Command::parse(&request).unwrap().sop_instance, None);
    }

    #[test]
    fn commands_are_cut_to_the_peers_limit() {
        let command = vec![9; 300];
        for (limit, pdus) in [(0, 1), (16_384, 1), (306, 1), (106, 3), (8, 150), (1, 150)] {
            let mut out = Vec::new();
            pack_command(&mut out, 3, &command, limit);
            let mut rest = out.as_slice();
            let (mut count, mut body) = (0, Vec::new());
            while !rest.is_empty() {
                let length = u32::from_be_bytes(rest[2..6].try_into().unwrap()) as usize;
                assert!(limit < 8 || length <= limit, "limit {limit}");
                body.extend_from_slice(&rest[12..6 + length]);
                let last = rest[11] & LAST_FRAGMENT != 0;
                rest = &rest[6 + length..];
                assert_eq!(last, rest.is_empty());
                count += 1;
            }
            assert_eq!((count, &body), (pdus, &command), "limit {limit}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_parse_or_fail(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let _ = Command::parse(&bytes);
        }
    }
}
