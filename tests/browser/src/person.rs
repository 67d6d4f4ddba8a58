use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;

use serde_json::{Value, json};
use tempfile::TempDir;
use thirtyfour::{
    By, ChromeCapabilities, ChromiumLikeCapabilities, LoggingPrefsLogLevel, WebDriver, WebElement,
};

use crate::{PATIENCE, look_until, programs};

/// How every browser is started: alone, silent towards the world, and without what a container does not give it.
const BROWSER: [&str; 9] = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1280,900",
];

/// What is special about somebody's browser.
#[derive(Debug, Default)]
pub(crate) struct Habits {
    /// Scripts are switched off in the browser's settings.
    pub(crate) without_javascript: bool,
    /// The first address is reached by way of the second.
    pub(crate) way: Option<(SocketAddr, SocketAddr)>,
}

/// Somebody with a browser of their own. What people do is in `verbs`; this is how a browser is reached.
#[derive(Debug)]
pub struct Person {
    name: String,
    site: String,
    browser: WebDriver,
    // Last: the browser writes to it until it has ended.
    _profile: TempDir,
}

impl Person {
    pub(crate) async fn arrive(name: &str, driver: &str, site: &str, habits: Habits) -> Self {
        let profile = tempfile::tempdir().expect("a temporary folder");
        let capabilities = capabilities(&profile, &habits);
        let browser = WebDriver::new(driver, capabilities).await;
        let browser = browser.unwrap_or_else(|error| panic!("no browser for {name}: {error}"));
        Self { name: name.to_owned(), site: site.to_owned(), browser, _profile: profile }
    }

    /// The name, which is also the name of the account.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The browser itself, for what no verb says.
    #[must_use]
    pub fn browser(&self) -> &WebDriver {
        &self.browser
    }

    /// Goes to a path of the site, or to a whole address.
    pub async fn visit(&self, address: &str) {
        let address =
            if address.starts_with('/') { format!("{}{address}", self.site) } else { address.to_owned() };
        let gone = self.browser.goto(address.as_str()).await;
        gone.unwrap_or_else(|error| panic!("{} cannot visit {address}: {error}", self.name));
    }

    /// The path of the page that is shown.
    pub async fn path(&self) -> String {
        self.browser.current_url().await.map(|url| url.path().to_owned()).unwrap_or_default()
    }

    /// What a script returns in the page; `Null` when it fails, as it does while a page gives way to the next.
    pub async fn ask(&self, script: &str, arguments: &[Value]) -> Value {
        let answer = self.browser.execute(script, Arc::<[Value]>::from(arguments)).await;
        answer.map(|answer| answer.json().clone()).unwrap_or(Value::Null)
    }

    /// Waits until a script returns something that is true, and returns it.
    ///
    /// # Panics
    /// With the sentence "`name` never …" and the page's words, when that does not happen.
    pub async fn until(&self, what: &str, script: &str, arguments: &[Value]) -> Value {
        let look = async || {
            let answer = self.ask(script, arguments).await;
            (!matches!(answer, Value::Null | Value::Bool(false))).then_some(answer)
        };
        match look_until(look).await {
            Some(answer) => answer,
            None => panic!("{} never {what}. {}", self.name, self.page().await),
        }
    }

    /// The first element that fits, as soon as it can be seen.
    pub async fn find(&self, selector: &str) -> WebElement {
        let look = async || {
            let element = self.browser.find(By::Css(selector)).await.ok()?;
            element.is_displayed().await.is_ok_and(|shown| shown).then_some(element)
        };
        match look_until(look).await {
            Some(element) => element,
            None => panic!("{} never found `{selector}`. {}", self.name, self.page().await),
        }
    }

    /// What the browser complained about since this was last asked: errors, warnings, violations of the page's
    /// security policy.
    pub async fn complaints(&self) -> Vec<String> {
        let log = self.browser.browser_log().await.expect("the browser's log can be read");
        let complaints = log.into_iter().filter(|entry| matches!(entry.level.as_str(), "SEVERE" | "WARNING"));
        complaints.map(|entry| entry.message).collect()
    }

    /// The page in words, for the message of a failure.
    async fn page(&self) -> String {
        let address = self.browser.current_url().await.map(|url| url.to_string()).unwrap_or_default();
        let script = "return [document.documentElement.dataset.bellwire, document.body.innerText]";
        let answer = self.ask(script, &[]).await;
        let log = self.browser.browser_log().await.unwrap_or_default();
        let log: Vec<String> = log.into_iter().map(|entry| entry.message).collect();
        format!("At {address} the page shows {answer:#}; the browser's log: {log:#?}")
    }
}

impl Drop for Person {
    /// Closes the browser, also when a story fails. The library's own way of doing so here waits for two minutes.
    fn drop(&mut self) {
        let (driver, session) = (self.browser.handle().server_url(), self.browser.handle().session_id());
        let address = (driver.host_str().unwrap_or_default(), driver.port().unwrap_or_default());
        let request =
            format!("DELETE /session/{session} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        let closed = TcpStream::connect(address).and_then(|mut stream| {
            stream.set_read_timeout(Some(PATIENCE))?;
            stream.write_all(request.as_bytes())?;
            stream.read(&mut [0; 512])
        });
        if let Err(error) = closed {
            eprintln!("the browser of {} did not close: {error}", self.name);
        }
        // An error says that it was closed before, which is as well.
        let _ = self.browser.clone().leak();
    }
}

fn capabilities(profile: &TempDir, habits: &Habits) -> ChromeCapabilities {
    let mut arguments = BROWSER.map(str::to_owned).to_vec();
    arguments.push(format!("--user-data-dir={}", profile.path().display()));
    if let Some((site, way)) = habits.way {
        arguments.push(format!("--host-resolver-rules=MAP {site} {way}"));
    }
    let mut capabilities = ChromeCapabilities::new();
    let set = arguments.iter().try_for_each(|argument| capabilities.add_arg(argument));
    set.and_then(|()| capabilities.set_binary(&programs::chromium()))
        .and_then(|()| capabilities.set_browser_log_level(LoggingPrefsLogLevel::All))
        .and_then(|()| {
            let javascript = if habits.without_javascript { 2 } else { 1 };
            let prefs = json!({ "profile.managed_default_content_settings.javascript": javascript });
            capabilities.add_experimental_option("prefs", prefs)
        })
        .expect("the browser's settings can be written as JSON");
    capabilities
}
