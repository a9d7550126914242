//! An intake in memory, a connection in memory, and small instances.

use crate::current::Current;
use crate::dimse::association::{Desk, serve};
use crate::dimse::control::{Clock, Control, Phase};
use crate::dimse::limits::DimseLimits;
use crate::dimse::link::Link;
use crate::intake::{
    CallingRule, HospitalRoute, IntakeError, IntakeSink, Network, Receipt, ReceivingSink,
};
use crate::places::Places;
use scanveil_model::{AeTitle, Digest, HospitalId, IntakeMeta, Uid};
use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

pub(super) const CT: &str = "1.2.840.10008.5.1.4.1.1.2";
pub(super) const EXPLICIT: &str = "1.2.840.10008.1.2.1";
pub(super) const VERIFICATION: &str = "1.2.840.10008.1.1";

pub(super) fn uid(text: &str) -> Uid {
    Uid::parse(text).unwrap()
}

/// How the intake behaves.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Mood {
    Takes,
    /// Only for those who have begun.
    Closed,
    Full,
    FullAfter(usize),
    Refuses,
    FailsAtCommit,
}

pub(super) struct Stored {
    pub(super) bytes: Vec<u8>,
    pub(super) meta: IntakeMeta,
}

pub(super) struct Memory {
    pub(super) mood: Mutex<Mood>,
    pub(super) stored: Mutex<Vec<Stored>>,
    pub(super) open: AtomicUsize,
}

impl Memory {
    pub(super) fn new(mood: Mood) -> Arc<Self> {
        Arc::new(Self {
            mood: Mutex::new(mood),
            stored: Mutex::default(),
            open: AtomicUsize::new(0),
        })
    }

    pub(super) fn count(&self) -> usize {
        self.stored.lock().unwrap().len()
    }
}

/// The intake as receivers see it.
pub(super) struct Door(pub(super) Arc<Memory>);

struct Sink {
    memory: Arc<Memory>,
    mood: Mood,
    bytes: Vec<u8>,
}

impl IntakeSink for Door {
    fn admits(&self) -> Result<(), IntakeError> {
        let closed = matches!(*self.0.mood.lock().unwrap(), Mood::Closed);
        if closed { Err(IntakeError::Full) } else { Ok(()) }
    }

