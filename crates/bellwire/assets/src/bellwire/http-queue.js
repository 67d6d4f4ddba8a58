// The queue of kept asks that go by HTTP, one after the other, so that they arrive in order.

import { browser } from "./environment.js"
import { UNCERTAIN } from "./messages.js"

/** @typedef {import("./asks.js").Ask} Ask */
/** @typedef {import("./environment.js").Environment} Environment */
/** @typedef {import("./http.js").HttpAnswer} HttpAnswer */
/** @typedef {import("./session.js").Session} Session */

const RETRY = 5_000 // ms until an unclear answer is looked at again

/**
 * @typedef {{ result: "accepted" }
 *   | { result: "refused", error: string, field: string | null }
 *   | { result: "unanswered", session: Session }
 *   | { result: "later", delay: number }} Outcome
 */

/**
 * @typedef {object} Hooks
 * @property {() => Ask | undefined} next the first ask that can be posted
 * @property {(ask: Ask) => Promise<Outcome>} post
 * @property {(ask: Ask, outcome: Outcome) => void} ended
 */

export class HttpQueue {
  #hooks
  #env
  #isRunning = false
  /** @type {import("./environment.js").Timer | undefined} */
  #timer

  /**
   * @param {Hooks} hooks
   * @param {Environment} environment
   */
  constructor(hooks, environment = browser) {
    this.#hooks = hooks
    this.#env = environment
  }

  /** Posts everything that waits, unless that is under way or has to be tried later. */
  async run() {
    if (this.#isRunning || this.#timer !== undefined) return
    this.#isRunning = true
    for (let ask = this.#hooks.next(); ask; ask = this.#hooks.next()) {
      if (!(await this.#post(ask))) break
    }
    this.#isRunning = false
  }

  /**
   * @param {Ask} ask
   * @returns {Promise<boolean>} whether to continue
   */
  async #post(ask) {
    const outcome = await this.#hooks.post(ask)
    this.#hooks.ended(ask, outcome)
    if (outcome.result === "later") this.#retryAfter(outcome.delay)
    return outcome.result === "accepted" || outcome.result === "refused"
  }

  /** @param {number} delay */
  #retryAfter(delay) {
    this.#timer = this.#env.setTimeout(() => {
      this.#timer = undefined
      this.run()
    }, delay)
  }
}

/**
 * Decides what a response without an answer means: with the session of somebody else, or none, it
 * was the sign-in page; otherwise nobody knows whether the action was accepted.
 *
 * @param {HttpAnswer} answer
 * @param {() => Promise<Session | null>} checkSession
 * @returns {Promise<Outcome>}
 */
export async function outcomeOf(answer, checkSession) {
  if (answer.result !== "unclear") return answer
  const session = await checkSession()
  if (!session) return { result: "later", delay: RETRY }
  if (!session.same) return { result: "unanswered", session }
  console.error(
    `bellwire: POST ${answer.url} was answered with ${answer.status || "a redirect"} and without the header Bellwire-Answer`,
  )
  return { result: "refused", error: UNCERTAIN, field: null }
}
