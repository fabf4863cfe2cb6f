use super::*;

const BELOW: &str = "
pub struct Channel { pub id: u16, secret: u16 }
impl Channel {
    pub const MAX: u16 = 1;
    pub fn label(&self) -> u16 { self.secret }
    pub(crate) fn hidden(&self) {}
}
impl Clone for Channel { fn clone(&self) -> Self { self.hidden(); Self { ..*self } } }
pub mod roles { pub enum Role { Client, Server } pub struct Other; }
pub fn capabilities() {}
pub struct Unseen;
";

const ABOVE: &str = "
mod inner { pub struct Deep { pub depth: u8 } impl Deep { pub fn new() -> Self { Self { depth: 0 } } } }
pub mod state { pub enum State { New } pub use below::roles::Other; }
pub use inner::Deep;
pub use below::{Channel as DataChannel, capabilities};
pub use below::roles::*;
pub use below::roles as parts;
pub type Alias = below::Channel;
struct Private;
pub fn use_private() { let _ = Private; }
";

/// Two crates, the second on top of the first, as this toolchain's rustdoc tells of them.
fn surface() -> Surface {
    let folder = tempfolder();
    let mut loaded = HashMap::new();
    for (name, source) in [("below", BELOW), ("above", ABOVE)] {
        fs::write(folder.join(name).with_extension("rs"), source).expect("a file");
        let run = |program: &str, more: &[&str]| {
            let mut command = Command::new(program);
            command.current_dir(&folder).env("RUSTC_BOOTSTRAP", "1");
            command.args(["--edition=2024", "--crate-type=lib", "-L", "."]);
            command.args(["--extern", "below"].iter().filter(|_| name == "above"));
            let told = command
                .arg(format!("{name}.rs"))
                .args(more)
                .output()
                .expect(program);
            assert!(
                told.status.success(),
                "{}",
                String::from_utf8_lossy(&told.stderr)
            );
        };
        run("rustc", &["--emit=metadata"]);
        run(
            RUSTDOC,
            &["-Zunstable-options", "--output-format=json", "-o", "."],
        );
        let read = parse(&folder.join(name).with_extension("json")).expect("rustdoc's JSON");
        loaded.insert(name.to_owned(), read);
    }
    let packages = loaded
        .keys()
        .map(|name| (name.clone(), name.clone()))
        .collect();
    let target = folder.clone();
    let read = Reader {
        target,
        packages,
        loaded,
    }
    .read("above")
    .expect("a surface");
    fs::remove_dir_all(folder).expect("to clean up");
    read
}

fn tempfolder() -> PathBuf {
    let folder = std::env::temp_dir().join(format!("xtask-surface-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("a folder");
    folder
}

#[test]
fn what_a_user_can_name_is_seen_and_nothing_else() {
    let surface = surface();
    let types: Vec<&str> = surface.type_paths().collect();
    let wanted = [
        "Alias",
        "DataChannel",
        "Deep",
        "Other",
        "Role",
        "parts::Other",
        "parts::Role",
        "state::Other",
        "state::State",
    ];
    assert_eq!(types, wanted);
    for there in [
        "DataChannel::id",
        "DataChannel::label",
        "DataChannel::MAX",
        "Alias::label",
        "Deep::new",
        "Deep::depth",
        "Role::Client",
        "state::State::New",
        "capabilities",
        "use_private",
    ] {
        assert!(surface.has(there), "{there}");
    }
    // Private, of the crate alone, of a trait, under the name in the other crate.
    for not_there in [
        "DataChannel::secret",
        "DataChannel::hidden",
        "DataChannel::clone",
        "Channel",
        "Private",
        "inner::Deep",
    ] {
        assert!(!surface.has(not_there), "{not_there}");
    }
}
