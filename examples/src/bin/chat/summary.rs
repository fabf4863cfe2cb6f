//! What the self-test found, on one screen.

use std::{fmt, time::Duration};

use peerconnection::engine::TransportInfo;

/// A self-test that went well.
pub(crate) struct Summary {
    /// From the creation of the channel until it was open on both sides.
    pub(crate) opened: Duration,
    pub(crate) a_to_b: Direction,
    pub(crate) b_to_a: Direction,
    /// From A's `close()` until B's channel closed.
    pub(crate) closed: Duration,
    /// What A says of the path.
    pub(crate) info: TransportInfo,
    /// Datagrams that A and B dropped.
    pub(crate) rejected: [u64; 2],
}

/// One way of the traffic.
pub(crate) struct Direction {
    pub(crate) messages: usize,
    pub(crate) bytes: u64,
    pub(crate) took: Duration,
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (local, remote) = match &self.info.candidate_pair {
            Some((local, remote)) => (local.as_str(), remote.as_str()),
            None => ("unknown", "unknown"),
        };
        let round_trip = self
            .info
            .round_trip_time
            .map_or("unknown".to_owned(), milliseconds);
        let version = self
            .info
            .tls_version
            .as_deref()
            .map_or("DTLS", version_name);
        let cipher = self.info.dtls_cipher.as_deref().unwrap_or("unknown cipher");
        let [a, b] = self.rejected;
        writeln!(f)?;
        writeln!(f, "  open after     {}", milliseconds(self.opened))?;
        writeln!(f, "  A to B         {}", self.a_to_b)?;
        writeln!(f, "  B to A         {}", self.b_to_a)?;
        writeln!(f, "  close seen     {}", milliseconds(self.closed))?;
        writeln!(f, "  path           {local}  ⇄  {remote}")?;
        writeln!(f, "  round trip     {round_trip}")?;
        writeln!(f, "  protection     {version}, {cipher}")?;
        writeln!(f, "  rejected       {a} datagrams at A, {b} at B")?;
        writeln!(f)?;
        write!(
            f,
            "  OK: every message arrived once, in order, with its kind and its checksum."
        )
    }
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (messages, megabytes) = (self.messages, self.bytes as f64 / 1e6);
        let rate = megabytes / self.took.as_secs_f64().max(1e-9);
        write!(
            f,
            "{messages} messages, {} bytes, {rate:.1} MB/s",
            grouped(self.bytes)
        )
    }
}

fn milliseconds(time: Duration) -> String {
    let milliseconds = time.as_secs_f64() * 1e3;
    if milliseconds < 10.0 {
        format!("{milliseconds:.2} ms")
    } else {
        format!("{milliseconds:.0} ms")
    }
}

/// The name of a version as it is in a DTLS record, RFC 6347 §4.1 and RFC 9147 §5.3.
fn version_name(version: &str) -> &str {
    match version {
        "FEFD" => "DTLS 1.2",
        "FEFC" => "DTLS 1.3",
        other => other,
    }
}

/// With a comma after every three digits from the right.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_grouped_from_the_right() {
        let cases = [
            (0, "0"),
            (999, "999"),
            (1000, "1,000"),
            (1_234_567, "1,234,567"),
        ];
        for (number, text) in cases {
            assert_eq!(grouped(number), text);
        }
    }

    #[test]
    fn the_summary_names_everything_on_one_screen() {
        let direction = || Direction {
            messages: 1000,
            bytes: 2_000_000,
            took: Duration::from_secs(1),
        };
        let info = TransportInfo {
            candidate_pair: Some(("host udp 127.0.0.1:1".into(), "host udp 127.0.0.1:2".into())),
            tls_version: Some("FEFC".into()),
            dtls_cipher: Some("TLS_AES_128_GCM_SHA256".into()),
            ..Default::default()
        };
        let opened = Duration::from_millis(35);
        let closed = Duration::from_micros(1500);
        let (a_to_b, b_to_a) = (direction(), direction());
        let summary = Summary {
            opened,
            a_to_b,
            b_to_a,
            closed,
            info,
            rejected: [0, 3],
        };
        let text = summary.to_string();
        for part in [
            "35 ms",
            "1.50 ms",
            "2.0 MB/s",
            "127.0.0.1:2",
            "DTLS 1.3",
            "AES_128",
            "3 at B",
        ] {
            assert!(text.contains(part), "{part} is missing in {text}");
        }
        assert!(text.lines().count() < 24);
    }
}
