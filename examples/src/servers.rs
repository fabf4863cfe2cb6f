//! The flags about the STUN and TURN servers that programs reach their peers through.

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Args;
use peerconnection::{Configuration, Event, IceServer, IceTransportPolicy, TlsOptions};
use serde_json::{Value, json};

/// Servers, and how they are used.
#[derive(Debug, Clone, Default, Args)]
pub struct ServerFlags {
    /// A STUN or TURN server to gather from, such as stuns:stun.example.org; repeatable.
    #[arg(long, value_name = "URL")]
    ice_server: Vec<String>,
    /// The user name of the TURN servers.
    #[arg(long, value_name = "NAME", requires = "ice_server")]
    ice_username: Option<String>,
    /// Their password.
    #[arg(
        long,
        value_name = "PASSWORD",
        requires = "ice_username",
        env = "ICE_CREDENTIAL",
        hide_env_values = true
    )]
    ice_credential: Option<String>,
    /// Believe servers' certificates that the authorities in this PEM file have signed, and no others.
    #[arg(long, value_name = "FILE", requires = "ice_server")]
    ca: Option<PathBuf>,
    /// Use relayed candidates alone.
    #[arg(long, requires = "ice_server")]
    relay: bool,
}

impl ServerFlags {
    /// Whether there are any.
    pub fn are_given(&self) -> bool {
        !self.ice_server.is_empty()
    }

    /// Has connections use them.
    ///
    /// # Errors
    ///
    /// The file of the authorities is none.
    pub fn add_to(&self, configuration: &mut Configuration) -> Result<()> {
        if self.are_given() {
            configuration.ice_servers = vec![IceServer {
                urls: self.ice_server.clone(),
                username: self.ice_username.clone(),
                credential: self.ice_credential.clone(),
            }];
        }
        if self.relay {
            configuration.ice_transport_policy = IceTransportPolicy::Relay;
        }
        if let Some(path) = &self.ca {
            let of_path = || format!("cannot read {}", path.display());
            let mut tls = TlsOptions {
                system_roots: false,
                ..TlsOptions::default()
            };
            tls.add_roots_pem(&std::fs::read(path).with_context(of_path)?)?;
            configuration.server_tls = tls;
        }
        Ok(())
    }

    /// The same for a page, which believes the authorities of its browser: `RTCConfiguration`.
    pub(crate) fn of_page(&self) -> Value {
        let mut configuration = json!({});
        if self.are_given() {
            let mut server = json!({"urls": self.ice_server});
            if let (Some(username), Some(credential)) = (&self.ice_username, &self.ice_credential) {
                server["username"] = json!(username);
                server["credential"] = json!(credential);
            }
            configuration["iceServers"] = json!([server]);
        }
        if self.relay {
            configuration["iceTransportPolicy"] = json!("relay");
        }
        configuration
    }
}

/// Tells of a server that is of no use, so that nobody looks for the reason elsewhere.
pub fn tell_errors(event: &Event) {
    if let Event::IceCandidateError(error) = event {
        let (url, code, text) = (&error.url, error.error_code, &error.error_text);
        tracing::warn!(url, code, "a server gives no candidates: {text}");
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Flags {
        #[command(flatten)]
        servers: ServerFlags,
    }

    fn parse(flags: &[&str]) -> Result<ServerFlags, clap::Error> {
        let flags = ["program"].iter().chain(flags);
        Flags::try_parse_from(flags).map(|it| it.servers)
    }

    #[test]
    fn both_sides_use_the_same_servers() {
        let url = "turn:turn.example.org?transport=tcp";
        let flags = parse(&[
            "--ice-server",
            url,
            "--ice-server",
            "stuns:stun.example.org",
            "--ice-username",
            "u",
            "--ice-credential",
            "</script>",
            "--relay",
        ]);
        let flags = flags.unwrap();
        let mut ours = Configuration::default();
        flags.add_to(&mut ours).unwrap();
        assert_eq!(ours.ice_servers[0].urls, [url, "stuns:stun.example.org"]);
        assert_eq!(ours.ice_transport_policy, IceTransportPolicy::Relay);
        let expected = json!({
            "iceServers": [{
                "urls": [url, "stuns:stun.example.org"], "username": "u", "credential": "</script>",
            }],
            "iceTransportPolicy": "relay",
        });
        assert_eq!(flags.of_page(), expected);
        assert_eq!(parse(&[]).unwrap().of_page(), json!({}));
    }

    #[test]
    fn what_means_nothing_without_a_server_is_refused() {
        for flags in [
            &["--relay"][..],
            &["--ca", "a.pem"],
            &["--ice-username", "u"],
        ] {
            assert!(parse(flags).is_err(), "{flags:?}");
        }
    }
}
