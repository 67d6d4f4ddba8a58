use serde_json::{Value, json};

use crate::Person;

/// A message as it is for everybody. What each browser adds for its own person (classes, local
/// times, tools, day lines, the unread line) does not count, and neither does white space between
/// elements.
const NORMAL: &str = "const KEPT = ['href', 'datetime', 'data-user', 'data-language', 'lang']
  const normal = (item) => {
    const text = item.querySelector('.message__text').cloneNode(true)
    text.querySelectorAll('button').forEach((tool) => tool.remove())
    for (const element of text.querySelectorAll('*'))
      for (const name of element.getAttributeNames()) KEPT.includes(name) || element.removeAttribute(name)
    const said = item.querySelector('.message__text')
    return {
      id: item.id,
      seq: item.dataset.place,
      author: [item.dataset.author, item.querySelector('.message__author').textContent.trim()],
      mentions: item.dataset.mentions ?? '',
      link: item.querySelector('.message__link').getAttribute('href'),
      sent: item.querySelector('time').dateTime,
      edited: item.querySelector('.message__edited')?.dataset.at ?? null,
      source: said.dataset.source ?? said.textContent.trim(),
      html: text.innerHTML.trim(),
    }
  }
  const messages = (page) => [...page.querySelectorAll(':is(#messages-list, #messages-before) > li[id^=\"message--\"]')].map(normal)
  const fetched = async (path) => new DOMParser().parseFromString(await (await fetch(path)).text(), 'text/html')";

/// The newest messages as the server has them, and what is before by the link to what is older, as
/// long as there is one. Fetched, not read off the page: a live page may take its link away.
const WHOLE: &str = "return (async () => {
    let page = await fetched(location.pathname), all = messages(page)
    for (let link; (link = page.querySelector('.room__older a')); ) {
      page = await fetched(link.getAttribute('href'))
      all = [...messages(page), ...all]
    }
    return all
  })()";

impl Person {
    /// The messages in the list, normalised: what is the same for everybody, in the page's order.
    pub async fn normal_messages(&self) -> Vec<Value> {
        self.normal("return messages(document)", &[]).await
    }

    /// The same of everything in the room whose page is open, from its first message on.
    pub async fn whole_room(&self) -> Vec<Value> {
        self.normal(WHOLE, &[]).await
    }

    /// The id of the message with this text on a freshly loaded page of the room.
    pub async fn id_of_message(&self, room: &str, text: &str) -> String {
        let find = "return fetched(arguments[0]).then(page => messages(page).find(m => m.source === arguments[1])?.id)";
        let id = self.ask(&format!("{NORMAL}; {find}"), &[json!(room), json!(text)]).await;
        let id = id.as_str().and_then(|id| id.strip_prefix("message--")).map(str::to_owned);
        id.unwrap_or_else(|| panic!("there is no {text:?} in {room}"))
    }

    /// Waits until the live list stands where a page of the same address would that is loaded now.
    pub async fn is_up_to_date(&self) {
        let script = "return fetched(location.pathname).then(page => {
            const [live, fresh] = [document, page].map(page => page.querySelector('#messages-list').dataset.seq)
            return live !== undefined && live === fresh
          })";
        self.until("was brought up to date", &format!("{NORMAL}; {script}"), &[]).await;
    }

    async fn normal(&self, script: &str, arguments: &[Value]) -> Vec<Value> {
        let found = self.ask(&format!("{NORMAL}; {script}"), arguments).await;
        let Value::Array(found) = found else {
            panic!("the room of {} cannot be read: {found}", self.name())
        };
        found
    }
}
