//! Six short stories about one breaker in front of a real upstream.
//!
//! Each prints its steps and checks them; the exit code tells whether all checks held.
//!
//! ```text
//! let held = scenes::play(Scene::RecoveryCycle).await?;
//! ```

mod basic_operation;
mod failed_recovery;
mod manual_reset;
mod recovery_cycle;
mod several_successes;
mod stage;
mod status;

use std::io;
use std::time::Duration;

use clap::ValueEnum;
use portcullis::breaker::BreakerBuilder;
use tower::BoxError;

use self::stage::Stage;
use crate::report::screen::Screen;

/// How long the breakers of the scenes stay open: short, so that nobody waits, and long enough to be found open
/// by the next call on a machine that has other things to do.
const OPEN_FOR: Duration = Duration::from_secs(1);
/// The longest wait they tell: they keep time in whole milliseconds and never probe early.
const LONGEST_WAIT: Duration = OPEN_FOR.saturating_add(Duration::from_millis(1));
/// Failures in a row that open them.
const FAILURES: u32 = 3;

/// The scenes by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Scene {
    /// Calls pass, failures open the breaker, and what it refuses never reaches the upstream
    BasicOperation,
    /// Closed, open, half-open, closed: the whole way round
    RecoveryCycle,
    /// A probe that fails opens the breaker again, until one succeeds
    FailedRecovery,
    /// One good probe is not enough when three are asked for
    SeveralSuccesses,
    /// What a breaker tells about itself, state by state
    Status,
    /// Opening, closing and isolating by hand
    ManualReset,
}

impl Scene {
    fn name(self) -> String {
        self.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
    }

    fn plot(self) -> String {
        let help = self.to_possible_value().and_then(|value| value.get_help().map(ToString::to_string));
        help.unwrap_or_default()
    }

    /// What differs from scene to scene is how many good probes close the breaker.
    fn shape(self, breaker: BreakerBuilder) -> BreakerBuilder {
        let successes = if self == Self::SeveralSuccesses { 3 } else { 1 };
        breaker.consecutive_failures(FAILURES).open_for_exactly(OPEN_FOR).permits(1).successes(successes)
    }
}

/// Prints the names of all scenes.
pub(crate) fn list(screen: &mut Screen) -> io::Result<()> {
    let mut scenes = Scene::value_variants().iter();
    scenes.try_for_each(|scene| screen.line(&format!("{:<18} {}", scene.name(), scene.plot())))
}

/// Plays one scene; true if all its checks held.
pub(crate) async fn play(scene: Scene) -> Result<bool, BoxError> {
    let mut stage = Stage::set_up(&scene.name(), |breaker| scene.shape(breaker))?;
    stage.line(&format!("scene: {}. {}.", scene.name(), scene.plot()))?;
    match scene {
        Scene::BasicOperation => basic_operation::play(&mut stage).await?,
        Scene::RecoveryCycle => recovery_cycle::play(&mut stage).await?,
        Scene::FailedRecovery => failed_recovery::play(&mut stage).await?,
        Scene::SeveralSuccesses => several_successes::play(&mut stage).await?,
        Scene::Status => status::play(&mut stage).await?,
        Scene::ManualReset => manual_reset::play(&mut stage).await?,
    }
    stage.finish()
}
