import assert from "node:assert/strict"
import { mock, test } from "node:test"
import { OFFLINE, STRANGER, UNREACHABLE } from "../src/bellwire/messages.js"
import { Socket } from "../src/bellwire/socket.js"
import { newEnvironment, newStorage } from "./environment.js"

const ADDRESS = "wss://example.org/ws/?dialect=htmx&at=%2F&hello=1"

/** A page of Ada that has just opened its connection. */
function open(environment = newEnvironment(), storage = newStorage()) {
  /** @type {any[]} */
  const log = []
  const page = { isReachable: true, states: /** @type {any[]} */ ([]), log, transport: "" }
  const socket = new Socket(
    {
      probeAddress: () => "wss://example.org/ws/",
      address: () => ADDRESS,
      hello: (frame) => {
        if (!String(frame).startsWith("hello")) return "missing"
        return frame === "hello ada" ? "welcome" : "stranger"
      },
      ready: () => log.push("ready"),
      frame: (frame) => log.push(frame),
      lost: () => log.push("lost"),
      closed: (code) => log.push(code),
      stranger: () => log.push("stranger"),
      refused: () => Promise.resolve(page.isReachable),
      state: (state, reason = "") => page.states.push([state, reason]),
      transport: (name) => {
        page.transport = name
      },
    },
    environment,
    storage,
  )
  return { environment, storage, socket, page, state: () => page.states.at(-1) }
}

/** The waits before the first attempts, if each fails at once. */
async function waits(count = 6, random = 0.5) {
  const { environment } = open()
  environment.Math.random = () => random
  /** @type {number[]} */
  const found = []
  while (found.length < count) {
    const [attempts, begun] = [environment.sockets.length, environment.Date.now()]
    environment.socket.accept()
    environment.socket.end(1006)
    while (environment.sockets.length === attempts) await environment.pass(50)
    found.push(environment.Date.now() - begun)
  }
  return found
}

test("nothing is sent before the hello, and the state is connected at the hello", () => {
  const { environment, socket, page, state } = open()
  assert.deepEqual(state(), ["connecting", ""])
  environment.socket.accept()
  assert.equal(socket.isOpen, false)
  assert.equal(socket.send("early"), false)
  assert.deepEqual([state(), page.log], [["connecting", ""], []])
  environment.socket.receive("hello ada")
  assert.deepEqual(state(), ["connected", ""])
  assert.equal(page.transport, "socket")
  assert.deepEqual(page.log, ["hello ada", "ready"], "the frame may contain more than the hello")
  assert.equal(socket.send("now"), true)
  assert.deepEqual(environment.socket.sent, ["now"])
})

test("a connection of somebody else is closed for good, and nothing is sent or shown", async () => {
  const { environment, socket, page, state } = open()
  environment.socket.welcome("ben")
  assert.deepEqual(state(), ["offline", STRANGER])
  assert.equal(socket.isFinal, true)
  assert.equal(environment.socket.isClosed, true)
  assert.deepEqual(page.log, ["stranger"])
  assert.equal(socket.send("for Ben?"), false)
  socket.wake()
  socket.online()
  socket.offline()
  await environment.pass(600_000)
  assert.equal(environment.sockets.length, 1)
})

test("a server that does not say hello is left, and tried again", async () => {
  const warn = mock.method(console, "warn", () => {})
  const { environment, page } = open()
  environment.socket.accept()
  environment.socket.receive("<p>a patch</p>")
  assert.equal(environment.socket.isClosed, true)
  assert.ok(!page.log.includes("ready") && !page.log.includes("<p>a patch</p>"))
  assert.equal(warn.mock.callCount(), 1)
  await environment.pass(2_000)
  assert.equal(environment.sockets.length, 2)
  warn.mock.restore()
})

test("an attempt without an answer, or without a hello, is given up after ten seconds", async () => {
  const { environment } = open()
  await environment.pass(9_999)
  assert.equal(environment.sockets.length, 1)
  await environment.pass(2_001)
  assert.equal(environment.sockets.length, 2)
  await environment.pass(5_000)
  environment.socket.accept()
  await environment.pass(9_000)
  assert.equal(environment.sockets.length, 2, "the hello has its own ten seconds")
  await environment.pass(20_000)
  assert.ok(environment.sockets.length > 2)
})

