use serde_json::{Value, json};

use crate::{Key, Keys, Person, poll_until};

/// Long enough, and on no list of common passwords.
const PASSWORD: &str = "six quiet bells at noon";

/// The texts of the messages in the room, in order.
const MESSAGES: &str =
    "[...document.querySelectorAll('#messages-list .message__text')].map(e => e.textContent)";

impl Person {
    /// Creates the first account of a new site, which is its administrator's.
    pub async fn becomes_administrator(&self) {
        self.visit("/accounts/first/").await;
        self.fills_in_sign_up(PASSWORD, PASSWORD).await;
        self.is_signed_in().await;
    }

    /// Creates an account, which also signs in.
    pub async fn signs_up(&self) {
        self.visit("/accounts/signup/").await;
        self.fills_in_sign_up(PASSWORD, PASSWORD).await;
        self.is_signed_in().await;
    }

    /// Fills in the sign-up form, and submits it.
    pub async fn fills_in_sign_up(&self, password: &str, again: &str) {
        self.types("#username", self.name()).await;
        self.types("#password", password).await;
        self.types("#password_confirm", again).await;
        self.presses("main form button[type=submit]").await;
    }

    /// Signs in with the existing account.
    pub async fn signs_in(&self) {
        self.visit("/accounts/login/").await;
        self.types("#username", self.name()).await;
        self.types("#password", PASSWORD).await;
        self.presses("main form button[type=submit]").await;
        self.is_signed_in().await;
    }

    /// Signs out with the button in the page's header.
    pub async fn signs_out(&self) {
        self.presses("form[action='/accounts/logout/'] button").await;
        let is_signed_out = "return !document.querySelector(\"form[action='/accounts/logout/']\") \
                             && document.readyState == 'complete'";
        self.until("was signed out", is_signed_out, &[]).await;
    }

    /// Waits until the page's header has a sign-out button.
    pub async fn is_signed_in(&self) {
        self.find("form[action='/accounts/logout/'] button").await;
    }

    /// Opens a room by its name from the list of rooms, which creates it if necessary. Waits until
    /// its page has a composer.
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

    /// Waits until the page reports that it is offline.
    pub async fn is_offline(&self) {
        self.has_state("offline").await;
    }

    async fn has_state(&self, state: &str) {
        let script = "return document.documentElement.dataset.bellwire === arguments[0]";
        self.until(&format!("was {state}"), script, &[json!(state)]).await;
    }

    /// Types a message and sends it with the button.
    pub async fn says(&self, text: &str) {
        self.types("#message", text).await;
        self.presses("#composer button[type=submit]").await;
    }

    /// Waits until a message with this text is in the room. It must be there exactly once.
    pub async fn sees(&self, text: &str) {
        let script = format!("const seen = {MESSAGES}; return seen.includes(arguments[0]) && seen");
        let seen = self.until(&format!("saw {text:?}"), &script, &[json!(text)]).await;
        let times =
            seen.as_array().map_or(0, |seen| seen.iter().filter(|seen| *seen == text).count());
        assert_eq!(times, 1, "{} sees {text:?} {times} times in {seen:#}", self.name());
    }

    /// Checks that this text is nowhere on the page. Proves something only after a later message
    /// has arrived by the same path.
    pub async fn never_saw(&self, text: &str) {
        let found = self
            .run_script(
                "return document.documentElement.outerHTML.includes(arguments[0])",
                &[json!(text)],
            )
            .await;
        assert_eq!(
            found,
            Value::Bool(false),
            "{} saw {text:?}, which was not meant for them",
            self.name()
        );
    }

    /// The texts of all messages in the room, in the page's order.
    pub async fn messages(&self) -> Vec<String> {
        let seen = self.run_script(&format!("return {MESSAGES}"), &[]).await;
        serde_json::from_value(seen).unwrap_or_default()
    }

    /// Waits until the first matching element is visible.
    ///
    /// # Panics
    /// If it never is.
    pub async fn find(&self, selector: &str) {
        let is_seen = "const found = document.querySelector(arguments[0])
          return !!found && found.checkVisibility({ opacityProperty: true, visibilityProperty: true })
            && [...found.getClientRects()].some(({ width, height }) => width > 0 && height > 0)";
        self.until(&format!("found `{selector}`"), is_seen, &[json!(selector)]).await;
    }

    /// Whether a matching element exists, visible or not.
    pub async fn has(&self, selector: &str) -> bool {
        self.run_script("return document.querySelector(arguments[0]) !== null", &[json!(selector)])
            .await
            == json!(true)
    }

