mod batches;
mod comparing;
mod fixture;
mod model;
mod publishing;
mod questions;
mod rebuilding;
mod versions;
