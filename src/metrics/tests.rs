use super::*;

#[test]
fn counts_come_out_by_reason_scheme_and_route() {
    let metrics = Arc::new(Metrics::new());
    let orders = metrics.route("/orders/{id}");
    metrics.decided(Reason::Allowed, Some(Scheme::ClientCert), Some(&orders));
    metrics.decided(Reason::Internal, None, Some(&orders));
    metrics.decided(Reason::Internal, None, None);
    let text = metrics.text(Moment::default());
    for line in [
        "gatepost_decisions_total{reason=\"allowed\",scheme=\"client-cert\"} 1\n",
        "gatepost_decisions_total{reason=\"internal\",scheme=\"none\"} 2\n",
        "gatepost_route_decisions_total{route=\"/orders/{id}\",reason=\"allowed\"} 1\n",
        "gatepost_route_decisions_total{route=\"/orders/{id}\",reason=\"internal\"} 1\n",
    ] {
        assert!(text.contains(line), "{line}{text}");
    }
}

#[test]
fn tokens_are_counted_by_how_they_were_known() {
    let metrics = Metrics::new();
    [true, false, true].into_iter().for_each(|remembered| metrics.token(remembered));
    let text = metrics.text(Moment::default());
    for line in ["gatepost_tokens_total{how=\"remembered\"} 2\n", "gatepost_tokens_total{how=\"verified\"} 1\n"] {
        assert!(text.contains(line), "{line}{text}");
    }
}

#[test]
fn every_reason_and_scheme_has_a_counter_of_its_own() {
    let metrics = Metrics::new();
    let route = metrics.route("/");
    for (times, reason) in (1..).zip(Reason::ALL) {
        for scheme in Scheme::ALL.map(Some).into_iter().chain([None]) {
            for _ in 0..times {
                metrics.decided(*reason, scheme, Some(&route));
            }
        }
    }
    for (times, reason) in (1_u64..).zip(Reason::ALL) {
        assert_eq!(route.counts.sum(index(*reason)), times * SCHEMES as u64, "{reason}");
        for scheme in 0..SCHEMES {
            assert_eq!(metrics.decisions.sum(index(*reason) * SCHEMES + scheme), times, "{reason}");
        }
    }
}

#[test]
fn threads_that_count_at_once_lose_nothing() {
    let metrics = Metrics::new();
    std::thread::scope(|scope| {
        for _ in 0..20 {
            scope.spawn(|| (0..1_000).for_each(|_| metrics.decided(Reason::Public, None, None)));
        }
    });
    assert!(metrics.text(Moment::default()).contains("{reason=\"public\",scheme=\"none\"} 20000\n"));
}

#[test]
fn a_route_of_the_same_pattern_goes_on_where_it_was_and_too_many_share_one() {
    let metrics = Metrics::new();
    metrics.decided(Reason::Public, None, Some(&metrics.route("/a")));
    metrics.decided(Reason::Public, None, Some(&metrics.route("/a")));
    assert_eq!(metrics.route("/a").counts.sum(index(Reason::Public)), 2);
    for number in 0..MOST_ROUTES + 50 {
        metrics.decided(Reason::Public, None, Some(&metrics.route(&format!("/{number}"))));
    }
    let text = metrics.text(Moment::default());
    assert!(text.lines().filter(|line| line.starts_with("gatepost_route_decisions_total")).count() <= MOST_ROUTES + 1);
    assert!(text.contains("{route=\"(other)\",reason=\"public\"} 51\n"), "{text}");
}

#[test]
fn what_waits_and_runs_is_counted_until_it_ends() {
    let metrics = Arc::new(Metrics::new());
    let (waiting, running) = (metrics.waiting(), metrics.hashing());
    metrics.hashing_refused();
    let text = metrics.text(Moment::default());
    assert!(text.contains("{state=\"waiting\"} 1\n") && text.contains("{state=\"running\"} 1\n"), "{text}");
    drop((waiting, running));
    let text = metrics.text(Moment::default());
    assert!(text.contains("{state=\"waiting\"} 0\n") && text.contains("{state=\"running\"} 0\n"), "{text}");
    assert!(text.contains("gatepost_hashing_refused_total 1\n") && text.contains("_seconds_count 1\n"), "{text}");
}
