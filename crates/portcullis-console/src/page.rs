//! The page: plain files, put into the program when it is compiled.

use axum::{
    extract::Path,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};

use serde::Deserialize;

use crate::problem::Problem;

/// The part of a path that is the name of a file.
#[derive(Debug, Deserialize)]
pub(crate) struct Asset {
    file: String,
}

/// A file of the page.
struct File {
    name: &'static str,
    kind: &'static str,
    text: &'static str,
}

macro_rules! files {
    ($($name:literal: $kind:ident,)*) => {
        [$(File { name: $name, kind: $kind, text: include_str!(concat!("../page/", $name)) },)*]
    };
}

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";

const INDEX: &str = "index.html";

/// All of them.
const FILES: &[File] = &files! {
    "actions.js": SCRIPT,
    "api.js": SCRIPT,
    "cards.js": SCRIPT,
    "detail.js": SCRIPT,
    "dialog.js": SCRIPT,
    "dom.js": SCRIPT,
    "events.js": SCRIPT,
    "facts.js": SCRIPT,
    "filter.js": SCRIPT,
    "format.js": SCRIPT,
    "grid.js": SCRIPT,
    "history.js": SCRIPT,
    "icon.svg": SVG,
    "index.html": HTML,
    "keys.js": SCRIPT,
    "live.js": SCRIPT,
    "main.js": SCRIPT,
    "page.css": CSS,
    "picture.js": SCRIPT,
    "poll.js": SCRIPT,
    "settings.js": SCRIPT,
    "spark.js": SCRIPT,
    "store.js": SCRIPT,
    "stream.js": SCRIPT,
    "theme.js": SCRIPT,
    "token.js": SCRIPT,
    "top.js": SCRIPT,
    "views.js": SCRIPT,
};

/// Whether this path is one of the page's.
pub(crate) fn is_part(path: &str) -> bool {
    let Some(name) = path.strip_prefix('/') else { return false };
    name.is_empty() || find(name).is_some()
}

fn find(name: &str) -> Option<&'static File> {
    FILES.iter().find(|file| file.name == name)
}

/// The page itself.
pub(crate) fn index() -> Response {
    find(INDEX).map_or_else(nothing, |file| file.answer(&HeaderMap::new()))
}

/// A file of it.
pub(crate) async fn file(Path(Asset { file }): Path<Asset>, headers: HeaderMap) -> Response {
    find(&file).map_or_else(nothing, |file| file.answer(&headers))
}

fn nothing() -> Response {
    Problem::not_found("there is nothing here").into_response()
}

impl File {
    /// It may be kept, but is asked for each time: another version of the program has other files.
    fn answer(&self, headers: &HeaderMap) -> Response {
        let tag = self.tag();
        let known =
            headers.get(header::IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == tag.as_bytes());
        let mut response =
            if known { StatusCode::NOT_MODIFIED.into_response() } else { self.text.into_response() };
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(self.kind));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        if let Ok(tag) = HeaderValue::try_from(tag) {
            headers.insert(header::ETAG, tag);
        }
        response
    }

    /// Another text has another one: FNV-1a, which is made while compiling, or nearly so.
    fn tag(&self) -> String {
        let bytes = self.text.bytes();
        let hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        format!("\"{hash:016x}\"")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_there_is_served_and_no_other() {
        let there = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/page")).unwrap();
        let mut there: Vec<_> = there.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
        there.sort();
        assert_eq!(FILES.iter().map(|file| file.name).collect::<Vec<_>>(), there);
    }

    #[test]
    fn a_file_is_sent_once() {
        let file = find(INDEX).unwrap();
        let first = file.answer(&HeaderMap::new());
        assert_eq!(
            (first.status(), &first.headers()[header::CONTENT_TYPE]),
            (StatusCode::OK, &HeaderValue::from_static(HTML))
        );
        let known = HeaderMap::from_iter([(header::IF_NONE_MATCH, first.headers()[header::ETAG].clone())]);
        assert_eq!(file.answer(&known).status(), StatusCode::NOT_MODIFIED);
    }
}
