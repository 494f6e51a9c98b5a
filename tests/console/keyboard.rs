//! The page without a mouse.

use portcullis::breaker::State;

use crate::{
    shop::{SECRET, Shop},
    tab::Tab,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_policy_is_found_opened_and_tripped_by_keys_alone() {
    let shop = Shop::with(40, true).await;
    let tab = Tab::open(&shop.url()).await;
    tab.card_is("breaker/dependency 0", "closed").await;
    tab.press(&["/"]).await;
    assert_eq!(tab.focused().await, "search");
    tab.type_in("inventory").await;
    tab.until("document.getElementById('found').textContent === '1 of 42 policies'").await;
    tab.press(&["ArrowDown"]).await;
    assert!(tab.focused().await.starts_with("inventory, breaker, closed"));
    tab.press(&["Enter"]).await;
    tab.until("document.getElementById('detail').open").await;
    // Close, then the actions in their order.
    tab.press(&["Tab", "Tab"]).await;
    tab.until("document.activeElement.dataset.action === 'trip'").await;
    tab.press(&["Enter"]).await;
    tab.until("document.activeElement.id === 'confirm-why'").await;
    tab.type_in("by keys").await;
    tab.press(&["Enter"]).await;
    tab.until("document.activeElement.id === 'token-field'").await;
    tab.type_in(SECRET).await;
    tab.press(&["Enter"]).await;
    tab.until("document.getElementById('detail-state').textContent === 'open'").await;
    assert_eq!(shop.inventory.state(), State::Open);

    tab.press(&["Escape"]).await;
    tab.until("document.querySelector('dialog[open]') === null").await;
    assert!(tab.focused().await.starts_with("inventory, breaker, open"), "the focus is where it was");
    tab.press(&["/", "Escape"]).await;
    tab.until("document.getElementById('found').textContent === '42 policies'").await;
    tab.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_go_from_card_to_card_and_from_view_to_view() {
    let shop = Shop::with(40, true).await;
    let tab = Tab::open(&shop.url()).await;
    tab.card_is("breaker/dependency 0", "closed").await;
    tab.press(&["j"]).await;
    let first = tab.focused().await;
    tab.press(&["l", "j", "k", "h"]).await;
    assert_eq!(tab.focused().await, first, "right, down, up, left");
    tab.press(&["End"]).await;
    assert!(tab.focused().await.starts_with("inventory"), "the last by name");
    tab.press(&["Home"]).await;
    assert_eq!(tab.focused().await, first);
    tab.press(&["u"]).await;
    tab.until("document.getElementById('found').textContent === '0 of 42 policies'").await;
    tab.press(&["u", "3"]).await;
    tab.until("document.getElementById('view-events').checkVisibility()").await;
    tab.press(&["?"]).await;
    tab.until("document.getElementById('help').open").await;
    tab.press(&["Escape", "d"]).await;
    tab.until("document.documentElement.dataset.theme === 'light'").await;
    tab.close().await;
}
