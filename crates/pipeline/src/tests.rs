mod batches;
mod bench;
mod certificates;
mod custody;
mod faults;
mod rebuilding;
mod settings;
mod subjects;
