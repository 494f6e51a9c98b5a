//! The settings in force: seen, changed, refused.

use portcullis::Registry;
use portcullis_console::Console;
use serde_json::Value as Json;

use crate::{
    actions::give_token,
    shop::{Shop, follow},
    tab::Tab,
};

/// The settings, in a page that shows them.
async fn shown(url: &str) -> Tab {
    let tab = Tab::open(url).await;
    tab.click("#to-settings").await;
    tab.until("document.getElementById('settings-text').value !== ''").await;
    tab
}

/// Writes another limit in place of the one that stands there.
async fn write(tab: &Tab, limit: &str) {
    let script = r#"
        const text = document.getElementById("settings-text");
        const found = /(?<="max_in_flight": )\d+/.exec(text.value);
        text.focus();
        text.setSelectionRange(found.index, found.index + found[0].length);
    "#;
    tab.js::<()>(script).await;
    tab.type_in(limit).await;
}

/// Asks for what is written, and says yes.
async fn apply(tab: &Tab) {
    tab.click("#settings-save").await;
    tab.until("document.getElementById('settings-confirm').open").await;
    tab.click("#settings-confirm [value=ok]").await;
    tab.until("!document.getElementById('settings-confirm').open").await;
}

async fn until_said(tab: &Tab, begin: &str) {
    tab.until(&format!("document.getElementById('settings-said').textContent.startsWith({begin:?})")).await;
}

