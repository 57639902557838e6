//! TLS to a Prometheus: whom we take for it, whom it takes us for, and that nothing is ever read from a server that cannot prove itself.

use std::{path::Path, sync::Arc};

use burnward::{
    config::{ClientCertificate, PrometheusConfig, TlsFiles},
    source::prometheus::Prometheus,
};
use burnward_core::{
    ledger::{Reason, Unknown},
    sli::Selector,
    time::{Timestamp, minutes},
};
use burnward_stand_ins::prometheus::FakePrometheus;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, Issuer, KeyPair, SigningKey, date_time_ymd};
use rustls::{
    RootCertStore, ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer},
    server::WebPkiClientVerifier,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};
use tokio_rustls::TlsAcceptor;

/// An answer without a series.
const ANSWER: &str = r#"{"status":"success","data":{"resultType":"matrix","result":[]}}"#;

type Authority = CertifiedIssuer<'static, KeyPair>;

fn authority(name: &str) -> Authority {
    let mut params = CertificateParams::new(Vec::new()).expect("no names");
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("a certificate")
}

/// A certificate of an authority for a name, with its key.
struct Own {
    certificate: rcgen::Certificate,
    key: KeyPair,
}

fn own<S: SigningKey>(authority: &Issuer<'_, S>, name: &str, last_year: i32) -> Own {
    let mut params = CertificateParams::new(vec![name.to_owned()]).expect("a name");
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(last_year, 1, 1);
    let key = KeyPair::generate().expect("a key");
    Own { certificate: params.signed_by(&key, authority).expect("a certificate"), key }
}

/// Whom a server lets in.
enum Lets<'a> {
    Everybody,
    CertifiedBy(&'a Authority),
}

/// A server with this certificate; its address.
async fn serve(own: &Own, lets: Lets<'_>) -> u16 {
    drop(rustls::crypto::ring::default_provider().install_default());
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(own.key.serialize_der()));
    let builder = match lets {
        Lets::Everybody => ServerConfig::builder().with_no_client_auth(),
        Lets::CertifiedBy(authority) => {
            let mut roots = RootCertStore::empty();
            roots.add(authority.der().clone()).expect("an authority");
            ServerConfig::builder().with_client_cert_verifier(WebPkiClientVerifier::builder(Arc::new(roots)).build().expect("a verifier"))
        }
    };
    let chain: Vec<CertificateDer<'static>> = vec![own.certificate.der().clone()];
    let acceptor = TlsAcceptor::from(Arc::new(builder.with_single_cert(chain, key).expect("a certificate and its key")));
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let Ok(mut stream) = acceptor.accept(stream).await else { return };
                let mut request = [0; 4096];
                drop(stream.read(&mut request).await);
                let length = ANSWER.len();
                let head =
                    format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
                drop(stream.write_all(format!("{head}{ANSWER}").as_bytes()).await);
                drop(stream.shutdown().await);
            });
        }
    });
    port
}

fn source(port: u16, tls: TlsFiles) -> Prometheus {
    Prometheus::new(&PrometheusConfig { tls, ..PrometheusConfig::at(&format!("https://localhost:{port}")) }).expect("a configuration")
}

async fn read(source: &Prometheus) -> Result<(), Unknown> {
    let now = Timestamp::from_seconds(1_700_000_000);
    source.read(&Selector::new("m", Vec::new()), now.minus(minutes(1)), now).await.map(drop)
}

fn write(directory: &Path, name: &str, pem: &str) -> std::path::PathBuf {
    let path = directory.join(name);
    std::fs::write(&path, pem).expect("a file");
    path
}

#[tokio::test]
async fn a_server_that_cannot_prove_itself_is_unreachable_and_the_sentence_says_why() {
    let (ours, theirs) = (authority("ours"), authority("theirs"));
    let directory = tempfile::tempdir().expect("a directory");
    let ca = Some(write(directory.path(), "ca.pem", &ours.pem()));
    let tls = || TlsFiles { ca: ca.clone(), client: None };

    let good = serve(&own(&ours, "localhost", 2100), Lets::Everybody).await;
    assert_eq!(read(&source(good, tls())).await, Ok(()));

    let expired = serve(&own(&ours, "localhost", 2021), Lets::Everybody).await;
    let elsewhere = serve(&own(&ours, "prometheus.example", 2100), Lets::Everybody).await;
    let foreign = serve(&own(&theirs, "localhost", 2100), Lets::Everybody).await;
    for (port, tls, told) in [
        (expired, tls(), "the certificate of localhost expired at 2021-"),
        (elsewhere, tls(), "and not for localhost: ask by a name that it holds"),
        (foreign, tls(), "no authority trusted here signed the certificate of localhost, or it signed itself"),
        (good, TlsFiles::default(), "name the file of its authority as tls.ca-file"),
    ] {
        let unknown = read(&source(port, tls)).await.expect_err("it is not who it should be");
        assert!(unknown.reason == Reason::Unreachable && unknown.detail.contains(told), "{told}: {unknown}");
    }
}

