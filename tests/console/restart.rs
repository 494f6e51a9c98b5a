//! The service goes away, and comes back.

use crate::{shop::Shop, tab::Tab};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_old_is_shown_so_until_the_service_is_back() {
    let mut shop = Shop::start().await;
    let tab = Tab::open(&shop.url()).await;
    tab.card_is("breaker/inventory", "closed").await;
    shop.stop().await;
    tab.until("document.documentElement.classList.contains('is-old')").await;
    let (says, word): (String, String) = tab
        .js("return [document.getElementById('old').textContent, document.getElementById('connection-word').textContent];")
        .await;
    assert!(says.contains("Not connected. What you see is from"), "{says}");
    assert_eq!(word, "old");

    shop.inventory.trip();
    shop.start_again().await;
    tab.card_is("breaker/inventory", "open").await;
    tab.until(
        "!document.documentElement.classList.contains('is-old') && document.getElementById('old').hidden",
    )
    .await;
    // Events come again, too.
    shop.script.trip();
    tab.until("document.getElementById('events').textContent.includes('pwned')").await;
    tab.close().await;
}
