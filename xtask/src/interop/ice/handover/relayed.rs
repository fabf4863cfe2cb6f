//! A side that has relayed addresses alone loses its network and gets another one: its allocation moves
//! there with it (RFC 8016), where the server lets it.

use std::{env, path::Path, time::Duration};

use anyhow::{Context, Result, ensure};

use super::{
    LOOK, NOTHING, PATIENCE, RETRANSMITTING, SETTLING, TAKING_OVER,
    end::{Gaps, Order},
    links::{Link, Links},
    remote::{Remote, signal, talk},
    watch,
};
use crate::interop::{
    ice::{
        PASSWORD, USERNAME,
        coturn::{Authority, Coturn},
        network::PUBLIC,
    },
    process::wait,
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
        let start = |host: usize, name: &str| {
            let mut command = links.command(host, &env::current_exe()?);
            command.args(["interop", "end"]);
            command.args((host == 0).then_some("--offer"));
            if host == self.host {
                command.args(["--relay", &format!("turn:{PUBLIC}:{}", coturn.port)]);
                command.args(["--username", USERNAME, "--credential", PASSWORD]);
            }
            Remote::start(command, folder, name)
        };
        let mut ends = [start(0, "offerer")?, start(1, "answerer")?];
        let played = self.play_between(&links, &mut ends);
        let ended = ends.map(Remote::end);
        ended.into_iter().collect::<Result<Vec<_>>>()?;
        played
    }

    fn play_between(self, links: &Links, ends: &mut [Remote; 2]) -> Result<String> {
        wait(PATIENCE, |_| {
            signal(ends)?;
            ends.iter_mut().try_for_each(Remote::check)?;
            Ok(ends.iter().all(Remote::is_open))
        })?;
        ensure!(ends.iter().all(Remote::is_open), "no connection");
        talk(ends, SETTLING)?;
        let before = ends[self.host].local().context("no pair")?;
        ensure!(before.starts_with("relay"), "from {before}");
        links.set(self.host, Link::A, false)?;
        talk(ends, NOTHING)?;
        let marks = [ends[0].mark(), ends[1].mark()];
        watch(ends)?;
        links.set(self.host, Link::B, true)?;
        links.route(self.host, Link::B)?;
        talk(ends, LOOK)?;
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
        let after = ends[self.host].local().context("no pair")?;
        self.judge([one, two], restarts, [&before, &after])
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
