//! Changes by hand, told.

use portcullis_core::{Name, PolicyKind};

use super::Registry;
use crate::event::{Audit, Emitter};

/// What stands for a registry as a whole where the name of a policy stands.
const ALL: &str = "all";

impl Registry {
    /// Tells that somebody did something by hand to the policies of this kind and name: to all who listen, and it is kept
    /// with the registry's last events and with those of each of these policies. To be called after it was done.
    ///
    /// ```
    /// use portcullis::{Breaker, PolicyKind, Registry, event::Audit};
    ///
    /// let registry = Registry::new();
    /// let breaker = Breaker::builder("inventory").registry(&registry).build()?;
    /// breaker.isolate();
    /// registry.audit(PolicyKind::Breaker, "inventory", Audit::new("ops", "isolated").because("it lies"));
    /// let told = breaker.recent_events().pop().ok_or("it is kept")?;
    /// assert_eq!(told.to_string(), "breaker 'inventory' was isolated by ops: it lies");
    /// # Ok::<(), portcullis::BoxError>(())
    /// ```
    pub fn audit(&self, kind: PolicyKind, name: &str, audit: Audit) {
        let name = Name::from(name);
        let family = self.family(kind, &name);
        let emitters: Vec<&Emitter> = family.iter().filter_map(|policy| policy.emitter()).collect();
        self.events().audit(kind, name, audit, &emitters);
    }

    /// The same of something that was done to the registry as a whole, such as a stop of everything. It is told as of the
    /// registry "all".
    ///
    /// ```
    /// use portcullis::{Registry, event::Audit};
    ///
    /// let registry = Registry::new();
    /// registry.stop_all("the vault is open");
    /// registry.audit_all(Audit::new("ops", "stopped").because("the vault is open"));
    /// let told = registry.events().recent().pop().ok_or("it is kept")?;
    /// assert_eq!(told.to_string(), "registry 'all' was stopped by ops: the vault is open");
    /// # Ok::<(), portcullis::BoxError>(())
    /// ```
    pub fn audit_all(&self, audit: Audit) {
        self.events().audit(PolicyKind::Registry, Name::from(ALL), audit, &[]);
    }
}
