//! A Chromium with one page, and what a person does with it.

use std::time::Duration;

use chromiumoxide::{
    Browser, BrowserConfig, Page,
    cdp::{
        browser_protocol::emulation::{MediaFeature, SetDeviceMetricsOverrideParams},
        js_protocol::runtime::EvaluateParams,
    },
    handler::viewport::Viewport,
};
use futures_util::StreamExt;
use portcullis_tests::net::soon;
use serde::de::DeserializeOwned;
use tempfile::TempDir;
use tokio::task::JoinHandle;

/// A machine that is busy with other tests is slow.
const PATIENCE: Duration = Duration::from_secs(60);
/// Loads and runs nothing but the page.
const QUIET: [&str; 6] = [
    "disable-gpu",
    "disable-quic",
    "no-first-run",
    "disable-background-networking",
    "disable-component-update",
    "disable-sync",
];
/// Writes down what a browser only tells its console.
const LISTEN: &str = r#"
    window.complaints = [];
    addEventListener("securitypolicyviolation", (event) => complaints.push(`policy: ${event.violatedDirective} ${event.blockedURI}`));
    addEventListener("error", (event) => complaints.push(`error: ${event.message ?? event.target?.src}`), true);
    addEventListener("unhandledrejection", (event) => complaints.push(`rejection: ${event.reason}`));
"#;

/// What a page is looked at on, and how its user likes it.
#[derive(Clone, Copy)]
pub(crate) struct Look {
    pub(crate) name: &'static str,
    pub(crate) scheme: &'static str,
    pub(crate) width: i64,
    pub(crate) height: i64,
    pub(crate) phone: bool,
}

pub(crate) const LIGHT: Look =
    Look { name: "light", scheme: "light", width: 1440, height: 900, phone: false };
pub(crate) const DARK: Look = Look { name: "dark", scheme: "dark", ..LIGHT };
pub(crate) const PHONE: Look = Look { name: "phone", width: 390, height: 844, phone: true, ..LIGHT };

/// A page in a browser of its own, which ends when this is dropped.
pub(crate) struct Tab {
    pub(crate) page: Page,
    browser: Browser,
    handler: JoinHandle<()>,
    _profile: TempDir,
}

impl Tab {
    /// Opens this address, on a large light screen.
    pub(crate) async fn open(url: &str) -> Self {
        Self::open_with(url, LIGHT).await
    }

    pub(crate) async fn open_with(url: &str, look: Look) -> Self {
        let profile = tempfile::tempdir().unwrap();
        // The sandbox wants rights that containers do not give; only our own page is loaded.
        let config = BrowserConfig::builder().no_sandbox().new_headless_mode().user_data_dir(profile.path());
        let config = config
            .args(QUIET)
            .viewport(None::<Viewport>)
            .launch_timeout(PATIENCE)
            .request_timeout(PATIENCE)
            .build();
        let (browser, mut events) = Browser::launch(config.unwrap()).await.unwrap();
        // An event that a later Chromium has and the crate does not know is nothing to us.
        let handler = tokio::spawn(async move { while events.next().await.is_some() {} });
        let page = browser.new_page("about:blank").await.unwrap();
        let tab = Self { page, browser, handler, _profile: profile };
        tab.look(look).await;
        tab.page.evaluate_on_new_document(LISTEN).await.unwrap();
        tab.page.goto(url).await.unwrap();
        tab
    }

    /// Looks at the page in this way.
    pub(crate) async fn look(&self, look: Look) {
        let size = SetDeviceMetricsOverrideParams::new(look.width, look.height, 1.0, look.phone);
        self.page.execute(size).await.unwrap();
        let scheme = MediaFeature::new("prefers-color-scheme", look.scheme);
        let still = MediaFeature::new("prefers-reduced-motion", "reduce");
        self.page.emulate_media_features(vec![scheme, still]).await.unwrap();
    }

    /// What this JavaScript comes to; it may `await`.
    pub(crate) async fn js<T: DeserializeOwned>(&self, script: &str) -> T {
        // As text, since what is `null` would be nothing at all otherwise.
        let script = format!("(async () => JSON.stringify(await (async () => {{ {script} }})() ?? null))()");
        let evaluate =
            EvaluateParams::builder().expression(script.as_str()).await_promise(true).return_by_value(true);
        match soon(self.page.evaluate_expression(evaluate.build().unwrap())).await {
            Ok(value) => serde_json::from_str(&value.into_value::<String>().unwrap()).unwrap(),
            Err(error) => panic!("{script}: {error}"),
        }
    }

    /// Waits until this is so; what it says then is in the message where it never is.
    pub(crate) async fn until(&self, condition: &str) {
        let script = format!(
            "const end = performance.now() + {};
             while (!({condition})) {{
                 if (performance.now() > end) return document.body.innerText.slice(0, 3000);
                 await new Promise((resolve) => setTimeout(resolve, 20));
             }}
            ",
            PATIENCE.as_millis() / 2
        );
        if let Some(text) = self.js::<Option<String>>(&script).await {
            panic!("never: {condition}\n{text}");
        }
    }

    /// Waits for the card of this policy, and until it is in this state.
    pub(crate) async fn card_is(&self, id: &str, state: &str) {
        self.until(&format!("{}?.querySelector('.state').textContent === {state:?}", card(id))).await;
    }

    /// Presses these keys, one after the other.
    pub(crate) async fn press(&self, keys: &[&str]) {
        let body = self.page.find_element("body").await.unwrap();
        for key in keys {
            body.press_key(key).await.unwrap();
        }
    }

    /// Types this where the focus is.
    pub(crate) async fn type_in(&self, text: &str) {
        self.page.find_element("body").await.unwrap().type_str(text).await.unwrap();
    }

    /// Clicks where this element is, as a mouse does.
    pub(crate) async fn click(&self, selector: &str) {
        self.until(&format!("document.querySelector({selector:?})?.checkVisibility()")).await;
        self.page.find_element(selector).await.unwrap().click().await.unwrap();
    }

    /// The element that has the focus, by its id or its label.
    pub(crate) async fn focused(&self) -> String {
        self.js("const node = document.activeElement; return node.id || node.getAttribute('aria-label') || node.tagName;")
            .await
    }

    /// Fails when the browser had something to complain about: a policy that was violated, a script that failed.
    pub(crate) async fn close(mut self) {
        let complaints: Vec<String> = self.js("return window.complaints;").await;
        assert!(complaints.is_empty(), "{complaints:?}");
        self.browser.close().await.unwrap();
        soon(self.browser.wait()).await.unwrap();
        self.handler.abort();
    }
}

/// The card of a policy, in JavaScript.
pub(crate) fn card(id: &str) -> String {
    format!("document.querySelector('.card[data-id={id:?}]')")
}
