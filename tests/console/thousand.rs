//! A thousand policies.

use crate::{shop::Shop, tab::Tab, trace::Trace};

/// The longest that a page may not answer, in milliseconds.
const LONG: f64 = 100.0;

/// Scrolls through all of them, a screen in a frame, and counts what is written meanwhile.
const SCROLL: &str = "
    const long = [];
    new PerformanceObserver((list) => long.push(...list.getEntries().map((entry) => entry.duration)))
        .observe({ type: 'longtask' });
    let written = 0;
    const observer = new MutationObserver((records) => { written += records.length; });
    observer.observe(document.getElementById('cards'), { subtree: true, childList: true, characterData: true, attributes: true });
    let [frames, most] = [0, 0];
    for (let y = 0; scrollY + innerHeight < document.documentElement.scrollHeight - 1; y += 1) {
        scrollBy(0, 600);
        await new Promise(requestAnimationFrame);
        frames += 1;
        most = Math.max(most, document.querySelectorAll('.card').length);
    }
    return [frames, most, written, long.length, Math.max(0, ...long)];
";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_policies_scroll_without_a_long_task() {
    let shop = Shop::with(998, true).await;
    let tab = Tab::open(&shop.url()).await;
    tab.until("document.getElementById('found').textContent === '1000 policies'").await;
    let trace = Trace::start(&tab).await;
    let (frames, most, written, long, longest): (u32, usize, u32, usize, f64) = tab.js(SCROLL).await;
    let tasks = trace.end(&tab).await;
    println!(
        "{frames} frames: {most} cards at most, {} writes a frame; by the page's clock {long} tasks over 50 ms, the longest \
         {longest:.0} ms; of a processor {:.1} ms ({tasks:?})",
        written / frames.max(1),
        tasks.longest
    );
    assert!(frames > 50 && tasks.number > 100, "it was looked at: {tasks:?}");
    assert!(most <= 60, "{most} cards are in the document at a time");
    assert!(written / frames < 1500, "{written} writes in {frames} frames");
    assert!(tasks.longest < LONG, "{tasks:?}");
    tab.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_thousand_the_worst_stand_first_and_one_is_found_by_its_name() {
    let shop = Shop::with(998, true).await;
    let tab = Tab::open(&shop.url()).await;
    tab.until("document.getElementById('found').textContent === '1000 policies'").await;
    shop.inventory.trip();
    tab.until("document.querySelector('.card[aria-posinset=\"1\"]')?.dataset.id === 'breaker/inventory'")
        .await;
    tab.press(&["/"]).await;
    tab.type_in("dependency 99 closed").await;
    // 99 to 899 by hundreds, and 990 to 997.
    tab.until("document.getElementById('found').textContent === '17 of 1000 policies'").await;
    tab.close().await;
}
