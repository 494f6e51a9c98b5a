//! Pictures of the page, for the README and for whoever changes it. They are written to `target/console`; those that are
//! shown are copied to `docs/img` by hand, when the page looks otherwise.

use std::{path::PathBuf, time::Duration};

use chromiumoxide::{cdp::browser_protocol::page::CaptureScreenshotFormat, page::ScreenshotParams};
use portcullis::Registry;

use crate::{
    shop::{Traffic, console},
    tab::{DARK, LIGHT, PHONE, Tab},
};

/// Seconds of calls before an outage begins, and as many of it as make a picture. A longer past is prettier:
/// `PORTCULLIS_PICTURE_SECONDS=240`.
const SECONDS: u64 = 6;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outage_in_light_dark_and_on_a_phone() {
    let registry = Registry::new();
    let console = console(&registry, true, None, "127.0.0.1:0".parse().unwrap()).await;
    let traffic = Traffic::start(&registry);
    let seconds = std::env::var("PORTCULLIS_PICTURE_SECONDS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(SECONDS);
    tokio::time::sleep(Duration::from_secs(seconds)).await;
    traffic.fail(80);
    let tab = Tab::open(&console.url()).await;
    tab.card_is("breaker/payments", "open").await;
    tokio::time::sleep(Duration::from_secs(seconds / 4)).await;
    for look in [LIGHT, DARK, PHONE] {
        tab.look(look).await;
        save(&tab, look.name).await;
    }
    tab.look(LIGHT).await;
    tab.click("#to-pipelines").await;
    tab.until("document.querySelector('.picture')").await;
    save(&tab, "pipelines").await;
    tab.close().await;
}

async fn save(tab: &Tab, name: &str) {
    // Two frames, so that what was laid out anew is painted.
    tab.js::<()>("for (let frame = 0; frame < 2; frame += 1) await new Promise(requestAnimationFrame);")
        .await;
    let directory = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../target/console"));
    std::fs::create_dir_all(&directory).unwrap();
    let path = directory.join(format!("{name}.png"));
    let png = ScreenshotParams::builder().format(CaptureScreenshotFormat::Png).build();
    let picture = tab.page.save_screenshot(png, &path).await.unwrap();
    assert!(picture.len() > 20_000, "{} is not empty", path.display());
}
