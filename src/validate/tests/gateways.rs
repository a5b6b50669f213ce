use super::*;

fn server(mut server: Value) -> Value {
    if let Some(server) = server.as_object_mut() {
        server.entry("hosts").or_insert(json!(["*"]));
        server
            .entry("port")
            .or_insert(json!({"number": 80, "name": "http", "protocol": "HTTP"}));
    }
    json!({"servers": [server]})
}

#[test]
fn hosts_of_a_gateway_are_whole_and_may_have_a_namespace() {
    errors(
        "Gateway",
        |hosts| server(json!({"hosts": hosts})),
        &[
            (json!(["*", "./a.com", "*/*.a.com", "ns/10.0.0.1"]), ""),
            (json!([]), "servers[0].hosts"),
            (json!(["short"]), "servers[0].hosts[0]"),
            (
                json!(["*-x.a.com", "a b/c.d"]),
                "servers[0].hosts[0] servers[0].hosts[1]",
            ),
        ],
    );
    assert_eq!(said("Gateway", json!({})), ["E IST0106 servers"]);
}

#[test]
fn a_servers_port_has_a_number_a_name_and_a_protocol() {
    errors(
        "Gateway",
        |port| server(json!({"port": port})),
        &[
            (json!({"number": 80, "name": "http", "protocol": "http2"}), ""),
            (json!(null), "servers[0].port"),
            (
                json!({}),
                "servers[0].port.protocol servers[0].port.number servers[0].port.name",
            ),
            (
                json!({"number": 80, "name": "a", "protocol": "HTTP", "targetPort": 81}),
                "servers[0].port.targetPort",
            ),
        ],
    );
    let port = json!({"number": 80, "name": "http", "protocol": "HTTP"});
    let twice = json!({"servers": [{"hosts": ["*"], "port": port}, {"hosts": ["*"], "port": port}]});
    assert_eq!(said("Gateway", twice), ["E IST0106 servers[1].port.name"]);
    assert_eq!(
        said("Gateway", server(json!({"bind": "here"}))),
        ["E IST0106 servers[0].bind"]
    );
}

#[test]
fn tls_and_protocol_go_together() {
    let https = |tls: Value| server(json!({"port": {"number": 443, "name": "https", "protocol": "HTTPS"}, "tls": tls}));
    errors(
        "Gateway",
        https,
        &[
            (json!({"mode": "SIMPLE", "credentialName": "c"}), ""),
            (json!({"mode": "PASSTHROUGH"}), ""),
            (json!(null), "servers[0].tls"),
            (
                json!({"mode": "SIMPLE"}),
                "servers[0].tls.serverCertificate servers[0].tls.privateKey",
            ),
            (
                json!({"mode": "MUTUAL", "serverCertificate": "c", "privateKey": "k"}),
                "servers[0].tls.caCertificates",
            ),
            (
                json!({"mode": "SIMPLE", "serverCertificate": "c", "privateKey": "k", "credentialName": "c"}),
                "servers[0].tls",
            ),
            (
                json!({"mode": "ISTIO_MUTUAL", "credentialName": "c"}),
                "servers[0].tls.credentialName",
            ),
            (
                json!({"mode": "SIMPLE", "tlsCertificates": [{"privateKey": "k"}]}),
                "servers[0].tls.tlsCertificates[0].serverCertificate",
            ),
        ],
    );
    let plain = |tls: Value| server(json!({"tls": tls}));
    errors(
        "Gateway",
        plain,
        &[
            (json!({"httpsRedirect": true}), ""),
            (json!({"mode": "SIMPLE", "credentialName": "c"}), "servers[0].tls"),
        ],
    );
    assert_eq!(
        said(
            "Gateway",
            https(json!({"mode": "SIMPLE", "credentialName": "c", "httpsRedirect": true}))
        ),
        ["W IST0133 servers[0].tls.httpsRedirect"]
    );
    assert_eq!(
        said("Gateway", plain(json!({"serverCertificate": "c"}))),
        ["W IST0133 servers[0].tls", "E IST0106 servers[0].tls"]
    );
    assert_eq!(
        said(
            "Gateway",
            https(
                json!({"mode": "SIMPLE", "credentialName": "c", "cipherSuites": ["AES128-SHA", "NO", "AES128-SHA", "-ALL"]})
            )
        ),
        [
            "W IST0133 servers[0].tls.cipherSuites[1]",
            "W IST0133 servers[0].tls.cipherSuites[2]"
        ]
    );
}
