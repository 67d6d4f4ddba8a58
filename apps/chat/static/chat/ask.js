// POST requests over HTTP, for actions whose result the page must know. They work with every
// transport and have a timeout.

const PATIENCE_MS = 20_000
const AWAY = "You are not connected."
const BUSY = "The server is busy. Please try again."
const SIGNED_OUT = "You are signed out. Please sign in again."
const REFUSED = { 403: "Only the owner can do that.", 413: "This is too long to be sent." }

/**
 * Posts fields to a path, like a form. Returns an error text, or `null` on success. `gone` is the
 * text for status 404.
 */
export async function ask(path, fields = {}, gone = "This message was deleted.") {
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
    // The response must be a page for the same user: another tab may have signed in as another one.
    return page.documentElement.dataset.user === document.documentElement.dataset.user ? null : SIGNED_OUT
  }
  const error = [...page.querySelectorAll('[id="error"], [id^="error--"]')].find((each) => each.textContent.trim())
  if (error) return error.textContent.trim()
  if (answer.status === 404) return gone
  return answer.status >= 500 ? BUSY : (REFUSED[answer.status] ?? `The request failed (${answer.status}). Please try again.`)
}
