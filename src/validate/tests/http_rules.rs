use super::virtual_services::with_route;
use super::*;

#[test]
fn durations_are_whole_milliseconds_of_at_least_one() {
    errors(
        "VirtualService",
        with_route,
        &[
            (json!({"timeout": "1ms"}), ""),
            (json!({"timeout": "1h1m1.5s"}), ""),
            (json!({"timeout": "0s"}), "http[0].timeout"),
            (json!({"timeout": "1.5ms"}), "http[0].timeout"),
            (json!({"timeout": "5"}), "http[0].timeout"),
            (json!({"timeout": ""}), "http[0].timeout"),
            (json!({"corsPolicy": {"maxAge": "24h"}}), ""),
            (json!({"corsPolicy": {"maxAge": "1.5s"}}), "http[0].corsPolicy.maxAge"),
            (json!({"corsPolicy": {"maxAge": "0s"}}), "http[0].corsPolicy.maxAge"),
        ],
    );
}

#[test]
fn faults_have_shares_and_known_statuses() {
    let fault = |fault: Value| with_route(json!({"fault": fault}));
    errors(
        "VirtualService",
        fault,
        &[
            (
                json!({"abort": {"httpStatus": 503, "percentage": {"value": 0.0001}}}),
                "",
            ),
            (
                json!({"abort": {"percentage": {"value": 0.00001}}}),
                "http[0].fault.abort.percentage.value",
            ),
            (json!({"abort": {"httpStatus": 600}}), "http[0].fault.abort.httpStatus"),
            (
                json!({"abort": {"grpcStatus": "unavailable"}}),
                "http[0].fault.abort.grpcStatus",
            ),
            (
                json!({"abort": {"httpStatus": 503, "grpcStatus": "OK"}}),
                "http[0].fault.abort",
            ),
            (json!({"abort": {"http2Error": "X"}}), "http[0].fault.abort.http2Error"),
            (
                json!({"delay": {"exponentialDelay": "1s"}}),
                "http[0].fault.delay.exponentialDelay",
            ),
            (json!({"delay": {"fixedDelay": "0s"}}), "http[0].fault.delay.fixedDelay"),
            (json!({}), "http[0].fault"),
        ],
    );
    let deprecated = fault(json!({"delay": {"percent": 100, "fixedDelay": "1s"}}));
    assert_eq!(
        said("VirtualService", deprecated),
        ["W IST0002 http[0].fault.delay.percent"]
    );
}

#[test]
fn redirects_change_something_in_one_way() {
    let redirect = |rule: Value| json!({"hosts": ["a"], "http": [rule]});
    let by_uri = |uri: Value| json!({"match": [{"uri": uri}, {}], "redirect": {"prefixRewrite": "/n"}});
    errors(
        "VirtualService",
        redirect,
        &[
            (json!({"redirect": {}}), "http[0].redirect"),
            (json!({"redirect": {"redirectCode": 302}}), "http[0].redirect"),
            (
                json!({"redirect": {"authority": "b", "redirectCode": 299}}),
                "http[0].redirect.redirectCode",
            ),
            (json!({"redirect": {"scheme": "ftp"}}), "http[0].redirect.scheme"),
            (
                json!({"redirect": {"port": 80, "derivePort": "FROM_REQUEST_PORT"}}),
                "http[0].redirect",
            ),
            (json!({"redirect": {"port": 70000}}), "http[0].redirect.port"),
            (json!({"redirect": {"derivePort": "X"}}), "http[0].redirect.derivePort"),
            (
                json!({"redirect": {"uri": "/a", "prefixRewrite": "/b"}}),
                "http[0].redirect",
            ),
            (by_uri(json!({"prefix": "/o"})), ""),
            (by_uri(json!({"exact": "/o"})), "http[0].redirect.prefixRewrite"),
        ],
    );
}

#[test]
fn direct_responses_have_a_status_and_a_body_of_a_mebibyte_at_most() {
    let response = |body: Value| json!({"hosts": ["a"], "http": [{"directResponse": {"status": 200, "body": body}}]});
    errors(
        "VirtualService",
        response,
        &[
            (json!({"string": "a"}), ""),
            (json!({"bytes": "YQ=="}), ""),
            (json!({"bytes": "YQ"}), "http[0].directResponse.body.bytes"),
            (json!({"bytes": "YQ==", "string": "a"}), "http[0].directResponse.body"),
            (
                json!({"string": "a".repeat((1 << 20) + 1)}),
                "http[0].directResponse.body.string",
            ),
        ],
    );
    let large = said("VirtualService", response(json!({"string": "a".repeat(102_401)})));
    assert_eq!(large, ["W IST0133 http[0].directResponse.body.string"]);
}

