//! What the browser sees of what is sent on to it.

use std::{
    fmt,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use serde::Deserialize;
use serde_json::json;

use super::{super::session::Theirs, unit::Unit};

/// The page looks at every picture that it shows.
pub(super) struct View<'a> {
    theirs: &'a Theirs,
}

/// What `watched` of `peers/negotiate.js` tells.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Seen {
    /// Pictures that were shown.
    pub(super) frames: u32,
    /// Those whose clock could not be read: broken ones.
    pub(super) unreadable: u32,
    /// The longest time between two, in ms.
    pub(super) longest: f64,
    /// The longest way that the clock went back, in ms.
    pub(super) back: f64,
    /// How many looks in a row, each half a second, found no new decoded frame, at most.
    pub(super) stuck: u32,
    /// Members of the statistics; some are not there in every browser.
    decoded: u32,
    dropped: Option<u32>,
    key_frames: Option<u32>,
    freezes: Option<u32>,
    nacks: Option<u32>,
    plis: Option<u32>,
}

impl<'a> View<'a> {
    pub(super) async fn begin(theirs: &'a Theirs) -> Result<Self> {
        theirs.run("watch('pc')", ()).await?;
        Ok(Self { theirs })
    }

    /// Chooses a layer, and waits until pictures of its size are shown whose clock runs; how long that
    /// took.
    pub(super) async fn shows(
        &self,
        unit: &Unit,
        rid: &'static str,
        (width, height): (u32, u32),
        patience: Duration,
    ) -> Result<Duration> {
        let begun = Instant::now();
        unit.choose(rid);
        let arg = json!({"width": width, "height": height, "ms": patience.as_millis() as u64});
        let js = "return runs('pc', arg.width, arg.height, arg.ms)";
        let page = &self.theirs.page;
        let came = page
            .eval_within(patience + Duration::from_secs(10), js, arg)
            .await;
        if came.is_err() {
            let seen = self.seen().await?;
            came.with_context(|| format!("{seen:?}, {}", unit.told()))?;
        }
        Ok(begun.elapsed())
    }

    /// Begins to count anew.
    pub(super) async fn forget(&self) -> Result<()> {
        self.seen().await.map(drop)
    }

    /// What was seen since the last time.
    pub(super) async fn seen(&self) -> Result<Seen> {
        let seen = self.theirs.run("return watched('pc')", ()).await?;
        Ok(serde_json::from_value(seen)?)
    }
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = |name: &str, count: Option<u32>| match count {
            Some(count) => format!(", {count} {name}"),
            None => String::new(),
        };
        write!(
            f,
            "{} pictures decoded, {} shown, {} of them unreadable, {:.0} ms between two at most, {:.0} ms back{}{}{}{}{}",
            self.decoded,
            self.frames,
            self.unreadable,
            self.longest,
            self.back,
            count("dropped", self.dropped),
            count("key frames", self.key_frames),
            count("freezes", self.freezes),
            count("NACKs", self.nacks),
            count("PLIs", self.plis),
        )
    }
}
