//! What a user of a crate can name, as rustdoc tells it, through every re-export of the workspace.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};
use cargo_metadata::MetadataCommand;
use rustdoc_types::{Crate, FORMAT_VERSION, Id, Item, ItemEnum, StructKind, Type};

/// Stands in for rustdoc: see there.
const RUSTDOC: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/w3c/rustdoc");

/// The public types of a crate by their path in it, and its public functions.
#[derive(Clone, Debug, Default)]
pub(crate) struct Surface {
    types: BTreeMap<String, RustType>,
    functions: BTreeSet<String>,
}

/// The public parts of one type.
#[derive(Clone, Debug, Default)]
pub(crate) struct RustType {
    /// Inherent methods and associated functions.
    pub(crate) methods: BTreeSet<String>,
    pub(crate) fields: BTreeSet<String>,
    pub(crate) variants: BTreeSet<String>,
    pub(crate) constants: BTreeSet<String>,
}

impl Surface {
    /// Documents `package` and the crates of the workspace that it re-exports from.
    ///
    /// # Errors
    ///
    /// A crate does not build, or this toolchain's rustdoc writes another format.
    pub(crate) fn of(package: &str) -> Result<Self> {
        Reader::new()?.read(&package.replace('-', "_"))
    }

    /// The type at `path`: `state::SignalingState`.
    pub(crate) fn rust_type(&self, path: &str) -> Option<&RustType> {
        self.types.get(path)
    }

    /// The paths of all types.
    pub(crate) fn type_paths(&self) -> impl Iterator<Item = &str> {
        self.types.keys().map(String::as_str)
    }

    /// Whether there is a type, a function, or a type's method, field, variant or constant `path`.
    pub(crate) fn has(&self, path: &str) -> bool {
        let of_type = path
            .rsplit_once("::")
            .is_some_and(|(of, name)| self.rust_type(of).is_some_and(|it| it.has(name)));
        of_type || self.types.contains_key(path) || self.functions.contains(path)
    }

    #[cfg(test)]
    pub(crate) fn with(mut self, path: &str, rust_type: RustType) -> Self {
        self.types.insert(path.into(), rust_type);
        self
    }
}

impl RustType {
    fn has(&self, name: &str) -> bool {
        [&self.methods, &self.fields, &self.variants, &self.constants]
            .into_iter()
            .any(|names| names.contains(name))
    }
}

struct Reader {
    target: PathBuf,
    /// Names of the workspace's libraries, with the package of each.
    packages: BTreeMap<String, String>,
    loaded: HashMap<String, Crate>,
}

impl Reader {
    fn new() -> Result<Self> {
        let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.toml");
        let metadata = MetadataCommand::new()
            .manifest_path(manifest)
            .no_deps()
            .exec()?;
        let names = metadata
            .workspace_packages()
            .into_iter()
            .map(|it| it.name.to_string());
        Ok(Self {
            target: metadata.target_directory.clone().into(),
            packages: names.map(|name| (name.replace('-', "_"), name)).collect(),
            loaded: HashMap::new(),
        })
    }

    fn read(mut self, name: &str) -> Result<Surface> {
        let root = self.load(name)?.context("no such package")?.root;
        let mut surface = Surface::default();
        self.visit(&mut surface, name, root, &[])?;
        Ok(surface)
    }

    /// What rustdoc says of the crate `name`; `None` for one from outside the workspace.
    fn load(&mut self, name: &str) -> Result<Option<&Crate>> {
        let Some(package) = self.packages.get(name) else {
            return Ok(None);
        };
        if !self.loaded.contains_key(name) {
            let read = document(
                package,
                &self.target.join("doc").join(format!("{name}.json")),
            )?;
            self.loaded.insert(name.into(), read);
        }
        Ok(self.loaded.get(name))
    }

    /// Adds the item `id` of the crate `of`, which is to be seen at `path`.
    fn visit(&mut self, surface: &mut Surface, of: &str, id: Id, path: &[String]) -> Result<()> {
        let Some(item) = self.item(of, id) else {
            return Ok(());
        };
        let at = |name: &str| [path, &[name.to_owned()]].concat();
        let name = item.name.clone().unwrap_or_default();
        match item.inner.clone() {
            // The root is the crate itself.
            ItemEnum::Module(module) => {
                let path = if module.is_crate {
                    Vec::new()
                } else {
                    at(&name)
                };
                self.visit_all(surface, of, &module.items, &path)?;
            }
            ItemEnum::Use(used) => {
                let Some((of, id)) = used
                    .id
                    .map(|id| self.resolve(of, id))
                    .transpose()?
                    .flatten()
                else {
                    return Ok(());
                };
                match self.item(&of, id).map(|it| it.inner.clone()) {
                    Some(ItemEnum::Module(module)) if used.is_glob => {
                        self.visit_all(surface, &of, &module.items, path)?;
                    }
                    _ if used.is_glob => {}
                    Some(ItemEnum::Module(module)) => {
                        self.visit_all(surface, &of, &module.items, &at(&used.name))?;
                    }
                    _ => self.add(surface, &of, id, at(&used.name).join("::"))?,
                }
            }
            _ => self.add(surface, of, id, at(&name).join("::"))?,
        }
        Ok(())
    }

