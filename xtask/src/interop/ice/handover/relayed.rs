//! A side that has relayed addresses alone loses its network and gets another one: its allocation moves
//! there with it (RFC 8016), where the server lets it.

use std::{path::Path, process::Command, time::Duration};

use anyhow::{Context, Result, ensure};

use super::{
    LOOK, NOTHING, RETRANSMITTING, TAKING_OVER,
    end::Gaps,
    links::{Link, Links},
    play_with,
    remote::{Remote, talk},
    silences, watch,
};
use crate::interop::ice::{
    PASSWORD, USERNAME,
    coturn::{Authority, Coturn},
    network::PUBLIC,
};

/// Which host it is: the one that made the offer, or the other; and whether the server lets it.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Relayed {
    host: usize,
    moves: bool,
}

/// By name.
pub(in super::super) const CASES: [(&str, Relayed); 3] = {
    const fn it(host: usize, moves: bool) -> Relayed {
        Relayed { host, moves }
    }
    [
        ("relay moves, offerer", it(0, true)),
        ("relay moves, answerer", it(1, true)),
        ("another relay, offerer", it(0, false)),
    ]
};

impl Relayed {
    /// The longest silences since there is a network again, in words.
    pub(in super::super) fn play(self, folder: &Path) -> Result<String> {
        let links = Links::new()?;
        links.serve(PUBLIC)?;
        let further = if self.moves { "mobility\n" } else { "" };
        let authority = Authority::new()?;
        let coturn = folder.join("coturn");
        let coturn = Coturn::start_with(&coturn, &authority, false, &[PUBLIC.into()], further)?;
        // Where both hosts have an interface, the server is reached over the first.
        links.set(1 - self.host, Link::B, true)?;
        for host in [0, 1] {
            links.set(host, Link::A, true)?;
            links.route(host, Link::A)?;
        }
        let relay = |host: usize, command: &mut Command| {
            if host == self.host {
                command.args(["--relay", &format!("turn:{PUBLIC}:{}", coturn.port)]);
                command.args(["--username", USERNAME, "--credential", PASSWORD]);
            }
        };
        play_with(&links, folder, relay, |ends| {
            self.play_between(&links, ends)
        })
    }

    fn play_between(self, links: &Links, ends: &mut [Remote; 2]) -> Result<String> {
        let before = ends[self.host].local().context("no pair")?;
        ensure!(before.starts_with("relay"), "from {before}");
        links.set(self.host, Link::A, false)?;
        talk(ends, NOTHING)?;
        let marks = [ends[0].mark(), ends[1].mark()];
        watch(ends)?;
        links.set(self.host, Link::B, true)?;
        links.route(self.host, Link::B)?;
        talk(ends, LOOK)?;
        let (gaps, restarts) = silences(ends, marks)?;
        let after = ends[self.host].local().context("no pair")?;
        self.judge(gaps, restarts, [&before, &after])
    }

    fn judge(self, [one, two]: [Gaps; 2], restarts: usize, pair: [&str; 2]) -> Result<String> {
        let longer = |of: fn(&Gaps) -> u64| Duration::from_millis(of(&one).max(of(&two)));
        let [loose, strict, sound, last] = [
            longer(|it| it.loose),
            longer(|it| it.strict),
            longer(|it| it.sound),
            longer(|it| it.last),
        ];
        let [before, after] = pair;
        let told = format!(
            "silent for {loose:.2?} (messages sent once), {strict:.2?} (reliable ones), {sound:.2?} (sound); \
             {restarts} restarts; from {before}, then {after}"
        );
        ensure!(sound <= TAKING_OVER, "{told}");
        ensure!(loose.max(strict) <= TAKING_OVER + RETRANSMITTING, "{told}");
        ensure!(last <= TAKING_OVER / 2, "silent at the end; {told}");
        ensure!(restarts == 0, "{told}");
        ensure!((before == after) == self.moves, "{told}");
        Ok(told)
    }
}
