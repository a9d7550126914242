//! Lets a test see what was made durable, and forget the rest as a power failure would.

use std::cell::RefCell;
use std::fs::File;

/// What has just been made durable.
#[derive(Debug, Clone, Copy)]
pub enum Synced<'s> {
    /// A file's bytes.
    File(&'s File),
    /// The names in a folder.
    Folder(&'s File),
}

type Observer = Box<dyn Fn(Synced<'_>)>;

thread_local! {
    static OBSERVER: RefCell<Option<Observer>> = const { RefCell::new(None) };
}

/// Ends an observation when it is dropped.
#[derive(Debug)]
pub struct Observing(());

/// Tells `observer` of everything that this thread makes durable, until the guard is dropped.
#[must_use]
pub fn observe(observer: impl Fn(Synced<'_>) + 'static) -> Observing {
    OBSERVER.set(Some(Box::new(observer)));
    Observing(())
}

impl Drop for Observing {
    fn drop(&mut self) {
        OBSERVER.set(None);
    }
}

pub(crate) fn tell(synced: Synced<'_>) {
    OBSERVER.with_borrow(|observer| {
        if let Some(observer) = observer {
            observer(synced);
        }
    });
}
