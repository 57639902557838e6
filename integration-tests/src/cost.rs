//! What a process costs: CPU time and memory, as the kernel counts them. Wall time says little on a machine that does other work.

use std::{fs, time::Duration};

use anyhow::Context as _;

/// A clock tick of /proc, which is a hundredth of a second on every Linux.
const TICK: Duration = Duration::from_millis(10);

/// CPU time that a process took since its start, user and system, all threads.
pub fn cpu(pid: u32) -> anyhow::Result<Duration> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).with_context(|| format!("process {pid} is gone"))?;
    // The second field is the name in brackets, which may hold spaces; utime and stime are the 14th and 15th.
    let (_, fields) = stat.rsplit_once(')').context("no process name")?;
    let field = |at: usize| -> anyhow::Result<u32> { Ok(fields.split_whitespace().nth(at - 3).context("a short line")?.parse()?) };
    Ok(TICK * (field(14)? + field(15)?))
}

/// Memory that a process holds now, in bytes (`VmRSS`).
pub fn resident(pid: u32) -> anyhow::Result<u64> {
    memory(pid, "VmRSS:")
}

/// The most that it ever held (`VmHWM`).
pub fn peak(pid: u32) -> anyhow::Result<u64> {
    memory(pid, "VmHWM:")
}

fn memory(pid: u32, name: &str) -> anyhow::Result<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).with_context(|| format!("process {pid} is gone"))?;
    let line = status.lines().find_map(|line| line.strip_prefix(name)).context("no such line")?;
    let kibibytes: u64 = line.trim().trim_end_matches("kB").trim().parse()?;
    Ok(kibibytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_costs_something() {
        let own = std::process::id();
        let before = cpu(own).unwrap();
        let mut sum = 0_u64;
        while cpu(own).unwrap() == before {
            sum = (0..1_000_000).fold(sum, |sum, n| sum ^ std::hint::black_box(n));
        }
        assert!(cpu(own).unwrap() > before && resident(own).unwrap() <= peak(own).unwrap());
    }
}
