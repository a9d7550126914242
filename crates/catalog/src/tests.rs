mod batches;
mod comparing;
mod fixture;
mod publishing;
mod questions;
mod rebuilding;
mod versions;
