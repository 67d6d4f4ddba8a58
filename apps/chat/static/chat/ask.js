// POST requests over HTTP, for actions whose result the page must know. They work with every
// transport and have a timeout.

import { post, state } from "../bellwire.js"

const AWAY = "You are not connected."
const BUSY = "The server is busy. Please try again."
const SIGNED_OUT = "You are signed out. Please sign in again."

/** Posts fields to a path, like a form. Returns an error text, or `null` on success. */
export async function ask(path, fields = {}) {
  if (!navigator.onLine) return AWAY
  const { result, error } = await post(formOf(path, fields))
  if (result === "later") return state() === "connected" ? BUSY : AWAY
  return result === "unanswered" ? SIGNED_OUT : error
}

// A form that is not in the page. It has a place for an error, so that the page itself shows none.
function formOf(path, fields) {
  const form = document.createElement("form")
  form.setAttribute("action", path)
  form.innerHTML = '<p id="error--"></p>'
  form.addEventListener("formdata", ({ formData }) => {
    for (const [name, value] of Object.entries(fields)) formData.set(name, value)
  })
  return form
}
