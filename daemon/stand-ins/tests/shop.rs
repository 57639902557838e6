//! The sample shop: what it counts, what it exposes, and its switches.

#[cfg(test)]
mod tests {
    use std::{io::Write as _, process::Stdio, time::Duration};

    use burnward_stand_ins::shop::{Options, Shop};

    fn quiet() -> Options {
        Options { requests_per_second: None, ..Options::default() }
    }

    fn client() -> reqwest::Client {
        let _ = rustls::crypto::ring::default_provider().install_default();
        reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap()
    }

    async fn exposition(shop: &Shop, accept: &str) -> (String, String) {
        let answer = client().get(shop.metrics_url()).header("accept", accept).send().await.unwrap();
        let kind = answer.headers()["content-type"].to_str().unwrap().to_owned();
        (kind, answer.text().await.unwrap())
    }

    async fn counted(shop: &Shop, series: &str) -> u64 {
        let (_, text) = exposition(shop, "text/plain").await;
        let line = text.lines().find_map(|line| line.strip_prefix(series)).unwrap_or_else(|| panic!("{series} in {text}"));
        line.trim().parse().unwrap()
    }

    async fn browse(shop: &Shop, tenant: &str) -> u16 {
        let url = format!("{}browse", shop.web_url());
        client().get(url).header("x-tenant", tenant).send().await.unwrap().status().as_u16()
    }

    const GOOD: &str = r#"shop_requests_total{tenant="acme",route="/browse",code="200"}"#;
    const BAD: &str = r#"shop_requests_total{tenant="acme",route="/browse",code="500"}"#;

    #[tokio::test]
    async fn requests_are_counted_by_tenant_route_and_code() {
        let shop = Shop::start(quiet()).await.unwrap();
        assert_eq!((counted(&shop, GOOD).await, counted(&shop, BAD).await), (0, 0));
        assert_eq!(browse(&shop, "acme").await, 200);
        shop.fail(&["acme"], 1.0);
        assert_eq!(browse(&shop, "acme").await, 500);
        assert_eq!(browse(&shop, "initech").await, 200);
        shop.recover();
        assert_eq!(browse(&shop, "acme").await, 200);
        assert_eq!((counted(&shop, GOOD).await, counted(&shop, BAD).await), (2, 1));
        shop.shutdown().await;
    }

    #[tokio::test]
    async fn a_stranger_makes_no_series_of_their_own() {
        let shop = Shop::start(quiet()).await.unwrap();
        assert_eq!(browse(&shop, "mallory").await, 404);
        assert_eq!(counted(&shop, r#"shop_requests_total{tenant="(unknown)",route="/browse",code="404"}"#).await, 1);
    }

    #[tokio::test]
    async fn a_slow_tenant_leaves_its_bucket() {
        let shop = Shop::start(quiet()).await.unwrap();
        shop.slow(&["acme"], Duration::from_millis(310));
        browse(&shop, "acme").await;
        let bucket = |le: &str| format!(r#"shop_request_duration_seconds_bucket{{le="{le}",tenant="acme",route="/browse"}}"#);
        assert_eq!((counted(&shop, &bucket("0.3")).await, counted(&shop, &bucket("+Inf")).await), (0, 1));
    }

    #[tokio::test]
    async fn both_formats_are_spoken_and_promtool_finds_nothing_wrong() {
        let shop = Shop::start(quiet()).await.unwrap();
        browse(&shop, "acme").await;
        let (kind, text) = exposition(&shop, "text/plain;version=0.0.4").await;
        assert_eq!(kind, "text/plain; version=0.0.4; charset=utf-8");
        assert!(text.contains("# TYPE shop_requests_total counter\n") && text.contains("\nprocess_start_time_seconds "));
        let (kind, open) = exposition(&shop, "application/openmetrics-text;version=1.0.0,text/plain;q=0.5").await;
        assert_eq!(kind, "application/openmetrics-text; version=1.0.0; charset=utf-8");
        assert!(open.contains("# TYPE shop_requests counter\n") && open.ends_with("# EOF\n"));
        let mut promtool = std::process::Command::new("promtool");
        let mut child = promtool.args(["check", "metrics"]).stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        let done = child.wait_with_output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    }

    #[tokio::test]
    async fn the_shop_has_customers_of_its_own() {
        let shop = Shop::start(Options::default()).await.unwrap();
        let busy = async {
            while counted(&shop, GOOD).await == 0 {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), busy).await.expect("acme's customers browse");
        shop.shutdown().await;
    }

    #[tokio::test]
    async fn the_switches_work_over_http() {
        let shop = Shop::start(quiet()).await.unwrap();
        let client = client();
        let switch = |path: &str| client.post(format!("{}_control/{path}", shop.web_url()));
        for (path, status) in [
            ("fail?tenants=acme,globex&share=1", 303),
            ("fail?tenants=mallory", 422),
            ("fail?tenants=acme&share=1.5", 422),
            ("slow?tenants=", 422),
        ] {
            assert_eq!(switch(path).send().await.unwrap().status().as_u16(), status, "{path}");
        }
        assert_eq!(browse(&shop, "globex").await, 500);
        let page = client.get(shop.web_url()).send().await.unwrap().text().await.unwrap();
        assert!(page.contains("2 of 4 tenants are in trouble: acme, globex."), "{page}");
        assert_eq!(switch("recover").header("origin", "https://evil.example").send().await.unwrap().status().as_u16(), 403);
        assert_eq!(switch("recover").send().await.unwrap().status().as_u16(), 303);
        assert_eq!(browse(&shop, "globex").await, 200);
    }

    #[tokio::test]
    async fn a_tenant_needs_a_name_that_can_be_a_label() {
        assert!(Shop::start(Options { tenants: vec!["A\"".to_owned()], ..quiet() }).await.is_err());
    }
}
