use super::*;

fn parse(url: &str) -> ServerUri {
    url.parse().unwrap_or_else(|error| panic!("{url}: {error}"))
}

/// The examples of RFC 7064 appendix B and RFC 7065 appendix B, and those of the W3C.
#[test]
fn schemes_ports_and_transports() {
    use ServerTransport::{Dtls, Tcp, Tls, Udp};
    for (url, port, transport, written) in [
        ("stun:example.org", 3478, Udp, "stun:example.org:3478"),
        ("stuns:example.org", 5349, Tls, "stuns:example.org:5349"),
        ("stun:example.org:8000", 8000, Udp, "stun:example.org:8000"),
        (
            "turn:example.org",
            3478,
            Udp,
            "turn:example.org:3478?transport=udp",
        ),
        (
            "turns:example.org",
            5349,
            Tls,
            "turns:example.org:5349?transport=tcp",
        ),
        (
            "turn:example.org:8000?transport=udp",
            8000,
            Udp,
            "turn:example.org:8000?transport=udp",
        ),
        (
            "turn:example.org?transport=tcp",
            3478,
            Tcp,
            "turn:example.org:3478?transport=tcp",
        ),
        (
            "turns:example.org?transport=tcp",
            5349,
            Tls,
            "turns:example.org:5349?transport=tcp",
        ),
        (
            "turns:example.org?transport=udp",
            5349,
            Dtls,
            "turns:example.org:5349?transport=udp",
        ),
        (
            "TURN:Example.org?transport=TCP",
            3478,
            Tcp,
            "turn:Example.org:3478?transport=tcp",
        ),
    ] {
        let uri = parse(url);
        assert_eq!((uri.port(), uri.transport()), (port, transport), "{url}");
        assert_eq!(uri.to_string(), written);
        assert_eq!(parse(written), uri, "what is written reads as the same");
    }
}

/// RFC 3986 §3.2.2: an IPv6 address stands in brackets.
#[test]
fn addresses() {
    let host = |url: &str| parse(url).host().clone();
    assert_eq!(
        host("stun:192.0.2.1"),
        Host::Address([192, 0, 2, 1].into()),
        "an address, not a name to be resolved"
    );
    let six = Host::Address("2001:db8::1".parse().unwrap());
    assert_eq!(host("stun:[2001:db8::1]"), six);
    assert_eq!(parse("turn:[2001:db8::1]:99?transport=tcp").port(), 99);
    assert_eq!(
        parse("stun:[2001:DB8:0::1]").to_string(),
        "stun:[2001:db8::1]:3478"
    );
    assert_eq!(host("stun:a.example."), Host::Name("a.example.".into()));
}

#[test]
fn errors_name_the_culprit() {
    let error = |url: &str| url.parse::<ServerUri>().unwrap_err();
    let own = str::to_owned;
    for url in ["", "example.org", "http://x", " stun:x", "stunt:x"] {
        assert!(matches!(error(url), UriError::Scheme(_)), "{url:?}");
    }
    assert_eq!(error("http://x"), UriError::Scheme(own("http")));
    for (url, host) in [
        ("stun:", ""),
        ("stun://example.org", "//example.org"),
        ("stun:user@example.org", "user@example.org"),
        ("stun:2001:db8::1", "2001:db8:"),
        ("stun:[2001:db8::1", "[2001:db8:"),
        ("stun:[fe80::1%25eth0]", "[fe80::1%25eth0]"),
        ("stun:[192.0.2.1]", "[192.0.2.1]"),
        ("stun:192.0.2.256", "192.0.2.256"),
        ("stun:a..b", "a..b"),
        ("stun:a b", "a b"),
        ("stun:bücher.example", "bücher.example"),
    ] {
        assert_eq!(error(url), UriError::Host(own(host)), "{url}");
    }
    assert!(matches!(
        error(&format!("stun:{}.example", "a".repeat(64))),
        UriError::Host(_)
    ));
    for port in ["", "0", "65536", "+80", "8o"] {
        assert_eq!(error(&format!("stun:a:{port}")), UriError::Port(own(port)));
    }
    assert_eq!(
        error("stun:a?transport=udp"),
        UriError::Query(own("transport=udp"))
    );
    assert_eq!(error("turn:a?ttl=1"), UriError::Query(own("ttl=1")));
    assert_eq!(error("turn:a?"), UriError::Query(own("")));
    assert_eq!(
        error("turn:a?transport=sctp"),
        UriError::Transport(own("sctp"))
    );
}

#[test]
fn errors_do_not_grow_with_the_url() {
    let long = format!("stun:{}", "a".repeat(1 << 20));
    let error = long.parse::<ServerUri>().unwrap_err();
    assert!(error.to_string().len() < 300);
}
