//! A network that is taken away under a connection, and another one in its place: real interfaces of
//! Linux, which go down and come up.

mod end;
mod links;
pub(super) mod relayed;
mod remote;

use std::{env, path::Path, process::Command, time::Duration};

use anyhow::{Context, Result, ensure};

pub(crate) use end::End;
use end::{Gaps, Order};
use links::{Link, Links};
use remote::{Remote, signal, talk};

use crate::interop::process::wait;

/// What the connection may take to come about.
const PATIENCE: Duration = Duration::from_secs(20);
/// Nomination is over by then, and other pairs have been checked.
const SETTLING: Duration = Duration::from_secs(2);
/// For how long both talk after the change.
const LOOK: Duration = Duration::from_secs(5);
/// How long there is no network at all.
const NOTHING: Duration = Duration::from_secs(2);

/// Where another pair lives, or the peer has an address that can be tried.
const TAKING_OVER: Duration = Duration::from_secs(2);
/// Until a restart: the interfaces are looked at twice a second, and for a second there is hope without.
const RESTARTING: Duration = Duration::from_secs(3);
/// What SCTP may take on top: what was lost goes out again when its timer runs out, which has been
/// waiting longer each time (RFC 9260 §6.3.3).
const RETRANSMITTING: Duration = Duration::from_secs(3);

/// What happens to the network in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Loss {
    /// A host's interface goes down, where both have another one from the first.
    Known,
    /// The cable is pulled out of a switch: no interface changes, on either side.
    Silent,
    /// The host gets the other network, which its peer has always had; then the first goes down.
    Before,
    /// The same the other way round.
    After,
    /// Both get the other one when the first has gone: neither knows of the other's address there.
    Unknown,
    /// The same interface comes back.
    Back,
}

/// What is done, and to which host: the one that made the offer, or the other.
#[derive(Clone, Copy, Debug)]
pub(super) struct Handover {
    loss: Loss,
    host: usize,
}

/// By name.
pub(super) const CASES: [(&str, Handover); 11] = {
    const fn it(loss: Loss, host: usize) -> Handover {
        Handover { loss, host }
    }
    [
        ("interface down, offerer", it(Loss::Known, 0)),
        ("interface down, answerer", it(Loss::Known, 1)),
        ("cable pulled", it(Loss::Silent, 0)),
        ("another before, offerer", it(Loss::Before, 0)),
        ("another before, answerer", it(Loss::Before, 1)),
        ("another after, offerer", it(Loss::After, 0)),
        ("another after, answerer", it(Loss::After, 1)),
        ("both anew, offerer", it(Loss::Unknown, 0)),
        ("both anew, answerer", it(Loss::Unknown, 1)),
        ("interface back, offerer", it(Loss::Back, 0)),
        ("interface back, answerer", it(Loss::Back, 1)),
    ]
};

impl Handover {
    /// The longest silences, in words.
    pub(super) fn play(self, folder: &Path) -> Result<String> {
        let links = Links::new()?;
        for host in [0, 1] {
            links.set(host, Link::A, true)?;
            let has_both = match self.loss {
                Loss::Known | Loss::Silent => true,
                Loss::Before | Loss::After => host != self.host,
                Loss::Unknown | Loss::Back => false,
            };
            links.set(host, Link::B, has_both)?;
        }
        play_with(
            &links,
            folder,
            |_, _| {},
            |ends| self.play_between(&links, ends),
        )
    }

    fn play_between(self, links: &Links, ends: &mut [Remote; 2]) -> Result<String> {
        if self.loss == Loss::Before {
            links.set(self.host, Link::B, true)?;
            talk(ends, SETTLING)?;
        }
        let used = ends[self.host].link().context("no pair")?;
        let marks = [ends[0].mark(), ends[1].mark()];
        self.change(used, links, ends)?;
        talk(ends, LOOK)?;
        let (gaps, restarts) = silences(ends, marks)?;
        let told = self.judge(gaps, restarts)?;
        let expected = match self.loss {
            Loss::Back => used,
            _ => used.other(),
        };
        for end in ends.iter() {
            ensure!(end.link() == Some(expected), "on {:?}", end.link());
        }
        Ok(told)
    }

