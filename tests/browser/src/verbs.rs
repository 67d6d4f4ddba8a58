use serde_json::{Value, json};
use thirtyfour::By;

use crate::{Person, look_until};

/// Long enough, and on nobody's list of common ones.
const PASSWORD: &str = "six quiet bells at noon";

/// The words of the messages that are in the room, in order.
const MESSAGES: &str =
    "[...document.querySelectorAll('#messages-list .message__text')].map(e => e.textContent)";

impl Person {
    /// Makes the first account of a fresh site, which is its administrator's.
    pub async fn becomes_administrator(&self) {
        self.visit("/accounts/first/").await;
        self.fills_in_account(PASSWORD, PASSWORD).await;
        self.is_signed_in().await;
    }

    /// Makes an account and is signed in by that.
    pub async fn signs_up(&self) {
        self.visit("/accounts/signup/").await;
        self.fills_in_account(PASSWORD, PASSWORD).await;
        self.is_signed_in().await;
    }

    /// Fills in the form for a new account, and sends it.
    pub async fn fills_in_account(&self, password: &str, again: &str) {
        self.types("#username", self.name()).await;
        self.types("#password", password).await;
        self.types("#password_confirm", again).await;
        self.presses("main form button[type=submit]").await;
    }

    /// Signs in with the account made before.
    pub async fn signs_in(&self) {
        self.visit("/accounts/login/").await;
        self.types("#username", self.name()).await;
        self.types("#password", PASSWORD).await;
        self.presses("main form button[type=submit]").await;
        self.is_signed_in().await;
    }

    /// Signs out by the button in the page's head.
    pub async fn signs_out(&self) {
        self.presses("form[action='/accounts/logout/'] button").await;
        let out = "return !document.querySelector(\"form[action='/accounts/logout/']\") && document.readyState == 'complete'";
        self.until("was signed out", out, &[]).await;
    }

    /// Waits until the page's head offers to sign out.
    pub async fn is_signed_in(&self) {
        self.find("form[action='/accounts/logout/'] button").await;
    }

    /// Opens a room by its name from the list of rooms, whether it exists or not, and waits until its page is live.
    pub async fn opens_room(&self, name: &str) {
        self.visit("/chat/").await;
        self.types("#name", name).await;
        self.presses("main form[action='/chat/'] button[type=submit]").await;
        self.find("#composer").await;
    }

    /// Waits until the page's socket is open.
    pub async fn is_connected(&self) {
        self.has_state("connected").await;
    }

    /// Waits until the page says that it is offline.
    pub async fn is_offline(&self) {
        self.has_state("offline").await;
    }

    async fn has_state(&self, state: &str) {
        let script = "return document.documentElement.dataset.bellwire === arguments[0]";
        self.until(&format!("was {state}"), script, &[json!(state)]).await;
    }

    /// Writes a message and sends it with the button.
    pub async fn says(&self, text: &str) {
        self.types("#message", text).await;
        self.presses("#composer button[type=submit]").await;
    }

    /// Waits until a message with these words is in the room, where it must stand once.
    pub async fn sees(&self, text: &str) {
        let script = format!("const seen = {MESSAGES}; return seen.includes(arguments[0]) && seen");
        let seen = self.until(&format!("saw {text:?}"), &script, &[json!(text)]).await;
        let times = seen.as_array().map_or(0, |seen| seen.iter().filter(|words| *words == text).count());
        assert_eq!(times, 1, "{} sees {text:?} {times} times in {seen:#}", self.name());
    }

    /// Finds these words nowhere on the page. Only worth something after a later message that came the same way.
    pub async fn never_saw(&self, text: &str) {
        let found = self
            .ask("return document.documentElement.outerHTML.includes(arguments[0])", &[json!(text)])
            .await;
        assert_eq!(found, Value::Bool(false), "{} saw {text:?}, which was not for them", self.name());
    }

    /// The words of all messages in the room, in the page's order.
    pub async fn messages(&self) -> Vec<String> {
        let seen = self.ask(&format!("return {MESSAGES}"), &[]).await;
        serde_json::from_value(seen).unwrap_or_default()
    }

    /// Puts the caret into a field, empties it, and types.
    pub async fn types(&self, selector: &str, text: &str) {
        let field = self.find(selector).await;
        let typed = async {
            field.clear().await?;
            field.send_keys(text).await
        };
        typed.await.unwrap_or_else(|error| panic!("{} cannot type into `{selector}`: {error}", self.name()));
    }

    /// Presses a button or follows a link, as soon as nothing is in the way.
    pub async fn presses(&self, selector: &str) {
        let press = async || self.browser().find(By::Css(selector)).await.ok()?.click().await.ok();
        if look_until(press).await.is_none() {
            let error = self.find(selector).await.click().await;
            panic!("{} cannot press `{selector}`: {error:?}", self.name());
        }
    }

    /// Waits until an element has these words, and nothing else.
    pub async fn reads(&self, selector: &str, text: &str) {
        let script = "return document.querySelector(arguments[0])?.textContent.trim() === arguments[1]";
        self.until(&format!("read {text:?} in `{selector}`"), script, &[json!(selector), json!(text)]).await;
    }

    /// The words of the first element that fits, or nothing.
    pub async fn words_of(&self, selector: &str) -> String {
        let found = self.browser().find(By::Css(selector)).await;
        match found {
            Ok(element) => element.text().await.unwrap_or_default(),
            Err(_) => String::new(),
        }
    }

    /// Leaves a mark in the page that only a reload wipes away.
    pub async fn marks_the_page(&self) {
        self.ask("window.markOfTheStory = true", &[]).await;
    }

    /// Checks that the page was not loaded anew since it was marked.
    pub async fn did_not_reload(&self) {
        let marked = self.ask("return window.markOfTheStory === true", &[]).await;
        assert_eq!(marked, Value::Bool(true), "the page of {} was loaded anew", self.name());
    }
}
