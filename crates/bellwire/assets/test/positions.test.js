import assert from "node:assert/strict"
import { test } from "node:test"
import { numberOf, oldestPositions, sinceQuery } from "../src/bellwire/positions.js"

test("the number of a position follows its last dot", () => {
  for (const [seq, number] of /** @type {[string, number][]} */ ([
    ["7", 7],
    ["4f1c.7", 7],
    ["0", 0],
    ["9007199254740993.12", 12],
    ["a.b.3", 3],
  ])) {
    assert.equal(numberOf(seq), number, seq)
  }
})

test("of two lists of one feed the older one counts", () => {
  const lists = [
    { feed: "room.1", seq: "4f1c.10" },
    { feed: "room.1", seq: "4f1c.9" },
    { feed: "room.2", seq: "3" },
    { feed: "room.1", seq: "4f1c.100" },
  ]
  assert.deepEqual(
    [...oldestPositions(lists)],
    [
      ["room.1", "4f1c.9"],
      ["room.2", "3"],
    ],
  )
})

test("a position goes back to the server as it came", () => {
  const positions = new Map([
    ["room.1", "4f1c.9"],
    ["a&b", "1+2.3"],
  ])
  const query = sinceQuery(positions)
  assert.equal(query, "&since=room.1:4f1c.9&since=a%26b:1%2B2.3")
  const read = new URL(`https://example.org/?x=1${query}`).searchParams.getAll("since")
  assert.deepEqual(read, ["room.1:4f1c.9", "a&b:1+2.3"])
})
