//! axe-core, which knows what keeps people out.

use std::path::PathBuf;

use serde_json::Value as Json;

use crate::{
    shop::{SECRET, Shop, Traffic},
    tab::{DARK, LIGHT, Look, PHONE, Tab},
};

/// What a page can look like, how it comes to that, and when it has.
const SCENES: [(&str, &str, &str); 10] = [
    ("policies", "", "document.querySelector('.card')"),
    (
        "pipelines",
        "document.getElementById('to-pipelines').click(); document.querySelector('.lane button').click();",
        "document.querySelector('.lane pre')",
    ),
    (
        "events",
        "document.getElementById('to-events').click();",
        "document.querySelector('#events li')?.checkVisibility()",
    ),
    (
        "details",
        "document.getElementById('to-policies').click(); document.querySelector(`.card[data-id='breaker/inventory'] .open`).click();",
        "document.getElementById('detail-refusal').checkVisibility()",
    ),
    (
        "confirmation",
        "document.querySelector('#detail-actions button').click();",
        "document.getElementById('confirm').checkVisibility()",
    ),
    (
        "modes",
        "document.getElementById('confirm').close(); document.querySelector('[data-action=mode]').click();",
        "document.getElementById('confirm-mode').checkVisibility()",
    ),
    (
        "reset",
        "document.getElementById('confirm').close(); document.querySelector('[data-action=reset]').click();",
        "document.getElementById('confirm-heading').textContent.startsWith('Reset')",
    ),
    (
        "settings",
        "document.querySelectorAll('dialog').forEach((dialog) => dialog.close()); document.getElementById('to-settings').click();",
        "document.getElementById('settings-text').value !== ''",
    ),
    (
        "settings to be confirmed",
        "const text = document.getElementById('settings-text');
         text.value = text.value.replace('10', '0');
         text.dispatchEvent(new Event('input'));
         document.getElementById('settings-save').click();",
        "document.getElementById('settings-confirm').checkVisibility()",
    ),
    (
        "settings that are refused",
        "document.querySelector('#settings-confirm [value=ok]').click();",
        "document.querySelector('#settings-errors li')?.checkVisibility()",
    ),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn axe_finds_nothing_serious_in_light() {
    finds_nothing(LIGHT).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn axe_finds_nothing_serious_in_dark() {
    finds_nothing(DARK).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn axe_finds_nothing_serious_on_a_phone() {
    finds_nothing(PHONE).await;
}

async fn finds_nothing(look: Look) {
    let shop = Shop::with_settings().await;
    let traffic = Traffic::start(&shop.registry);
    traffic.fail(80);
    shop.inventory.trip();
    shop.inventory.try_admit().unwrap_err();
    let tab = Tab::open_with(&shop.url(), look).await;
    tab.card_is("breaker/payments", "open").await;
    tab.card_is("breaker/inventory", "open").await;
    tab.js::<()>(&format!("sessionStorage.setItem('portcullis.token', {SECRET:?}); {};", axe())).await;
    for (scene, script, ready) in SCENES {
        tab.js::<()>(script).await;
        tab.until(ready).await;
        let found: Vec<Json> = tab.js(RUN).await;
        assert!(found.is_empty(), "{scene} in {}: {found:#?}", look.name);
    }
    tab.close().await;
}

/// What is serious, and where.
const RUN: &str = "
    const { violations, passes } = await axe.run(document, { resultTypes: ['violations'] });
    if (passes.length < 10) throw new Error('axe looked at nothing');
    return violations.filter(({ impact }) => impact === 'serious' || impact === 'critical')
        .map(({ id, impact, nodes }) => ({ id, impact, nodes: nodes.slice(0, 3).map(({ html, failureSummary }) => [html, failureSummary]) }));
";

/// axe-core as `cargo xtask setup` has installed it, or as it was named.
fn axe() -> String {
    let made = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/node/node_modules/axe-core/axe.min.js");
    let path = std::env::var_os("PORTCULLIS_TEST_AXE").map_or_else(|| made.into(), PathBuf::from);
    let text = std::fs::read_to_string(&path);
    text.unwrap_or_else(|error| {
        panic!("no axe-core at {}: {error}; `cargo xtask test` gets it", path.display())
    })
}