    fn visit_all(
        &mut self,
        surface: &mut Surface,
        of: &str,
        items: &[Id],
        path: &[String],
    ) -> Result<()> {
        items
            .iter()
            .try_for_each(|id| self.visit(surface, of, *id, path))
    }

    fn add(&mut self, surface: &mut Surface, of: &str, id: Id, path: String) -> Result<()> {
        let Some(item) = self.item(of, id) else {
            return Ok(());
        };
        match &item.inner {
            ItemEnum::Function(_) => {
                surface.functions.insert(path);
            }
            ItemEnum::TypeAlias(alias) => {
                if let Type::ResolvedPath(aliased) = &alias.type_ {
                    let id = aliased.id;
                    if let Some((of, id)) = self.resolve(of, id)? {
                        self.add(surface, &of, id, path)?;
                    }
                }
            }
            _ => {
                if let Some(read) = self.loaded.get(of).and_then(|all| read_type(all, item)) {
                    surface.types.insert(path, read);
                }
            }
        }
        Ok(())
    }

    fn item(&self, of: &str, id: Id) -> Option<&Item> {
        self.loaded.get(of)?.index.get(&id)
    }

    /// The crate and the id under which an item that the crate `of` calls `id` is described.
    fn resolve(&mut self, of: &str, id: Id) -> Result<Option<(String, Id)>> {
        if self.item(of, id).is_some() {
            return Ok(Some((of.into(), id)));
        }
        let known = self.loaded.get(of);
        let Some(summary) = known.and_then(|all| all.paths.get(&id)).cloned() else {
            return Ok(None);
        };
        let home = summary.path.first().cloned().unwrap_or_default();
        let found = self.load(&home)?.and_then(|all| {
            let mut paths = all.paths.iter();
            let same = paths.find(|(_, it)| it.path == summary.path && it.kind == summary.kind);
            same.map(|(id, _)| *id)
        });
        Ok(found.map(|id| (home, id)))
    }
}

fn read_type(all: &Crate, item: &Item) -> Option<RustType> {
    let mut read = RustType::default();
    let name = |id: &Id| all.index.get(id).and_then(|it| it.name.clone());
    let impls = match &item.inner {
        ItemEnum::Struct(it) => {
            if let StructKind::Plain { fields, .. } = &it.kind {
                read.fields = fields.iter().filter_map(name).collect();
            }
            &it.impls
        }
        ItemEnum::Enum(it) => {
            read.variants = it.variants.iter().filter_map(name).collect();
            &it.impls
        }
        ItemEnum::Union(it) => &it.impls,
        ItemEnum::Trait(it) => {
            read.methods = it.items.iter().filter_map(name).collect();
            return Some(read);
        }
        _ => return None,
    };
    for id in impls {
        let Some(ItemEnum::Impl(block)) = all.index.get(id).map(|it| &it.inner) else {
            continue;
        };
        // What a trait gives is not of this type's own making.
        if block.trait_.is_some() {
            continue;
        }
        for item in block.items.iter().filter_map(|id| all.index.get(id)) {
            let into = match item.inner {
                ItemEnum::Function(_) => &mut read.methods,
                ItemEnum::AssocConst { .. } => &mut read.constants,
                _ => continue,
            };
            into.extend(item.name.clone());
        }
    }
    Some(read)
}

fn document(package: &str, file: &Path) -> Result<Crate> {
    println!("  rustdoc of {package} …");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let told = Command::new(cargo)
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
        .env("RUSTDOC", RUSTDOC)
        .args(["rustdoc", "--quiet", "--lib", "-p", package, "--"])
        .args(["-Z", "unstable-options", "--output-format", "json"])
        .output()
        .context("cannot run cargo")?;
    if !told.status.success() {
        bail!(
            "rustdoc of {package}: {}",
            String::from_utf8_lossy(&told.stderr)
        );
    }
    parse(file)
}

fn parse(file: &Path) -> Result<Crate> {
    let text = fs::read(file).with_context(|| file.display().to_string())?;
    let json: serde_json::Value = serde_json::from_slice(&text)?;
    if json["format_version"] != FORMAT_VERSION {
        bail!(
            "this toolchain's rustdoc writes format {}, and xtask reads {FORMAT_VERSION}: take the \
             toolchain of `rust-version`, or the rustdoc-types of this one",
            json["format_version"]
        );
    }
    serde_json::from_value(json).with_context(|| file.display().to_string())
}

#[cfg(test)]
#[path = "surface_tests.rs"]
mod tests;
