//! What asks before something is done to a policy: for its mode, for a reset; and what becomes of the answer.

use portcullis::{Breaker, Mode, PolicyKind, breaker::State};

use crate::{
    actions::give_token,
    shop::{SECRET, Shop},
    tab::{Tab, card},
};

const INVENTORY: &str = "breaker/inventory";

/// The details of the breaker, and over them what asks whether to do this to it.
async fn asked(shop: &Shop, action: &str) -> Tab {
    let tab = Tab::open(&shop.url()).await;
    tab.click(&format!(".card[data-id='{INVENTORY}'] .open")).await;
    ask(&tab, action).await;
    tab
}

async fn ask(tab: &Tab, action: &str) {
    tab.click(&format!("[data-action={action}]")).await;
    tab.until("document.getElementById('confirm').open").await;
}

async fn until_closed(tab: &Tab) {
    tab.until("!document.getElementById('confirm').open").await;
}

async fn text_of(tab: &Tab, id: &str) -> String {
    tab.js(&format!("return document.getElementById({id:?}).textContent;")).await
}

fn mode(shop: &Shop) -> Mode {
    shop.registry.get(PolicyKind::Breaker, "inventory").unwrap().mode().unwrap()
}

/// The mode that the dialog has chosen.
async fn chosen(tab: &Tab) -> String {
    tab.js("return document.querySelector('#confirm-mode input:checked').value;").await
}

/// Waits until the card says this of its mode, to those who see it and to those who hear it.
async fn card_says(tab: &Tab, mode: &str) {
    tab.until(&format!(
        "{card}.querySelector('.mode').checkVisibility() && {card}.querySelector('.mode').textContent === {mode:?}
         && {card}.querySelector('.open').getAttribute('aria-label').endsWith({mode:?})",
        card = card(INVENTORY)
    ))
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_mode_is_the_policys_and_stands_on_its_card() {
    let shop = Shop::start().await;
    let tab = asked(&shop, "mode").await;
    assert_eq!(text_of(&tab, "confirm-heading").await, "Change the mode of breaker “inventory”?");
    assert_eq!(chosen(&tab).await, "enforce", "the one that it has");
    tab.click("#confirm-mode [value=shadow]").await;
    tab.click("#confirm-why").await;
    tab.type_in("to be looked at").await;
    assert_eq!(mode(&shop), Mode::Enforce, "nothing happens before that is confirmed");

    tab.click("#confirm-do").await;
    give_token(&tab).await;
    until_closed(&tab).await;
    assert_eq!(mode(&shop), Mode::Shadow);
    tab.until("document.getElementById('detail-level').textContent.includes('mode: shadow')").await;
    tab.until("document.getElementById('detail-events').textContent.includes('to be looked at')").await;
    card_says(&tab, "shadow").await;

    ask(&tab, "mode").await;
    assert_eq!(chosen(&tab).await, "shadow");
    tab.click("#confirm-mode [value=enforce]").await;
    tab.click("#confirm-do").await;
    until_closed(&tab).await;
    assert_eq!(mode(&shop), Mode::Enforce);
    tab.until(&format!("!{}.querySelector('.mode').checkVisibility()", card(INVENTORY))).await;
    tab.close().await;
}

/// Who writes a number means it; and no number is not none of a hundred.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_share_is_what_was_written() {
    let shop = Shop::start().await;
    let tab = asked(&shop, "mode").await;
    write_percent(&tab, "").await;
    assert_eq!(chosen(&tab).await, "percent");
    for wrong in ["", "101", "0.5"] {
        write_percent(&tab, wrong).await;
        tab.click("#confirm-do").await;
        tab.until("document.querySelector('#mode-percent:invalid')").await;
    }
    write_percent(&tab, "30").await;
    tab.click("#confirm-do").await;
    give_token(&tab).await;
    until_closed(&tab).await;
    assert_eq!(mode(&shop), Mode::EnforcePercent(30));
    card_says(&tab, "enforce 30%").await;

    ask(&tab, "mode").await;
    let percent: String = tab.js("return document.getElementById('mode-percent').value;").await;
    assert_eq!((chosen(&tab).await.as_str(), percent.as_str()), ("percent", "30"));
    // What is wrong there holds up no other mode.
    write_percent(&tab, "300").await;
    tab.click("#confirm-mode [value=disabled]").await;
    tab.click("#confirm-do").await;
    until_closed(&tab).await;
    assert_eq!(mode(&shop), Mode::Disabled);
    tab.close().await;
}

