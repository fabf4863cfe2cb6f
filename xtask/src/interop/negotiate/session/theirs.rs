//! The browser's side of a session.

use anyhow::{Context, Result};
use peerconnection::SessionDescription;
use serde_json::{Value, json};

use super::super::{
    super::browser::{Page, PageError},
    state::State,
};

/// The browser's side: the connection `pc` of a page.
#[derive(Clone)]
pub(in super::super) struct Theirs {
    pub(in super::super) page: Page,
}

impl Theirs {
    /// Runs `js` with the connection as `it`; an error tells what threw.
    pub(in super::super) async fn run(&self, js: &str, arg: impl Into<Value>) -> Result<Value> {
        let result = self.tried(js, arg).await;
        result.with_context(|| format!("the browser, in `{js}`"))
    }

    /// The same for what may throw.
    pub(in super::super) async fn tried(
        &self,
        js: &str,
        arg: impl Into<Value>,
    ) -> Result<Value, PageError> {
        self.page
            .eval(&format!("const it = pc('pc'); {js}"), arg)
            .await
    }

    /// `setLocalDescription()` and what it has made.
    pub(in super::super) async fn describe(&self) -> Result<SessionDescription> {
        let made = self
            .run(
                "await it.setLocalDescription(); return it.localDescription",
                (),
            )
            .await?;
        Ok(serde_json::from_value(made)?)
    }

    /// What two peers must agree on.
    pub(in super::super) async fn state(&self) -> Result<State> {
        let state = self
            .run(
                "return { ...state('pc'), transports: transports('pc') }",
                (),
            )
            .await?;
        serde_json::from_value(state).context("a state")
    }

    /// Its log so far.
    pub(in super::super) async fn log(&self) -> Result<Vec<Value>> {
        let log = self.run("return log('pc')", ()).await?;
        Ok(serde_json::from_value(log)?)
    }

    /// How many entries the log has.
    pub(in super::super) async fn mark(&self) -> Result<usize> {
        Ok(self.log().await?.len())
    }

    /// The first entry from index `from` on that is `event`.
    pub(in super::super) async fn until_logged(&self, from: usize, event: &str) -> Result<Value> {
        let arg = json!({"from": from, "event": event});
        self.run("return untilLogged('pc', arg.event, arg.from)", arg)
            .await
    }

    /// Waits for a condition of JavaScript.
    pub(in super::super) async fn until(&self, condition: &str) -> Result<()> {
        let js = format!(
            "await until(() => ({condition}), {})",
            Value::from(condition)
        );
        self.run(&js, ()).await.map(drop)
    }
}
