//! What is done from the page, with a mouse.

use portcullis::breaker::State;

use crate::{
    shop::{SECRET, Shop},
    tab::Tab,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn isolated_from_the_page_it_refuses_and_released_it_lets_through() {
    let shop = Shop::start().await;
    let tab = Tab::open(&shop.url()).await;
    tab.click(".card[data-id='breaker/inventory'] .open").await;
    tab.click("[data-action=isolate]").await;
    tab.until("document.getElementById('confirm').open").await;
    let effects: String = tab.js("return document.getElementById('confirm-effects').textContent;").await;
    assert!(effects.contains("Every call is refused from now on"), "{effects}");
    assert_eq!(shop.inventory.state(), State::Closed, "nothing happens before that is confirmed");

    tab.type_in("the vault is open").await;
    tab.click("#confirm-do").await;
    give_token(&tab).await;
    tab.until("!document.getElementById('confirm').open").await;
    assert_eq!(shop.inventory.state(), State::Isolated);
    shop.inventory.try_admit().unwrap_err();
    tab.until("document.getElementById('detail-state').textContent === 'isolated'").await;
    tab.until("document.getElementById('detail-events').textContent.includes('the vault is open')").await;

    tab.click("[data-action=release]").await;
    tab.click("#confirm-do").await;
    tab.until("document.getElementById('detail-state').textContent === 'closed'").await;
    assert!(shop.inventory.try_admit().is_ok());
    tab.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_emergency_stop_wants_a_reason_and_stops_all() {
    let shop = Shop::start().await;
    let tab = Tab::open(&shop.url()).await;
    tab.click("#stop-all").await;
    tab.click("#confirm-do").await;
    tab.until("document.querySelector('#confirm-why:invalid')").await;
    assert_eq!(shop.registry.stopped(), None);

    tab.click("#confirm-why").await;
    tab.type_in("fire").await;
    tab.click("#confirm-do").await;
    give_token(&tab).await;
    tab.until("document.getElementById('stopped').checkVisibility()").await;
    assert_eq!(shop.registry.stopped(), Some("fire"));
    tab.click("#release-stopped").await;
    tab.click("#confirm-do").await;
    tab.until("!document.getElementById('stopped').checkVisibility()").await;
    assert_eq!(shop.registry.stopped(), None);
    tab.close().await;
}

/// A reader without a token sees the page, and nothing of the service.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_closed_console_asks_for_the_token_and_keeps_it_for_this_tab() {
    let shop = Shop::with(0, false).await;
    let tab = Tab::open(&shop.url()).await;
    tab.until("document.getElementById('token-dialog').open").await;
    tab.type_in("not the token, but long").await;
    tab.press(&["Enter"]).await;
    tab.until("document.getElementById('old-why').textContent.includes('A token is needed')").await;
    tab.click("#try-now").await;
    give_token(&tab).await;
    tab.card_is("breaker/inventory", "closed").await;
    let kept: (usize, Option<String>) =
        tab.js("return [localStorage.length + document.cookie.length, sessionStorage.getItem('portcullis.token')];").await;
    assert_eq!(kept, (0, Some(SECRET.to_owned())));
    tab.close().await;
}

/// Gives the token that is asked for.
pub(crate) async fn give_token(tab: &Tab) {
    tab.until("document.getElementById('token-dialog').open").await;
    tab.type_in(SECRET).await;
    tab.press(&["Enter"]).await;
    tab.until("!document.getElementById('token-dialog').open").await;
}
