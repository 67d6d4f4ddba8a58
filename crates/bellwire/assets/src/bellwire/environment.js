// The facilities of the browser that the connection, the asks and the HTTP queue use: the global
// object, of which tests pass a small replica.

/** @typedef {ReturnType<typeof setTimeout>} Timer */

/**
 * @typedef {object} Environment
 * @property {new (address: string) => WebSocket} WebSocket
 * @property {new (address: string) => EventSource} EventSource
 * @property {(action: () => void, delay: number) => Timer} setTimeout
 * @property {(timer: Timer | undefined) => void} clearTimeout
 * @property {(action: () => void, delay: number) => Timer} setInterval
 * @property {(timer: Timer | undefined) => void} clearInterval
 * @property {typeof fetch} fetch
 * @property {{ now(): number }} performance
 * @property {{ now(): number }} Date
 * @property {{ random(): number }} Math
 * @property {{ onLine: boolean }} navigator
 * @property {{ hidden: boolean }} document
 * @property {{ origin: string }} location
 */

/** @type {Environment} */
export const browser = globalThis
