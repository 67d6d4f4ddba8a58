import assert from "node:assert/strict"
import { test } from "node:test"
import { Asks } from "../src/bellwire/asks.js"
import { TOO_LONG, UNCERTAIN } from "../src/bellwire/messages.js"
import { Outbox } from "../src/bellwire/outbox.js"
import { newEnvironment, newStorage } from "./environment.js"

/** The asks of a page whose connection can be opened and lost. */
function open(storage = newStorage()) {
  const environment = newEnvironment()
  const outbox = new Outbox("/ws/", "ada", storage)
  /** @type {any[]} */
  const sent = []
  /** @type {string[]} */
  const events = []
  /** @type {Set<string>} */
  const busy = new Set()
  const page = { isOpen: true, error: /** @type {any} */ (null) }
  const asks = new Asks(
    outbox,
    {
      send: (frame) => page.isOpen && sent.push(JSON.parse(frame)) > 0,
      tell: (ask, name, detail) => {
        events.push(`${name} ${ask.item.id}`)
        page.error = detail ?? null
      },
      busy: (ask, isBusy) => (isBusy ? busy.add(ask.item.id) : busy.delete(ask.item.id)),
      find: () => null,
    },
    environment,
  )
  const keep = (/** @type {string} */ id, message = "hi") => {
    const item = { id, action: "Say", data: { message, client_id: id }, form: "say" }
    const ask = asks.keep(item, null)
    if (ask) asks.transmit(ask)
    return ask
  }
  const cut = () => {
    page.isOpen = false
    asks.lost()
  }
  const reconnect = () => {
    page.isOpen = true
    asks.resend()
  }
  return { asks, outbox, environment, sent, events, busy, page, keep, cut, reconnect }
}

test("a kept ask has its id in the data, and is kept until it is answered", () => {
  const { asks, outbox, sent, events, busy, keep } = open()
  keep("a")
  assert.deepEqual(sent, [{ action: "Say", data: { message: "hi", client_id: "a" } }])
  assert.deepEqual([...busy], ["a"])
  assert.equal(outbox.items().length, 1)
  asks.answered("a")
  assert.deepEqual(events, ["queued a", "sent a", "answered a"])
  assert.deepEqual([outbox.items(), asks.pending(), busy.size], [[], [], 0])
})

test("any other ask has its id beside the data, and is sent now or never", () => {
  const { asks, outbox, sent, page } = open()
  const id = asks.sendOnce("Ring", { loud: true }, null)
  assert.ok(id)
  assert.deepEqual(sent, [{ action: "Ring", data: { loud: true }, client_id: id }])
  assert.equal(outbox.items().length, 0)
  page.isOpen = false
  assert.equal(asks.sendOnce("Ring", {}, null), null)
  assert.deepEqual(
    asks.pending().map((item) => item.id),
    [id],
  )
})

test("an error ends an ask with the error and its field", () => {
  const { asks, events, page, keep } = open()
  keep("a")
  asks.refused("a", "Please enter a message.", "message")
  assert.equal(events.at(-1), "refused a")
  assert.deepEqual(page.error, { error: "Please enter a message.", field: "message" })
  asks.answered("a")
  assert.equal(events.length, 3, "it ends once")
})

test("an answer to an ask that nobody knows has no effect", () => {
  const { asks, events } = open()
  asks.answered("unknown")
  asks.refused("unknown", "no")
  assert.equal(asks.cancel("unknown"), undefined)
  assert.deepEqual(events, [])
})

test("what is kept while there is no connection is sent in order with the next one", () => {
  const { sent, events, busy, cut, reconnect, keep } = open()
  cut()
  keep("a")
  keep("b")
  assert.deepEqual([sent.length, busy.size], [0, 0])
  reconnect()
  assert.deepEqual(
    sent.map(({ data }) => data.client_id),
    ["a", "b"],
  )
  assert.deepEqual(events, ["queued a", "queued b", "sent a", "sent b"])
})

test("an unanswered ask is sent again with the same id after a reconnect and after a reload", () => {
  const storage = newStorage()
  const first = open(storage)
  first.keep("a")
  first.cut()
  assert.equal(first.busy.size, 0, "nothing stays busy without a connection")
  first.reconnect()
  assert.deepEqual(first.sent[0], first.sent[1])
  const next = open(storage)
  next.asks.resend()
  assert.deepEqual(next.events, ["queued a", "sent a"], "the next page reports it as well")
  assert.deepEqual(next.sent, [first.sent[0]])
})

test("an ask that is not kept is lost with its connection", () => {
  const { asks, events, busy, cut } = open()
  const id = asks.sendOnce("Ring", {}, null)
  cut()
  assert.deepEqual(events, [`sent ${id}`, `lost ${id}`])
  assert.deepEqual([asks.pending(), busy.size], [[], 0])
})

