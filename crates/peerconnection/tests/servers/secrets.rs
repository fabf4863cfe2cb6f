//! What a call writes into logs, and what its types show of themselves: no password.

use std::{
    fmt::{Debug, Write},
    sync::{Arc, Mutex},
};

use peerconnection::{
    Configuration, HostAddresses, IceServer, IceTransportPolicy, PeerConnection, TcpCandidates,
};
use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    span,
};

use crate::{
    live::Live,
    server::Policy,
    sockets::{incoming, message, negotiate, soon},
};

/// What the server asks for.
const PASSWORD: &str = "secret";

/// Everything of every level, as text.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<String>>);

impl Log {
    fn text(&self) -> String {
        self.0.lock().unwrap().clone()
    }
}

impl Visit for Log {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let mut text = self.0.lock().unwrap();
        writeln!(text, "{field}={value:?}").unwrap();
    }
}

impl Subscriber for Log {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &span::Attributes<'_>) -> span::Id {
        span.record(&mut self.clone());
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, values: &span::Record<'_>) {
        values.record(&mut self.clone());
    }

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, event: &Event<'_>) {
        event.record(&mut self.clone());
    }

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

fn relayed(server: &Live, password: &str) -> Configuration {
    Configuration {
        ice_servers: vec![IceServer::turn(
            &format!("turn:{}", server.address),
            "user",
            password,
        )],
        ice_transport_policy: IceTransportPolicy::Relay,
        host_addresses: HostAddresses::Only(vec![server.address.ip()]),
        tcp_candidates: TcpCandidates::Disabled,
        ..Default::default()
    }
}

#[tokio::test]
async fn no_password_is_logged_or_shown() {
    let log = Log::default();
    let _guard = tracing::subscriber::set_default(log.clone());
    let server = Live::start(Policy::default()).await;
    let configuration = relayed(&server, PASSWORD);
    let (a, mut a_events) = PeerConnection::new(configuration.clone()).unwrap();
    let (b, mut b_events) = PeerConnection::new(configuration.clone()).unwrap();
    let here = a.create_data_channel("chat", Default::default()).unwrap();
    negotiate((&a, &mut a_events), (&b, &mut b_events))
        .await
        .unwrap();
    let there = soon("the channel", incoming(&mut b_events)).await;
    soon("the opening", here.ready()).await.unwrap();
    here.send_text("hello").unwrap();
    soon("a message", message(&there)).await;

    let mut passwords = vec![PASSWORD.to_owned()];
    let mut shown = format!("{a:?} {configuration:?} {:?} {here:?}", a.configuration());
    for pc in [&a, &b] {
        let ice = pc.sctp().unwrap().transport().unwrap().ice_transport();
        let parameters = [ice.local_parameters(), ice.remote_parameters()];
        let parameters = parameters.map(Option::unwrap);
        write!(shown, "{ice:?} {parameters:?}").unwrap();
        passwords.extend(parameters.map(|it| it.password));
        write!(shown, "{:?} {:?}", pc.transport_info(), pc.stats(None)).unwrap();
        let candidates = (ice.local_candidates(), ice.selected_candidate_pair());
        let descriptions = [pc.local_description(), pc.remote_description()];
        write!(shown, "{candidates:?} {descriptions:?}").unwrap();
    }
    write!(shown, "{a_events:?} {b_events:?}").unwrap();
    while let Some(event) = a_events.try_next() {
        write!(shown, "{event:?}").unwrap();
    }
    a.close();
    b.close();
    drop(server);
    let written = log.text();
    assert!(!written.is_empty(), "nothing was logged");
    assert_eq!(passwords.len(), 5);
    assert!(shown.contains("a=ice-pwd:…") && shown.contains("a=ice-ufrag:"));
    for password in passwords {
        assert!(password.len() >= 6);
        assert!(!written.contains(&password), "{password} in {written}");
        assert!(!shown.contains(&password), "{password} in {shown}");
    }
}
