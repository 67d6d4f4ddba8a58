/** The state of the connection; `null` on a page without one. */
export type State = "connecting" | "connected" | "offline" | null

/** An action that has no answer yet. */
export interface PendingAsk {
  /** The id of the ask, as in the events. */
  id: string
  /** The name of the action. */
  action: string
  /** The data that is sent. */
  data: Record<string, unknown>
  /** The id of the form that sent it; empty without a form, or for a form without an id. */
  form: string
}

/** What became of a form that was sent by HTTP. */
export interface PostAnswer {
  /**
   * - `accepted`: the server has accepted it.
   * - `refused`: the server has refused it, or it is uncertain whether it was accepted.
   * - `unanswered`: somebody has to sign in first; the link to sign in is shown.
   * - `later`: the server cannot be reached, or is busy.
   */
  result: "accepted" | "refused" | "unanswered" | "later"
  /** The reason of `refused`, as a sentence for the person. */
  error: string | null
  /** The field that the error is about. */
  field: string | null
}

/** Functions for elements with `bw-hook="name"`. */
export interface ElementHooks {
  /** The element is new in the page. */
  mounted?(element: Element): void
  /** A swap has changed the element, or something inside of it. */
  updated?(element: Element): void
  /** The element has left the page. */
  removed?(element: Element): void
}

/** The public API. It is also `globalThis.bellwire`, for scripts that do not import. */
export interface Bellwire {
  /**
   * Sends an action to the server.
   *
   * With a `client_id` in the data (an empty one is filled in) the action is kept until it is
   * answered, and sent again after a reconnect or a reload. Without one it is sent now or never.
   *
   * @returns the id of the ask; `null` if it was refused, or not sent
   */
  send(action: string, data?: Record<string, unknown>): string | null

  /**
   * Sends a form by HTTP, as bellwire.js does where WebSockets are blocked. Dispatches no events.
   *
   * @example
   * const { result, error } = await post(form)
   */
  post(form: HTMLFormElement): Promise<PostAnswer>

  /**
   * Ends an ask: what waits is not sent. What the browser has already handed to the network may
   * still arrive.
   *
   * @returns whether it was still without an answer
   */
  cancel(id: string): boolean

  /** Opens a new connection now, instead of waiting. Has no effect after a final close. */
  reconnect(): void

  /** The state of the connection. */
  state(): State

  /**
   * Calls a function at every change of the state or its reason.
   *
   * @returns a function that removes the listener
   */
  onState(listener: (state: State, reason: string) => void): () => void

  /** The asks that have no answer yet, in sending order; the ones that are kept come first. */
  pending(): PendingAsk[]

  /** Registers functions for all elements with `bw-hook="name"`, present and future. */
  hook(name: string, hooks: ElementHooks): void
}

export const send: Bellwire["send"]
export const post: Bellwire["post"]
export const cancel: Bellwire["cancel"]
export const reconnect: Bellwire["reconnect"]
export const state: Bellwire["state"]
export const onState: Bellwire["onState"]
export const pending: Bellwire["pending"]
export const hook: Bellwire["hook"]

declare const api: Bellwire
export default api

/** The detail of the events about an ask. */
export interface AskDetail {
  /** The id of the ask; `null` if it never got one. */
  clientId: string | null
  /** The data of the action. */
  data: any
}

/** The detail of `bellwire:refused`. */
export interface RefusedDetail extends AskDetail {
  /** The reason, as a sentence for the person. */
  error: string
  /** The field that the error is about. */
  field: string | null
}

/** The events of bellwire.js, which bubble from the element of an action, or are on the document. */
export interface BellwireEventMap {
  /** A kept action is in the outbox. */
  "bellwire:queued": CustomEvent<AskDetail>
  /** An action was sent, maybe again. */
  "bellwire:sent": CustomEvent<AskDetail>
  /** The server has accepted an action. */
  "bellwire:answered": CustomEvent<AskDetail>
  /** An action was refused, or given back. */
  "bellwire:refused": CustomEvent<RefusedDetail>
  /** An action that is not kept had no answer before its connection ended, or for 30 s. */
  "bellwire:lost": CustomEvent<AskDetail>
  /** Somebody has to sign in before an action can be answered; it waits. */
  "bellwire:unanswered": CustomEvent<AskDetail>
  /** The state of the connection, or its reason, has changed. */
  "bellwire:state": CustomEvent<{ state: State; reason: string }>
  /** A frame has led to another address. */
  "bellwire:moved": CustomEvent<{ url: string }>
  /** A frame was applied. */
  "bellwire:applied": CustomEvent<{ feed?: string; seq?: string }>
}

declare global {
  var bellwire: Bellwire

  interface DocumentEventMap extends BellwireEventMap {}
  interface HTMLElementEventMap extends BellwireEventMap {}
}
