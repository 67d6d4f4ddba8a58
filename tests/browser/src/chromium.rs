use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, Weak, mpsc};

use serde_json::json;
use tempfile::TempDir;

use crate::context::Context;
use crate::devtools::Devtools;
use crate::observed::Observed;
use crate::tab::Tab;
use crate::{PATIENCE, programs};

/// Flags of every browser: no window on a screen, no traffic of its own, and no sandbox, which a
/// container does not allow. Input before a page's first frame counts, as it does for a person.
const FLAGS: [&str; 16] = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-hang-monitor",
    "--disable-popup-blocking",
    "--disable-sync",
    "--enable-automation",
    "--password-store=basic",
    "--allow-pre-commit-input",
    "--window-size=1280,900",
    "--remote-debugging-port=0",
];

/// The browser that the stories of a program share. Ends with the last person in it.
static SHARED: tokio::sync::Mutex<Weak<Chromium>> = tokio::sync::Mutex::const_new(Weak::new());

/// Properties of one person's browser.
#[derive(Debug, Default)]
pub(crate) struct Habits {
    /// Scripts are switched off in the browser's settings.
    pub(crate) without_javascript: bool,
    /// The SOCKS proxy through which everything goes.
    pub(crate) way: Option<SocketAddr>,
}

/// A browser process and the connection to it. The process ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Chromium {
    pub(crate) devtools: Devtools,
    observed: Arc<Observed>,
    process: Mutex<Child>,
    // Dropped last: the browser writes to it until it has ended.
    _profile: TempDir,
}

impl Chromium {
    /// The shared browser, started if nobody uses it at the moment.
    pub(crate) async fn shared() -> Arc<Self> {
        let mut shared = SHARED.lock().await;
        if let Some(running) = shared.upgrade() {
            return running;
        }
        let started = Arc::new(Self::start().await);
        *shared = Arc::downgrade(&started);
        started
    }

    /// A browser that nobody else uses.
    ///
    /// # Panics
    /// If it does not start.
    pub(crate) async fn start() -> Self {
        let program = programs::chromium();
        let profile = tempfile::tempdir().expect("a temporary folder");
        let spawned = Command::new(&program)
            .args(FLAGS)
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .arg("about:blank")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn();
        let mut process = spawned.unwrap_or_else(|error| {
            panic!(
                "{program} does not start ({error}): run `bin/test`, which installs what is missing"
            )
        });
        let address = announced_address(&mut process);
        let process = Mutex::new(process);
        let Some(address) = address else {
            end(&process);
            panic!("{program} does not say where its DevTools listen")
        };
        let observed = Arc::new(Observed::default());
        let devtools = Devtools::connect(&address, observed.clone()).await;
        let chromium = Self { devtools, observed, process, _profile: profile };
        // Every page is observed from its first line on, also one that another page opens.
        let every_page = json!({
            "autoAttach": true,
            "waitForDebuggerOnStart": true,
            "flatten": true,
            "filter": [{ "type": "page", "exclude": false }, { "exclude": true }],
        });
        let attached = chromium.devtools.ask(None, "Target.setAutoAttach", every_page).await;
        attached.unwrap_or_else(|error| panic!("{program} cannot be observed: {error}"));
        chromium
    }

    /// Makes a context in which nothing is remembered.
    ///
    /// # Panics
    /// If the browser refuses.
    pub(crate) async fn create_context(&self, habits: &Habits) -> Arc<Context> {
        let mut settings = json!({ "disposeOnDetach": true });
        if let Some(way) = habits.way {
            settings["proxyServer"] = json!(format!("socks5://{way}"));
            // A browser goes to its own machine directly unless it is told not to.
            settings["proxyBypassList"] = json!("<-loopback>");
        }
        let made = self.devtools.ask(None, "Target.createBrowserContext", settings).await;
        let made = made.unwrap_or_else(|error| panic!("no browser context: {error}"));
        let id = made["browserContextId"].as_str().expect("an id");
        let context = Arc::new(Context::new(id, habits.without_javascript));
        self.observed.add(context.clone());
        context
    }

    /// Opens an empty tab.
    ///
    /// # Panics
    /// If the browser refuses.
    pub(crate) async fn open_tab(&self, context: &Context) -> Arc<Tab> {
        let parameters = json!({ "url": "about:blank", "browserContextId": context.id() });
        let made = self.devtools.ask(None, "Target.createTarget", parameters).await;
        let made = made.unwrap_or_else(|error| panic!("no tab: {error}"));
        let tab = context.observed_tab(made["targetId"].as_str().expect("an id")).await;
        tab.expect("the browser lets its new tab be observed")
    }

    /// Ends a context with its tabs, cookies and connections.
    pub(crate) fn dispose(&self, context: &Context) {
        let parameters = json!({ "browserContextId": context.id() });
        // An error means that the browser has crashed, which ends the context as well.
        let _ = self.devtools.ask_and_block(None, "Target.disposeBrowserContext", parameters);
        self.observed.remove(context);
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        end(&self.process);
    }
}

fn end(process: &Mutex<Child>) {
    if let Ok(mut process) = process.lock() {
        // A failure means that it has ended already.
        let _ = process.kill();
        let _ = process.wait();
    }
}

/// The address in the line `DevTools listening on ws://127.0.0.1:12345/devtools/browser/…`.
fn announced_address(process: &mut Child) -> Option<String> {
    let mut output = BufReader::new(process.stderr.take()?);
    let (announce, announced) = mpsc::channel();
    std::thread::spawn(move || {
        if let Some(address) = listening_line(&mut output) {
            let _ = announce.send(address);
        }
        // The rest is of no interest, but a full pipe would stop the browser.
        std::io::copy(&mut output, &mut std::io::sink())
    });
    announced.recv_timeout(PATIENCE).ok()
}

fn listening_line(output: &mut BufReader<impl Read>) -> Option<String> {
    let mut lines = output.lines().map_while(Result::ok);
    lines
        .find_map(|line| line.strip_prefix("DevTools listening on ").map(|at| at.trim().to_owned()))
}
