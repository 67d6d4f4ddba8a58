// Whose what waits in this tab is. A page has an owner if it says so by `<meta
// name="bellwire-person">`: its actions and drafts are stored under the person. What pages without
// an owner leave belongs to the person of the last hello in this tab. Nothing of one person is ever
// sent or shown for another one.

/** @typedef {import("./outbox.js").Item} Item */
/** @typedef {import("./storage.js").TabStorage} TabStorage */

const PERSON = "bellwire:person"
const UNOWNED = "bellwire-unowned:"
const DRAFT = "draft:"

/**
 * The key of the actions that wait for a socket.
 *
 * @param {string | null} owner the person for whom the page was made
 * @param {string} url of the socket
 */
export const outboxKey = (owner, url) =>
  owner === null ? UNOWNED + url : `bellwire:${owner}:${url}`

/**
 * The key of the drafts of a page with this socket.
 *
 * @param {string | null} owner
 * @param {string} url
 */
export const draftsKey = (owner, url) => outboxKey(owner, DRAFT + url)

/**
 * The person on whose behalf a page acts: its owner, or else the person of the last hello.
 *
 * @param {TabStorage} storage
 * @param {string | null} owner
 * @returns {string | null} `null` before the first hello
 */
export const actingPerson = (storage, owner) => owner ?? storage.get(PERSON)

/**
 * Leaves what has no owner to the person of a hello: what was left before the first hello, or by
 * the same person. What another person left is dropped.
 *
 * @param {TabStorage} storage
 * @param {string} person
 * @returns {Item[]} the dropped actions
 */
export function claimUnowned(storage, person) {
  const last = storage.get(PERSON)
  const dropped = last === null || last === person ? [] : dropUnowned(storage)
  storage.set(PERSON, person)
  return dropped
}

/**
 * Drops what has no owner.
 *
 * @param {TabStorage} storage
 * @returns {Item[]} the dropped actions
 */
export function dropUnowned(storage) {
  const keys = storage.keys().filter((key) => key.startsWith(UNOWNED))
  const outboxes = keys.filter((key) => !key.startsWith(UNOWNED + DRAFT))
  const items = outboxes.flatMap((key) => storage.get(key) ?? [])
  for (const key of keys) storage.set(key, null)
  return items
}