#[tokio::test]
async fn we_show_our_certificate_and_a_rotated_one_is_used_at_once() {
    let (ours, theirs) = (authority("ours"), authority("theirs"));
    let directory = tempfile::tempdir().expect("a directory");
    let ca = Some(write(directory.path(), "ca.pem", &ours.pem()));
    let port = serve(&own(&ours, "localhost", 2100), Lets::CertifiedBy(&ours)).await;
    let without = read(&source(port, TlsFiles { ca: ca.clone(), client: None })).await.expect_err("without a certificate");
    assert!(without.reason == Reason::Denied && without.detail.contains("localhost wants a client certificate"), "{without}");

    let put = |own: &Own| ClientCertificate {
        certificate: write(directory.path(), "own.pem", &own.certificate.pem()),
        key: write(directory.path(), "own.key", &own.key.serialize_pem()),
    };
    let client = Some(put(&own(&theirs, "burnward", 2100)));
    let source = source(port, TlsFiles { ca, client });
    let stranger = read(&source).await.expect_err("of an authority that the server does not know");
    assert!(stranger.reason == Reason::Denied && stranger.detail.contains("refuses our client certificate"), "{stranger}");
    put(&own(&ours, "burnward", 2100));
    assert_eq!(read(&source).await, Ok(()));

    std::fs::write(directory.path().join("own.key"), "no key").expect("a file");
    let unknown = read(&source).await.expect_err("no key");
    assert!(unknown.reason == Reason::Denied && unknown.detail.contains("own.key"), "{unknown}");
}

#[tokio::test]
async fn a_source_whose_files_cannot_be_used_is_blind_with_their_name_until_they_can() {
    let ours = authority("ours");
    let server = serve(&own(&ours, "localhost", 2100), Lets::Everybody).await;
    let directory = tempfile::tempdir().expect("a directory");
    let ca = directory.path().join("ca.pem");
    let source = source(server, TlsFiles { ca: Some(ca.clone()), client: None });
    for (text, told) in [
        (None, "ca.pem of TLS cannot be read: No such file or directory"),
        (Some("not a certificate"), "ca.pem holds no certificate in PEM form"),
    ] {
        if let Some(text) = text {
            write(directory.path(), "ca.pem", text);
        }
        let unknown = read(&source).await.expect_err("no certificate");
        assert!(unknown.reason == Reason::Denied && unknown.detail.contains(told), "{unknown}");
    }
    write(directory.path(), "ca.pem", &ours.pem());
    assert_eq!(read(&source).await, Ok(()));
}

#[tokio::test]
async fn an_address_that_leads_nowhere_says_which_part_of_it_fails() {
    drop(rustls::crypto::ring::default_provider().install_default());
    let plain = FakePrometheus::start().await.expect("a free port");
    let without_tls = plain.url().replace("http://127.0.0.1", "https://localhost");
    for (url, told) in [
        ("http://no-such-host.invalid:9090", "the name no-such-host.invalid has no address ("),
        (without_tls.as_str(), "localhost does not answer with TLS: does its URL begin with http://?"),
    ] {
        let source = Prometheus::new(&PrometheusConfig::at(url)).expect("a configuration");
        let unknown = read(&source).await.expect_err("nobody is there");
        assert!(unknown.reason == Reason::Unreachable && unknown.detail.contains(told), "{url}: {unknown}");
    }
}

/// A server that listens to IPv6 alone.
#[tokio::test]
async fn a_server_of_ipv6_alone_is_read() {
    drop(rustls::crypto::ring::default_provider().install_default());
    let listener = TcpListener::bind(("::1", 0)).await.expect("this machine has IPv6");
    let port = listener.local_addr().expect("an address").port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = [0; 4096];
            drop(stream.read(&mut request).await);
            let head = format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n", ANSWER.len());
            drop(stream.write_all(format!("{head}{ANSWER}").as_bytes()).await);
        }
    });
    let source = Prometheus::new(&PrometheusConfig::at(&format!("http://[::1]:{port}"))).expect("a configuration");
    assert_eq!(read(&source).await, Ok(()));
}
