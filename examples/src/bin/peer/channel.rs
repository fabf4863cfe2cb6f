//! One data channel at work: reads what comes, echoes or checks it, and reports.

use peerconnection::{DataChannel, DataChannelEvent, Error, Message};
use tokio::sync::mpsc;

use crate::traffic::{self, Echoes, Kind};

/// Where the channels' tasks report to.
pub(crate) type Reports = mpsc::UnboundedSender<Report>;

/// What happened on a channel; the number is the one the script gave it.
pub(crate) enum Report {
    Opened(usize),
    Sent(Kind),
    Received(Kind),
    /// Every echo has come.
    Echoed,
    /// The channel says what went wrong; its close follows.
    Troubled(String),
    Closed(usize),
    /// Something came or went that should not have.
    Wrong(String),
}

/// What is done with the messages of a channel.
pub(crate) enum Duty {
    Listen,
    Echo,
    Check(Echoes),
}

/// Reads the channel until it closes.
pub(crate) async fn read(number: usize, channel: DataChannel, mut duty: Duty, reports: Reports) {
    let report = |it| {
        let _ = reports.send(it);
    };
    while let Some(event) = channel.next().await {
        match event {
            DataChannelEvent::Open => report(Report::Opened(number)),
            DataChannelEvent::Message(message) => {
                report(Report::Received(Kind::of(&message)));
                match do_duty(&channel, &mut duty, &message, &reports).await {
                    Ok(()) => {}
                    Err(what) => report(Report::Wrong(what)),
                }
            }
            DataChannelEvent::Error(error) => report(Report::Troubled(error.to_string())),
            DataChannelEvent::Close => break,
            _ => {}
        }
    }
    report(Report::Closed(number));
}

async fn do_duty(
    channel: &DataChannel,
    duty: &mut Duty,
    message: &Message,
    reports: &Reports,
) -> Result<(), String> {
    match duty {
        Duty::Listen => Ok(()),
        Duty::Echo => send(channel, message, reports)
            .await
            .map_err(|error| format!("an echo could not be sent: {error}")),
        Duty::Check(echoes) => {
            echoes.take(message)?;
            if echoes.are_complete() {
                let _ = reports.send(Report::Echoed);
            }
            Ok(())
        }
    }
}

/// Sends `count` messages, as fast as the channel takes them.
pub(crate) async fn send_all(channel: DataChannel, count: usize, size: usize, reports: Reports) {
    for number in 0..count {
        let message = traffic::message(number, size);
        if let Err(error) = send(&channel, &message, &reports).await {
            let what = format!("message {number} of {count} could not be sent: {error}");
            let _ = reports.send(Report::Wrong(what));
            return;
        }
    }
}

async fn send(channel: &DataChannel, message: &Message, reports: &Reports) -> Result<(), Error> {
    channel.ready().await?;
    channel.send_message(message)?;
    let _ = reports.send(Report::Sent(Kind::of(message)));
    Ok(())
}
