use serde_json::{Value, json};

use crate::Person;

/// Normalizes a message to the content that is the same for everyone. Removes browser-specific
/// additions (classes, local times, tools, day lines, the unread line) and white space between
/// elements.
const NORMALIZE: &str = "const KEPT = ['href', 'datetime', 'data-user', 'data-language', 'lang']
  const normal = (item) => {
    const text = item.querySelector('.message__text').cloneNode(true)
    text.querySelectorAll('button').forEach((tool) => tool.remove())
    for (const element of text.querySelectorAll('*'))
      for (const name of element.getAttributeNames()) KEPT.includes(name) || element.removeAttribute(name)
    const shown = item.querySelector('.message__text')
    return {
      id: item.id,
      seq: item.dataset.place,
      author: [item.dataset.author, item.querySelector('.message__author').textContent.trim()],
      mentions: item.dataset.mentions ?? '',
      link: item.querySelector('.message__link').getAttribute('href'),
      sent: item.querySelector('time').dateTime,
      edited: item.querySelector('.message__edited')?.dataset.at ?? null,
      source: shown.dataset.source ?? shown.textContent.trim(),
      html: text.innerHTML.trim(),
    }
  }
  const messages = (page) => [...page.querySelectorAll(':is(#messages-list, #messages-before) > li[id^=\"message--\"]')].map(normal)
  const fetched = async (path) => new DOMParser().parseFromString(await (await fetch(path)).text(), 'text/html')";

/// Fetches the newest messages, then follows the link to older ones until it is absent. Fetches
/// from the server, because a live page may remove its link.
const ALL_MESSAGES: &str = "return (async () => {
    let page = await fetched(location.pathname), all = messages(page)
    for (let link; (link = page.querySelector('.room__older a')); ) {
      page = await fetched(link.getAttribute('href'))
      all = [...messages(page), ...all]
    }
    return all
  })()";

impl Person {
    /// The displayed messages, normalized, in the page's order.
    pub async fn normalized_messages(&self) -> Vec<Value> {
        self.evaluate_messages("return messages(document)", &[]).await
    }

    /// All messages of the current room, normalized, from the first one on.
    pub async fn all_room_messages(&self) -> Vec<Value> {
        self.evaluate_messages(ALL_MESSAGES, &[]).await
    }

    /// The id of the message with this text, from a newly fetched page of the room.
    pub async fn id_of_message(&self, room: &str, text: &str) -> String {
        let find = "return fetched(arguments[0]).then(page => messages(page).find(m => m.source === arguments[1])?.id)";
        let id =
            self.run_script(&format!("{NORMALIZE}; {find}"), &[json!(room), json!(text)]).await;
        let id = id.as_str().and_then(|id| id.strip_prefix("message--")).map(str::to_owned);
        id.unwrap_or_else(|| panic!("there is no {text:?} in {room}"))
    }

    /// Waits until the live list has the same feed position as a newly loaded page.
    pub async fn is_up_to_date(&self) {
        let script = "return fetched(location.pathname).then(page => {
            const [live, fresh] = [document, page].map(page => page.querySelector('#messages-list').dataset.seq)
            return live !== undefined && live === fresh
          })";
        self.until("was brought up to date", &format!("{NORMALIZE}; {script}"), &[]).await;
    }

    async fn evaluate_messages(&self, script: &str, arguments: &[Value]) -> Vec<Value> {
        let found = self.run_script(&format!("{NORMALIZE}; {script}"), arguments).await;
        let Value::Array(found) = found else {
            panic!("the room of {} cannot be read: {found}", self.name())
        };
        found
    }
}
