//! Documents that are saved run without anybody asking: half-written ones stay out until they are whole, and a volume that is swapped is loaded once.
//! The daemon goes at its own pace; what it publishes is waited for.

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    time::Duration,
};

use burnward::{
    app::{Daemon, Options},
    config,
    view::{InPlace, View},
};
use burnward_integration_tests::world::{availability, install_tls};
use burnward_stand_ins::prometheus::FakePrometheus;

/// Far more than the ten seconds within which it happens, for a machine that is busy.
const PATIENCE: Duration = Duration::from_secs(90);

fn titled(service: &str, title: &str) -> String {
    availability(service).replace("team: payments", "team: operators").replace("title: Customers can pay", &format!("title: {title}"))
}

/// The documents as Kubernetes lays them out: names that lead through `..data` into a directory of one version.
struct Volume(PathBuf);

impl Volume {
    fn mount(at: PathBuf, text: &str) -> anyhow::Result<Self> {
        fs::create_dir_all(&at)?;
        let volume = Self(at);
        volume.swap("..1", text)?;
        symlink("..data/search.yaml", volume.0.join("search.yaml"))?;
        Ok(volume)
    }

    fn swap(&self, version: &str, text: &str) -> anyhow::Result<()> {
        fs::create_dir(self.0.join(version))?;
        fs::write(self.0.join(version).join("search.yaml"), text)?;
        symlink(version, self.0.join("..new"))?;
        fs::rename(self.0.join("..new"), self.0.join("..data"))?;
        Ok(())
    }
}

async fn start(root: &Path, prometheus: &FakePrometheus) -> anyhow::Result<Daemon> {
    let text = format!(
        "version: burnward/v1\nlisten: 127.0.0.1:0\nstorage: {{ path: {root}/store }}\n\
         sources:\n  prom: {{ prometheus: {{ url: '{}' }} }}\n\
         tenants:\n  main: {{ slo-definitions: ['{root}/written', '{root}/mounted'], source: prom }}\n",
        prometheus.url(),
        root = root.display(),
    );
    Daemon::start(config::parse(&root.join("burnward.yaml"), &text)?, Options::default()).await
}

async fn until(daemon: &Daemon, shows: impl Fn(&View) -> bool) -> anyhow::Result<()> {
    let mut view = daemon.handle.view.clone();
    tokio::time::timeout(PATIENCE, view.wait_for(|view| shows(view))).await??;
    Ok(())
}

fn titles(view: &View) -> Vec<&str> {
    view.slos.values().map(|slo| slo.title.as_str()).collect()
}

async fn loads(daemon: &Daemon) -> anyhow::Result<Option<u64>> {
    let text = reqwest::get(format!("http://{}/metrics", daemon.address)).await?.text().await?;
    let line = text.lines().find_map(|line| line.strip_prefix("burnward_config_reloads_total "));
    Ok(line.map(str::parse).transpose()?)
}

#[tokio::test(flavor = "multi_thread")]
async fn saved_documents_run_by_themselves_once_they_are_whole() -> anyhow::Result<()> {
    install_tls();
    let directory = tempfile::tempdir()?;
    let root = directory.path();
    fs::create_dir(root.join("written"))?;
    let document = root.join("written/checkout.yaml");
    fs::write(&document, titled("checkout", "One"))?;
    let volume = Volume::mount(root.join("mounted"), &titled("search", "One"))?;
    let prometheus = FakePrometheus::start().await?;
    let daemon = start(root, &prometheus).await?;
    assert_eq!(titles(&daemon.handle.view.borrow()), ["One", "One"]);
    assert_eq!(loads(&daemon).await?, Some(1));

    // Half of it is no document: the last good text runs on, and it is told once.
    let whole = titled("checkout", "Two");
    let (half, _) = whole.split_at(whole.find("total:").expect("it has a total") - 20);
    fs::write(&document, half)?;
    until(&daemon, |view| view.definition_faults.len() == 1).await?;
    assert_eq!(titles(&daemon.handle.view.borrow()), ["One", "One"]);
    assert_eq!(daemon.handle.view.borrow().definition_faults[0].runs, InPlace::LastGood);
    fs::write(&document, whole)?;
    until(&daemon, |view| view.definition_faults.is_empty() && titles(view) == ["Two", "One"]).await?;
    assert_eq!(loads(&daemon).await?, Some(3), "the half and the whole, each once");

    volume.swap("..2", &titled("search", "Two"))?;
    until(&daemon, |view| titles(view) == ["Two", "Two"]).await?;
    fs::write(&document, titled("checkout", "Three"))?;
    until(&daemon, |view| titles(view) == ["Three", "Two"]).await?;
    assert_eq!(loads(&daemon).await?, Some(5), "the swap was loaded once");

    // What somebody asked for is not loaded a second time.
    volume.swap("..3", &titled("search", "Three"))?;
    daemon.handle.reload(burnward::definition::Removals::Guarded).await?;
    fs::write(&document, titled("checkout", "Four"))?;
    until(&daemon, |view| titles(view) == ["Four", "Three"]).await?;
    assert_eq!(loads(&daemon).await?, Some(7));
    daemon.stop().await;
    Ok(())
}
