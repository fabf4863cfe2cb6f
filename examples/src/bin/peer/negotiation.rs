//! Both ends of a connection's life: the exchange of descriptions, and the close.

use std::{cell::RefCell, time::Duration};

use anyhow::{Context, Result};
use examples::mailbox::Mailbox;
use peerconnection::{DataChannel, Events, PeerConnection};
use tokio::{sync::oneshot, time::timeout};

use crate::{flags::Flags, media::Media};

/// So long the last datagrams may take.
const FAREWELL: Duration = Duration::from_secs(1);

/// Exchanges the descriptions, all candidates inside.
pub(crate) async fn negotiate(
    pc: &PeerConnection,
    flags: &Flags,
    mailbox: &Mailbox,
    is_gathered: oneshot::Receiver<()>,
    created: oneshot::Sender<DataChannel>,
    media: &RefCell<Media>,
) -> Result<()> {
    if flags.answer {
        pc.set_remote_description(mailbox.recv().await?).await?;
    }
    if let Some(label) = &flags.data {
        let channel = pc.create_data_channel(label, flags.channel_init())?;
        let _ = created.send(channel);
    }
    media.borrow_mut().add_tracks(pc)?;
    pc.set_local_description(None).await?;
    is_gathered.await.context("gathering was given up")?;
    let description = pc
        .local_description()
        .context("there is no local description")?;
    mailbox.send(&description).await?;
    if flags.offer {
        pc.set_remote_description(mailbox.recv().await?).await?;
    }
    Ok(())
}

/// Closes the connection and waits until the remote has been told.
pub(crate) async fn farewell(pc: &PeerConnection, mut events: Events) {
    pc.close();
    let _ = timeout(FAREWELL, async { while events.next().await.is_some() {} }).await;
}
