// Asks something of the server by HTTP, where the answer must be known: it works on every transport and is never left hanging.

const PATIENCE_MS = 20_000
const AWAY = "You are not connected."
const BUSY = "There is too much to do at the moment. Try again."
const SIGNED_OUT = "You are not signed in any more."
const REFUSED = { 403: "Only its owner may do that.", 413: "This is too long to be sent." }

/** Sends fields to a path, as a form does. Returns what went wrong, or `null`; `gone` says what is not there, if it is not. */
export async function ask(path, fields = {}, gone = "That message is gone.") {
  if (!navigator.onLine) return AWAY
  let answer, text
  try {
    const options = { method: "POST", body: new URLSearchParams(fields), signal: AbortSignal.timeout(PATIENCE_MS) }
    answer = await fetch(path, options)
    text = await answer.text()
  } catch {
    return AWAY
  }
  const page = new DOMParser().parseFromString(text, "text/html") // read, never run
  if (answer.ok || answer.status === 401) {
    // Where it leads to is a page for the one who asked, unless they are somebody else by now.
    return page.documentElement.dataset.user === document.documentElement.dataset.user ? null : SIGNED_OUT
  }
  const said = [...page.querySelectorAll('[id="error"], [id^="error--"]')].find((each) => each.textContent.trim())
  if (said) return said.textContent.trim()
  if (answer.status === 404) return gone
  return answer.status >= 500 ? BUSY : (REFUSED[answer.status] ?? `It was not taken (${answer.status}).`)
}
