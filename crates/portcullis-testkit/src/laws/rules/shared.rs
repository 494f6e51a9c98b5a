//! Services that a layer makes belong together: axum layers anew for each route and connection.

use crate::laws::{
    bench::{Finding, Lab, When, answer, spawn, succeed},
    exchange::Exchange,
};

pub(super) async fn check<X: Exchange>(lab: &Lab<'_, X>) -> Finding {
    side_by_side(lab).await?;
    match lab.laws.limited_to {
        Some(limit) => one_limit(lab, limit).await,
        None => Ok(()),
    }
}

async fn side_by_side<X: Exchange>(lab: &Lab<'_, X>) -> Finding {
    let bench = lab.bench();
    let (first, second) = (bench.service(), bench.service());
    succeed::<X>(&first, 1).await.when("the first of two services of one layer")?;
    succeed::<X>(&second, 2).await.when("the second of two services of one layer")?;
    succeed::<X>(&first, 3).await.when("the first service, after the second was used")?;
    drop(second);
    succeed::<X>(&first, 4).await.when("the first service, after the second was dropped")?;
    drop(first);
    succeed::<X>(&bench.service(), 5).await.when("a new service, after all others were dropped")
}

async fn one_limit<X: Exchange>(lab: &Lab<'_, X>, limit: usize) -> Finding {
    let bench = lab.bench();
    bench.always(|request| answer::<X>(request).held());
    let services: Vec<_> = (0..limit + 3).map(|_| bench.service()).collect();
    let _calls: Vec<_> = services
        .iter()
        .chain(services.first())
        .zip(1..)
        .map(|(service, number)| spawn::<X>(service, number))
        .collect();
    tokio::time::sleep(lab.waiting()).await;
    match bench.script.tally().high_water {
        0 => Err("no call got through at all".into()),
        ran if ran > limit => {
            Err(format!("{ran} calls ran at once over services of one layer, which is limited to {limit}"))
        }
        _ => Ok(()),
    }
}
