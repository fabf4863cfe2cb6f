use tokio::io::{DuplexStream, Lines, ReadHalf, WriteHalf, duplex, split};

use super::*;

/// The other end of a [`Link`]: plays the bridge by hand.
struct Far {
    asked: Lines<BufReader<ReadHalf<DuplexStream>>>,
    tell: WriteHalf<DuplexStream>,
    folder: PathBuf,
}

impl Far {
    fn new(test: &str) -> (Arc<Link>, Self) {
        let name = format!("xtask-browser-{test}-{}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&folder).expect("a folder");
        let (near, far) = duplex(1 << 16);
        let (stdout, stdin) = split(near);
        let (asked, tell) = split(far);
        let (lines, outgoing) = mpsc::unbounded_channel();
        let (ready, _) = oneshot::channel();
        let link = Link::new(lines, ready, folder.join("browser")).expect("a log");
        let link = Arc::new(link);
        tokio::spawn(write(stdin, outgoing));
        tokio::spawn(read(stdout, Arc::clone(&link)));
        let asked = BufReader::new(asked).lines();
        (
            link,
            Self {
                asked,
                tell,
                folder,
            },
        )
    }

    async fn asked(&mut self) -> Value {
        let line = self
            .asked
            .next_line()
            .await
            .expect("a line")
            .expect("a line");
        serde_json::from_str(&line).expect("JSON")
    }

    async fn tell(&mut self, line: Value) {
        let line = format!("{line}\n");
        self.tell
            .write_all(line.as_bytes())
            .await
            .expect("to be read");
    }
}

impl Drop for Far {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn page(link: &Arc<Link>, name: &str) -> Page {
    Page {
        link: Arc::clone(link),
        name: name.into(),
    }
}

#[tokio::test(start_paused = true)]
async fn answers_find_their_questions_in_any_order() {
    let (link, mut far) = Far::new("answers");
    let (a, b) = (page(&link, "a"), page(&link, "b"));
    let asked = async {
        let (one, two) = (far.asked().await, far.asked().await);
        assert_eq!(
            (&one["page"], &one["js"], &one["arg"]),
            (&json!("a"), &json!("1"), &json!({"x": 1}))
        );
        let error = json!({"name": "OperationError", "message": "no", "errorDetail": "sdp-syntax-error", "sdpLineNumber": 2});
        far.tell(json!({"id": two["id"], "error": error})).await;
        far.tell(json!({"id": one["id"], "value": [1]})).await;
    };
    let (one, two, ()) = tokio::join!(a.eval("1", json!({"x": 1})), b.eval("2", ()), asked);
    assert_eq!(one, Ok(json!([1])));
    let error = two.expect_err("an error");
    assert_eq!(
        (error.name.as_str(), error.message.as_str()),
        ("OperationError", "no")
    );
    assert_eq!(
        (error.detail.as_deref(), error.sdp_line_number),
        (Some("sdp-syntax-error"), Some(2))
    );
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_late_is_nobodys() {
    let (link, mut far) = Far::new("late");
    let a = page(&link, "a");
    let error = a.eval("slow", ()).await.expect_err("no answer");
    assert_eq!(error.name, "BridgeTimeout");
    let late = far.asked().await;
    far.tell(json!({"id": late["id"], "value": "late"})).await;
    let answered = async {
        let asked = far.asked().await;
        far.tell(json!({"id": asked["id"], "value": "in time"}))
            .await;
    };
    let (value, ()) = tokio::join!(a.eval("quick", ()), answered);
    assert_eq!(value, Ok(json!("in time")));
}

#[tokio::test(start_paused = true)]
async fn every_stream_of_events_has_all_of_them() {
    let (link, mut far) = Far::new("events");
    let a = page(&link, "a");
    let mut early = a.events();
    for i in 0..3 {
        far.tell(json!({"page": "a", "event": "tick", "i": i}))
            .await;
        far.tell(json!({"page": "b", "event": "other"})).await;
    }
    for i in 0..3 {
        assert_eq!(early.next().await.expect("an event")["i"], i);
    }
    let mut late = a.events();
    let second = late
        .until("i is 1", PATIENCE, |event| event["i"] == 1)
        .await;
    assert_eq!(second.expect("an event")["i"], 1);
    let error = late
        .until("i is 7", PATIENCE, |event| event["i"] == 7)
        .await;
    let error = error.expect_err("no such event").to_string();
    assert!(
        error.contains("i is 7") && error.contains("3 events"),
        "{error}"
    );
}

#[tokio::test(start_paused = true)]
async fn the_end_of_the_browser_ends_everything() {
    let (link, mut far) = Far::new("end");
    let a = page(&link, "a");
    let mut events = a.events();
    far.tell(json!({"page": "a", "event": "last"})).await;
    let end = async {
        far.asked().await;
        drop(far);
    };
    let (waiting, ()) = tokio::join!(a.eval("for ever", ()), end);
    assert_eq!(waiting.expect_err("an end").name, "BrowserEnded");
    assert_eq!(
        a.eval("more", ()).await.expect_err("an end").name,
        "BrowserEnded"
    );
    // What came before is not lost.
    assert_eq!(events.next().await.expect("an event")["event"], "last");
    assert_eq!(events.next().await, None);
}
