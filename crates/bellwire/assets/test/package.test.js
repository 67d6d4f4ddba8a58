import assert from "node:assert/strict"
import { readdirSync, readFileSync } from "node:fs"
import { test } from "node:test"

const read = (/** @type {string} */ path) =>
  readFileSync(new URL(`../${path}`, import.meta.url), "utf8")

test("the lock file names no registry, and each tool is pinned to one version", () => {
  assert.ok(!read("package-lock.json").includes('"resolved"'))
  const { devDependencies, dependencies } = JSON.parse(read("package.json"))
  assert.equal(dependencies, undefined)
  for (const version of Object.values(devDependencies)) assert.match(version, /^\d+\.\d+\.\d+$/)
})

test("the types describe each function of the module", () => {
  const source = read("src/bellwire.js")
  const functions = /const bellwire = \{([^}]*)\}/.exec(source)?.[1]?.split(",") ?? []
  const names = functions.map((name) => name.trim()).filter((name) => name)
  assert.ok(names.length >= 8)
  for (const name of names) {
    assert.match(read("bellwire.d.ts"), new RegExp(`^export const ${name}: `, "m"))
    assert.match(
      source,
      new RegExp(`export (async function|const) ${name}\\b|export \\{[^}]*\\b${name}\\b`),
    )
  }
})

test("each module says in its first line what it is", () => {
  for (const name of readdirSync(new URL("../src/bellwire/", import.meta.url))) {
    assert.match(read(`src/bellwire/${name}`), /^\/\/ [A-Z].*/, name)
  }
})
