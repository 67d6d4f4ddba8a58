import assert from "node:assert/strict"
import { mock, test } from "node:test"
import { headersFor, post } from "../src/bellwire/http.js"
import { HttpQueue, outcomeOf } from "../src/bellwire/http-queue.js"
import { NOT_ACCEPTED, UNCERTAIN } from "../src/bellwire/messages.js"
import { newEnvironment } from "./environment.js"

const HTML = "text/html; charset=utf-8"
const findError = (/** @type {string} */ html) =>
  html.includes("error") ? { error: "Too long.", field: "message" } : null

/**
 * What a response means.
 *
 * @param {number} status
 * @param {Record<string, string>} [headers]
 */
async function answerTo(status, headers = {}, body = "") {
  const environment = newEnvironment()
  const isEmpty = [204, 205, 304].includes(status)
  environment.fetch = async () => new Response(isEmpty ? null : body, { status, headers })
  return post({ url: "/say/", data: {}, person: null, findError }, environment)
}

/** A redirect that `redirect: "manual"` hides. */
function redirect() {
  const environment = newEnvironment()
  const response = { type: "opaqueredirect", status: 0, headers: new Headers() }
  environment.fetch = async () => /** @type {any} */ (response)
  return post({ url: "/say/", data: {}, person: null, findError }, environment)
}

test("a form is posted like without JavaScript, with the headers of the framework", async () => {
  const environment = newEnvironment()
  /** @type {any[]} */
  const requests = []
  environment.fetch = async (/** @type {any[]} */ ...request) => {
    requests.push(request)
    return new Response(null, { status: 204, headers: { "Bellwire-Answer": "ok" } })
  }
  const data = { message: "a & b", member: ["1", "2"], client_id: "x" }
  await post({ url: "/say/", data, person: "user.5", findError }, environment)
  const [[url, { method, headers, body, redirect }]] = requests
  assert.deepEqual([url, method, redirect], ["/say/", "POST", "manual"])
  assert.deepEqual(headers, { "Bellwire-Request": "1", "Bellwire-Person": "user.5" })
  assert.equal(String(body), "message=a+%26+b&member=1&member=2&client_id=x")
})

test("the person is named in UTF-8, and nobody is not named", () => {
  for (const nobody of [null, ""]) assert.deepEqual(headersFor(nobody), { "Bellwire-Request": "1" })
  assert.equal(headersFor("user:5/a!~%")["Bellwire-Person"], "user:5/a!~%")
  const value = new Headers(headersFor("Zoë.漢")).get("Bellwire-Person") ?? ""
  assert.equal(Buffer.from(value, "latin1").toString("utf8"), "Zoë.漢")
})

test("the header `ok` means accepted, with any status", async () => {
  for (const status of [200, 204, 401, 500]) {
    assert.deepEqual(await answerTo(status, { "Bellwire-Answer": "ok" }), { result: "accepted" })
  }
})

test("the header `refused` means refused: a text is the sentence, and a header names the field", async () => {
  const headers = { "Bellwire-Answer": "refused", "Content-Type": "text/plain; charset=utf-8" }
  assert.deepEqual(await answerTo(422, headers, "Too long.\n"), {
    result: "refused",
    error: "Too long.",
    field: null,
  })
  const named = await answerTo(
    422,
    { ...headers, "Bellwire-Field": "gr%C3%B6%C3%9Fe" },
    "Too long.",
  )
  assert.deepEqual(named, { result: "refused", error: "Too long.", field: "größe" })
  const odd = await answerTo(422, { ...headers, "Bellwire-Field": "100%" }, "Too much.")
  assert.deepEqual(odd, { result: "refused", error: "Too much.", field: "100%" })
  assert.deepEqual(await answerTo(503, headers), {
    result: "refused",
    error: NOT_ACCEPTED,
    field: null,
  })
})

test("the header `refused` with a page: the first error in it counts", async () => {
  const headers = { "Bellwire-Answer": "refused", "Content-Type": HTML }
  const answer = await answerTo(422, headers, "<p id=error--message>…")
  assert.deepEqual(answer, { result: "refused", error: "Too long.", field: "message" })
  assert.deepEqual(await answerTo(422, headers, "<p>"), {
    result: "refused",
    error: NOT_ACCEPTED,
    field: null,
  })
})

test("without the header, an unreachable or busy server is asked again later", async () => {
  for (const status of [408, 425, 429, 500, 502, 503, 504]) {
    assert.deepEqual(await answerTo(status), { result: "later", delay: 5_000 }, `${status}`)
  }
  const unreachable = await post({ url: "/", data: {}, person: null, findError }, newEnvironment())
  assert.deepEqual(unreachable, { result: "later", delay: 5_000 })
})

