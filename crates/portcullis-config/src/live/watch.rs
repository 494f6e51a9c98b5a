//! Following files as they change.

use std::{path::PathBuf, time::Duration};

use notify::{RecommendedWatcher, RecursiveMode, Watcher};
use tokio::{
    sync::mpsc,
    time::{self, Instant},
};

use super::{Errors, Live};
use crate::{Error, Place};

/// Editors write a file in several steps: it is read once it was left alone for this long.
const QUIET: Duration = Duration::from_millis(100);
/// Somebody else may write in the same directory all the time: it is read at the latest after this.
const LONGEST: Duration = Duration::from_secs(1);

/// Reads the files again whenever they change, for as long as it is asked.
///
/// ```no_run
/// # async fn main_() -> Result<(), Box<dyn std::error::Error>> {
/// use portcullis_config::{Live, Settings};
///
/// let mut live = Live::new(Settings::builder().file("shop.toml"))?;
/// // live.follow(&breaker)?; and so on
/// let mut watch = live.watch()?;
/// tokio::spawn(async move {
///     loop {
///         match watch.changed().await {
///             Ok(policies) => println!("changed: {}", policies.join(", ")),
///             Err(errors) => eprintln!("kept what there was:\n{errors}"),
///         }
///     }
/// });
/// # Ok(()) }
/// ```
///
/// Directories are watched, and not files, so that a file that is replaced is seen: as editors do it, and as a mounted
/// configuration map is.
#[derive(Debug)]
pub struct Watch {
    live: Live,
    changes: mpsc::Receiver<()>,
    /// If the files may have changed.
    unread: Option<Unread>,
    /// What was told to be wrong last, until nothing is.
    told: Option<String>,
    /// Watches until it is dropped.
    _watcher: RecommendedWatcher,
}

/// When files are read that may have changed.
#[derive(Clone, Copy, Debug)]
struct Unread {
    /// If nothing more changes.
    quiet: Instant,
    latest: Instant,
}

impl Unread {
    fn since(now: Instant) -> Self {
        Self { quiet: now + QUIET, latest: now + LONGEST }
    }
}

impl Live {
    /// Watches the files.
    ///
    /// # Errors
    ///
    /// When the system cannot watch the directory of a file, as when there is none.
    pub fn watch(self) -> Result<Watch, Error> {
        let (tell, changes) = mpsc::channel(1);
        let watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            // Of reading alone nothing changes. One message is enough, if it was not read yet.
            if !event.is_ok_and(|event| event.kind.is_access()) {
                let _ = tell.try_send(());
            }
        });
        let mut watcher = watcher.map_err(|error| Error::message(format!("cannot watch: {error}")))?;
        for directory in self.builder.directories() {
            let watched = watcher.watch(&directory, RecursiveMode::NonRecursive);
            watched
                .map_err(|error| Error::at(Place::file(&directory), format!("cannot be watched: {error}")))?;
        }
        // What changed after it was read, and before it was watched, is read at first.
        let unread = Some(Unread::since(Instant::now()));
        Ok(Watch { live: self, changes, unread, told: None, _watcher: watcher })
    }
}

impl Watch {
    /// Waits until the files say something else, gives it to the policies, and returns those that changed. Dropping the
    /// future loses nothing.
    ///
    /// # Errors
    ///
    /// As [`Live::reload`]: then all is as it was, until the files change again. The same is not told twice in a row: a
    /// log that is written beside the files, with this error in it, would be a change that is followed by the next error.
    pub async fn changed(&mut self) -> Result<Vec<String>, Errors> {
        loop {
            while let Some(unread) = self.unread {
                match time::timeout_at(unread.quiet.min(unread.latest), self.changes.recv()).await {
                    Ok(_) => self.unread = Some(Unread { quiet: Instant::now() + QUIET, ..unread }),
                    Err(_) => {
                        self.unread = None;
                        if let Some(news) = self.news() {
                            return news;
                        }
                    }
                }
            }
            // The watcher lives as long as this does, and so does the sender.
            if self.changes.recv().await.is_none() {
                return std::future::pending().await;
            }
            self.unread = Some(Unread::since(Instant::now()));
        }
    }

    /// What came of reading the files again, if it is something else than before.
    fn news(&mut self) -> Option<Result<Vec<String>, Errors>> {
        let read = self.live.reload();
        let told = read.as_ref().err().map(Errors::to_string);
        let again = told.is_some() && told == self.told;
        self.told = told;
        let nothing = read.as_ref().is_ok_and(Vec::is_empty);
        (!again && !nothing).then_some(read)
    }

    /// The settings and the policies.
    pub fn live(&mut self) -> &mut Live {
        &mut self.live
    }
}

impl crate::Builder {
    /// Where its files are.
    fn directories(&self) -> Vec<PathBuf> {
        let mut directories: Vec<_> = self.paths().filter_map(|path| path.parent()).map(directory).collect();
        directories.sort();
        directories.dedup();
        directories
    }
}

/// The parent of a bare name is nothing, which stands for here.
fn directory(path: &std::path::Path) -> PathBuf {
    if path.as_os_str().is_empty() { PathBuf::from(".") } else { path.to_owned() }
}
