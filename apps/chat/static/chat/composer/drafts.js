// Drafts, stored in this browser per room and user.

import { person } from "../person.js"

const MOST_ROOMS = 100 // beyond this, the oldest draft is removed
const MOST_CHARS = 8_000 // the maximum length of a message

const key = () => `chat:drafts:${person()}`

export function draftOf(room) {
  return all().find((draft) => draft.room === room)?.text ?? ""
}

export function keepDraft(room, text) {
  const others = all().filter((draft) => draft.room !== room)
  const kept = text.trim() === "" ? others : [...others, { room, text: [...text].slice(0, MOST_CHARS).join("") }]
  try {
    if (kept.length) localStorage.setItem(key(), JSON.stringify(kept.slice(-MOST_ROOMS)))
    else localStorage.removeItem(key())
  } catch {
    // without storage a draft lasts as long as the page
  }
}

// Returns all drafts, the latest last. Reads the storage each time, because other tabs write to it.
function all() {
  try {
    const drafts = JSON.parse(localStorage.getItem(key()))
    return Array.isArray(drafts) ? drafts.filter((draft) => typeof draft?.text === "string") : []
  } catch {
    return []
  }
}
