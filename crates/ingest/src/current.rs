//! What may be exchanged while the receivers run: they look it up whenever they need it.

use std::sync::Arc;

/// Something of which there is one at a time, and later another.
pub struct Current<T>(Arc<dyn Fn() -> Arc<T> + Send + Sync>);

impl<T: Send + Sync + 'static> Current<T> {
    /// What this finds whenever it is asked.
    #[must_use]
    pub fn new(look: impl Fn() -> Arc<T> + Send + Sync + 'static) -> Self {
        Self(Arc::new(look))
    }

    /// What stays as it is.
    #[must_use]
    pub fn fixed(value: T) -> Self {
        let value = Arc::new(value);
        Self::new(move || Arc::clone(&value))
    }

    /// What there is now. Whoever keeps it keeps that, whatever comes after.
    #[must_use]
    pub fn now(&self) -> Arc<T> {
        (self.0)()
    }
}

impl<T> Clone for Current<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}
