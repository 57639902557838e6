//! Indicators that are expressions, which a real Prometheus computes.

use burnward_core::ledger::Counts;

use crate::told::{COMPARED, FIRST, LAST, Told};

/// Events as they stand in the ledger of a `query`.
fn millionths(good: i64, bad: i64) -> Counts {
    Counts { good: good * 1_000_000, bad: bad * 1_000_000, ..Counts::default() }
}

#[tokio::test]
async fn s6_v_each_kind_is_a_share_of_one_total() {
    let searches = r#"src_graphql_search_response{source="browser""#;
    let told = Told::new()
        .counter(&format!(r#"{searches},status="success"}}"#), 90)
        .counter(&format!(r#"{searches},status="alert",alert_type="no_results"}}"#), 4)
        .counter(&format!(r#"{searches},status="alert",alert_type="too_many"}}"#), 6)
        .counter(&format!(r#"{searches},status="alert",alert_type="timed_out"}}"#), 50);
    let counted = told.computed("code-search-alerts", "user-suggestions", &["no_results", "too_many"]).await;
    let all = 150 * COMPARED;
    let share = |each: i64| millionths(all - each * COMPARED, each * COMPARED);
    assert_eq!(counted, [share(4), share(6)]);
}

#[tokio::test]
async fn s16_u_z_a_mean_is_judged_and_a_slice_without_waits_is_unseen() {
    let until = |last: i64, each: f64| move |n: i64| f64::from(i32::try_from(n.min(last) - FIRST).expect("few")) * each;
    let told = |last| {
        Told::new()
            .gauge(r#"src_pgsql_conns_blocked_seconds{app_name="frontend"}"#, until(last, 1.0))
            .gauge(r#"src_pgsql_conns_waited_for{app_name="frontend"}"#, until(last, 20.0))
    };
    let counted = told(LAST).computed("code-search", "database-waits", &[""]).await;
    assert_eq!(counted, [Counts { good: 30, ..Counts::default() }]);
    let quiet = told(60).computed("code-search", "database-waits", &[""]).await[0];
    assert_eq!((quiet.good, quiet.bad, quiet.unseen_millis), (19, 0, 11 * 60_000), "0 / 0 from five minutes after the last wait on");
}

#[tokio::test]
async fn s17_s18_s22_g_gauges_are_judged_slice_by_slice() {
    let mut told = Told::new();
    for (instance, at) in [("a", LAST), ("b", 60), ("c", 60), ("d", 60)] {
        told = told.gauge(&format!(r#"up{{app="sourcegraph-frontend",instance="{instance}"}}"#), |n| f64::from(u8::from(n < at)));
    }
    told = told
        .gauge("src_gitserver_disk_space_total", |_| 100.0)
        .gauge("src_gitserver_disk_space_available", |n| if n < 80 { 15.0 } else { 14.0 })
        .gauge("src_telemetrygatewayexporter_queue_size", |n| if n < 40 { 10.0 } else { f64::from(i32::try_from(n).expect("few")) * 60.0 });
    let pods = told.computed("code-search", "pods-available", &["sourcegraph-frontend"]).await[0];
    assert_eq!((pods.good, pods.bad), (15, 15), "one of four is not more than half");
    let disk = told.computed("code-search", "disk-space", &[""]).await[0];
    assert_eq!((disk.good, disk.bad), (20, 10));
    let queue = told.computed("code-search", "exporter-queue", &[""]).await[0];
    assert_eq!((queue.good, queue.bad), (2, 4), "its growth shows at the end of the slice that it falls into");
}

#[tokio::test]
async fn s21_v_one_gauge_is_judged_only_where_another_says_so() {
    let told = Told::new()
        .gauge("src_telemetrygatewayexporter_oldest_unexported_event_age", |_| 4000.0)
        .gauge("src_telemetrygatewayexporter_queue_size", |n| f64::from(u8::from(n < 60)));
    let age = told.computed("code-search", "unexported-events", &[""]).await[0];
    assert_eq!((age.good, age.bad, age.unseen_millis), (0, 15, 900_000), "an empty queue has no age, and none is invented");
}

#[tokio::test]
async fn g4_c_recorded_increments_are_added_as_they_are() {
    let told = Told::new()
        .gauge("gitlab_sli:graphql_query_apdex:success:increase_1m", |_| 95.0)
        .gauge("gitlab_sli:graphql_query_apdex:total:increase_1m", |_| 100.0);
    assert_eq!(told.computed("code-forge", "graphql", &[""]).await, [millionths(95 * 30, 5 * 30)]);
}

#[tokio::test]
async fn g7_v_h_only_what_a_client_was_seen_to_call_counts() {
    let method = |name: &str| format!(r#"grpc_server_handling_seconds{{job="gitaly",grpc_service="s",grpc_method="{name}"}}"#);
    let told = Told::new()
        .histogram(&method("Seen"), &[("10.0", 9), ("+Inf", 10)])
        .histogram(&method("Unseen"), &[("10", 0), ("+Inf", 10)])
        .counter(r#"grpc_client_handled_total{job="gitaly",grpc_service="s",grpc_method="Seen"}"#, 1);
    assert_eq!(told.computed("code-forge", "gitaly-ruby", &[""]).await, [millionths(9 * COMPARED, COMPARED)]);
}

#[tokio::test]
async fn g16_g_a_gauge_of_each_interval_is_added_not_differenced() {
    let gauge = |kind: &str| {
        format!(
            r#"stackdriver_cloudsql_database_cloudsql_googleapis_com_database_postgresql_transaction_count{{database_id="gitlab:praefect-db-1",transaction_type="{kind}"}}"#
        )
    };
    let told = Told::new().gauge(&gauge("commit"), |_| 999.0).gauge(&gauge("rollback"), |_| 1.0);
    assert_eq!(told.computed("code-forge", "praefect-database", &[""]).await, [millionths(999 * 30, 30)]);
}

#[tokio::test]
async fn s20_s23_g_a_gauge_below_its_threshold_is_bad_and_one_that_is_gone_unseen() {
    let jobs = r#"src_worker_jobs{job="worker",job_name="codeintel-upload-janitor"}"#;
    let told = Told::new()
        .gauge(jobs, |n| f64::from(u8::from(n < 40)))
        .until(jobs, 80)
        .gauge(r#"src_workerutil_queue_duration_seconds{domain="codeintel_upload"}"#, |n| if n < 60 { 3599.0 } else { 3600.0 })
        .gauge(r#"src_workerutil_queue_duration_seconds{domain="other"}"#, |_| 9000.0);
    let runs = told.computed("code-search", "upload-janitor-runs", &[""]).await[0];
    assert_eq!(
        (runs.good, runs.bad, runs.unseen_millis),
        (10, 14, 360_000),
        "a value stands for less than five minutes after its last sample"
    );
    let queue = told.computed("code-search", "upload-queue", &[""]).await[0];
    assert_eq!((queue.good, queue.bad), (15, 15), "an hour is not below an hour");
}
