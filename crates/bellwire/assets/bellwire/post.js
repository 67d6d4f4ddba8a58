// Actions by HTTP, to the `action` of their form, as without JavaScript: for networks that block
// WebSockets.

import { mark } from "./wrong.js"

const ANSWER = 20_000
const NOT_TAKEN = "It was not taken. Please load the page again."
const LATER = [408, 425, 429] // and all 5xx

/**
 * Sends an action. Returns `{ error, field }`, both `null` if it was accepted; `null` if it has to
 * be tried again.
 */
export async function post(form, data) {
  const fields = Object.entries(data).flatMap(([name, value]) => [value].flat().map((each) => [name, each]))
  const body = new URLSearchParams(fields)
  try {
    // The redirect after a form is for pages without a live connection.
    const options = { method: "POST", body, redirect: "manual", signal: AbortSignal.timeout(ANSWER) }
    const answer = await fetch(form.action, options)
    if (answer.ok || answer.type === "opaqueredirect") return { error: null, field: null }
    if (answer.status >= 500 || LATER.includes(answer.status)) return null
    return problem(await answer.text())
  } catch {
    return null
  }
}

/** The error in the page that was returned instead; it is shown in this page as well. */
function problem(html) {
  const page = new DOMParser().parseFromString(html, "text/html") // never run
  const said = [...page.querySelectorAll('[id="error"], [id^="error--"]')].find((each) => each.textContent.trim())
  if (!said) return { error: NOT_TAKEN, field: null }
  const error = said.textContent.trim()
  const place = document.getElementById(said.id)
  place?.replaceChildren(error)
  if (place) mark(place)
  return { error, field: said.id.slice("error--".length) || null }
}
