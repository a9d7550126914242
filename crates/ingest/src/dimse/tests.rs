//! The receiver and the sender against each other, against hand-written bytes, and against DCMTK.

mod dcmtk;
mod kit;
mod loopback;
mod slow;
mod tls;
mod wire;
