//! The file: read with distrust, written so that there is always a whole one.

use std::{
    fs::{self, File},
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{RestartError, Saved};

/// By which such a file is known.
const FORMAT: &str = "portcullis-state";
/// The version that is written. Earlier ones can be read.
pub(super) const VERSION: u64 = 1;
/// No larger file is read: a million keys have room in it.
const MOST_BYTES: u64 = 1 << 28;
/// So many files are kept aside under different names; then the last one gives way.
const MOST_KEPT: u32 = 100;

/// What is around the state.
#[derive(Serialize, Deserialize)]
struct Envelope<'a> {
    format: String,
    version: u64,
    /// Of the state's text.
    crc32: u32,
    #[serde(borrow)]
    state: &'a RawValue,
}

/// The state of a registry.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Document {
    /// The time of day, in milliseconds since 1970.
    pub(super) saved_at_ms: u64,
    /// Why everything was stopped, if it was.
    pub(super) stopped: Option<String>,
    pub(super) policies: Vec<One>,
}

/// The state of a policy. Several may have one kind and name: they stand in the order in which they joined.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct One {
    pub(super) kind: String,
    pub(super) name: String,
    pub(super) state: Saved,
}

/// Why a text is no state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Unfit {
    Corrupt(String),
    Version(u64),
}

/// The text of a state.
pub(super) fn write_text(document: &Document) -> Result<String, serde_json::Error> {
    let state = serde_json::value::to_raw_value(document)?;
    let crc32 = crc32fast::hash(state.get().as_bytes());
    serde_json::to_string(&Envelope { format: FORMAT.into(), version: VERSION, crc32, state: &state })
}

/// The state of a text.
pub(super) fn read_text(text: &[u8]) -> Result<Document, Unfit> {
    let corrupt = |error: serde_json::Error| Unfit::Corrupt(error.to_string());
    let envelope: Envelope<'_> = serde_json::from_slice(text).map_err(corrupt)?;
    if envelope.format != FORMAT {
        return Err(Unfit::Corrupt(format!("its format is not {FORMAT}")));
    }
    let state = envelope.state.get();
    if crc32fast::hash(state.as_bytes()) != envelope.crc32 {
        return Err(Unfit::Corrupt("it has been changed since it was written".into()));
    }
    // Only now: a damaged number is no version.
    if envelope.version != VERSION {
        return Err(Unfit::Version(envelope.version));
    }
    serde_json::from_str(state).map_err(corrupt)
}

/// The document of a file; `None`, where there is no file.
pub(super) fn read(path: &Path) -> Result<Option<Document>, RestartError> {
    let io = |source| RestartError::Io { path: path.into(), source };
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(io(error)),
    };
    let mut text = Vec::new();
    file.take(MOST_BYTES + 1).read_to_end(&mut text).map_err(io)?;
    let document = if text.len() as u64 > MOST_BYTES {
        Err(Unfit::Corrupt(format!("it has more than {MOST_BYTES} bytes")))
    } else {
        read_text(&text)
    };
    document.map(Some).map_err(|unfit| {
        let (path, kept) = (path.to_owned(), keep_aside(path));
        match unfit {
            Unfit::Corrupt(why) => RestartError::Corrupt { path, kept, why },
            Unfit::Version(found) => RestartError::Version { path, kept, found, known: VERSION },
        }
    })
}

/// Writes a document beside the file, flushes it to the disk, and puts it in its place.
pub(super) fn write(path: &Path, document: &Document) -> Result<(), RestartError> {
    let write = || {
        let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        let directory = directory.unwrap_or(Path::new("."));
        let mut file = tempfile::Builder::new().prefix(".portcullis-").tempfile_in(directory)?;
        file.write_all(write_text(document)?.as_bytes())?;
        file.as_file().sync_all()?;
        file.persist(path).map_err(|error| error.error)?;
        sync_directory(directory)
    };
    write().map_err(|source| RestartError::Io { path: path.into(), source })
}

/// The name is on the disk too, and not the file alone.
fn sync_directory(directory: &Path) -> io::Result<()> {
    // Elsewhere a directory cannot be opened.
    if cfg!(unix) { File::open(directory)?.sync_all() } else { Ok(()) }
}

/// Moves a file out of the way, to where there is none; says where it is then.
fn keep_aside(path: &Path) -> PathBuf {
    let name = |n: u32| {
        let mut name = path.as_os_str().to_owned();
        name.push(if n == 1 { ".corrupt".into() } else { format!(".corrupt.{n}") });
        PathBuf::from(name)
    };
    let free = (1..MOST_KEPT).map(name).find(|name| !name.exists());
    let aside = free.unwrap_or_else(|| name(MOST_KEPT));
    if fs::rename(path, &aside).is_ok() { aside } else { path.to_owned() }
}