test("the wait grows with the time without a connection, to 15 seconds, with full jitter", async () => {
  const short = await waits(6, 0.5)
  assert.deepEqual(short.slice(0, 1), [1_000])
  assert.ok(
    short.every((wait, index) => wait >= (short[index - 1] ?? 0) || wait >= 7_000),
    `${short}`,
  )
  const all = await waits(12, 0.999)
  assert.ok(Math.max(...all) > 14_000 && Math.max(...all) <= 15_050, `${all}`)
  assert.deepEqual(
    (await waits(3, 0)).map((wait) => wait <= 50),
    [true, true, true],
  )
})

test("a connection counts as steady after five seconds, and only then the wait begins anew", async () => {
  const { environment } = open()
  for (let n = 0; n < 4; n++) {
    environment.socket.welcome()
    await environment.pass(4_000)
    environment.socket.end(1011)
    await environment.pass(8_000)
  }
  environment.socket.welcome()
  await environment.pass(5_001)
  environment.socket.end(1011)
  const attempts = environment.sockets.length
  await environment.pass(1_000)
  assert.equal(environment.sockets.length, attempts + 1)
})

test("the codes 1000 and 1008 are final and show their reason, all others reconnect", async () => {
  for (const code of [1000, 1008]) {
    const { environment, socket, page, state } = open()
    environment.socket.welcome()
    environment.socket.end(code, "You are signed out.")
    assert.deepEqual(state(), ["offline", "You are signed out."])
    assert.equal(socket.isFinal, true)
    assert.deepEqual(page.log.slice(-2), ["lost", code])
    await environment.pass(600_000)
    assert.equal(environment.sockets.length, 1)
  }
  for (const code of [1001, 1002, 1005, 1006, 1007, 1009, 1011, 1012, 1013, 3000, 4999]) {
    const { environment } = open()
    environment.socket.welcome()
    environment.socket.end(code)
    await environment.pass(2_000)
    assert.equal(environment.sockets.length, 2, `${code}`)
  }
})

test("a server that restarts says when to return, at most a minute later", async () => {
  for (const [reason, wait] of /** @type {[string, number][]} */ ([
    ["retry=12345", 12_345],
    ["retry=600000", 60_000],
    ["retry=0", 0],
  ])) {
    const { environment, state } = open()
    environment.socket.welcome()
    environment.socket.end(1012, reason)
    assert.deepEqual(state(), ["connecting", ""])
    await environment.pass(wait - 1)
    assert.equal(environment.sockets.length, 1, reason)
    await environment.pass(1)
    assert.equal(environment.sockets.length, 2, reason)
  }
})

test("only a restart is obeyed: another code, or another reason, means the usual wait", async () => {
  for (const [code, reason] of /** @type {[number, string][]} */ ([
    [1013, "retry=50000"],
    [1012, "the server restarts"],
  ])) {
    const { environment } = open()
    environment.socket.welcome()
    environment.socket.end(code, reason)
    await environment.pass(1_000)
    assert.equal(environment.sockets.length, 2, reason)
  }
})

test("a connection that stays silent after a send is replaced, later each time", async () => {
  const { environment, socket, page } = open()
  for (const [number, wait] of [15_000, 30_000, 60_000, 60_000].entries()) {
    environment.socket.welcome()
    const silent = environment.socket
    socket.send("is anybody there?")
    await environment.pass(wait - 1)
    assert.equal(environment.socket, silent, `attempt ${number}`)
    await environment.pass(1)
    assert.notEqual(environment.socket, silent, `attempt ${number}`)
    assert.equal(silent.isClosed, true)
  }
  assert.ok(page.log.filter((each) => each === "lost").length === 4)
})

test("any frame after a send shows that the connection is alive", async () => {
  const { environment, socket } = open()
  environment.socket.welcome()
  socket.send("hello?")
  await environment.pass(14_000)
  environment.socket.receive("a frame")
  await environment.pass(60_000)
  assert.equal(environment.sockets.length, 1)
})

test("after a sleep the connection is replaced, but not in a hidden page", async () => {
  const { environment } = open()
  environment.socket.welcome()
  await environment.pass(300_000)
  assert.equal(environment.sockets.length, 1)
  environment.document.hidden = true
  await environment.sleep(100_000)
  assert.equal(environment.sockets.length, 1)
  environment.document.hidden = false
  await environment.sleep(100_000)
  assert.equal(environment.sockets.length, 2)
})

