//! A headless Chromium, driven over its DevTools protocol: it opens pages as people see them, is asked about them, and presses keys.

use std::{
    path::Path,
    process::Stdio,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::{
    net::TcpStream,
    process::{Child, Command},
    time::{sleep, timeout},
};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async, tungstenite::Message};

/// How long the browser may take for one thing, in real time.
const PATIENCE: Duration = Duration::from_secs(30);

/// A browser with one tab; it ends on drop.
#[derive(Debug)]
pub struct Browser {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    last_id: u64,
    /// What the browser complained about since the page was opened.
    complaints: Vec<String>,
    _child: Child,
    _profile: tempfile::TempDir,
}

/// How a page is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// Width of the window in CSS pixels.
    pub width: u32,
    /// The colours that are asked for.
    pub colours: Colours,
}

/// The colours that a person prefers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Colours {
    /// Dark on light.
    Light,
    /// Light on dark.
    Dark,
}

impl Browser {
    /// Starts one with a profile of its own.
    pub async fn start() -> anyhow::Result<Self> {
        let profile = tempfile::tempdir()?;
        let child = Command::new("/usr/bin/chromium")
            .args([
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-dev-shm-usage",
                "--no-first-run",
                "--disable-background-networking",
            ])
            .args(["--disable-component-update", "--disable-sync", "--hide-scrollbars", "--remote-debugging-port=0"])
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .arg("about:blank")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .context("chromium")?;
        let url = tab(profile.path()).await?;
        let (socket, _) = timeout(PATIENCE, connect_async(url)).await??;
        let mut browser = Self { socket, last_id: 0, complaints: Vec::new(), _child: child, _profile: profile };
        for domain in ["Page.enable", "Log.enable", "Runtime.enable"] {
            browser.call(domain, json!({})).await?;
        }
        Ok(browser)
    }

    /// Opens a page and waits until it is loaded.
    pub async fn open(&mut self, url: &str, look: Look) -> anyhow::Result<()> {
        let scheme = match look.colours {
            Colours::Light => "light",
            Colours::Dark => "dark",
        };
        let size = json!({ "width": look.width, "height": 800, "deviceScaleFactor": 1, "mobile": false });
        self.call("Emulation.setDeviceMetricsOverride", size).await?;
        let features = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
        self.call("Emulation.setEmulatedMedia", features).await?;
        self.complaints.clear();
        let answer = self.call("Page.navigate", json!({ "url": url })).await?;
        if let Some(error) = answer["errorText"].as_str() {
            bail!("{url}: {error}");
        }
        self.until("document.readyState === 'complete' && location.href !== 'about:blank'").await
    }

    /// What the browser complained about since the page was opened: what its policy forbids, what did not load.
    pub fn complaints(&self) -> &[String] {
        &self.complaints
    }

    /// Lets the viewer live in a zone, such as `Asia/Kolkata`, from the next page on.
    pub async fn live_in(&mut self, zone: &str) -> anyhow::Result<()> {
        self.call("Emulation.setTimezoneOverride", json!({ "timezoneId": zone })).await.map(drop)
    }

    /// The value of a JavaScript expression on the page.
    pub async fn eval(&mut self, expression: &str) -> anyhow::Result<Value> {
        let parameters = json!({ "expression": expression, "returnByValue": true, "awaitPromise": true });
        let answer = self.call("Runtime.evaluate", parameters).await?;
        if answer.get("exceptionDetails").is_some() {
            bail!("the page's script failed: {answer}");
        }
        Ok(answer["result"]["value"].clone())
    }

    /// Waits until an expression is true.
    pub async fn until(&mut self, expression: &str) -> anyhow::Result<()> {
        let begun = Instant::now();
        // While a page goes, there is nothing to ask for a moment.
        while !matches!(self.eval(expression).await, Ok(Value::Bool(true))) {
            if begun.elapsed() > PATIENCE {
                bail!("it never became true: {expression}");
            }
            sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }

    /// Presses a key: `Tab`, `Enter`.
    pub async fn press(&mut self, key: &str) -> anyhow::Result<()> {
        let (code, text) = match key {
            "Enter" => (13, Some("\r")),
            "Tab" => (9, None),
            _ => bail!("no such key: {key}"),
        };
        let mut down = json!({ "type": "keyDown", "key": key, "code": key, "windowsVirtualKeyCode": code });
        if let Some(text) = text {
            down["text"] = json!(text);
        }
        self.call("Input.dispatchKeyEvent", down).await?;
        self.call("Input.dispatchKeyEvent", json!({ "type": "keyUp", "key": key, "code": key, "windowsVirtualKeyCode": code })).await?;
        Ok(())
    }

    async fn call(&mut self, method: &str, params: Value) -> anyhow::Result<Value> {
        self.last_id += 1;
        let id = self.last_id;
        let message = json!({ "id": id, "method": method, "params": params }).to_string();
        self.socket.send(Message::text(message)).await?;
        timeout(PATIENCE, self.answer(id)).await.with_context(|| format!("chromium did not answer {method}"))?
    }

    async fn answer(&mut self, id: u64) -> anyhow::Result<Value> {
        while let Some(message) = self.socket.next().await {
            let Message::Text(text) = message? else { continue };
            let mut message: Value = serde_json::from_str(&text)?;
            if message["id"] == id {
                return match message.get("error") {
                    Some(error) => bail!("chromium refused: {error}"),
                    None => Ok(message["result"].take()),
                };
            }
            if message["method"] == "Log.entryAdded" {
                self.complaints.push(message["params"]["entry"]["text"].as_str().unwrap_or_default().to_owned());
            }
        }
        bail!("chromium went away")
    }
}

/// The address of the browser's only tab, once it tells it.
async fn tab(profile: &Path) -> anyhow::Result<String> {
    let told = profile.join("DevToolsActivePort");
    let begun = Instant::now();
    loop {
        if let Some(url) = tab_now(&told).await {
            return Ok(url);
        }
        if begun.elapsed() > PATIENCE {
            bail!("chromium did not start");
        }
        sleep(Duration::from_millis(20)).await;
    }
}

async fn tab_now(told: &Path) -> Option<String> {
    let text = tokio::fs::read_to_string(told).await.ok()?;
    let port: u16 = text.lines().next()?.parse().ok()?;
    let client = reqwest::Client::builder().no_proxy().build().ok()?;
    let tabs: Value = client.get(format!("http://127.0.0.1:{port}/json/list")).send().await.ok()?.json().await.ok()?;
    let tab = tabs.as_array()?.iter().find(|tab| tab["type"] == "page")?;
    Some(tab["webSocketDebuggerUrl"].as_str()?.to_owned())
}
