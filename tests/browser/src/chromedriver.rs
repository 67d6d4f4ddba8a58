use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;

use crate::{PATIENCE, programs};

/// A ChromeDriver on a port it chose itself, ended when dropped.
#[derive(Debug)]
pub(crate) struct ChromeDriver {
    process: Child,
    port: u16,
}

impl ChromeDriver {
    pub(crate) fn start() -> Self {
        let program = programs::chromedriver();
        let spawned = Command::new(&program)
            .args(["--port=0", "--log-level=SEVERE"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn();
        let mut process = spawned.unwrap_or_else(|error| {
            panic!("{program} does not start ({error}): run `bin/test`, which installs what is missing")
        });
        let mut output = BufReader::new(process.stdout.take().expect("a piped output"));
        let (announce, announced) = mpsc::channel();
        std::thread::spawn(move || {
            if let Some(port) = announced_port(&mut output) {
                let _ = announce.send(port);
            }
            // What it says later is of no interest, but a full pipe would stop it.
            std::io::copy(&mut output, &mut std::io::sink())
        });
        let port = announced.recv_timeout(PATIENCE);
        let driver = Self { process, port: port.unwrap_or_default() };
        assert!(driver.port != 0, "{program} does not say on which port it listens");
        driver
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

impl Drop for ChromeDriver {
    fn drop(&mut self) {
        // Nothing can be done about a failure here, and the process is gone when both fail.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Reads on until ChromeDriver says `… was started successfully on port 12345.`
fn announced_port(output: &mut BufReader<impl Read>) -> Option<u16> {
    output.lines().map_while(Result::ok).find_map(|line| {
        let (_, port) = line.split_once("successfully on port ")?;
        port.trim_end_matches('.').parse().ok()
    })
}
