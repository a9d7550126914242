//! Scores a de-identified folder against an answer key.
