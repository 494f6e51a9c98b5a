//! The settings of policies that follow a file.

#[cfg(feature = "config")]
pub(crate) use with::{read, write};
#[cfg(not(feature = "config"))]
pub(crate) use without::{read, write};

#[cfg(not(feature = "config"))]
mod without {
    use crate::problem::Problem;

    pub(crate) async fn read() -> Problem {
        Problem::not_found("the program was built without the console's feature `config`")
    }

    pub(crate) async fn write() -> Problem {
        read().await
    }
}

#[cfg(feature = "config")]
mod with {
    use std::{
        hash::{DefaultHasher, Hash, Hasher},
        sync::{Arc, Mutex, PoisonError},
    };

    use axum::{
        body::Body,
        extract::{Extension, State},
        response::Response,
    };
    use portcullis_config::{Format, Live, Settings};
    use serde::Deserialize;
    use serde_json::{Value as Json, json};

    use super::super::{act, body, json as answer};
    use crate::{
        api::wrong::{errors, paths},
        console::Shared,
        guard::By,
        problem::Problem,
    };

    /// What stands for a file in what is wrong.
    const SOURCE: &str = "settings";

    /// New settings, and of which old ones they were made.
    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    pub(crate) struct Wanted {
        settings: Json,
        #[serde(default)]
        version: Option<String>,
    }

    fn live(console: &Shared) -> Result<&Arc<Mutex<Live>>, Problem> {
        let live = console.config.as_ref();
        live.ok_or_else(|| {
            Problem::not_found("the console was given no settings: `Console::builder(registry).config(live)`")
        })
    }

    fn document(settings: &Settings) -> Json {
        // A table of texts and numbers, which cannot fail.
        serde_json::to_value(settings).unwrap_or_default()
    }

    /// Other settings have another one, for as long as the process lives.
    fn version(document: &Json) -> String {
        let mut hasher = DefaultHasher::new();
        document.to_string().hash(&mut hasher);
        format!("{:016x}", hasher.finish())
    }

    pub(crate) async fn read(State(console): State<Arc<Shared>>) -> Result<Response, Problem> {
        let live = live(&console)?.lock().unwrap_or_else(PoisonError::into_inner);
        let settings = document(live.settings());
        let version = version(&settings);
        Ok(answer(&json!({ "settings": settings, "version": version })))
    }

    pub(crate) async fn write(
        State(console): State<Arc<Shared>>,
        Extension(By(by)): Extension<By>,
        request: Body,
    ) -> Result<Response, Problem> {
        let wanted: Wanted = body(request).await?;
        let mut live = live(&console)?.lock().unwrap_or_else(PoisonError::into_inner);
        let now = version(&document(live.settings()));
        if wanted.version.is_some_and(|version| version != now) {
            return Err(Problem::new(409, "somebody else has changed the settings since these were read"));
        }
        let changed = take(&mut live, &wanted.settings)?;
        let version = version(&document(live.settings()));
        drop(live);
        let what = if changed.is_empty() { "given the settings it has".into() } else { told(&changed) };
        act::audit_all(&console, &by, &what, "");
        Ok(answer(&json!({ "changed": changed, "version": version })))
    }

    fn told(changed: &[String]) -> String {
        format!("given other settings of {}", changed.join(", "))
    }

    /// Whole or nothing.
    fn take(live: &mut Live, settings: &Json) -> Result<Vec<String>, Problem> {
        // A line for each value, so that the place of what is wrong tells which one it is.
        let text = serde_json::to_string_pretty(settings).unwrap_or_default();
        let lines = paths(settings);
        let read = Settings::builder().text(SOURCE, Format::Json, text).load();
        let read = read.map_err(|error| errors(std::iter::once(&error), &lines))?;
        live.replace(read).map_err(|wrong| errors(wrong.iter(), &lines))
    }
}