    /// Silences count from when there is a way again.
    fn change(self, used: Link, links: &Links, ends: &mut [Remote; 2]) -> Result<()> {
        match self.loss {
            Loss::Known | Loss::Before | Loss::Silent => watch(ends)?,
            Loss::After | Loss::Unknown | Loss::Back => {
                links.set(self.host, used, false)?;
                talk(ends, NOTHING)?;
                watch(ends)?;
            }
        }
        match self.loss {
            Loss::Known | Loss::Before => links.set(self.host, used, false),
            Loss::Silent => links.pull(used),
            Loss::After => links.set(self.host, used.other(), true),
            Loss::Unknown => {
                links.set(0, used.other(), true)?;
                links.set(1, used.other(), true)
            }
            Loss::Back => links.set(self.host, used, true),
        }
    }

    /// The longer ones of both ends, in words.
    fn judge(self, [one, two]: [Gaps; 2], restarts: usize) -> Result<String> {
        let ms = |of: fn(&Gaps) -> u64| of(&one).max(of(&two));
        let seconds = |of: fn(&Gaps) -> u64| ms(of) as f64 / 1000.0;
        let told = format!(
            "silent for {:.2} s (messages sent once), {:.2} s (reliable ones), {:.2} s (sound); {restarts} restarts",
            seconds(|it| it.loose),
            seconds(|it| it.strict),
            seconds(|it| it.sound),
        );
        let (limit, expected) = match self.loss {
            Loss::Unknown => (RESTARTING, 1),
            _ => (TAKING_OVER, 0),
        };
        let data = ms(|it| it.loose).max(ms(|it| it.strict));
        let is_within = |ms, limit: Duration| Duration::from_millis(ms) <= limit;
        ensure!(is_within(ms(|it| it.sound), limit), "{told}");
        ensure!(is_within(data, limit + RETRANSMITTING), "{told}");
        ensure!(
            is_within(ms(|it| it.last), limit / 2),
            "silent at the end; {told}"
        );
        ensure!(restarts == expected, "{told}");
        Ok(told)
    }
}

/// Starts both ends, the one of each host with what `more` adds, and once they are connected and settled
/// does with them what is to be done.
fn play_with(
    links: &Links,
    folder: &Path,
    more: impl Fn(usize, &mut Command),
    play: impl FnOnce(&mut [Remote; 2]) -> Result<String>,
) -> Result<String> {
    let start = |host: usize, name: &str| {
        let mut command = links.command(host, &env::current_exe()?);
        command.args(["interop", "end"]);
        command.args((host == 0).then_some("--offer"));
        more(host, &mut command);
        Remote::start(command, folder, name)
    };
    let mut ends = [start(0, "offerer")?, start(1, "answerer")?];
    let played = connect(&mut ends).and_then(|()| play(&mut ends));
    let ended = ends.map(Remote::end);
    ended.into_iter().collect::<Result<Vec<_>>>()?;
    played
}

fn connect(ends: &mut [Remote; 2]) -> Result<()> {
    wait(PATIENCE, |_| {
        signal(ends)?;
        ends.iter_mut().try_for_each(Remote::check)?;
        Ok(ends.iter().all(Remote::is_open))
    })?;
    ensure!(ends.iter().all(Remote::is_open), "no connection");
    talk(ends, SETTLING)
}

/// The longest silences of each end since it was marked, and how often ICE was restarted.
fn silences(ends: &mut [Remote; 2], marks: [usize; 2]) -> Result<([Gaps; 2], usize)> {
    ends.iter_mut()
        .try_for_each(|end| end.order(&Order::Tell))?;
    wait(PATIENCE, |_| {
        let told = |at: usize| ends[at].gaps(marks[at]).is_some();
        Ok(told(0) && told(1))
    })?;
    let gaps = [0, 1].map(|at| ends[at].gaps(marks[at]));
    let [Some(one), Some(two)] = gaps else {
        anyhow::bail!("no silences were told");
    };
    let restarts = ends[0].restarts(marks[0]) + ends[1].restarts(marks[1]);
    Ok(([one, two], restarts))
}

fn watch(ends: &mut [Remote; 2]) -> Result<()> {
    ends.iter_mut().try_for_each(|end| end.order(&Order::Watch))
}