    /// Replaces the content of a field by typing.
    pub async fn types(&self, selector: &str, text: &str) {
        self.find(selector).await;
        let select = "const field = document.querySelector(arguments[0])
          field.focus()
          field.select()
          return field.value !== ''";
        let is_full = self.run_script(select, &[json!(selector)]).await == json!(true);
        if is_full && text.is_empty() {
            self.keys(Key::Delete).await
        } else {
            self.keys(text).await
        }
    }

    /// Types at the end of a field, or presses one key in it.
    pub async fn types_keys<'a>(&self, selector: &str, keys: impl Into<Keys<'a>>) {
        self.find(selector).await;
        let focus = "const field = document.querySelector(arguments[0])
          if (document.activeElement === field) return
          field.focus()
          field.setSelectionRange(field.value.length, field.value.length)";
        self.run_script(focus, &[json!(selector)]).await;
        self.keys(keys).await;
    }

    /// Presses keys in the focused element, one right after another.
    async fn keys<'a>(&self, keys: impl Into<Keys<'a>>) {
        let strokes = keys.into().strokes();
        let pressed: Vec<_> = strokes
            .into_iter()
            .map(|(method, parameters)| self.command(method, parameters))
            .collect();
        for stroke in pressed {
            stroke.await.unwrap_or_else(|error| panic!("{} cannot type: {error}", self.name()));
        }
        self.settles().await;
    }

    /// Clicks a button or a link, once nothing covers it.
    pub async fn presses(&self, selector: &str) {
        // Returns the centre of the element, or the reason why it cannot be clicked.
        let aim = "const found = document.querySelector(arguments[0])
          if (!found) return 'it does not exist'
          found.scrollIntoViewIfNeeded()
          const [box] = [...found.getClientRects()].filter(({ width, height }) => width > 0 && height > 0)
          if (!box) return 'it is invisible'
          const [x, y] = [box.left + box.width / 2, box.top + box.height / 2]
          const hit = document.elementFromPoint(x, y)
          return found.contains(hit) ? [x, y] : `${hit?.outerHTML.slice(0, 200)} covers it`";
        let mut last = Value::Null;
        let poll = async || {
            last = self.run_script(aim, &[json!(selector)]).await;
            Some((last[0].as_f64()?, last[1].as_f64()?))
        };
        let Some((x, y)) = poll_until(poll).await else {
            panic!("{} cannot click `{selector}`: {last}. {}", self.name(), self.page().await);
        };
        self.clicks(x, y).await;
    }

    /// Moves the mouse to a point and clicks.
    async fn clicks(&self, x: f64, y: f64) {
        let event = |kind, buttons| {
            let button = if kind == "mouseMoved" { "none" } else { "left" };
            json!({ "type": kind, "x": x, "y": y, "button": button, "buttons": buttons, "clickCount": 1 })
        };
        let events = [("mouseMoved", 0), ("mousePressed", 1), ("mouseReleased", 0)];
        let sent = events
            .map(|(kind, buttons)| self.command("Input.dispatchMouseEvent", event(kind, buttons)));
        for event in sent {
            event.await.unwrap_or_else(|error| panic!("{} cannot click: {error}", self.name()));
        }
        self.settles().await;
    }

    /// Waits until the text of an element equals `text`.
    pub async fn reads(&self, selector: &str, text: &str) {
        let script =
            "return document.querySelector(arguments[0])?.textContent.trim() === arguments[1]";
        self.until(
            &format!("read {text:?} in `{selector}`"),
            script,
            &[json!(selector), json!(text)],
        )
        .await;
    }

    /// The visible text of the first matching element, or an empty string.
    pub async fn text_of(&self, selector: &str) -> String {
        let visible_text = "const found = document.querySelector(arguments[0])
          return found?.checkVisibility() ? found.innerText.trim() : ''";
        self.run_script(visible_text, &[json!(selector)])
            .await
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }

    /// Sets a mark in the page, which a reload removes.
    pub async fn marks_page(&self) {
        self.run_script("window.markOfTheStory = true", &[]).await;
    }

    /// Checks that the page was not reloaded since it was marked.
    pub async fn did_not_reload(&self) {
        let marked = self.run_script("return window.markOfTheStory === true", &[]).await;
        assert_eq!(marked, Value::Bool(true), "the page of {} was reloaded", self.name());
    }
}
