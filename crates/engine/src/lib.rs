//! The work on a study: a first look at every instance, which gathers who it is about, a second
//! one, which scrubs, and what is known of the study in between.
//!
//! [`Study`] is the state of one study, for whoever brings its instances. [`scrub`] is a run over
//! files: it looks at them twice and puts outputs into a folder of their own beside their place,
//! from where they are moved study by study, so that no name ever stands for a part of a file.
//! Whoever calls it parses arguments and prints.

mod error;
mod held;
mod inputs;
mod journal;
mod mappings;
mod paths;
mod plan;
mod run;
mod secret;
mod staging;
mod study;
mod watch;
mod work;

pub use error::EngineError;
pub use held::Held;
pub use inputs::{ArchiveFault, Fault, Input, Passed, Work, gather, keep_apart, visit};
pub use mappings::Pairs;
pub use paths::{identity, place};
pub use run::{Results, Settings, scrub};
pub use secret::{Missing, Origin, Secrets};
pub use staging::Staging;
pub use study::{Rules, Study, guarded};
pub use watch::{Step, Watch};
pub use work::{Clean, Details, Done, Outcome};
