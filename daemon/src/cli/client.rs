//! The client of the commands that ask a running daemon, over HTTP.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    path::PathBuf,
    time::Duration,
};

use anyhow::{Context as _, bail};
use reqwest::{Method, header};
use serde::{Serialize, de::DeserializeOwned};

use super::print;
use crate::config::{self, Config, secrets::redacted};

/// Where the daemon is and who asks.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct ServerArgs {
    /// The daemon; without it where `listen` of ./burnward.yaml says, or at http://127.0.0.1:9095.
    #[arg(long, global = true, value_name = "URL", env = "BURNWARD_SERVER")]
    server: Option<url::Url>,

    /// Whose data, where the daemon has several tenants.
    #[arg(long, global = true, value_name = "NAME", env = "BURNWARD_TENANT")]
    pub(super) tenant: Option<String>,

    /// A file that holds the token.
    #[arg(long, global = true, value_name = "FILE", env = "BURNWARD_TOKEN_FILE")]
    token_file: Option<PathBuf>,
}

impl ServerArgs {
    /// The same for the tenant that a name says, if it says one.
    pub(super) fn of_tenant(&self, named: Option<&str>) -> Self {
        Self { tenant: named.map(ToOwned::to_owned).or_else(|| self.tenant.clone()), ..self.clone() }
    }
}

/// Where a daemon of this directory's burnward.yaml listens, as one on this machine reaches it.
fn nearby() -> anyhow::Result<url::Url> {
    let config = match config::discover(None).map(|_| config::read(None)) {
        Some(Ok(config)) => config,
        None => Config::default(),
        Some(Err(_)) => {
            let config = Config::default();
            print::talk(format_args!(
                "note: burnward.yaml does not load, so the daemon is asked at {}; `--server` names another",
                config.listen
            ));
            config
        }
    };
    let ip = match config.listen.ip() {
        ip if !ip.is_unspecified() => ip,
        IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
    };
    Ok(format!("http://{}", SocketAddr::new(ip, config.listen.port())).parse()?)
}

/// How data is written to stdout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Output {
    /// For people.
    #[value(alias = "text")]
    Table,
    /// The API's own JSON.
    Json,
}

/// What `-o` chooses.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(super) struct OutputArgs {
    /// How the data is written.
    #[arg(short, long, global = true, value_enum, default_value_t = Output::Table)]
    pub(super) output: Output,
}

impl OutputArgs {
    /// Prints what the API sent as JSON, or as `table` writes it.
    pub(super) fn print<T: Serialize>(self, data: &T, table: impl FnOnce(&T) -> String) -> anyhow::Result<()> {
        match self.output {
            Output::Table => print::text(table(data))?,
            Output::Json => print::line(serde_json::to_string_pretty(data)?)?,
        }
        Ok(())
    }
}

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// A client of one daemon.
#[derive(Debug)]
pub(super) struct Client {
    http: reqwest::Client,
    server: url::Url,
    tenant: Option<String>,
    token: Option<String>,
}

impl Client {
    /// A client as the arguments say. Asks nothing yet.
    pub(super) fn new(args: &ServerArgs) -> anyhow::Result<Self> {
        let http = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(PATIENCE)
            .user_agent(concat!("burnward/", env!("CARGO_PKG_VERSION")))
            .build()?;
        let token = match &args.token_file {
            Some(file) => Some(std::fs::read_to_string(file).with_context(|| format!("--token-file={}", file.display()))?),
            None => None,
        };
        let server = args.server.clone().map_or_else(nearby, Ok)?;
        Ok(Self { http, server, tenant: args.tenant.clone(), token: token.map(|line| only_token(&line)) })
    }

    /// Reads a resource.
    pub(super) async fn get<T: DeserializeOwned>(&self, path: &[&str], query: &[(&str, String)]) -> anyhow::Result<T> {
        self.ask(Method::GET, path, query, None::<&()>).await
    }

    /// Asks for a change.
    pub(super) async fn post<T: DeserializeOwned>(&self, path: &[&str], body: &impl Serialize) -> anyhow::Result<T> {
        self.ask(Method::POST, path, &[], Some(body)).await
    }

    /// Reads a resource that is a text.
    pub(super) async fn text(&self, path: &[&str], query: &[(&str, String)]) -> anyhow::Result<String> {
        let bytes = self.bytes(Method::GET, path, query, None::<&()>).await?;
        String::from_utf8(bytes).with_context(|| format!("{} does not answer with a text", self.server()))
    }

    async fn ask<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &[&str],
        query: &[(&str, String)],
        body: Option<&impl Serialize>,
    ) -> anyhow::Result<T> {
        let bytes = self.bytes(method, path, query, body).await?;
        serde_json::from_slice(&bytes).with_context(|| format!("{} does not answer like a burnward of this version", self.server()))
    }

    async fn bytes(
        &self,
        method: Method,
        path: &[&str],
        query: &[(&str, String)],
        body: Option<&impl Serialize>,
    ) -> anyhow::Result<Vec<u8>> {
        let mut request = self.http.request(method, self.url(path)?).query(query).header(header::ORIGIN, self.origin());
        if let Some(tenant) = &self.tenant {
            request = request.query(&[("tenant", tenant)]);
        }
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = request.send().await.map_err(reqwest::Error::without_url).with_context(|| {
            format!("no burnward answers at {}: is `burnward run` running there? `--server` names another", self.server())
        })?;
        let status = answer.status();
        let bytes = answer.bytes().await.context("the answer broke off")?;
        if status.is_success() {
            Ok(bytes.into())
        } else {
            bail!("{}", detail(&bytes).unwrap_or_else(|| format!("{} answers {status}", self.server())))
        }
    }

    /// The daemon's address as it may be shown.
    fn server(&self) -> String {
        redacted(self.server.as_str())
    }

    fn url(&self, path: &[&str]) -> anyhow::Result<url::Url> {
        let mut url = self.server.clone();
        let named = url.path_segments_mut().map(|mut segments| {
            segments.pop_if_empty().extend(["api", "v1"]).extend(path);
        });
        named.map_err(|()| anyhow::anyhow!("--server={} is not an HTTP address", self.server()))?;
        Ok(url)
    }

    fn origin(&self) -> String {
        self.server.origin().ascii_serialization()
    }
}

/// The token of a line, with or without the name before it.
fn only_token(line: &str) -> String {
    let line = line.lines().next().unwrap_or_default().trim();
    line.split_once(':').map_or(line, |(_, token)| token).to_owned()
}

fn detail(body: &[u8]) -> Option<String> {
    let problem: serde_json::Value = serde_json::from_slice(body).ok()?;
    Some(problem.get("detail")?.as_str()?.to_owned())
}
