// What was typed and not sent, per room and person, kept in this browser.

const MOST_ROOMS = 100 // beyond it the room that was left alone longest loses its draft
const MOST_CHARS = 8_000 // as long as a message may be

const key = () => `chat:drafts:${document.documentElement.dataset.user ?? ""}`

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
    // where the browser grants no storage, a draft lasts as long as its page
  }
}

// The latest last. Read anew each time: another tab may have written.
function all() {
  try {
    const drafts = JSON.parse(localStorage.getItem(key()))
    return Array.isArray(drafts) ? drafts.filter((draft) => typeof draft?.text === "string") : []
  } catch {
    return []
  }
}
