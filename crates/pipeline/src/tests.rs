mod batches;
mod bench;
mod custody;
mod documents;
mod faults;
mod rebuilding;
mod settings;
mod subjects;
