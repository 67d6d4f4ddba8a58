// An ask by HTTP, to the action of its form, as without JavaScript: for where no socket gets through.

import { mark } from "./wrong.js"

const ANSWER = 20_000
const NOT_TAKEN = "It was not taken. Please load the page again."
const LATER = [408, 425, 429] // and whatever is the server's own trouble

/** `{ error, field }`, both `null` when the ask was taken; `null` when it has to be tried again. */
export async function post(form, data) {
  const fields = Object.entries(data).flatMap(([name, value]) => [value].flat().map((each) => [name, each]))
  const body = new URLSearchParams(fields)
  try {
    // Where a form leads to afterwards is for pages that are not live.
    const options = { method: "POST", body, redirect: "manual", signal: AbortSignal.timeout(ANSWER) }
    const answer = await fetch(form.action, options)
    if (answer.ok || answer.type === "opaqueredirect") return { error: null, field: null }
    if (answer.status >= 500 || LATER.includes(answer.status)) return null
    return problem(await answer.text())
  } catch {
    return null
  }
}

/** What the page that came instead says is wrong; shown in ours as well. */
function problem(html) {
  const page = new DOMParser().parseFromString(html, "text/html") // read, never run
  const said = [...page.querySelectorAll('[id="error"], [id^="error--"]')].find((each) => each.textContent.trim())
  if (!said) return { error: NOT_TAKEN, field: null }
  const error = said.textContent.trim()
  const place = document.getElementById(said.id)
  place?.replaceChildren(error)
  if (place) mark(place)
  return { error, field: said.id.slice("error--".length) || null }
}
