//! An instance between the scrubbing of its header and the writing of the whole.

use crate::outcome::Outcome;
use crate::pixels::PixelPlan;
use crate::scrubbed::{Names, ScrubbedInstance};
use crate::sink::Sink;
use crate::study::encoding;
use scanveil_dataset::{Body, Header, Writer};
use scanveil_model::{Digest, Reason, ReasonCode, Uid};
use std::io::{Read, Write};

/// An instance whose header is scrubbed, made only by
/// [`StudyScrubber::prepare`](crate::StudyScrubber::prepare): what it will be called is known, and
/// nothing is written yet.
pub struct Prepared<'s> {
    pub(crate) header: &'s Header<'s>,
    pub(crate) plan: Option<PixelPlan>,
    /// File meta information and elements.
    pub(crate) written: Vec<u8>,
    pub(crate) meta_length: usize,
    pub(crate) header_digest: Digest,
    pub(crate) digested: bool,
    pub(crate) names: Names,
    pub(crate) patient_pseudonym: &'s str,
    pub(crate) outcome: Outcome,
}

impl Prepared<'_> {
    /// What the instance will be called.
    #[must_use]
    pub fn names(&self) -> &Names {
        &self.names
    }
    /// The patient's pseudonym in this project.
    #[must_use]
    pub fn patient_pseudonym(&self) -> &str {
        self.patient_pseudonym
    }

    /// Writes the instance, looking into its pixels on the way.
    ///
    /// # Errors
    /// The [`Reason`] to quarantine it. What was written to `out` must then be thrown away: it may
    /// hold pixels that turned out not to be clean.
    pub fn write<R: Read, W: Write>(
        mut self,
        mut body: Body<'_, R>,
        out: W,
    ) -> Result<ScrubbedInstance, Reason> {
        let (digest, length) = self.emit(&mut body, out)?;
        let transfer_syntax = Uid::parse(self.header.syntax.uid)
            .map_err(|_| Reason::new(ReasonCode::Internal, "a transfer syntax is not a UID"))?;
        Ok(ScrubbedInstance {
            names: self.names,
            transfer_syntax,
            patient_pseudonym: self.patient_pseudonym.to_owned(),
            digest,
            header_digest: self.header_digest,
            length,
            actions: self.outcome.actions(),
            outcome: self.outcome,
        })
    }

    fn emit<R: Read, W: Write>(
        &mut self,
        body: &mut Body<'_, R>,
        out: W,
    ) -> Result<(Option<Digest>, u64), Reason> {
        let header = self.header;
        let mut plan = self.plan.as_ref();
        if let Some(pixels) = plan {
            let (tag, vr) = pixels.element();
            let length = pixels.length().unwrap_or(u32::MAX);
            Writer::new(&mut self.written).head(tag, vr, length, encoding(header));
            if let Some(whole) = pixels.whole(body)? {
                self.written.extend_from_slice(whole);
                self.written.resize(self.written.len() + whole.len() % 2, 0);
                plan = None;
            }
        }
        let deflated = header.syntax.deflated;
        let mut sink = Sink::begin(out, &self.written, self.meta_length, deflated, self.digested)?;
        if let Some(pixels) = plan {
            pixels.copy(body, &mut sink)?;
        }
        sink.end()
    }
}
