import assert from "node:assert/strict"
import { mock, test } from "node:test"
import { eventOf, ownAddress, surplusOf, swapOf } from "../src/bellwire/instructions.js"

test("`hx-swap-oob` names a swap and a selector, with the short names of htmx", () => {
  for (const [
    value,
    isMorph,
    style,
    selector,
  ] of /** @type {[string, boolean, string, string?][]} */ ([
    ["outerHTML:#a", false, "outerHTML", "#a"],
    ["outerHTML:#a", true, "outerMorph", "#a"],
    ["innerHTML:#a", true, "innerMorph", "#a"],
    ["beforeend:#a", true, "beforeend", "#a"],
    ["append:#a", false, "beforeend", "#a"],
    ["prepend:#a", false, "afterbegin", "#a"],
    ["before:#a", false, "beforebegin", "#a"],
    ["after:#a", false, "afterend", "#a"],
    ["delete:#a", false, "delete", "#a"],
    ["true", false, "outerHTML", undefined],
    ["", false, "outerHTML", undefined],
    ['innerHTML:[name="a:b"] > p', false, "innerHTML", '[name="a:b"] > p'],
    ["none:body", false, "none", "body"],
  ])) {
    assert.deepEqual(swapOf(value, isMorph), { style, selector }, value)
  }
})

test("an event has a name and a detail in JSON", () => {
  assert.deepEqual(eventOf({ bwEvent: "chat:unread", bwDetail: '{"count":3}' }), {
    name: "chat:unread",
    detail: { count: 3 },
  })
  assert.deepEqual(eventOf({ bwEvent: "ring" }), { name: "ring", detail: null })
  assert.equal(eventOf({ bwDetail: "{}" }), null)
  assert.throws(() => eventOf({ bwEvent: "ring", bwDetail: "{" }), SyntaxError)
})

test("a frame leads to an address of this site only", () => {
  const warn = mock.method(console, "warn", () => {})
  const base = "https://example.org/chat/?a=1"
  for (const [url, expected] of [
    ["/x/", "https://example.org/x/"],
    ["?b=2", "https://example.org/chat/?b=2"],
    ["https://example.org/y/", "https://example.org/y/"],
  ]) {
    assert.equal(ownAddress(url ?? "", base)?.href, expected)
  }
  assert.equal(warn.mock.callCount(), 0)
  const others = [
    "https://example.com/",
    "//example.com/",
    "http://example.org/",
    "https://example.org:444/",
    "javascript:alert(1)",
    "data:text/html,x",
    "https://[",
  ]
  for (const url of others) assert.equal(ownAddress(url, base), null, url)
  assert.equal(warn.mock.callCount(), others.length)
  warn.mock.restore()
})

test("a bounded list keeps its last children after an append, its first ones after a prepend", () => {
  const children = ["a", "b", "c", "d"]
  assert.deepEqual(surplusOf(children, "3", "beforeend"), ["a"])
  assert.deepEqual(surplusOf(children, "3", "afterbegin"), ["d"])
  assert.deepEqual(surplusOf(children, "0", "beforeend"), children)
  assert.deepEqual(surplusOf(children, "0", "afterbegin"), children)
  for (const style of ["beforeend", "afterbegin"]) {
    for (const count of ["4", "50", undefined, "", "-1", "many"])
      assert.deepEqual(surplusOf(children, count, style), [])
  }
  for (const style of ["innerHTML", "outerHTML", "beforebegin", "afterend"]) {
    assert.deepEqual(surplusOf(children, "1", style), [])
  }
})
