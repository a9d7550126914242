//! Small inputs that are kept from the first look to the second, so that they are read and parsed
//! once.

use memmap2::MmapMut;
use scanveil_dataset::Outline;
use std::sync::{Mutex, PoisonError};

/// Bytes of memory that are taken at a time; the system gives them page by page as they are filled.
const CHUNK: usize = 8 << 20;

/// An input that is kept. No `Debug`.
pub(crate) struct Kept {
    chunk: usize,
    from: usize,
    length: usize,
    /// What parsing it gave; `None` where that took more than its bytes and the light bounds.
    pub(super) outline: Option<Box<Outline>>,
}

/// A piece of memory that is being filled.
struct Chunk {
    number: usize,
    bytes: MmapMut,
    used: usize,
}

#[derive(Default)]
struct Filling {
    /// Chunks that nobody writes into just now.
    idle: Vec<Chunk>,
    made: usize,
    left: usize,
}

/// Memory for inputs that are kept, within a budget.
pub(crate) struct Keeper(Mutex<Filling>);

/// The inputs that were kept, to be read.
pub(crate) struct Larder(Vec<Option<MmapMut>>);

impl Keeper {
    /// Keeps so many bytes at most, near enough.
    pub(crate) fn new(budget: usize) -> Self {
        Self(Mutex::new(Filling { left: budget, ..Filling::default() }))
    }

    /// Keeps an input if there is room.
    pub(super) fn keep(&self, bytes: &[u8], outline: Option<Box<Outline>>) -> Option<Kept> {
        let size = bytes.len() + outline.as_ref().map_or(0, |outline| outline.size());
        let mut chunk = self.take(size, bytes.len())?;
        let from = chunk.used;
        chunk.used += bytes.len();
        chunk.bytes[from..chunk.used].copy_from_slice(bytes);
        let kept = Kept { chunk: chunk.number, from, length: bytes.len(), outline };
        self.filling().idle.push(chunk);
        Some(kept)
    }

    fn filling(&self) -> std::sync::MutexGuard<'_, Filling> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A chunk with room for so many bytes, if the budget has `size` left.
    fn take(&self, size: usize, length: usize) -> Option<Chunk> {
        let mut filling = self.filling();
        filling.left = filling.left.checked_sub(size)?;
        // The last ones put back are the ones with room.
        let idle = &mut filling.idle;
        if let Some(at) = idle.iter().rposition(|chunk| CHUNK - chunk.used >= length) {
            return Some(idle.swap_remove(at));
        }
        let bytes = MmapMut::map_anon(CHUNK).ok().filter(|_| length <= CHUNK)?;
        // Large pages save most of the faults; a system without them gives small ones.
        #[cfg(target_os = "linux")]
        let _ = bytes.advise(memmap2::Advice::HugePage);
        filling.made += 1;
        Some(Chunk { number: filling.made - 1, bytes, used: 0 })
    }

    /// Ends the keeping.
    pub(crate) fn finish(self) -> Larder {
        let filling = self.0.into_inner().unwrap_or_else(PoisonError::into_inner);
        let mut larder: Vec<Option<MmapMut>> = Vec::new();
        larder.resize_with(filling.made, || None);
        for chunk in filling.idle {
            larder[chunk.number] = Some(chunk.bytes);
        }
        Larder(larder)
    }
}

impl Larder {
    /// The bytes of an input.
    pub(crate) fn bytes(&self, kept: &Kept) -> &[u8] {
        let chunk = self.0.get(kept.chunk).and_then(Option::as_deref);
        chunk.and_then(|bytes| bytes.get(kept.from..kept.from + kept.length)).unwrap_or(&[])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_comes_back_and_the_budget_holds() {
        let keeper = Keeper::new(20 << 20);
        let inputs: Vec<Vec<u8>> =
            (0..700u32).map(|n| vec![n as u8; 1000 + (n as usize * 977) % 60_000]).collect();
        let kept: Vec<Option<Kept>> = inputs.iter().map(|bytes| keeper.keep(bytes, None)).collect();
        let count = kept.iter().flatten().count();
        let total: usize = kept.iter().flatten().map(|kept| kept.length).sum();
        assert!(count > 300 && count < 700 && total <= 20 << 20, "{count} {total}");
        let larder = keeper.finish();
        for (input, kept) in inputs.iter().zip(&kept) {
            assert!(kept.as_ref().is_none_or(|kept| larder.bytes(kept) == input));
        }
    }
}