test("a visible page connects at once, unless it is connected or an attempt is under way", async () => {
  const { environment, socket } = open()
  socket.wake()
  assert.equal(environment.sockets.length, 1)
  environment.socket.welcome()
  socket.wake()
  assert.equal(environment.sockets.length, 1)
  environment.socket.end(1006)
  socket.wake()
  assert.equal(environment.sockets.length, 2)
})

test("without a network the page is offline, and what is sent does not go into a dead connection", async () => {
  const { environment, socket, state } = open()
  environment.socket.welcome()
  const former = environment.socket
  environment.navigator.onLine = false
  socket.offline()
  assert.deepEqual(state(), ["offline", OFFLINE])
  assert.equal(former.isClosed, true)
  assert.equal(socket.send("later"), false)
  environment.socket.end(1006)
  await environment.pass(60_000)
  assert.deepEqual(state(), ["offline", OFFLINE])
  environment.navigator.onLine = true
  const attempts = environment.sockets.length
  socket.online()
  assert.equal(environment.sockets.length, attempts + 1, "at once")
  assert.deepEqual(state(), ["connecting", ""])
  environment.socket.welcome()
  assert.deepEqual(state(), ["connected", ""])
})

test("a server that cannot be reached is told apart from a missing network, after five seconds", async () => {
  const { environment, page, state } = open()
  environment.socket.welcome()
  environment.socket.end(1006)
  await environment.pass(4_999)
  assert.deepEqual(state(), ["connecting", ""])
  for (let n = 0; n < 10; n++) {
    environment.socket.end(1006)
    await environment.pass(1_000)
  }
  assert.deepEqual(state(), ["offline", UNREACHABLE])
  assert.ok(!page.states.some(([, reason]) => reason === OFFLINE))
})

test("a change of the network replaces an open connection", () => {
  const { environment, socket, page } = open()
  environment.socket.welcome()
  socket.online()
  assert.equal(environment.sockets.length, 2)
  assert.ok(page.log.includes("lost"))
})

test("a closed socket stays closed, and connects again on demand", async () => {
  const { environment, socket, page } = open()
  environment.socket.welcome()
  const states = page.states.length
  socket.close()
  await environment.pass(600_000)
  assert.equal(environment.sockets.length, 1)
  assert.equal(page.states.length, states, "the state does not change")
  socket.connect()
  assert.equal(environment.sockets.length, 2)
})

test("a listener that reconnects on a loss gets one connection", () => {
  const environment = newEnvironment()
  /** @type {Socket} */
  let socket
  let losses = 0
  const hooks = /** @type {any} */ ({
    address: () => ADDRESS,
    hello: () => "welcome",
    lost: () => {
      if (!losses++) socket.restart()
    },
  })
  for (const name of ["ready", "frame", "closed", "state", "transport"]) hooks[name] = () => {}
  socket = new Socket(hooks, environment, newStorage())
  environment.socket.welcome()
  environment.socket.end(1006)
  assert.equal(
    environment.sockets.filter((each) => !each.isClosed && each.readyState < 3).length,
    1,
  )
})

/** Refuses the WebSocket as often as it takes until the page opens a stream. */
async function fallBack(/** @type {ReturnType<typeof open>} */ { environment }) {
  for (let n = 0; n < 10 && environment.streams.length === 0; n++) {
    const { socket } = environment
    socket.end(1006)
    while (environment.socket === socket && environment.streams.length === 0)
      await environment.pass(100)
  }
}

test("refused WebSockets of a reachable page are replaced by a stream after four attempts", async () => {
  const page = open()
  await fallBack(page)
  const { environment, socket } = page
  assert.equal(environment.sockets.length, 4)
  assert.equal(environment.streams.length, 1)
  const address = new URL(environment.stream.address)
  assert.equal(address.protocol, "https:")
  assert.equal(address.searchParams.get("origin"), "https://example.org")
  assert.equal(address.searchParams.get("hello"), "1")
  environment.stream.welcome()
  assert.equal(page.page.transport, "stream")
  assert.deepEqual([socket.isOpen, socket.isStream, socket.send("x")], [true, true, false])
})

