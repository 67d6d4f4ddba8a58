use serde_json::{Value, json};

use crate::{Key, Keys, Person, look_until};

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

    /// Opens a room by its name from the list of rooms, whether it exists or not, and waits until
    /// its page is live.
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
        let times =
            seen.as_array().map_or(0, |seen| seen.iter().filter(|words| *words == text).count());
        assert_eq!(times, 1, "{} sees {text:?} {times} times in {seen:#}", self.name());
    }

    /// Finds these words nowhere on the page. Only worth something after a later message that came
    /// the same way.
    pub async fn never_saw(&self, text: &str) {
        let found = self
            .ask("return document.documentElement.outerHTML.includes(arguments[0])", &[json!(text)])
            .await;
        assert_eq!(
            found,
            Value::Bool(false),
            "{} saw {text:?}, which was not for them",
            self.name()
        );
    }

    /// The words of all messages in the room, in the page's order.
    pub async fn messages(&self) -> Vec<String> {
        let seen = self.ask(&format!("return {MESSAGES}"), &[]).await;
        serde_json::from_value(seen).unwrap_or_default()
    }

    /// Waits until the first element that fits can be seen.
    ///
    /// # Panics
    /// If it never can.
    pub async fn find(&self, selector: &str) {
        let is_seen = "const found = document.querySelector(arguments[0])
          return !!found && found.checkVisibility({ opacityProperty: true, visibilityProperty: true })
            && [...found.getClientRects()].some(({ width, height }) => width > 0 && height > 0)";
        self.until(&format!("found `{selector}`"), is_seen, &[json!(selector)]).await;
    }

    /// Whether there is an element that fits, seen or not.
    pub async fn has(&self, selector: &str) -> bool {
        self.ask("return document.querySelector(arguments[0]) !== null", &[json!(selector)]).await
            == json!(true)
    }

    /// Selects all that is in a field, and types in its place.
    pub async fn types(&self, selector: &str, text: &str) {
        self.find(selector).await;
        let select = "const field = document.querySelector(arguments[0])
          field.focus()
          field.select()
          return field.value !== ''";
        let is_full = self.ask(select, &[json!(selector)]).await == json!(true);
        if is_full && text.is_empty() {
            self.keys(Key::Delete).await
        } else {
            self.keys(text).await
        }
    }

    /// Types into a field after what is in it, or presses one key there.
    pub async fn keys_into<'a>(&self, selector: &str, keys: impl Into<Keys<'a>>) {
        self.find(selector).await;
        let focus = "const field = document.querySelector(arguments[0])
          if (document.activeElement === field) return
          field.focus()
          field.setSelectionRange(field.value.length, field.value.length)";
        self.ask(focus, &[json!(selector)]).await;
        self.keys(keys).await;
    }

    /// Presses keys where the focus is, one right after the other.
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

    /// Presses a button or follows a link, as soon as nothing is in the way.
    pub async fn presses(&self, selector: &str) {
        // The middle of the element, or why it cannot be pressed.
        let aim = "const found = document.querySelector(arguments[0])
          if (!found) return 'there is none'
          found.scrollIntoViewIfNeeded()
          const [box] = [...found.getClientRects()].filter(({ width, height }) => width > 0 && height > 0)
          if (!box) return 'it cannot be seen'
          const [x, y] = [box.left + box.width / 2, box.top + box.height / 2]
          const hit = document.elementFromPoint(x, y)
          return found.contains(hit) ? [x, y] : `${hit?.outerHTML.slice(0, 200)} is in the way`";
        let mut last = Value::Null;
        let look = async || {
            last = self.ask(aim, &[json!(selector)]).await;
            Some((last[0].as_f64()?, last[1].as_f64()?))
        };
        let Some((x, y)) = look_until(look).await else {
            panic!("{} cannot press `{selector}`: {last}. {}", self.name(), self.page().await);
        };
        self.clicks(x, y).await;
    }

    /// Moves the mouse there and presses its button.
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

    /// Waits until an element has these words, and nothing else.
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

    /// The words of the first element that fits, as they can be seen, or nothing.
    pub async fn words_of(&self, selector: &str) -> String {
        let words = "const found = document.querySelector(arguments[0])
          return found?.checkVisibility() ? found.innerText.trim() : ''";
        self.ask(words, &[json!(selector)]).await.as_str().unwrap_or_default().to_owned()
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
