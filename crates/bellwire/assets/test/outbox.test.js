import assert from "node:assert/strict"
import { test } from "node:test"
import { TOO_LONG, TOO_MANY } from "../src/bellwire/messages.js"
import { Outbox } from "../src/bellwire/outbox.js"
import { TabStorage } from "../src/bellwire/storage.js"
import { actingPerson, claimUnowned, draftsKey, dropUnowned } from "../src/bellwire/unowned.js"
import { newStorage, tabArea } from "./environment.js"

const URL = "/ws/chat/"

/** @param {string} id */
const item = (id, message = "hi") => ({
  id,
  action: "Say",
  data: { message, client_id: id },
  form: "say",
})

/** @param {Outbox} outbox */
const ids = (outbox) => outbox.items().map(({ id }) => id)

test("what waits is kept in order until it is taken, and survives a reload", () => {
  const storage = newStorage()
  const outbox = new Outbox(URL, "ada", storage)
  for (const id of ["1", "2", "3"]) assert.equal(outbox.add(item(id)), null)
  assert.equal(outbox.take("2")?.id, "2")
  assert.equal(outbox.take("2"), undefined)
  assert.deepEqual(ids(new Outbox(URL, "ada", storage)), ["1", "3"])
})

test("the outbox of one person, or of another socket, is never the outbox of another", () => {
  const storage = newStorage()
  new Outbox(URL, "ada", storage).add(item("1"))
  for (const [url, owner] of /** @type {[string, string | null][]} */ ([
    [URL, "ben"],
    [URL, null],
    [URL, ""],
    ["/ws/", "ada"],
  ])) {
    assert.deepEqual(ids(new Outbox(url, owner, storage)), [], `${owner} at ${url}`)
  }
  assert.deepEqual(ids(new Outbox(URL, "ada", storage)), ["1"])
})

test("only a connection of the page's person may send what waits in a page with an owner", () => {
  const outbox = new Outbox(URL, "ada", newStorage())
  assert.deepEqual(
    ["ada", "ben", ""].map((person) => outbox.admits(person)),
    [true, false, false],
  )
  const nobodys = new Outbox(URL, "", newStorage())
  assert.deepEqual(
    ["", "ada"].map((person) => nobodys.admits(person)),
    [true, false],
  )
})

test("a page without an owner admits everybody, after it has dropped what another person left", () => {
  const outbox = new Outbox(URL, null, newStorage())
  assert.deepEqual(
    ["ada", ""].map((person) => outbox.admits(person)),
    [true, true],
  )
})

test("what waits without an owner belongs to the person of the first hello", () => {
  const storage = newStorage()
  const outbox = new Outbox(URL, null, storage)
  outbox.add(item("1"))
  assert.deepEqual(claimUnowned(storage, "ada"), [])
  outbox.add(item("2"))
  assert.deepEqual(claimUnowned(storage, "ada"), [])
  assert.deepEqual(ids(outbox), ["1", "2"])
})

test("a later hello for another person drops it: of somebody, of nobody, and back", () => {
  for (const [first, second] of [
    ["ada", "ben"],
    ["", "ada"],
    ["ada", ""],
  ]) {
    const storage = newStorage()
    const outbox = new Outbox(URL, null, storage)
    claimUnowned(storage, first ?? "")
    outbox.add(item("1"))
    new Outbox("/ws/other/", null, storage).add(item("2"))
    storage.set(draftsKey(null, URL), [["say", "message", "half a thought"]])
    const dropped = claimUnowned(storage, second ?? "")
    assert.deepEqual(dropped.map(({ id }) => id).sort(), ["1", "2"], `${first} → ${second}`)
    assert.deepEqual(ids(outbox), [])
    assert.equal(storage.get(draftsKey(null, URL)), null)
    outbox.add(item("3"))
    assert.deepEqual(claimUnowned(storage, second ?? ""), [], "what follows is the new person's")
    assert.deepEqual(ids(outbox), ["3"])
  }
})

test("a page acts on behalf of its owner, or else of the person of the last hello", () => {
  const storage = newStorage()
  assert.equal(actingPerson(storage, null), null)
  claimUnowned(storage, "")
  assert.deepEqual([actingPerson(storage, null), actingPerson(storage, "ada")], ["", "ada"])
  claimUnowned(storage, "ben")
  assert.deepEqual([actingPerson(storage, null), actingPerson(storage, "")], ["ben", ""])
})

test("a page with an owner drops what pages without an owner left, and nothing else", () => {
  const storage = newStorage()
  new Outbox(URL, "ada", storage).add(item("1"))
  new Outbox(URL, null, storage).add(item("2"))
  storage.set(draftsKey(null, URL), [["say", "message", "x"]])
  storage.set(draftsKey("ada", URL), [["say", "message", "y"]])
  assert.deepEqual(
    dropUnowned(storage).map(({ id }) => id),
    ["2"],
  )
  assert.deepEqual(ids(new Outbox(URL, null, storage)), [])
  assert.equal(storage.get(draftsKey(null, URL)), null)
  assert.deepEqual(ids(new Outbox(URL, "ada", storage)), ["1"])
  assert.ok(storage.get(draftsKey("ada", URL)))
  assert.deepEqual(dropUnowned(storage), [])
})

test("an action that is too long, or one too many, is refused with a sentence", () => {
  const outbox = new Outbox(URL, "ada", newStorage())
  assert.equal(outbox.add(item("long", "ä".repeat(31_000))), TOO_LONG)
  for (let n = 0; n < 100; n++) assert.equal(outbox.add(item(`${n}`)), null)
  assert.equal(outbox.add(item("one more")), TOO_MANY)
  const large = new Outbox(URL, "ben", newStorage())
  const reasons = [1, 2, 3, 4, 5].map((n) => large.add(item(`${n}`, "x".repeat(59_000))))
  assert.deepEqual(reasons, [null, null, null, null, TOO_MANY])
})

test("without storage what waits is kept in the page", () => {
  const storage = new TabStorage(() => {
    throw new Error("denied")
  })
  const outbox = new Outbox(URL, null, storage)
  claimUnowned(storage, "ada")
  outbox.add(item("1"))
  assert.deepEqual(ids(outbox), ["1"])
  assert.deepEqual(
    claimUnowned(storage, "ben").map(({ id }) => id),
    ["1"],
  )
  assert.deepEqual(ids(outbox), [])
})

test("what is removed without storage leaves no key", () => {
  const storage = new TabStorage(() => {
    throw new Error("denied")
  })
  storage.set("bellwire:blocked", true)
  assert.deepEqual(storage.keys(), ["bellwire:blocked"])
  storage.set("bellwire:blocked", null)
  assert.deepEqual(storage.keys(), [])
})

test("a full storage does not bring back what was there before", () => {
  const area = tabArea()
  const storage = new TabStorage(area)
  const outbox = new Outbox(URL, "ada", storage)
  outbox.add(item("1"))
  area().setItem = () => {
    throw new Error("full")
  }
  outbox.add(item("2"))
  outbox.take("1")
  assert.deepEqual(ids(outbox), ["2"])
  outbox.take("2")
  assert.deepEqual(ids(outbox), [])
})

test("a value that is no JSON counts as none", () => {
  const area = tabArea()
  area().setItem(`bellwire:ada:${URL}`, "{broken")
  assert.deepEqual(new Outbox(URL, "ada", new TabStorage(area)).items(), [])
})
