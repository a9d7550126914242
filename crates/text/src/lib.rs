//! Finds what identifies a person in free text, and takes it out.
