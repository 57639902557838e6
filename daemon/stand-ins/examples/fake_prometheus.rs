//! Runs the Prometheus with faults by hand: `cargo run -p burnward-stand-ins --example fake_prometheus`.

use burnward_stand_ins::prometheus::FakePrometheus;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let fake = FakePrometheus::start().await?;
    println!("Prometheus API: {}\ncontrol API:    {}", fake.url(), fake.control_url());
    fake.stopped().await;
    Ok(())
}
