import assert from "node:assert/strict"
import { test } from "node:test"
import { frameOf } from "../src/bellwire/outbox.js"
import { wellFormed, wellFormedData } from "../src/bellwire/text.js"

test("each half of a surrogate pair is replaced, whole pairs and everything else stay", () => {
  for (const [text, expected] of /** @type {[string, string][]} */ ([
    ["half \ud83d of it", "half \ufffd of it"],
    ["\ude00 the other half", "\ufffd the other half"],
    ["\ude00\ud83d", "\ufffd\ufffd"],
    ["\ud83d\ud83d\ude00", "\ufffd😀"],
    ["whole 😀, ä, 漢字, \u0000, \uffff", "whole 😀, ä, 漢字, \u0000, \uffff"],
    ["", ""],
    ["the escape \\ud83d in words", "the escape \\ud83d in words"],
  ])) {
    assert.equal(wellFormed(text), expected)
  }
})

test("a frame contains no escape that a strict reader refuses", () => {
  const data = {
    message: "poor \ud83d emoji",
    tags: ["\udc00"],
    more: { deep: "\ud800" },
    client_id: "a",
  }
  const frame = frameOf({ action: "Say", data: wellFormedData(data) })
  assert.ok(!/\\ud[89a-f]/i.test(frame), frame)
  assert.equal(JSON.parse(frame).data.message, "poor \ufffd emoji")
})

test("data is copied as JSON transmits it", () => {
  const data = { n: 1, yes: true, none: null, list: [1, "2"], missing: undefined }
  assert.deepEqual(wellFormedData(data), { n: 1, yes: true, none: null, list: [1, "2"] })
})
