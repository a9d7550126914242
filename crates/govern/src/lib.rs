//! Who may do what with identified data, and the log of what was done.
