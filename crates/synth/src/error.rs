//! What can go wrong while inventing or hunting.

use scanveil_model::Coded;

/// Why a corpus could not be made or a folder could not be searched. Names no value and no file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SynthError {
    /// The JPEG encoder refused a frame.
    #[error("the JPEG encoder refused a frame of {columns} x {rows}")]
    Jpeg {
        /// Columns of the frame.
        columns: u16,
        /// Rows of the frame.
        rows: u16,
    },
    /// Reading or writing failed.
    #[error("{doing}: {source}")]
    Io {
        /// What was being done.
        doing: &'static str,
        /// The system's answer.
        source: std::io::Error,
    },
    /// The search automaton could not be built.
    #[error("the search automaton for {forms} forms could not be built")]
    Automaton {
        /// Number of forms.
        forms: usize,
    },
    /// Folders nested deeper than the search follows.
    #[error("folders are nested deeper than {limit}")]
    TooDeep {
        /// The limit.
        limit: usize,
    },
}

impl SynthError {
    pub(crate) fn io(doing: &'static str) -> impl FnOnce(std::io::Error) -> Self {
        move |source| Self::Io { doing, source }
    }
}

impl Coded for SynthError {
    fn code(&self) -> &'static str {
        match self {
            Self::Jpeg { .. } => "SV-SYNTH-001",
            Self::Io { .. } => "SV-SYNTH-002",
            Self::Automaton { .. } => "SV-SYNTH-003",
            Self::TooDeep { .. } => "SV-SYNTH-004",
        }
    }

    fn next_step(&self) -> String {
        match self {
            Self::Jpeg { .. } => "report this: the generator made a frame it cannot encode",
            Self::Io { .. } => "check the folder, its permissions and the free space",
            Self::Automaton { .. } => "search for fewer values at once",
            Self::TooDeep { .. } => "start the search nearer to the files",
        }
        .to_owned()
    }
}
