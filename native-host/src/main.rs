//! The `rolecall` binary. Everything is in the library.

fn main() -> std::process::ExitCode {
    rolecall_host::run(std::env::args_os().skip(1).collect())
}