    fn receive(&self, _: &HospitalId) -> Result<Box<dyn ReceivingSink>, IntakeError> {
        let mood = *self.0.mood.lock().unwrap();
        match mood {
            Mood::Full => return Err(IntakeError::Full),
            Mood::Refuses => return Err(IntakeError::Refused("no key")),
            _ => {}
        }
        self.0.open.fetch_add(1, Ordering::SeqCst);
        Ok(Box::new(Sink { memory: Arc::clone(&self.0), mood, bytes: Vec::new() }))
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if matches!(self.mood, Mood::FullAfter(limit) if self.bytes.len() + bytes.len() > limit) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl ReceivingSink for Sink {
    fn commit(mut self: Box<Self>, meta: IntakeMeta) -> Result<Receipt, IntakeError> {
        if self.mood == Mood::FailsAtCommit {
            return Err(IntakeError::Io(io::ErrorKind::BrokenPipe.into()));
        }
        let bytes = std::mem::take(&mut self.bytes);
        let length = bytes.len() as u64;
        self.memory.stored.lock().unwrap().push(Stored { bytes, meta });
        Ok(Receipt { digest: Digest([0; 32]), length })
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        self.memory.open.fetch_sub(1, Ordering::SeqCst);
    }
}

pub(super) fn routes() -> Vec<HospitalRoute> {
    let calling = Network::loopback()
        .into_iter()
        .map(|network| CallingRule { ae: Some(AeTitle::parse("PACS").unwrap()), network })
        .collect();
    vec![HospitalRoute {
        hospital: HospitalId::parse("st-wystan").unwrap(),
        called_ae: AeTitle::parse("WYSTAN").unwrap(),
        calling,
    }]
}

pub(super) fn limits() -> DimseLimits {
    DimseLimits { poll_interval: Duration::from_millis(5), ..DimseLimits::default() }
}

fn element(out: &mut Vec<u8>, tag: (u16, u16), vr: [u8; 2], value: &[u8]) {
    out.extend_from_slice(&tag.0.to_le_bytes());
    out.extend_from_slice(&tag.1.to_le_bytes());
    out.extend_from_slice(&vr);
    if &vr == b"OW" {
        out.extend_from_slice(&[0, 0]);
        out.extend_from_slice(&(value.len() as u32).to_le_bytes());
        out.extend_from_slice(value);
        return;
    }
    let odd = value.len() % 2;
    out.extend_from_slice(&((value.len() + odd) as u16).to_le_bytes());
    out.extend_from_slice(value);
    out.extend(std::iter::repeat_n(0, odd));
}

/// A data set in explicit VR little endian with `pixels` bytes of pixel data.
pub(super) fn data_set(class: &str, instance: &str, pixels: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(pixels + 512);
    element(&mut out, (8, 0x16), *b"UI", class.as_bytes());
    element(&mut out, (8, 0x18), *b"UI", instance.as_bytes());
    element(&mut out, (8, 0x60), *b"CS", b"CT");
    element(&mut out, (0x20, 0x0D), *b"UI", b"1.2.3.10");
    element(&mut out, (0x20, 0x0E), *b"UI", b"1.2.3.20");
    let value: Vec<u8> = (0..pixels).map(|at| (at * 31 / 8) as u8).collect();
    element(&mut out, (0x7FE0, 0x10), *b"OW", &value);
    out
}

/// The same as a Part 10 file.
pub(super) fn part10(instance: &str, pixels: usize) -> Vec<u8> {
    let mut file = scanveil_dataset::file_meta(CT, instance, EXPLICIT);
    file.extend_from_slice(&data_set(CT, instance, pixels));
    file
}

/// A clock that stands still unless it is moved.
#[derive(Default)]
pub(super) struct HandClock(AtomicU64);

impl HandClock {
    fn advance(&self, by: Duration) {
        self.0.fetch_add(by.as_millis() as u64, Ordering::SeqCst);
    }
}

impl Clock for HandClock {
    fn now(&self) -> Duration {
        Duration::from_millis(self.0.load(Ordering::SeqCst))
    }
}

/// What a peer does next in a connection in memory.
pub(super) enum Step {
    Bytes(Vec<u8>),
    /// Nothing comes for this long.
    Pause(Duration),
    /// The receiver is told to stop.
    Stop(Phase),
}

/// A peer that says what is written down for it. After its last step it closes, or is silent for
/// ever.
pub(super) struct Script {
    steps: VecDeque<Step>,
    /// At most so many bytes come at once.
    piece: usize,
    then_silent: bool,
    clock: Arc<HandClock>,
    control: Arc<Control>,
    heard: Arc<Mutex<Vec<u8>>>,
}

impl Read for Script {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.steps.pop_front() {
                None if self.then_silent => {
                    self.clock.advance(Duration::from_millis(250));
                    return Err(io::ErrorKind::WouldBlock.into());
                }
                None => return Ok(0),
                Some(Step::Stop(phase)) => self.control.set(phase),
                Some(Step::Pause(pause)) => {
                    self.clock.advance(pause);
                    return Err(io::ErrorKind::WouldBlock.into());
                }
                Some(Step::Bytes(mut bytes)) => {
                    let count = bytes.len().min(buffer.len()).min(self.piece);
                    if count == 0 {
                        continue;
                    }
                    buffer[..count].copy_from_slice(&bytes[..count]);
                    if count < bytes.len() {
                        self.steps.push_front(Step::Bytes(bytes.split_off(count)));
                    }
                    return Ok(count);
                }
            }
        }
    }
}

impl Write for Script {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.heard.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A connection in memory, to be served.
pub(super) struct Stage {
    pub(super) limits: DimseLimits,
    pub(super) piece: usize,
    pub(super) then_silent: bool,
    pub(super) mood: Mood,
    pub(super) peer: &'static str,
}

impl Default for Stage {
    fn default() -> Self {
        Self {
            limits: limits(),
            piece: usize::MAX,
            then_silent: false,
            mood: Mood::Takes,
            peer: "127.0.0.1:4000",
        }
    }
}

impl Stage {
    /// Serves the steps; gives what the receiver answered, as PDUs, and what it stored.
    pub(super) fn play(&self, steps: Vec<Step>) -> (Vec<Vec<u8>>, Arc<Memory>) {
        let memory = Memory::new(self.mood);
        let clock = Arc::new(HandClock::default());
        let control = Arc::new(Control::new());
        let heard = Arc::default();
        let script = Script {
            steps: steps.into(),
            piece: self.piece,
            then_silent: self.then_silent,
            clock: Arc::clone(&clock),
            control: Arc::clone(&control),
            heard: Arc::clone(&heard),
        };
        let places = Places::new(self.limits.associations(), || 1);
        let intake = Arc::new(Door(Arc::clone(&memory)));
        let desk = Desk { routes: Current::fixed(routes()), intake, places };
        let link = Link::new(script, self.limits.clone(), control, clock);
        serve(link, self.peer.parse().unwrap(), &desk, None);
        let heard = heard.lock().unwrap();
        (pdus(&heard), memory)
    }
}

/// Cuts a byte stream into PDUs.
pub(super) fn pdus(mut bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut out = Vec::new();
    while !bytes.is_empty() {
        let length = u32::from_be_bytes(bytes[2..6].try_into().unwrap()) as usize;
        let (pdu, rest) = bytes.split_at(6 + length);
        out.push(pdu.to_vec());
        bytes = rest;
    }
    out
}
