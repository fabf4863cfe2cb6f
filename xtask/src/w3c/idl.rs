//! What the specifications define, read from their IDL by `xtask/w3c/idl.js`.

use std::{path::Path, process::Command};

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::interop::install::{copy_files, install_npm};

const READER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/w3c");

/// An interface, dictionary or enum.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Definition {
    /// The specification that defines it.
    pub(crate) spec: String,
    /// `interface`, `dictionary`, `enum`.
    pub(crate) kind: String,
    pub(crate) name: String,
    pub(crate) members: Vec<Member>,
}

/// A member of a [`Definition`]; a constructor is called `constructor`.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Member {
    /// The specification that adds it.
    pub(crate) spec: String,
    pub(crate) kind: Kind,
    /// With the types of its arguments when it is overloaded.
    pub(crate) name: String,
    /// Whether it is an attribute that can be set.
    pub(crate) writable: bool,
    /// Whether there are others of its name.
    pub(crate) overloaded: bool,
}

/// What a member is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    Attribute,
    /// An attribute that holds an event's handler: `on…`.
    Event,
    Method,
    Constructor,
    /// Of a dictionary.
    Field,
    /// Of an enum.
    Value,
    Constant,
    /// `maplike`, `iterable` and the like.
    Protocol,
}

impl Kind {
    /// For a table.
    pub(crate) fn noun(self) -> &'static str {
        match self {
            Self::Attribute => "attribute",
            Self::Event => "event",
            Self::Method => "method",
            Self::Constructor => "constructor",
            Self::Field => "field",
            Self::Value => "value",
            Self::Constant => "constant",
            Self::Protocol => "protocol",
        }
    }
}

/// Installs the IDL under `work` and reads these specifications, in this order.
///
/// # Errors
///
/// The packages cannot be installed, or a specification not be read.
pub(crate) fn read(work: &Path, specifications: &[String]) -> Result<Vec<Definition>> {
    let folder = work.join("idl");
    copy_files(READER, &folder)?;
    install_npm(work, &folder)?;
    let told = Command::new("node")
        .current_dir(&folder)
        .arg("idl.js")
        .args(specifications)
        .output()
        .context("cannot run node")?;
    if !told.status.success() {
        bail!("idl.js: {}", String::from_utf8_lossy(&told.stderr));
    }
    serde_json::from_slice(&told.stdout).context("idl.js")
}
