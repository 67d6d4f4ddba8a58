// Actions by HTTP, to the `action` of their form, as without JavaScript: for networks that block
// WebSockets, and for pages whose connection the server has closed for good. Only the header
// `Bellwire-Answer` is an answer: a redirect, or a page, may come from anything between.

import { browser } from "./environment.js"
import { NOT_ACCEPTED } from "./messages.js"

/** @typedef {import("./environment.js").Environment} Environment */

const TIMEOUT = 20_000 // ms
const RETRY = 5_000 // ms until an action without an answer is sent again
const LONGEST_RETRY = 60_000
const LATER = [408, 425, 429] // and all 5xx
const NO_ANSWER = [401, 403] // and all below 400: the session may have ended

/**
 * @typedef {{ result: "accepted" }
 *   | { result: "refused", error: string, field: string | null }
 *   | { result: "later", delay: number }
 *   | { result: "unclear", url: string, status: number }} HttpAnswer
 */

/** @typedef {(html: string) => { error: string, field: string | null } | null} FindError */

/**
 * Posts fields once.
 *
 * @param {{ url: string, data: Record<string, unknown>, person: string | null, findError: FindError }} request
 * @param {Environment} environment
 * @returns {Promise<HttpAnswer>}
 */
export async function post({ url, data, person, findError }, environment = browser) {
  try {
    const response = await environment.fetch(url, {
      method: "POST",
      headers: headersFor(person),
      body: fieldsOf(data),
      redirect: "manual",
      signal: AbortSignal.timeout(TIMEOUT),
    })
    return await answerOf(response, url, findError)
  } catch {
    return { result: "later", delay: RETRY }
  }
}

/** @param {string | null} person on whose behalf it is sent; `null` or empty for nobody */
export function headersFor(person) {
  /** @type {Record<string, string>} */
  const headers = { "Bellwire-Request": "1" }
  // A header consists of bytes, here of UTF-8.
  if (person) headers["Bellwire-Person"] = String.fromCharCode(...new TextEncoder().encode(person))
  return headers
}

/** @param {Record<string, unknown>} data */
function fieldsOf(data) {
  const fields = Object.entries(data).flatMap(([name, value]) =>
    [value].flat().map((each) => [name, String(each)]),
  )
  return new URLSearchParams(fields)
}

/**
 * @param {Response} response
 * @param {string} url
 * @param {FindError} findError
 * @returns {Promise<HttpAnswer>}
 */
export async function answerOf(response, url, findError) {
  const { status, headers } = response
  const answer = headers.get("Bellwire-Answer")
  if (answer === "ok") return { result: "accepted" }
  if (answer === "refused") return { result: "refused", ...(await refusalIn(response, findError)) }
  if (status >= 500 || LATER.includes(status)) return { result: "later", delay: delayOf(headers) }
  if (status < 400 || NO_ANSWER.includes(status)) return { result: "unclear", url, status }
  return { result: "refused", error: NOT_ACCEPTED, field: null }
}

/**
 * @param {Response} response
 * @param {FindError} findError
 */
async function refusalIn(response, findError) {
  const text = await response.text()
  if (response.headers.get("Content-Type")?.startsWith("text/html")) {
    return findError(text) ?? { error: NOT_ACCEPTED, field: null }
  }
  return {
    error: text.trim() || NOT_ACCEPTED,
    field: decoded(response.headers.get("Bellwire-Field") ?? "") || null,
  }
}

/** @param {string} text percent-encoded */
function decoded(text) {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/**
 * The time to wait, in ms, from the seconds in `Retry-After`.
 *
 * @param {Headers} headers
 */
function delayOf(headers) {
  const seconds = Number(headers.get("Retry-After"))
  return seconds ? Math.min(LONGEST_RETRY, seconds * 1_000) : RETRY
}