fn limit(shop: &Shop) -> u32 {
    shop.registry.bulkhead("db").config().max_in_flight
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_holds_is_shown_and_another_value_is_given_to_its_policy() {
    let shop = Shop::with_settings().await;
    let tab = shown(&shop.url()).await;
    let text: Json = tab.js("return JSON.parse(document.getElementById('settings-text').value);").await;
    assert_eq!(text, serde_json::to_value(&**shop.settings().lock().unwrap().settings()).unwrap());
    assert!(tab.js::<bool>("return document.getElementById('settings-save').disabled;").await);

    write(&tab, "25").await;
    assert_eq!(limit(&shop), 10, "nothing happens before that is confirmed");
    tab.click("#settings-save").await;
    tab.until("document.getElementById('settings-confirm').open").await;
    assert_eq!(limit(&shop), 10);
    tab.click("#settings-confirm [value=ok]").await;
    give_token(&tab).await;
    until_said(&tab, "Changed: bulkhead.db.").await;
    assert_eq!(limit(&shop), 25);
    let text: Json = tab.js("return JSON.parse(document.getElementById('settings-text').value);").await;
    assert_eq!(text["bulkhead"]["db"]["max_in_flight"], 25);
    tab.until("document.getElementById('settings-save').disabled").await;
    tab.until("document.getElementById('events').textContent.includes('given other settings of bulkhead.db by ops')").await;
    tab.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_wrong_is_told_by_its_field_and_nothing_is_changed() {
    let shop = Shop::with_settings().await;
    let tab = shown(&shop.url()).await;
    write(&tab, "0").await;
    apply(&tab).await;
    give_token(&tab).await;
    tab.until("document.querySelectorAll('#settings-errors li').length > 0").await;
    let errors: Vec<(String, String)> = tab
        .js("return [...document.querySelectorAll('#settings-errors li')].map((error) => [
                 error.querySelector('code').textContent, error.querySelector('span').textContent.trim(),
             ]);")
        .await;
    let message = "bulkhead.max_in_flight is 0: allowed is 1 to 1000000";
    assert_eq!(errors, [("bulkhead.db.max_in_flight".to_owned(), message.to_owned())]);
    until_said(&tab, "Nothing was changed: these settings cannot be").await;
    assert_eq!(limit(&shop), 10);
    let text: String = tab.js("return document.getElementById('settings-text').value;").await;
    assert!(text.contains(r#""max_in_flight": 0"#), "what was written is there to be mended: {text}");

    write(&tab, "no number").await;
    tab.click("#settings-save").await;
    until_said(&tab, "This is not JSON: ").await;
    tab.until("document.querySelectorAll('#settings-errors li').length === 0").await;

    tab.js::<()>("document.getElementById('settings-text').select();").await;
    tab.type_in(r#"{"bulkhead":{"db":{"max_in_flight":7}},"breaker":{"inventory":{}}}"#).await;
    apply(&tab).await;
    until_said(&tab, "Changed: breaker.inventory, bulkhead.db.").await;
    assert_eq!(limit(&shop), 7);
    tab.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_token_nothing_is_saved() {
    let shop = Shop::with_settings().await;
    let tab = shown(&shop.url()).await;
    write(&tab, "25").await;
    apply(&tab).await;
    tab.until("document.getElementById('token-dialog').open").await;
    tab.press(&["Escape"]).await;
    until_said(&tab, "Nothing was changed: A token is needed.").await;
    apply(&tab).await;
    tab.until("document.getElementById('token-dialog').open").await;
    tab.type_in("not the token, but long").await;
    tab.press(&["Enter"]).await;
    until_said(&tab, "Nothing was changed: ").await;
    assert_eq!(limit(&shop), 10);
    tab.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_console_without_tokens_settings_can_be_read_and_not_written() {
    let registry = Registry::new();
    let console = Console::builder(&registry).shared_config(follow(&registry)).build().unwrap();
    let server = console.serve("127.0.0.1:0").await.unwrap();
    let tab = shown(&server.url()).await;
    write(&tab, "25").await;
    let (text, disabled): (String, bool) = tab
        .js("return [document.getElementById('settings-text').value, document.getElementById('settings-save').disabled];")
        .await;
    assert!(text.contains(r#""max_in_flight": 10"#) && disabled, "{text}");
    assert_eq!(registry.bulkhead("db").config().max_in_flight, 10);
    tab.close().await;
}

/// Without settings there is no view of them, whatever is pressed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_console_without_settings_has_no_view_of_them() {
    let shop = Shop::start().await;
    let tab = Tab::open(&shop.url()).await;
    tab.card_is("breaker/inventory", "closed").await;
    tab.press(&["4"]).await;
    let (button, view): (bool, bool) = tab
        .js("return ['to-settings', 'view-settings'].map((id) => document.getElementById(id).checkVisibility());")
        .await;
    assert!(!button && !view);
    tab.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn settings_are_changed_by_keys_alone() {
    let shop = Shop::with_settings().await;
    let tab = Tab::open(&shop.url()).await;
    tab.until("document.getElementById('to-settings').checkVisibility()").await;
    tab.press(&["4"]).await;
    tab.until("document.getElementById('settings-text').value !== ''").await;
    write(&tab, "25").await;
    tab.press(&["Tab", "Tab", "Enter"]).await;
    let inside = "document.getElementById('settings-confirm').contains(document.activeElement)";
    tab.until(&format!("document.getElementById('settings-confirm').open && {inside}")).await;
    tab.press(&["Escape"]).await;
    tab.until("!document.getElementById('settings-confirm').open").await;
    assert_eq!((tab.focused().await.as_str(), limit(&shop)), ("settings-save", 10));

    tab.press(&["Enter"]).await;
    tab.until(inside).await;
    tab.press(&["Tab", "Enter"]).await;
    give_token(&tab).await;
    until_said(&tab, "Changed: bulkhead.db.").await;
    assert_eq!(limit(&shop), 25);
    // The button has nothing more to do, and the focus a place all the same.
    tab.until("document.activeElement.id === 'settings-reload'").await;
    tab.close().await;
}

/// Two people with the same page: the second sees that, and loses nothing of what was written.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_somebody_else_has_changed_meanwhile_is_not_written_over() {
    let shop = Shop::with_settings().await;
    let tab = shown(&shop.url()).await;
    let other = portcullis_config::Settings::builder();
    let other = other.text(
        "other",
        portcullis_config::Format::Toml,
        "[bulkhead.db]\nmax_in_flight = 12\n[breaker.inventory]\n",
    );
    shop.settings().lock().unwrap().replace(other.load().unwrap()).unwrap();
    write(&tab, "25").await;
    apply(&tab).await;
    give_token(&tab).await;
    until_said(&tab, "Nothing was changed: somebody else has changed the settings").await;
    assert_eq!(limit(&shop), 12);
    // Another view and back: it is still there, until it is given up.
    tab.click("#to-policies").await;
    tab.click("#to-settings").await;
    tab.until("document.getElementById('settings-text').value.includes('25')").await;
    tab.click("#settings-reload").await;
    tab.until("document.getElementById('settings-text').value.includes('12')").await;
    tab.close().await;
}

/// An answer that never came may have been of a change.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_an_answer_nobody_says_that_nothing_was_changed() {
    let mut shop = Shop::with_settings().await;
    let tab = shown(&shop.url()).await;
    write(&tab, "25").await;
    tab.click("#settings-save").await;
    tab.until("document.getElementById('settings-confirm').open").await;
    shop.stop().await;
    tab.click("#settings-confirm [value=ok]").await;
    until_said(&tab, "What came of it is not known: ").await;
    tab.close().await;
}
