//! What of a breaker outlives its process.

use std::time::Duration;

use portcullis_core::{
    FailureKind,
    breaker::{Config, Machine, Memory, Mode, State, WindowStatus},
};

use crate::{
    clock,
    restart::{FRESH, Kept, Saved},
};

/// Writes a breaker down.
pub(super) fn save(machine: &Machine, into: &mut Saved) {
    let memory = machine.memory(clock::now());
    // By its mode it is so in the next process too, if that has the same.
    if memory.state == State::Disabled && machine.config().mode == Mode::Disabled {
        return;
    }
    if memory.state == State::Closed && memory.in_a_row == 0 && memory.window.calls == 0 {
        return;
    }
    into.word("state", memory.state.as_str());
    if let Some(left) = memory.left {
        into.time("left", left);
    }
    into.count("in_a_row", memory.in_a_row);
    if let Some(kind) = memory.last_failure {
        into.word("last_failure", kind.as_str());
    }
    if memory.state == State::Closed {
        into.count("run", memory.run);
        save_window(into.part("windows", "calls"), memory.window);
        if let Some(recent) = memory.recent {
            save_window(into.part("windows", "seconds"), recent);
        }
    }
}

fn save_window(into: &mut Saved, window: WindowStatus) {
    into.count("calls", window.calls);
    into.count("failures", window.failures);
    into.count("slow", window.slow);
}

/// What was written down, as far as it says something still.
pub(super) fn memory(from: &Kept<'_>, config: &Config) -> Option<Memory> {
    let word = from.word("state")?;
    let state = State::ALL.into_iter().find(|state| state.as_str() == word)?;
    let mut memory = Memory::of(state);
    memory.left = from.left("left");
    if state.is_override() && memory.left == Some(Duration::ZERO) {
        return None;
    }
    let word = from.word("last_failure");
    memory.last_failure = FailureKind::ALL.into_iter().find(|kind| Some(kind.as_str()) == word);
    // One that was closed for so long would begin anew, too.
    if state != State::Closed || from.age() < config.open_reset_after {
        memory.in_a_row = from.narrow("in_a_row").unwrap_or(0);
    }
    if let Some(from) = from.within(FRESH) {
        memory.run = from.narrow("run").unwrap_or(0);
        memory.window = window(&from, "calls").unwrap_or_default();
        let span = config.time_window.map_or(Duration::ZERO, |rule| rule.span);
        memory.recent = from.within(span).and_then(|from| window(&from, "seconds"));
    }
    (memory != Memory::of(State::Closed)).then_some(memory)
}

fn window(from: &Kept<'_>, which: &str) -> Option<WindowStatus> {
    let (_, from) = from.parts("windows").find(|(name, _)| *name == which)?;
    let mut window = WindowStatus::default();
    window.calls = from.narrow("calls")?;
    window.failures = from.narrow("failures")?;
    window.slow = from.narrow("slow")?;
    (window.calls > 0).then_some(window)
}