test("`Retry-After` is honoured up to a minute", async () => {
  const delays = ["7", "60", "3600", "0", "soon"].map(async (value) => {
    const answer = await answerTo(429, { "Retry-After": value })
    return answer.result === "later" && answer.delay
  })
  assert.deepEqual(await Promise.all(delays), [7_000, 60_000, 60_000, 5_000, 5_000])
})

test("without the header, a redirect, a success, 401 and 403 are no answer", async () => {
  for (const status of [200, 201, 204, 205, 304, 401, 403]) {
    assert.deepEqual(await answerTo(status, { "Content-Type": HTML }), {
      result: "unclear",
      url: "/say/",
      status,
    })
  }
  assert.deepEqual(await redirect(), { result: "unclear", url: "/say/", status: 0 })
  assert.equal((await answerTo(200, { "Bellwire-Answer": "maybe" })).result, "unclear")
})

test("without the header, any other 4xx means that it was not accepted", async () => {
  for (const status of [400, 404, 405, 409, 413, 422]) {
    const answer = await answerTo(status, { "Content-Type": HTML }, "<p id=error>…")
    assert.deepEqual(answer, { result: "refused", error: NOT_ACCEPTED, field: null }, `${status}`)
  }
})

test("no answer, and somebody else or nobody is signed in: it waits, and signing in is offered", async () => {
  const session = { same: false, url: "/login/", status: 200 }
  const outcome = await outcomeOf(await redirect(), async () => session)
  assert.deepEqual(outcome, { result: "unanswered", session })
})

test("no answer, and the session cannot be checked: it is tried again", async () => {
  const outcome = await outcomeOf(await redirect(), async () => null)
  assert.deepEqual(outcome, { result: "later", delay: 5_000 })
})

test("no answer, and the same person is signed in: it is given back, and the developer is told", async () => {
  const error = mock.method(console, "error", () => {})
  const session = { same: true, url: "/", status: 200 }
  const outcome = await outcomeOf(await answerTo(200), async () => session)
  assert.deepEqual(outcome, { result: "refused", error: UNCERTAIN, field: null })
  const [message] = error.mock.calls[0]?.arguments ?? []
  for (const part of ["/say/", "200", "Bellwire-Answer"]) assert.ok(message.includes(part), message)
  error.mock.restore()
})

test("the session is checked only without an answer", async () => {
  const check = mock.fn(async () => null)
  await outcomeOf(await answerTo(204, { "Bellwire-Answer": "ok" }), check)
  await outcomeOf(await answerTo(503), check)
  await outcomeOf(await answerTo(404), check)
  assert.equal(check.mock.callCount(), 0)
})

/**
 * A queue of asks, and what the server says to each of their posts.
 *
 * @param {Record<string, any[]>} answers
 */
function queueOf(answers) {
  const environment = newEnvironment()
  /** @type {string[]} */
  const log = []
  const waiting = Object.keys(answers)
  const queue = new HttpQueue(
    {
      next: () => /** @type {any} */ (waiting[0] && { item: { id: waiting[0] } }),
      post: async ({ item: { id } }) => {
        log.push(`post ${id}`)
        return answers[id]?.shift()
      },
      ended: ({ item: { id } }, { result }) => {
        log.push(`${result} ${id}`)
        if (result === "accepted" || result === "refused") waiting.shift()
      },
    },
    environment,
  )
  return { queue, environment, log }
}

test("asks are posted one after the other, and a refusal does not stop the next one", async () => {
  const { queue, log } = queueOf({
    a: [{ result: "accepted" }],
    b: [{ result: "refused", error: "no", field: null }],
    c: [{ result: "accepted" }],
  })
  await Promise.all([queue.run(), queue.run()])
  assert.deepEqual(log, ["post a", "accepted a", "post b", "refused b", "post c", "accepted c"])
})

test("an ask without an answer is posted again after its delay, before the next one", async () => {
  const { queue, environment, log } = queueOf({
    a: [{ result: "later", delay: 7_000 }, { result: "accepted" }],
    b: [{ result: "accepted" }],
  })
  await queue.run()
  await queue.run()
  await environment.pass(6_999)
  assert.deepEqual(log, ["post a", "later a"])
  await environment.pass(1)
  assert.deepEqual(log.slice(2), ["post a", "accepted a", "post b", "accepted b"])
})

test("an unanswered ask stays first, until the queue runs again", async () => {
  const { queue, environment, log } = queueOf({
    a: [{ result: "unanswered" }, { result: "accepted" }],
    b: [{ result: "accepted" }],
  })
  await queue.run()
  await environment.pass(600_000)
  assert.deepEqual(log, ["post a", "unanswered a"])
  await queue.run()
  assert.deepEqual(log.slice(2), ["post a", "accepted a", "post b", "accepted b"])
})
