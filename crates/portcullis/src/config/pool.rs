//! The settings of a pool of threads.

use std::time::Duration;

use portcullis_core::{
    ConfigError, Mode,
    pool::{Config, Preset},
};

use super::settings::{no_functions, reload_is_build, settings};

settings! {
    /// What a file says of a pool of threads; see [the list of
    /// fields](crate::config#fields-of-a-pool-of-threads).
    ///
    /// Knows which fields were given, so that the others can come from elsewhere: from a preset, from
    /// the program, or from the pool as it is. Written, it has only what was given; made from a
    /// [`Config`], everything.
    ///
    /// ```
    /// use portcullis::{ThreadPool, config};
    /// use std::time::Duration;
    ///
    /// let settings: config::ThreadPool = toml::from_str(r#"
    ///     preset = "database"
    ///     threads = 8
    ///     max_wait = "250ms"
    /// "#)?;
    /// let pool = ThreadPool::builder("orders").config(settings.build()?).build()?;
    /// assert_eq!((pool.config().threads, pool.config().max_queued), (8, 100));
    /// assert_eq!(pool.config().max_wait, Duration::from_millis(250));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ThreadPool at "thread_pool" of Config, Preset;
    no_functions {}
    threads: u32,
    max_queued: u32,
    max_wait: Duration,
    newest_first: bool,
    keep_alive: Duration,
    // A table, maybe, which comes last: whoever writes TOML without braces cannot go back from one.
    mode: Mode,
}

reload_is_build!(ThreadPool, Config);

impl ThreadPool {
    /// The configuration: what was not given is as the preset has it, or by default. A file that is the whole
    /// truth is built like this again for [`reconfigure`](crate::ThreadPool::reconfigure), when it has changed.
    ///
    /// ```
    /// use portcullis::config;
    ///
    /// let settings: config::ThreadPool = toml::from_str("threads = 0")?;
    /// let error = settings.build().unwrap_err();
    /// assert_eq!(error.to_string(), "thread_pool.threads is 0: allowed is 1 to 10000");
    /// # Ok::<(), toml::de::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The first field outside its range.
    pub fn build(&self) -> Result<Config, ConfigError> {
        self.over(&Config::default())
    }

    /// The configuration: what was not given is as `base` has it; with a preset, nothing is left of `base`.
    ///
    /// For defaults that the program sets, and for a change of single fields of a pool that runs.
    ///
    /// ```
    /// use portcullis::{ThreadPool, config};
    ///
    /// let pool = ThreadPool::builder("pdf").threads(4).build()?;
    /// let settings: config::ThreadPool = toml::from_str("max_queued = 5")?;
    /// pool.reconfigure(settings.over(&pool.config())?)?;
    /// assert_eq!((pool.config().threads, pool.config().max_queued), (4, 5));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The first field outside its range.
    pub fn over(&self, base: &Config) -> Result<Config, ConfigError> {
        let config = self.given_over(self.base(base));
        config.check().map(|()| config)
    }
}
