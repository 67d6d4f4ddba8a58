//! The program as the operator sees it.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

mod serve;
mod user;
mod check;

/// The real program, with a folder of its own and no setting of whoever runs the tests.
fn bellwire(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bellwire"));
    for (name, _) in std::env::vars() {
        if name.starts_with("BELLWIRE_") || matches!(&*name, "DATABASE_URL" | "REDIS_URL") {
            command.env_remove(name);
        }
    }
    command.env("BELLWIRE_DATA", folder).env("BELLWIRE_BIND", "127.0.0.1:0");
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn folder(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("bellwire-program-{name}-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    folder
}
