//! What comes from outside is text.

use portcullis::Pipeline;
use std::time::Duration;

use crate::{
    shop::{SCRIPT, Shop},
    tab::Tab,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_policy_called_like_a_script_is_shown_as_text() {
    let shop = Shop::start().await;
    let pipeline = Pipeline::client(SCRIPT).registry(&shop.registry).breaker(shop.script.clone());
    let _pipeline = pipeline.deadline(Duration::from_secs(1)).build().unwrap();
    let tab = Tab::open(&shop.url()).await;
    tab.until("document.querySelectorAll('.card').length > 1").await;
    // Everywhere it can stand: card, details, confirmation, event, picture.
    shop.script.trip();
    shop.script.try_admit().unwrap_err();
    tab.until("document.getElementById('events').textContent.includes('pwned')").await;
    let names: Vec<String> =
        tab.js("return [...document.querySelectorAll('.card .open')].map((node) => node.textContent);").await;
    assert!(names.contains(&SCRIPT.to_owned()), "{names:?}");
    let index = names.iter().position(|name| name == SCRIPT).unwrap();
    tab.js::<()>(&format!("document.querySelectorAll('.card .open')[{index}].click();")).await;
    tab.until(&format!("document.getElementById('detail-heading').textContent === {SCRIPT:?}")).await;
    tab.click("[data-action=reset]").await;
    tab.until("document.getElementById('confirm-heading').textContent.includes('pwned')").await;
    tab.press(&["Escape", "Escape"]).await;
    tab.until("document.querySelector('dialog[open]') === null").await;
    tab.click("#to-pipelines").await;
    tab.until("document.querySelector('.picture')").await;
    let scripts: (Option<u32>, usize) =
        tab.js("return [window.pwned ?? null, document.querySelectorAll('body script').length];").await;
    assert_eq!(scripts, (None, 0));
    // Closing fails when a policy of the browser was violated.
    tab.close().await;
}

/// Were a name ever written as markup, the browser would still not run it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_script_in_the_text_of_the_page_does_not_run() {
    let shop = Shop::start().await;
    let tab = Tab::open(&shop.url()).await;
    tab.card_is("breaker/inventory", "closed").await;
    let script = "
        const script = document.createElement('script');
        script.textContent = 'window.pwned = 1';
        document.body.append(script);
        while (complaints.length === 0) await new Promise(requestAnimationFrame);
        return [window.pwned ?? null, complaints.splice(0)];
    ";
    let (pwned, complaints): (Option<u32>, Vec<String>) = tab.js(script).await;
    assert_eq!(pwned, None);
    assert_eq!(complaints, ["policy: script-src-elem inline"]);
    tab.close().await;
}

/// Offline means offline: whatever a page loads comes from the service itself.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_loaded_from_elsewhere() {
    let shop = Shop::start().await;
    let tab = Tab::open(&shop.url()).await;
    tab.card_is("breaker/inventory", "closed").await;
    let loaded: Vec<String> =
        tab.js("return performance.getEntriesByType('resource').map((entry) => entry.name);").await;
    assert!(loaded.len() > 10, "{loaded:?}");
    assert!(loaded.iter().all(|url| url.starts_with(&shop.url())), "{loaded:?}");
    tab.close().await;
}
