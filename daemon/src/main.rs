//! The `burnward` binary: everything is in the library, so that stories can drive it.

/// Gives memory back after a large answer: with the system's, what reading the first six hours took stayed taken.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    burnward::cli::main()
}
