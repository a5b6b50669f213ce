//! The command `switchyard`.

fn main() -> std::process::ExitCode {
    switchyard::cli::main()
}
