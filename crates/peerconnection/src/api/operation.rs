use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use tokio::sync::oneshot;

use crate::Error;

/// A call in the connection's chain of operations: the W3C's promise.
///
/// The call is under way whether or not this is awaited. It resolves to `InvalidStateError` when
/// the connection is closed before its turn comes; a browser's promise would stay pending for ever.
///
/// On a runtime with one thread, a task that awaits this alone goes on before the next call in the
/// chain begins, as it would in JavaScript: it finds the state that its own call has left. On several
/// threads the next call may be quicker, so handlers that must not be overtaken run one at a time.
#[derive(Debug)]
#[must_use = "await it to learn how the call ended"]
pub struct Operation<T> {
    outcome: Outcome<T>,
}

#[derive(Debug)]
enum Outcome<T> {
    /// Failed in the call itself.
    Failed(Option<Error>),
    Pending(oneshot::Receiver<Result<T, Error>>),
}

/// Where the driver reports how an operation ended.
pub(crate) type Reply<T> = oneshot::Sender<Result<T, Error>>;

impl<T> Operation<T> {
    pub(crate) fn failed(error: Error) -> Self {
        Self {
            outcome: Outcome::Failed(Some(error)),
        }
    }

    pub(crate) fn pending() -> (Reply<T>, Self) {
        let (reply, outcome) = oneshot::channel();
        (
            reply,
            Self {
                outcome: Outcome::Pending(outcome),
            },
        )
    }
}

impl<T> Unpin for Operation<T> {}

impl<T> Future for Operation<T> {
    type Output = Result<T, Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.outcome {
            Outcome::Failed(error) => Poll::Ready(Err(error.take().unwrap_or_else(Error::closed))),
            Outcome::Pending(outcome) => Pin::new(outcome)
                .poll(cx)
                .map(|result| result.unwrap_or_else(|_| Err(Error::closed()))),
        }
    }
}
