//! The one place that calls the operating system by itself.

use std::io;

use quinn_udp::{UdpSockRef, UdpSocketState};

/// Prepares a socket for batches.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(crate) fn batch_state<S: std::os::fd::AsFd>(socket: &S) -> io::Result<UdpSocketState> {
    let state = UdpSocketState::new(UdpSockRef::from(socket))?;
    without_timestamps(socket)?;
    Ok(state)
}

/// Prepares a socket for batches.
#[cfg(all(unix, not(any(target_os = "linux", target_os = "android"))))]
pub(crate) fn batch_state<S: std::os::fd::AsFd>(socket: &S) -> io::Result<UdpSocketState> {
    UdpSocketState::new(UdpSockRef::from(socket))
}

/// Prepares a socket for batches.
#[cfg(windows)]
pub(crate) fn batch_state<S: std::os::windows::io::AsSocket>(
    socket: &S,
) -> io::Result<UdpSocketState> {
    UdpSocketState::new(UdpSockRef::from(socket))
}

/// Takes back a request for receive timestamps. `quinn-udp` 0.6 makes it, and its buffer for
/// control messages (96 bytes) is then too short for a merged batch (112 bytes with IPv4, 120 with
/// IPv6): Linux leaves out the last one, which is the ECN codepoint.
#[cfg(any(target_os = "linux", target_os = "android"))]
#[allow(unsafe_code)]
fn without_timestamps(socket: &impl std::os::fd::AsFd) -> io::Result<()> {
    use std::os::fd::AsRawFd;

    let off: libc::c_int = 0;
    // SAFETY: the descriptor is open while `socket` is borrowed, and the option's value is an
    // `int` that lives across the call.
    let result = unsafe {
        libc::setsockopt(
            socket.as_fd().as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_TIMESTAMPNS,
            (&raw const off).cast(),
            size_of_val(&off) as libc::socklen_t,
        )
    };
    if result == 0 {
        return Ok(());
    }
    Err(io::Error::last_os_error())
}
