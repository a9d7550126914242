mod batches;
mod bench;
mod custody;
mod faults;
mod rebuilding;
mod settings;
mod subjects;
