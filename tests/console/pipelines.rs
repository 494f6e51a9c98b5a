//! The pipelines, as a picture and in words.

use std::time::Duration;

use portcullis::{Breaker, Bulkhead, Pipeline, PolicyKind, RateLimit, Registry};

use crate::{
    shop::Shop,
    tab::{PHONE, Tab},
};

/// Two pipelines of one name, a server's and a client's, and one more.
fn pipelines(registry: &Registry) -> impl Sized {
    let limit = RateLimit::builder("visitors").registry(registry).build().unwrap();
    let breaker = Breaker::builder("orders").registry(registry).build().unwrap();
    let bulkhead = Bulkhead::builder("orders").registry(registry).build().unwrap();
    // Given in an order that is not theirs.
    let server =
        Pipeline::server("orders").registry(registry).rate_limit(limit).deadline(Duration::from_secs(9));
    let client = Pipeline::client("orders").registry(registry).bulkhead(bulkhead).breaker(breaker);
    let other = Pipeline::client("mail").registry(registry).deadline(Duration::from_secs(2));
    (server.build().unwrap(), client.build().unwrap(), other.build().unwrap())
}

/// A lane for each pipeline, those of the server first.
async fn lanes(shop: &Shop) -> Tab {
    let tab = Tab::open(&shop.url()).await;
    tab.click("#to-pipelines").await;
    tab.until("document.querySelectorAll('.lane').length === 3").await;
    tab
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lanes_are_drawn_in_the_order_of_their_pipelines() {
    let shop = Shop::start().await;
    let _pipelines = pipelines(&shop.registry);
    let tab = lanes(&shop).await;
    let drawn: Vec<(String, Vec<String>)> = tab
        .js("return [...document.querySelectorAll('#pictures .lane')].map((lane) => [
                 lane.querySelector('h4 span').textContent,
                 [...lane.querySelectorAll('.picture > g, .picture > a')]
                     .sort((a, b) => a.getBoundingClientRect().x - b.getBoundingClientRect().x)
                     .map((box) => (box.querySelector('.part-kind') ?? box.querySelector('text')).textContent),
             ]);")
        .await;
    let mut plans = shop.registry.pipelines();
    plans.sort_by_key(|plan| plan.side().as_str() != "server");
    let expected = plans.iter().map(|plan| {
        let order =
            plan.explain().order.iter().map(|step| step.place.as_str().replace('_', " ")).collect::<Vec<_>>();
        let (from, to) =
            if plan.side().as_str() == "server" { ("callers", "shop") } else { ("shop", &**plan.name()) };
        (plan.name().to_string(), [vec![from.to_owned()], order, vec![to.to_owned()]].concat())
    });
    assert_eq!(drawn, expected.collect::<Vec<_>>());
    assert_eq!(drawn[2].1, ["shop", "breaker", "bulkhead", "orders"]);
    tab.close().await;
}

/// By the way that it was asked for, also where another has the same name.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_pipeline_is_explained_in_its_own_words() {
    let shop = Shop::start().await;
    let _pipelines = pipelines(&shop.registry);
    let tab = lanes(&shop).await;
    tab.js::<()>("document.querySelectorAll('.lane button').forEach((button) => button.click());").await;
    tab.until("document.querySelectorAll('.explain pre').length === 3").await;
    let mut told: Vec<String> = tab
        .js("return [...document.querySelectorAll('.explain pre')].map((node) => node.textContent);")
        .await;
    let mut plans: Vec<_> = shop.registry.pipelines().iter().map(|plan| plan.explain().to_string()).collect();
    told.sort();
    plans.sort();
    assert_eq!(told, plans);
    tab.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn explanations_open_and_close_by_keys_and_stay_in_a_window_of_another_size() {
    let shop = Shop::start().await;
    let _pipelines = pipelines(&shop.registry);
    let tab = lanes(&shop).await;
    let expanded = "document.querySelector('.lane button').getAttribute('aria-expanded') ===";
    tab.js::<()>("document.querySelector('.lane button').focus();").await;
    tab.press(&["Enter"]).await;
    tab.until("document.querySelector('.explain pre')").await;
    tab.until(&format!("{expanded} 'true'")).await;
    let before: f64 =
        tab.js("return document.querySelector('.picture').getBoundingClientRect().width;").await;
    tab.look(PHONE).await;
    tab.until(&format!("document.querySelector('.picture').getBoundingClientRect().width < {before}")).await;
    tab.until(&format!("document.querySelector('.explain pre') && {expanded} 'true'")).await;
    tab.until("document.activeElement.textContent === 'Explain'").await;
    tab.press(&["Enter"]).await;
    tab.until(&format!("!document.querySelector('.explain pre') && {expanded} 'false'")).await;
    // Opened and closed before the answer is there, it stays closed.
    let slow = "
        const send = window.fetch;
        window.fetch = async (...request) => {
            await new Promise((resolve) => { window.go = resolve; });
            const answer = await send(...request);
            const text = await answer.text();
            answer.text = async () => { setTimeout(() => { window.answered = true; }); return text; };
            return answer;
        };
    ";
    tab.js::<()>(slow).await;
    tab.press(&["Enter"]).await;
    tab.until("window.go").await;
    tab.press(&["Enter"]).await;
    tab.js::<()>("window.go();").await;
    tab.until("window.answered").await;
    assert!(
        tab.js::<bool>(&format!("return !document.querySelector('.explain pre') && {expanded} 'false';"))
            .await
    );
    tab.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_box_leads_to_its_policy_and_back() {
    let shop = Shop::start().await;
    let _pipelines = pipelines(&shop.registry);
    shop.registry.get(PolicyKind::Breaker, "orders").unwrap().trip();
    let tab = lanes(&shop).await;
    let link = "document.querySelector(`a.part[href='#policy=breaker%2Forders']`)";
    tab.until(&format!("{link}.querySelector('.part-state').textContent === 'open'")).await;
    tab.js::<()>(&format!("{link}.focus();")).await;
    tab.press(&["Enter"]).await;
    tab.until("document.getElementById('detail').open").await;
    let heading: String = tab.js("return document.getElementById('detail-heading').textContent;").await;
    assert_eq!(heading, "orders");
    tab.press(&["Escape"]).await;
    tab.until("!document.getElementById('detail').open").await;
    tab.until(&format!("document.activeElement === {link}")).await;
    tab.close().await;
}

/// Another process has other policies in a pipeline of the same name.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pipelines_are_those_of_the_service_that_is_back() {
    let mut shop = Shop::start().await;
    let of =
        |limit: u64| Pipeline::client("mail").registry(&shop.registry).deadline(Duration::from_secs(limit));
    let before = of(2).build().unwrap();
    let tab = Tab::open(&shop.url()).await;
    tab.click("#to-pipelines").await;
    tab.until("document.querySelectorAll('.picture .part').length === 1").await;
    let after = of(3).breaker(shop.inventory.clone()).build().unwrap();
    drop(before);
    shop.stop().await;
    tab.until("document.documentElement.classList.contains('is-old')").await;
    shop.start_again().await;
    tab.until("document.querySelectorAll('.picture .part').length === 2").await;
    drop(after);
    tab.close().await;
}
