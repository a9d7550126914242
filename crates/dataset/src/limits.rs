//! The bounds that no input can pass. Each has a name, so that a refusal can say which.

/// Bounds on what is parsed.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Bytes of data set before (and after) the pixel data.
    pub header_bytes: usize,
    /// Elements and items in one data set.
    pub elements: usize,
    /// Nesting of sequences.
    pub depth: u16,
    /// Inflated bytes of a deflated data set.
    pub inflated_bytes: u64,
    /// Inflated bytes per deflated byte, once more than 16 MiB have come out.
    pub inflation_ratio: u64,
    /// Bytes of file meta information.
    pub meta_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            header_bytes: 128 << 20,
            elements: 2_000_000,
            depth: 64,
            inflated_bytes: 4 << 30,
            inflation_ratio: 200,
            meta_bytes: 1 << 20,
        }
    }
}
