//! `cargo xtask w3c`: the W3C's IDL held against the items of the `peerconnection` crate.
//!
//! Every interface, dictionary and enum of the specifications, and every member of each, must have
//! the Rust item that carries it or the reason why there is none. Items are found by name or named
//! in `docs/w3c-coverage.toml`, and looked up in what rustdoc says of the crate; the result is
//! `docs/w3c-coverage.md`.

mod coverage;
mod document;
mod idl;
mod mapping;
mod surface;

use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use clap::Args;

use coverage::Coverage;
use mapping::Mapping;
use surface::Surface;

/// The crate whose items carry the W3C's API, or re-export what does.
const CRATE: &str = "peerconnection";
const MAPPING: &str = "docs/w3c-coverage.toml";
const DOCUMENT: &str = "docs/w3c-coverage.md";

/// The flags of `cargo xtask w3c`.
#[derive(Args)]
pub(crate) struct W3c {
    /// Write nothing; fail when the document is not what would be written.
    #[arg(long)]
    check: bool,
    /// Where the IDL is installed.
    #[arg(long, default_value = "target/w3c")]
    work: PathBuf,
}

impl W3c {
    pub(crate) fn run(self) -> Result<()> {
        fs::create_dir_all(&self.work).context("cannot make the work folder")?;
        let work = self.work.canonicalize()?;
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let text = fs::read_to_string(root.join(MAPPING)).context(MAPPING)?;
        let mapping: Mapping = toml::from_str(&text).context(MAPPING)?;
        let idl = idl::read(&work, &mapping.specifications)?;
        let surface = Surface::of(CRATE)?;
        let coverage = Coverage::judge(&idl, &surface, &mapping);
        if !coverage.problems.is_empty() {
            bail!("{}", told(&coverage.problems));
        }
        let text = document::write(&coverage);
        println!("{}", document::counts(&coverage));
        let file = root.join(DOCUMENT);
        if !self.check {
            return fs::write(&file, text).context(DOCUMENT);
        }
        if fs::read_to_string(&file).context(DOCUMENT)? != text {
            bail!("{DOCUMENT} is out of date; `cargo xtask w3c` writes it anew");
        }
        Ok(())
    }
}

fn told(problems: &[String]) -> String {
    let mut text = format!(
        "{} problems; {MAPPING} says how to mend them",
        problems.len()
    );
    for problem in problems {
        let _ = write!(text, "\n  {problem}");
    }
    text
}
