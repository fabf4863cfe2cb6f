use std::time::{Duration, Instant};

use pc_proto::{Batch, Protocol};

use crate::*;

pub(crate) fn certificate() -> Certificate {
    Certificate::generate(Duration::from_secs(1_790_000_000)).unwrap()
}

fn shuttle(now: Instant, from: &mut Connection, to: &mut Connection) -> bool {
    let mut batch = Batch::new();
    let mut moved = false;
    while from
        .poll_transmit(now, &mut batch.transmit_buf(1200, 64))
        .is_some()
    {
        for d in batch.datagrams() {
            moved = true;
            let r = to.handle_input(now, (), &mut d.to_vec());
            eprintln!("{:?} -> {} bytes: {r:?}", from.role(), d.len());
        }
    }
    moved
}

#[test]
#[allow(clippy::disallowed_methods)]
fn smoke() {
    for (cv, sv) in [
        (Versions::All, Versions::All),
        (Versions::All, Versions::Only(Version::Dtls12)),
        (Versions::Only(Version::Dtls12), Versions::All),
        (Versions::Only(Version::Dtls13), Versions::All),
    ] {
        let now = Instant::now();
        let (a, b) = (certificate(), certificate());
        let mut ca = Config::new(Role::Client, a.clone());
        ca.remote_fingerprints = vec![b.fingerprint(HashAlgorithm::Sha256)];
        ca.versions = cv;
        let mut cb = Config::new(Role::Server, b.clone());
        cb.remote_fingerprints = vec![a.fingerprint(HashAlgorithm::Sha256)];
        cb.versions = sv;
        let t = Instant::now();
        let mut c = Connection::new(now, ca).unwrap();
        let mut s = Connection::new(now, cb).unwrap();
        eprintln!("new {:?}", t.elapsed());
        let t = Instant::now();
        while shuttle(now, &mut c, &mut s) | shuttle(now, &mut s, &mut c) {}
        eprintln!(
            "handshake {:?} {:?} {:?} {:?}",
            t.elapsed(),
            c,
            s,
            c.poll_timeout()
        );
        eprintln!("{:?} {:?}", c.cipher_suite(), s.cipher_suite());
        assert_eq!(c.poll_event(), Some(Event::Connected));
        assert_eq!(s.poll_event(), Some(Event::Connected));
        assert_eq!(c.cipher_suite(), s.cipher_suite());
        assert_eq!(c.srtp_keying_material(), s.srtp_keying_material());
        assert!(c.srtp_keying_material().is_some());
        c.send(now, b"hello").unwrap();
        shuttle(now, &mut c, &mut s);
        assert_eq!(s.poll_data().as_deref(), Some(&b"hello"[..]));
        s.close(now);
        while shuttle(now, &mut c, &mut s) | shuttle(now, &mut s, &mut c) {}
        assert_eq!(c.poll_event(), Some(Event::Closed));
        assert_eq!(s.poll_event(), Some(Event::Closed));
    }
}