#[test]
fn the_authority_is_set_once() {
    errors(
        "VirtualService",
        with_route,
        &[
            (json!({"headers": {"request": {"set": {":authority": "b"}}}}), ""),
            (
                json!({"headers": {"request": {"set": {":authority": "b"}, "add": {"Host": "c"}}}}),
                "http[0].headers.request.add.Host",
            ),
            (
                json!({"rewrite": {"authority": "b"}, "headers": {"request": {"set": {"host": "c"}}}}),
                "http[0].headers.request.set.host",
            ),
        ],
    );
}

#[test]
fn header_operations_keep_off_what_envoy_and_the_filter_own() {
    let operations = |headers: Value| with_route(json!({"headers": headers}));
    errors(
        "VirtualService",
        operations,
        &[
            (json!({"request": {"set": {"x": "%REQ(y?z):8%", "p": "100%%"}}}), ""),
            (
                json!({"request": {"add": {":path": "/"}}}),
                "http[0].headers.request.add.:path",
            ),
            (
                json!({"request": {"remove": [":authority", "host", ""]}}),
                "http[0].headers.request.remove[0] http[0].headers.request.remove[1] http[0].headers.request.remove[2]",
            ),
            (
                json!({"response": {"set": {"host": "b"}}}),
                "http[0].headers.response.set.host",
            ),
            (
                json!({"response": {"set": {"x": "50%"}}}),
                "http[0].headers.response.set.x",
            ),
            (
                json!({"response": {"set": {"x": "a\u{1}"}}}),
                "http[0].headers.response.set.x",
            ),
        ],
    );
    let own = operations(json!({"request": {"set": {"X-Switchyard-Cluster": "c", "y": "%HOSTNAME%"}}}));
    assert_eq!(
        said("VirtualService", own),
        [
            "E SWY0002 http[0].headers.request.set.X-Switchyard-Cluster",
            "E SWY0003 http[0].headers.request.set.y"
        ]
    );
}

#[test]
fn retries_have_known_conditions_and_attempts_to_use_them() {
    let path = "http[0].retries";
    errors(
        "VirtualService",
        |retries| with_route(json!({"retries": retries})),
        &[
            (
                json!({"attempts": 2, "retryOn": "5xx,unavailable,503", "backoff": "1ms"}),
                "",
            ),
            (json!({"attempts": 0, "backoff": "1s"}), ""),
            (json!({"attempts": 0, "retryRemoteLocalities": false}), path),
            (json!({"retryOn": "5xx"}), path),
            (json!({"attempts": -1}), &format!("{path}.attempts")),
            (
                json!({"attempts": 1, "retryOn": "5xx, reset,,600"}),
                &format!("{path}.retryOn {path}.retryOn {path}.retryOn"),
            ),
            (
                json!({"attempts": 1, "perTryTimeout": "0s"}),
                &format!("{path}.perTryTimeout"),
            ),
        ],
    );
}

#[test]
fn rewrites_change_something_in_one_way() {
    let path = "http[0].rewrite";
    errors(
        "VirtualService",
        |rewrite| with_route(json!({"rewrite": rewrite})),
        &[
            (
                json!({"uriRegexRewrite": {"match": "^/a", "rewrite": "/b"}, "authority": "c"}),
                "",
            ),
            (json!({}), path),
            (
                json!({"uri": "/", "uriRegexRewrite": {"match": "a", "rewrite": "b"}}),
                &format!("{path}.uriRegexRewrite"),
            ),
            (
                json!({"uriRegexRewrite": {"match": "a"}}),
                &format!("{path}.uriRegexRewrite"),
            ),
            (
                json!({"uriRegexRewrite": {"match": "(", "rewrite": "b"}}),
                &format!("{path}.uriRegexRewrite.match"),
            ),
        ],
    );
}

#[test]
fn origins_methods_and_headers_of_cors_are_known() {
    let path = "http[0].corsPolicy";
    errors(
        "VirtualService",
        |policy| with_route(json!({"corsPolicy": policy})),
        &[
            (
                json!({"allowOrigins": [{"exact": "a"}], "allowMethods": ["GET", "*"], "allowHeaders": ["*"]}),
                "",
            ),
            (json!({"allowOrigin": ["*"]}), ""),
            (
                json!({"allowOrigins": [{}, {"prefix": ""}, {"regex": "("}]}),
                &format!("{path}.allowOrigins[0] {path}.allowOrigins[1] {path}.allowOrigins[2].regex"),
            ),
            (json!({"allowMethods": ["get"]}), &format!("{path}.allowMethods[0]")),
            (json!({"exposeHeaders": [""]}), &format!("{path}.exposeHeaders[0]")),
            (
                json!({"unmatchedPreflights": "DROP"}),
                &format!("{path}.unmatchedPreflights"),
            ),
        ],
    );
}
