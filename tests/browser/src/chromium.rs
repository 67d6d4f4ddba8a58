use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, Weak, mpsc};

use serde_json::json;
use tempfile::TempDir;

use crate::context::Context;
use crate::devtools::Devtools;
use crate::events::EventRouter;
use crate::tab::Tab;
use crate::{TEST_TIMEOUT, programs};

/// Flags of every browser: headless, without background traffic, and without the sandbox, which
/// containers do not support. Input before the first frame of a page is accepted.
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

/// The browser that the stories of a test program share. It ends with its last user.
static SHARED: tokio::sync::Mutex<Weak<Chromium>> = tokio::sync::Mutex::const_new(Weak::new());

/// Settings of one person's browser context.
#[derive(Debug, Default)]
pub(crate) struct ContextOptions {
    /// Scripts are switched off in the browser's settings.
    pub(crate) without_javascript: bool,
    /// The SOCKS proxy for all connections.
    pub(crate) proxy: Option<SocketAddr>,
}

/// A browser process and the connection to it. The process ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Chromium {
    pub(crate) devtools: Devtools,
    events: Arc<EventRouter>,
    process: Mutex<Child>,
    // Dropped last: the browser writes to it until it has ended.
    _profile: TempDir,
}

impl Chromium {
    /// Returns the shared browser; starts it if it is not running.
    pub(crate) async fn shared() -> Arc<Self> {
        let mut shared = SHARED.lock().await;
        if let Some(running) = shared.upgrade() {
            return running;
        }
        let program = programs::headless_shell().unwrap_or_else(programs::chromium);
        let started = Arc::new(Self::start(&program).await);
        *shared = Arc::downgrade(&started);
        started
    }

    /// Starts a separate browser, which has everything that people's browsers have.
    ///
    /// # Panics
    /// If it does not start.
    pub(crate) async fn full() -> Self {
        Self::start(&programs::chromium()).await
    }

    async fn start(program: &str) -> Self {
        let profile = tempfile::tempdir().expect("a temporary folder");
        let spawned = Command::new(program)
            .args(FLAGS)
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .arg("about:blank")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn();
        let mut process = spawned.unwrap_or_else(|error| {
            panic!(
                "{program} does not start ({error}): run `bin/test`, which installs missing programs"
            )
        });
        let address = announced_address(&mut process);
        let process = Mutex::new(process);
        let Some(address) = address else {
            end(&process);
            panic!("{program} does not print its DevTools address")
        };
        let events = Arc::new(EventRouter::default());
        let devtools = Devtools::connect(&address, events.clone()).await;
        let chromium = Self { devtools, events, process, _profile: profile };
        // Every page is attached before its first script runs, including pages opened by other
        // pages.
        let every_page = json!({
            "autoAttach": true,
            "waitForDebuggerOnStart": true,
            "flatten": true,
            "filter": [{ "type": "page", "exclude": false }, { "exclude": true }],
        });
        let attached = chromium.devtools.call(None, "Target.setAutoAttach", every_page).await;
        attached
            .unwrap_or_else(|error| panic!("{program} does not accept the connection: {error}"));
        chromium
    }

    /// Creates an empty browser context.
    ///
    /// # Panics
    /// If the browser refuses.
    pub(crate) async fn create_context(&self, options: &ContextOptions) -> Arc<Context> {
        let mut settings = json!({ "disposeOnDetach": true });
        if let Some(proxy) = options.proxy {
            settings["proxyServer"] = json!(format!("socks5://{proxy}"));
            // Without this setting, browsers bypass the proxy for loopback addresses.
            settings["proxyBypassList"] = json!("<-loopback>");
        }
        let made = self.devtools.call(None, "Target.createBrowserContext", settings).await;
        let made = made.unwrap_or_else(|error| panic!("no browser context: {error}"));
        let id = made["browserContextId"].as_str().expect("an id");
        let context = Arc::new(Context::new(id, options.without_javascript));
        self.events.add(context.clone());
        context
    }

    /// Opens an empty tab.
    ///
    /// # Panics
    /// If the browser refuses.
    pub(crate) async fn open_tab(&self, context: &Context) -> Arc<Tab> {
        let parameters = json!({ "url": "about:blank", "browserContextId": context.id() });
        let made = self.devtools.call(None, "Target.createTarget", parameters).await;
        let made = made.unwrap_or_else(|error| panic!("no tab: {error}"));
        let tab = context.attached_tab(made["targetId"].as_str().expect("an id")).await;
        tab.expect("the browser attaches the new tab")
    }

    /// Disposes of a context with its tabs, cookies and connections.
    pub(crate) fn dispose(&self, context: &Context) {
        let parameters = json!({ "browserContextId": context.id() });
        // An error means that the browser has crashed, which ends the context as well.
        let _ = self.devtools.call_blocking(None, "Target.disposeBrowserContext", parameters);
        self.events.remove(context);
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
        // The rest is discarded, because a full pipe would block the browser.
        std::io::copy(&mut output, &mut std::io::sink())
    });
    announced.recv_timeout(TEST_TIMEOUT).ok()
}

fn listening_line(output: &mut BufReader<impl Read>) -> Option<String> {
    let mut lines = output.lines().map_while(Result::ok);
    lines
        .find_map(|line| line.strip_prefix("DevTools listening on ").map(|at| at.trim().to_owned()))
}