test("an ask that is not kept is lost if it has no answer for 30 seconds", async () => {
  const { asks, environment, events, busy } = open()
  const id = asks.sendOnce("Ring", {}, null)
  await environment.pass(29_999)
  assert.equal(busy.size, 1)
  await environment.pass(1)
  assert.deepEqual([events.at(-1), busy.size], [`lost ${id}`, 0])
})

test("a kept ask without an answer is given back 30 seconds after the third send", async () => {
  const { environment, sent, events, outbox, page, keep } = open()
  keep("a")
  await environment.pass(60_000)
  assert.equal(sent.length, 3, "once more every 30 seconds")
  await environment.pass(29_999)
  assert.equal(outbox.items().length, 1)
  await environment.pass(1)
  assert.equal(events.at(-1), "refused a")
  assert.equal(page.error.error, UNCERTAIN)
  assert.equal(outbox.items().length, 0)
  await environment.pass(600_000)
  assert.equal(sent.length, 3)
})

test("sends of former connections count, the time without one does not", async () => {
  const { environment, events, cut, reconnect, keep } = open()
  keep("a")
  cut()
  reconnect()
  cut()
  await environment.pass(600_000)
  assert.ok(!events.includes("refused a"))
  reconnect()
  await environment.pass(29_999)
  assert.ok(!events.includes("refused a"))
  await environment.pass(1)
  assert.equal(events.at(-1), "refused a")
})

test("an ask that ends every connection is given back after twenty sends", () => {
  const { sent, events, outbox, cut, reconnect, keep } = open()
  keep("a")
  for (let n = 0; n < 30; n++) {
    cut()
    reconnect()
  }
  assert.equal(sent.length, 20)
  assert.equal(events.at(-1), "refused a")
  assert.equal(outbox.items().length, 0)
})

test("a cancelled ask is not sent, and its answer does not matter", async () => {
  const { asks, environment, sent, events, cut, reconnect, keep } = open()
  cut()
  keep("a")
  assert.equal(asks.cancel("a")?.item.id, "a")
  assert.equal(asks.cancel("a"), undefined)
  reconnect()
  keep("b")
  asks.cancel("b")
  asks.answered("b")
  await environment.pass(600_000)
  assert.deepEqual(
    sent.map(({ data }) => data.client_id),
    ["b"],
  )
  assert.deepEqual(events, ["queued a", "queued b", "sent b"])
})

test("an ask of an earlier page can be cancelled before it is shown", () => {
  const storage = newStorage()
  open(storage).keep("a")
  const { asks, outbox } = open(storage)
  assert.equal(asks.cancel("a")?.item.id, "a")
  assert.deepEqual(outbox.items(), [])
})

test("a newer change of the same element replaces the older one, whose error does not matter", () => {
  const { asks, events, busy } = open()
  const [field, other] = /** @type {any[]} */ ([{}, {}])
  const first = asks.sendOnce("Check", { name: "A" }, field, true)
  const second = asks.sendOnce("Check", { name: "Ad" }, field, true)
  const third = asks.sendOnce("Check", { age: "5" }, other, true)
  assert.deepEqual(
    [first, second, third].map((id) => asks.isOutdated(id ?? "")),
    [true, false, false],
  )
  assert.equal(asks.isOutdated(first ?? ""), false, "there is one answer")
  asks.refused(first ?? "", "too short", "name")
  asks.answered(second ?? "")
  assert.deepEqual(
    events,
    [first, second, third].map((id) => `sent ${id}`).concat(`answered ${second}`),
  )
  assert.deepEqual([...busy], [third])
})

test("an action that is too long is refused, not sent", () => {
  const { asks, sent, events, page, keep } = open()
  assert.equal(keep("a", "x".repeat(62_000)), null)
  assert.equal(page.error.error, TOO_LONG)
  assert.equal(asks.sendOnce("Say", { text: "x".repeat(62_000) }, null), null)
  assert.equal(page.error.error, TOO_LONG)
  assert.equal(events.filter((each) => each.startsWith("refused")).length, 2)
  assert.deepEqual(sent, [])
})

test("pending asks are the kept ones in order, then the others", () => {
  const { asks, cut, keep, page } = open()
  const once = asks.sendOnce("Ring", {}, null)
  keep("a")
  assert.deepEqual(
    asks.pending().map(({ id, action }) => [id, action]),
    [
      ["a", "Say"],
      [once, "Ring"],
    ],
  )
  page.isOpen = false
  keep("b")
  cut()
  assert.deepEqual(
    asks.pending().map(({ id }) => id),
    ["a", "b"],
  )
})
