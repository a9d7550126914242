//! Free TCP ports on the loopback interface.

use std::net::{Ipv4Addr, TcpListener};

/// A TCP port that nothing on the loopback interface listened on a moment ago.
///
/// Another process can take it before the caller does; whoever starts a server on it tries again.
#[must_use]
pub fn free_port() -> u16 {
    let [port] = free_ports::<1>();
    port
}

/// `N` different free ports, see [`free_port`].
#[must_use]
pub fn free_ports<const N: usize>() -> [u16; N] {
    // All listeners are held until the last one is bound, so that no port comes twice.
    let held: [TcpListener; N] = std::array::from_fn(|_| {
        TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("binding a loopback port")
    });
    std::array::from_fn(|i| held[i].local_addr().expect("a bound socket has an address").port())
}
