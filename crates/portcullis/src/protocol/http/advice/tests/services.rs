//! Headers as these services document and send them.

use super::*;

type Line = (&'static str, &'static str);

fn check(table: &[(&str, u16, &[Line], Option<u128>)]) {
    for (service, status, lines, wait) in table {
        assert_eq!(asked(*status, lines), *wait, "{service}");
    }
}

#[test]
fn code_hosts() {
    check(&[
        (
            "GitHub, primary limit",
            429,
            &[
                DATE,
                ("x-ratelimit-limit", "60"),
                ("x-ratelimit-remaining", "0"),
                ("x-ratelimit-resource", "core"),
                ("x-ratelimit-reset", "1795170000"),
            ],
            Some(1_200_000),
        ),
        (
            "GitHub, secondary limit",
            429,
            &[
                DATE,
                ("retry-after", "60"),
                ("x-ratelimit-remaining", "4987"),
                ("x-ratelimit-reset", "1795171000"),
            ],
            Some(60_000),
        ),
        (
            "GitHub, an outage",
            502,
            &[DATE, ("x-ratelimit-remaining", "4987"), ("x-ratelimit-reset", "1795171000")],
            None,
        ),
        (
            "GitLab",
            429,
            &[
                DATE,
                ("ratelimit-observed", "67"),
                ("ratelimit-remaining", "0"),
                ("ratelimit-reset", "1795168830"),
            ],
            Some(30_000),
        ),
    ]);
}

#[test]
fn clouds() {
    check(&[
        ("Azure Cosmos DB", 429, &[("x-ms-retry-after-ms", "9"), ("x-ms-substatus", "3200")], Some(9)),
        (
            "Cloudflare",
            429,
            &[
                ("retry-after", "35"),
                ("ratelimit", "\"default\";r=0;t=36"),
                ("ratelimit-policy", "\"default\";q=1200;w=300"),
            ],
            Some(35_000),
        ),
        ("Cloudflare, origin down", 522, &[("retry-after", "120"), ("cf-ray", "8a-FRA")], Some(120_000)),
        (
            "Google Cloud Storage",
            503,
            &[DATE, ("retry-after", "Fri, 20 Nov 2026 10:00:30 GMT")],
            Some(30_000),
        ),
        (
            "Kubernetes API server",
            429,
            &[("retry-after", "1"), ("x-kubernetes-pf-flowschema-uid", "u")],
            Some(1000),
        ),
    ]);
}

#[test]
fn interfaces() {
    check(&[
        ("Stripe", 429, &[DATE, ("stripe-should-retry", "true"), ("request-id", "req_1")], None),
        (
            "OpenAI",
            429,
            &[
                DATE,
                ("retry-after-ms", "6543"),
                ("retry-after", "7"),
                ("x-ratelimit-remaining-requests", "0"),
                ("x-ratelimit-reset-requests", "6.543s"),
            ],
            Some(6543),
        ),
        (
            "Azure OpenAI",
            429,
            &[("retry-after", "1"), ("retry-after-ms", "734.25"), ("x-ratelimit-remaining-tokens", "0")],
            Some(734),
        ),
        (
            "Okta",
            429,
            &[DATE, ("x-rate-limit-remaining", "0"), ("x-rate-limit-reset", "1795168841")],
            Some(41_000),
        ),
        ("express-rate-limit", 429, &[("ratelimit", "limit=100, remaining=0, reset=52")], Some(52_000)),
    ]);
}
