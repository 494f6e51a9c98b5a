//! All policies of a registry, to a file and from it.

use std::{
    collections::HashMap,
    path::Path,
    time::{Duration, SystemTime},
};

use portcullis_core::{Name, PolicyKind};

use super::{
    RestartError, Restored, Saved, Which,
    file::{self, Document, One},
};
use crate::{Registry, clock};

impl Registry {
    /// Writes what all policies have found out to a file, in place of the one before; returns how many of them had
    /// anything to write down. See [`restart`](crate::restart).
    ///
    /// It takes a look at every policy, and waits for the disk: from async code, in `spawn_blocking`. Of two that
    /// write one file at a time, the file of one of them is there in the end.
    ///
    /// # Errors
    ///
    /// [`RestartError::Io`], when the file cannot be written; then the one before is still there.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<usize, RestartError> {
        let document = document(self, clock::wall(Duration::ZERO));
        file::write(path.as_ref(), &document)?;
        Ok(document.policies.len())
    }

    /// Has its policies go on with what was [saved](Self::save), as far as it still says something. Where there is no
    /// file, as at the first start, nothing happens. Policies are told apart by kind and name; those of one kind and
    /// name by the order in which they joined.
    ///
    /// Restore once, when all policies are made, and before calls come. It waits for the disk.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, is damaged, or is of a later version. Nothing is restored then, and a service
    /// starts as it would without: better cold than not at all.
    pub fn restore(&self, path: impl AsRef<Path>) -> Result<Restored, RestartError> {
        let document = file::read(path.as_ref())?;
        Ok(document.map_or_else(Restored::default, |document| {
            take_over(self, &document, clock::wall(Duration::ZERO))
        }))
    }
}

/// What there is to write down at this time of day.
pub(super) fn document(registry: &Registry, now: SystemTime) -> Document {
    let mut names = registry.names();
    names.sort();
    let mut policies = Vec::new();
    for (kind, name) in names {
        for policy in registry.family(kind, &name) {
            let mut state = Saved::default();
            policy.save(&mut state);
            // Those with nothing too, where another one of that name has something: their order tells them apart.
            policies.push(One { kind: kind.as_str().into(), name: name.to_string(), state });
        }
    }
    let mut any: HashMap<(String, String), bool> = HashMap::new();
    for one in &policies {
        *any.entry((one.kind.clone(), one.name.clone())).or_default() |= !one.state.is_empty();
    }
    policies.retain(|one| any.get(&(one.kind.clone(), one.name.clone())) == Some(&true));
    Document { saved_at_ms: millis(now), stopped: registry.stopped().map(Into::into), policies }
}

/// Has the policies go on with it.
pub(super) fn take_over(registry: &Registry, document: &Document, now: SystemTime) -> Restored {
    let age = Duration::from_millis(millis(now).saturating_sub(document.saved_at_ms));
    let mut told = Restored { age: Some(age), ..Restored::default() };
    let mut seen: HashMap<(&str, &str), usize> = HashMap::new();
    for One { kind, name, state } in &document.policies {
        let nth = seen.entry((kind, name)).or_default();
        let of_that_kind = PolicyKind::ALL.into_iter().find(|known| known.as_str() == kind);
        let family = of_that_kind.map(|kind| registry.family(kind, &Name::from(name.as_str())));
        let policy = family.and_then(|family| family.into_iter().nth(*nth));
        *nth += 1;
        if state.is_empty() {
            continue;
        }
        let list = match policy {
            Some(policy) if policy.resume(&state.after(age)) => &mut told.restored,
            Some(_) => &mut told.skipped,
            None => &mut told.unknown,
        };
        list.push(Which { kind: kind.clone(), name: name.clone() });
    }
    if let Some(why) = &document.stopped {
        registry.stop_all(why);
    }
    told
}

fn millis(time: SystemTime) -> u64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
