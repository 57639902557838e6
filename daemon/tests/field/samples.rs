//! Indicators that are counted from raw samples, which the stand-in holds.

use burnward_core::ledger::Counts;

use crate::told::{COMPARED, Told, each};

#[tokio::test]
async fn s1_a_the_first_failures_count_though_their_series_was_absent() {
    let told = Told::new().counter(r#"src_search_streaming_response{source="browser",status="success"}"#, 7);
    assert_eq!(told.whole("code-search-requests", "hard-errors").await, each(7, 0, 0), "no failed series is no failure");
    let told = told.born(r#"src_search_streaming_response{source="browser",status="error"}"#, 20, 3);
    let failed = (COMPARED - 20) * 3;
    let counted = told.whole("code-search-requests", "hard-errors").await;
    assert_eq!(counted, Counts { good: 7 * COMPARED, bad: failed, ..Counts::default() });
}

#[tokio::test]
async fn s1_z_a_night_without_traffic_is_neither_bad_nor_unseen() {
    let told = Told::new().counter(r#"src_search_streaming_response{source="browser",status="success"}"#, 0);
    assert_eq!(told.whole("code-search-requests", "hard-errors").await, each(0, 0, 0));
}

#[tokio::test]
async fn s2_r_alternatives_match_whole_values() {
    let told = Told::new()
        .counter(r#"src_search_streaming_response{source="browser",status="success"}"#, 7)
        .counter(r#"src_search_streaming_response{source="browser",status="timeout"}"#, 2)
        .counter(r#"src_search_streaming_response{source="browser",status="partial_timeout"}"#, 1)
        .counter(r#"src_search_streaming_response{source="browser",status="timeout_soon"}"#, 5)
        .counter(r#"src_search_streaming_response{source="other",status="timeout"}"#, 90);
    assert_eq!(told.whole("code-search-requests", "timeouts").await, each(12, 0, 3));
}

#[tokio::test]
async fn s3_q_h_a_quantile_is_counted_as_the_share_within_its_threshold() {
    let told = Told::new()
        .histogram(r#"src_search_streaming_latency_seconds{source="browser"}"#, &[("10", 90), ("20", 98), ("30", 99), ("+Inf", 100)]);
    assert_eq!(told.whole("code-search-requests", "slow-searches").await, each(98, 0, 2));
}

#[tokio::test]
async fn s4_r_several_matchers_on_one_label_all_hold() {
    let buckets = [("2", 9), ("+Inf", 10)];
    let told = ["home", "blob", "raw", "graphql", "graphql.unknown"]
        .iter()
        .fold(Told::new(), |told, route| told.histogram(&format!(r#"src_http_request_duration_seconds{{route="{route}"}}"#), &buckets));
    assert_eq!(told.whole("code-search-requests", "page-loads").await, each(9, 0, 1), "only the home page is left");
}

#[tokio::test]
async fn s5_m_a_two_ways_to_fail_are_added_and_one_may_be_absent() {
    let searches = r#"src_graphql_search_response{request_name="CodeIntelSearch",source="browser""#;
    let told = Told::new()
        .counter(&format!(r#"{searches},status="success"}}"#), 8)
        .counter(&format!(r#"{searches},status="alert",alert_type="timed_out"}}"#), 2)
        .counter(&format!(r#"{searches},status="alert",alert_type="other"}}"#), 4);
    assert_eq!(told.whole("code-search-requests", "hard-timeouts-of-code-intelligence").await, each(12, 0, 2));
    let told = told.counter(&format!(r#"{searches},status="timeout"}}"#), 1);
    assert_eq!(told.whole("code-search-requests", "hard-timeouts-of-code-intelligence").await, each(12, 0, 3));
}

#[tokio::test]
async fn s7_s8_v_failures_of_every_code_are_one_side_of_one_ratio() {
    let codes = [("200", 9), ("204", 1), ("404", 2), ("500", 3), ("canceled", 4)];
    let indexed = codes.iter().fold(Told::new(), |told, (code, each)| {
        told.counter(&format!(r#"src_zoekt_request_duration_seconds_count{{code="{code}"}}"#), *each)
    });
    assert_eq!(indexed.whole("code-search-requests", "indexed-searches").await, each(10, 0, 9));
    let unindexed = codes
        .iter()
        .fold(Told::new(), |told, (code, each)| told.counter(&format!(r#"searcher_service_request_total{{code="{code}"}}"#), *each));
    assert_eq!(unindexed.whole("code-search-requests", "unindexed-searches").await, each(13, 0, 6));
}

#[tokio::test]
async fn s9_v_each_category_has_a_budget_of_its_own() {
    let series = |category: &str, code: &str, job: &str| {
        format!(r#"src_gitserver_request_duration_seconds_count{{category="{category}",code="{code}",job="{job}"}}"#)
    };
    let told = Told::new()
        .counter(&series("exec", "200", "sourcegraph-frontend"), 5)
        .counter(&series("exec", "500", "frontend"), 1)
        .counter(&series("archive", "206", "frontend"), 3)
        .counter(&series("archive", "500", "my-frontend"), 9);
    let counted = told.counts("code-search-requests", "gitserver-responses", &["exec", "archive"]).await;
    assert_eq!(counted, [each(5, 0, 1), each(3, 0, 0)]);
}

#[tokio::test]
async fn s10_r_a_label_that_is_absent_is_empty() {
    let told = Told::new()
        .counter("rpc_server_duration_milliseconds_count", 5)
        .counter(r#"rpc_server_duration_milliseconds_count{rpc_connect_error_code="unavailable"}"#, 2);
    assert_eq!(told.whole("code-search-requests", "external-api").await, each(5, 0, 2));
}

#[tokio::test]
async fn s11_a_failures_of_each_routine_count_from_the_first() {
    let labels = r#"{name="janitor",job_name="janitor",job="sourcegraph-frontend"}"#;
    let told = Told::new()
        .gauge(r#"up{job="sourcegraph-frontend"}"#, |_| 1.0)
        .counter(&format!("src_periodic_goroutine_total{labels}"), 4)
        .born(&format!("src_periodic_goroutine_errors_total{labels}"), 100, 1);
    let counted = told.counts("code-search-routines", "goroutines", &["janitor, janitor"]).await;
    assert_eq!(counted, [Counts { good: 4 * COMPARED - 20, bad: 20, ..Counts::default() }]);
}

#[tokio::test]
async fn s12_m_a_total_without_its_errors_is_the_sum_of_two() {
    let told = Told::new()
        .counter(r#"src_workerutil_dbworker_store_total{job="worker",op="Dequeue"}"#, 6)
        .counter(r#"src_workerutil_dbworker_store_errors_total{job="worker",op="Dequeue"}"#, 2);
    assert_eq!(told.counts("code-search-routines", "store-operations", &["Dequeue"]).await, [each(6, 0, 2)]);
}

#[tokio::test]
async fn s14_z_a_mail_that_fails_in_a_quiet_hour_is_one_of_one() {
    let told = Told::new().counter(r#"src_email_send{success="true"}"#, 0).born(r#"src_email_send{success="false"}"#, 119, 1);
    let counted = told.whole("code-search-routines", "mails").await;
    assert_eq!(counted, Counts { bad: 1, ..Counts::default() });
}

#[tokio::test]
async fn s19_h_what_is_slow_is_what_is_not_within_the_threshold() {
    let told = Told::new().histogram(r#"src_deepsearch_question_seconds{operation="question"}"#, &[("60", 1), ("300.0", 4), ("+Inf", 5)]);
    assert_eq!(told.whole("code-search-requests", "slow-questions").await, each(4, 0, 1));
}

#[tokio::test]
async fn s20_a_a_series_that_is_gone_is_bad_while_its_source_is_seen() {
    let series = r#"src_worker_jobs{job="worker",job_name="codeintel-upload-janitor"}"#;
    let told = Told::new().gauge(r#"up{job="worker"}"#, |_| 1.0).gauge(series, |_| 1.0).until(series, 60);
    let counted = told.whole("code-search-requests", "upload-janitor-exists").await;
    assert_eq!((counted.good + counted.bad, counted.unseen_millis), (30, 0), "half an hour of minutes: {counted:?}");
    assert!((14..=15).contains(&counted.bad), "it is gone after a quarter of an hour: {counted:?}");
}

#[tokio::test]
async fn s24_g_every_scrape_of_a_gauge_of_zero_and_one_counts_once() {
    let told = Told::new().gauge(r#"redis_up{app="redis-store"}"#, |n| f64::from(u8::from(n != 50 && n != 51)));
    let counted = told.whole("code-search-requests", "redis-store-answers").await;
    assert_eq!(counted, Counts { good: COMPARED - 2, bad: 2, ..Counts::default() });
}

#[tokio::test]
async fn g2_r_h_observations_between_two_thresholds_count_half() {
    let buckets = [("0.5", 6), ("1", 8), ("10", 9), ("+Inf", 10)];
    let labels =
        |route: &str| format!(r#"gitlab_workhorse_http_request_duration_seconds{{job="gitlab-workhorse-web",type="web",route="{route}"}}"#);
    let told = Told::new()
        .histogram(&labels(r"^/([^/]+/){1,}[^/]+\\z"), &buckets)
        .histogram(&labels("^/assets/icons"), &buckets)
        .histogram(&labels("^/-/health$"), &buckets);
    assert_eq!(told.whole("code-forge-latencies", "workhorse").await, each(8 * 2, 2, 2), "health checks are left out, and \\z is an end");
}

#[tokio::test]
async fn g3_c_a_recorded_counter_is_a_counter() {
    let told = Told::new()
        .counter(r#"nginx_ingress_controller_requests:labeled{status="200"}"#, 9)
        .counter(r#"nginx_ingress_controller_requests:labeled{status="503"}"#, 1);
    assert_eq!(told.whole("code-forge-requests", "nginx-ingress").await, each(9, 0, 1));
}

#[tokio::test]
async fn g6_v_each_node_has_a_budget_of_its_own() {
    let series =
        |fqdn: &str, code: &str| format!(r#"gitaly_service_client_requests_total{{job="gitaly",fqdn="{fqdn}",grpc_code="{code}"}}"#);
    let told = Told::new()
        .counter(&series("gitaly-01", "OK"), 20)
        .counter(&series("gitaly-01", "NotFound"), 3)
        .counter(&series("gitaly-02", "OK"), 20)
        .counter(&series("gitaly-02", "Internal"), 5);
    let counted = told.counts("code-forge-requests", "gitaly", &["gitaly-01", "gitaly-02"]).await;
    assert_eq!(counted, [each(23, 0, 0), each(20, 0, 5)]);
}

#[tokio::test]
async fn g9_r_braces_in_a_value_are_text() {
    let series = |method: &str| {
        format!(
            r#"registry_http_request_duration_seconds{{job="registry",route="/v2/{{name}}/manifests/{{reference}}",method="{method}"}}"#
        )
    };
    let buckets = [("10", 3), ("25", 4), ("+Inf", 4)];
    let told = ["put", "get", "delete"].iter().fold(Told::new(), |told, method| told.histogram(&series(method), &buckets));
    assert_eq!(told.whole("code-forge-latencies", "manifest-writes").await, each(6, 2, 0));
}

#[tokio::test]
async fn g11_m_h_several_histograms_with_thresholds_of_their_own_are_added() {
    let series = |what: &str, urgency: &str| format!(r#"sidekiq_jobs_{what}_seconds{{shard="catchall",urgency="{urgency}"}}"#);
    let told = Told::new()
        .histogram(&series("completion", "high"), &[("10.0", 4), ("300", 5), ("+Inf", 5)])
        .histogram(&series("queue_duration", "high"), &[("10", 5), ("60", 5), ("+Inf", 5)])
        .histogram(&series("completion", "low"), &[("10", 1), ("300", 6), ("+Inf", 7)]);
    let counted = told.counts("code-forge-latencies", "sidekiq-shards", &["catchall"]).await;
    assert_eq!(counted, [each(4 + 5 + 6, 0, 1 + 1)]);
}

#[tokio::test]
async fn g13_g14_g17_m_failures_may_be_of_another_metric_than_the_total() {
    let queue = r#"job_queue_duration_seconds{shared_runner="true",jobs_running_for_project="3"}"#;
    let busy = r#"job_queue_duration_seconds{shared_runner="true",jobs_running_for_project="50+"}"#;
    let told = Told::new()
        .histogram(queue, &[("60", 9), ("+Inf", 10)])
        .histogram(busy, &[("60", 0), ("+Inf", 10)])
        .counter(r#"gitlab_runner_failed_jobs_total{failure_reason="runner_system_failure",shard="shared"}"#, 1)
        .counter(r#"gitlab_runner_failed_jobs_total{failure_reason="script_failure",shard="shared"}"#, 8)
        .counter(r#"gitlab_runner_jobs_total{shard="shared"}"#, 40)
        .counter(r#"sidekiq_jobs_completion_seconds_count{worker="Ci::ArchiveTraceWorker"}"#, 6)
        .born("job_trace_archive_failed_total", 117, 1)
        .counter(r#"haproxy_backend_http_responses_total{job="haproxy",type="pages",code="5xx"}"#, 1)
        .counter(r#"haproxy_server_connection_errors_total{job="haproxy",type="pages"}"#, 2)
        .counter(r#"haproxy_server_sessions_total{job="haproxy",type="pages"}"#, 30);
    assert_eq!(told.whole("code-forge-latencies", "shared-runner-queues").await, each(9, 0, 1));
    assert_eq!(told.whole("code-forge-latencies", "shared-runner-failures").await, each(39, 0, 1));
    let archived = told.whole("code-forge-requests", "trace-archiving").await;
    assert_eq!(archived, Counts { good: 6 * COMPARED - 3, bad: 3, ..Counts::default() });
    assert_eq!(told.whole("code-forge-requests", "pages-balancer").await, each(27, 0, 3));
}

#[tokio::test]
async fn g18_r_capitals_differ() {
    let told = ["K", "k", "S", "s", "d"].iter().fold(Told::new().counter("haproxy_ssh_requests_total", 10), |told, cause| {
        told.counter(&format!(r#"haproxy_ssh_requests_terminated_total{{cause="{cause}"}}"#), 1)
    });
    assert_eq!(told.whole("code-forge-requests", "ssh").await, each(7, 0, 3));
}

#[tokio::test]
async fn g20_h_thirty_and_thirty_point_zero_are_one_boundary() {
    let series = |handler: &str| format!(r#"http_request_duration_seconds{{job="thanos-query",handler="{handler}"}}"#);
    let told =
        Told::new().histogram(&series("query"), &[("30", 9), ("+Inf", 10)]).histogram(&series("query_range"), &[("30.0", 4), ("+Inf", 5)]);
    assert_eq!(told.whole("code-forge-latencies", "thanos-queries").await, each(13, 0, 2));
}

#[tokio::test]
async fn g24_h_the_last_bucket_is_all_observations_where_there_is_no_count() {
    let told = Told::new()
        .histogram(r#"gitlab_sql_primary_duration_seconds{type="patroni"}"#, &[("0.05", 90), ("0.1", 95), ("0.25", 99), ("+Inf", 100)]);
    assert_eq!(told.whole("code-forge-latencies", "primary-database").await, each(90, 5, 5));
}

#[tokio::test]
async fn g25_v_each_stage_has_a_budget_of_its_own() {
    let series = |stage: &str, code: &str, backend: &str| {
        format!(r#"haproxy_backend_http_responses_total{{job="haproxy",type="web",stage="{stage}",backend="{backend}",code="{code}"}}"#)
    };
    let told = Told::new()
        .counter(&series("main", "2xx", "main_web"), 50)
        .counter(&series("main", "5xx", "web"), 1)
        .counter(&series("cny", "2xx", "web"), 5)
        .counter(&series("cny", "5xx", "canary_web"), 7);
    assert_eq!(told.counts("code-forge-requests", "balancer", &["main", "cny"]).await, [each(50, 0, 1), each(5, 0, 0)]);
}