test("without an answer to the page itself, or without a network, no stream is opened", async () => {
  for (const change of /** @type {((page: ReturnType<typeof open>) => unknown)[]} */ ([
    ({ page }) => (page.isReachable = false),
    ({ environment }) => (environment.navigator.onLine = false),
  ])) {
    const page = open()
    change(page)
    await fallBack(page)
    assert.equal(page.environment.streams.length, 0)
  }
})

test("a WebSocket that opened once is not blocked, even if it ends at once", async () => {
  const page = open()
  for (let n = 0; n < 10; n++) {
    page.environment.socket.accept()
    page.environment.socket.end(1006)
    await page.environment.pass(15_000)
  }
  assert.equal(page.environment.streams.length, 0)
})

test("the next page of the tab starts with a stream, until a probe finds that sockets work", async () => {
  const page = open()
  await fallBack(page)
  page.socket.close()
  const next = open(newEnvironment(), page.storage)
  const { environment } = next
  assert.deepEqual([environment.sockets.length, environment.streams.length], [0, 1])
  environment.stream.welcome()
  await environment.pass(120_000)
  assert.equal(environment.sockets.length, 1, "a probe")
  assert.equal(environment.socket.address, "wss://example.org/ws/")
  environment.socket.end(1006)
  await environment.pass(120_000)
  assert.equal(environment.sockets.length, 2, "another probe")
  environment.socket.accept()
  assert.equal(environment.stream.isClosed, true)
  assert.equal(environment.sockets.length, 3, "the socket of the page")
  environment.socket.welcome()
  assert.equal(next.page.transport, "socket")
  assert.equal(open(newEnvironment(), page.storage).environment.streams.length, 0)
})

test("while a stream is used, a WebSocket is tried every one to three minutes", async () => {
  for (const [random, wait] of /** @type {[number, number][]} */ ([
    [0, 60_000],
    [1, 180_000],
  ])) {
    const [environment, storage] = [newEnvironment(), newStorage()]
    environment.Math.random = () => random
    storage.set("bellwire:blocked", true)
    open(environment, storage)
    environment.stream.welcome()
    for (let probes = 0; probes < 2; probes++) {
      await environment.pass(wait - 1)
      assert.equal(environment.sockets.length, probes)
      await environment.pass(1)
      assert.equal(environment.sockets.length, probes + 1)
      environment.socket.end(1006)
    }
  }
})

test("a new network is probed soon", async () => {
  const page = open()
  await fallBack(page)
  page.environment.stream.welcome()
  const probes = page.environment.sockets.length
  page.socket.online()
  page.environment.stream.welcome()
  await page.environment.pass(1_000)
  assert.equal(page.environment.sockets.length, probes + 1)
})

test("a stream ends with the same codes as a socket", async () => {
  const page = open()
  await fallBack(page)
  const { environment, state } = page
  environment.stream.welcome()
  environment.stream.event("close", { code: 1012, reason: "retry=20000" })
  await environment.pass(19_999)
  assert.equal(environment.streams.length, 1)
  await environment.pass(1)
  assert.equal(environment.streams.length, 2)
  environment.stream.welcome()
  environment.stream.fail()
  await environment.pass(15_000)
  assert.equal(environment.streams.length, 3, "an error is a lost connection")
  environment.stream.welcome()
  environment.stream.event("close", { code: 1008, reason: "You are signed out." })
  assert.deepEqual(state(), ["offline", "You are signed out."])
  await environment.pass(600_000)
  assert.equal(environment.streams.length, 3)
})

test("a stream of somebody else is closed for good", async () => {
  const page = open()
  await fallBack(page)
  page.environment.stream.welcome("ben")
  assert.deepEqual(page.state(), ["offline", STRANGER])
  assert.equal(page.environment.stream.isClosed, true)
})

test("a notice to the developer is written once", async () => {
  const warn = mock.method(console, "warn", () => {})
  const page = open()
  await fallBack(page)
  for (let n = 0; n < 2; n++)
    page.environment.stream.event("notice", { message: "the origin was refused" })
  assert.deepEqual(
    warn.mock.calls.map((call) => call.arguments),
    [["bellwire: the origin was refused"]],
  )
  warn.mock.restore()
})