async fn write_percent(tab: &Tab, percent: &str) {
    tab.click("#mode-percent").await;
    tab.js::<()>("document.getElementById('mode-percent').select();").await;
    tab.press(&["Delete"]).await;
    tab.type_in(percent).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mode_is_chosen_by_keys_alone() {
    let shop = Shop::start().await;
    let tab = asked(&shop, "mode").await;
    let in_modes = "document.activeElement.name === 'mode' && document.activeElement.checked";
    tab.until(in_modes).await;
    tab.press(&["Tab"]).await;
    assert_eq!((tab.focused().await.as_str(), chosen(&tab).await.as_str()), ("mode-percent", "enforce"));
    tab.type_in("1").await;
    assert_eq!(chosen(&tab).await, "percent");
    tab.press(&["Escape"]).await;
    until_closed(&tab).await;
    tab.until("document.activeElement.dataset.action === 'mode'").await;
    assert_eq!(mode(&shop), Mode::Enforce);

    tab.press(&["Enter"]).await;
    tab.until(in_modes).await;
    assert_eq!(chosen(&tab).await, "enforce", "what was given up is forgotten");
    tab.press(&["ArrowUp"]).await;
    assert_eq!(chosen(&tab).await, "disabled");
    tab.press(&["Tab"]).await;
    assert_eq!(tab.focused().await, "confirm-why");
    tab.press(&["Enter"]).await;
    give_token(&tab).await;
    until_closed(&tab).await;
    assert_eq!(mode(&shop), Mode::Disabled);
    tab.until("document.activeElement.dataset.action === 'mode'").await;
    tab.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reset_an_open_breaker_closes_and_not_before_that_is_confirmed() {
    let shop = Shop::start().await;
    shop.inventory.trip();
    let tab = asked(&shop, "reset").await;
    assert_eq!(text_of(&tab, "confirm-heading").await, "Reset breaker “inventory”?");
    assert!(text_of(&tab, "confirm-effects").await.contains("It closes now, with an empty window"));
    assert_eq!(tab.focused().await, "confirm-why");
    tab.press(&["Escape"]).await;
    until_closed(&tab).await;
    tab.until("document.activeElement.dataset.action === 'reset'").await;
    assert_eq!(shop.inventory.state(), State::Open);

    tab.press(&["Enter"]).await;
    tab.until("document.activeElement.id === 'confirm-why'").await;
    tab.type_in("mended").await;
    tab.press(&["Enter"]).await;
    give_token(&tab).await;
    until_closed(&tab).await;
    let snapshot = shop.registry.get(PolicyKind::Breaker, "inventory").unwrap().snapshot();
    assert_eq!(snapshot.state, "closed");
    tab.card_is(INVENTORY, "closed").await;
    tab.until("document.getElementById('detail-events').textContent.includes('was reset by ops: mended')")
        .await;
    tab.close().await;
}

/// What is to be done may no longer be possible by the time that it is confirmed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_went_wrong_is_said_in_the_dialog_which_stays() {
    let shop = Shop::with(0, true).await;
    let short = Breaker::builder("short").registry(&shop.registry).build().unwrap();
    let tab = Tab::open(&shop.url()).await;
    tab.click(".card[data-id='breaker/short'] .open").await;
    ask(&tab, "reset").await;
    drop(short);
    tab.until("document.getElementById('detail-gone').checkVisibility()").await;
    tab.click("#confirm-do").await;
    give_token(&tab).await;
    tab.until("document.getElementById('confirm-error').textContent.startsWith('Nothing was changed: ')")
        .await;
    assert!(tab.js::<bool>("return document.getElementById('confirm').open;").await);
    tab.close().await;
}

/// The answer of a question that was left comes late: it is not for the next one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_late_answer_does_not_close_the_next_question() {
    let shop = Shop::start().await;
    let tab = asked(&shop, "trip").await;
    // Every change waits.
    let hold = "
        const send = window.fetch;
        window.held = [];
        window.fetch = async (path, options) => {
            if (options?.method === 'POST') await new Promise((resolve) => held.push(resolve));
            return send(path, options);
        };
    ";
    tab.js::<()>(&format!("sessionStorage.setItem('portcullis.token', {SECRET:?}); {hold}")).await;
    tab.click("#confirm-do").await;
    tab.until("held.length === 1").await;
    tab.press(&["Escape"]).await;
    until_closed(&tab).await;
    ask(&tab, "mode").await;
    tab.js::<()>("held[0]();").await;
    tab.until("document.getElementById('announcer').textContent.includes('Done: Trip breaker “inventory”.')")
        .await;
    assert_eq!(shop.inventory.state(), State::Open);
    assert_eq!(text_of(&tab, "confirm-heading").await, "Change the mode of breaker “inventory”?");
    assert!(tab.js::<bool>("return document.getElementById('confirm').open;").await);
    tab.click("#confirm-mode [value=shadow]").await;
    tab.click("#confirm-do").await;
    tab.until("held.length === 2").await;
    tab.js::<()>("held[1]();").await;
    until_closed(&tab).await;
    assert_eq!(mode(&shop), Mode::Shadow);
    tab.close().await;
}
