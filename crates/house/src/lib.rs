//! The house rules as tests: what a reviewer would otherwise have to remember.
//!
//! Nothing here is part of the program. Each module reads the repository and lists every breach
//! with its place and what to do about it; exceptions stand in `exceptions.toml` and may only
//! shrink.

#[cfg(test)]
mod codes;
#[cfg(test)]
mod container;
#[cfg(test)]
mod documents;
#[cfg(test)]
mod edges;
#[cfg(test)]
mod libraries;
#[cfg(test)]
mod licences;
#[cfg(test)]
mod source;
#[cfg(test)]
mod style;
#[cfg(test)]
mod tree;
#[cfg(test)]
mod words;
