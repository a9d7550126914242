mod batches;
mod fixture;
mod publishing;
mod questions;
mod rebuilding;
mod versions;
