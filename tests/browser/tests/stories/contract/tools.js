// Tools of the stories, in each page: a record of the events of bellwire.js, and a clock that can
// be stopped. It then holds timers of 100 ms and more until the story lets time pass; before, an
// attempt to connect follows at once.

const names = 'queued sent answered refused lost unanswered state moved applied'.split(' ')
window.events = []
for (const name of names) {
  document.addEventListener(`bellwire:${name}`, ({ target, detail }) =>
    events.push([name, target.id ?? 'document', detail]),
  )
}

// The number of the last frame of the story that is applied.
window.done = 0
let placed = 0
document.addEventListener('placed', ({ detail }) => (placed = detail))
document.addEventListener('bellwire:applied', () => (done = placed))

const [setTimer, clearTimer, timers] = [setTimeout, clearTimeout, new Map()]
let [isStopped, lastTimer] = [false, 1e9]
const elapse = (time) => timers.forEach((timer) => (timer.left -= time))
const first = (all) => all.sort(([, a], [, b]) => a.left - b.left)[0]

Math.random = () => (isStopped ? 0.5 : 0)
window.setTimeout = (action, delay, ...rest) => {
  if (!isStopped || !(delay >= 100)) return setTimer(action, delay, ...rest)
  timers.set(++lastTimer, { action, left: delay })
  return lastTimer
}
window.clearTimeout = (id) => timers.delete(id) || clearTimer(id)
window.clock = {
  stop: () => (isStopped = true),
  delays: () => Array.from(timers.values(), ({ left }) => left),
  pass(time) {
    const next = first([...timers].filter(([, { left }]) => left <= time))
    if (!next) return elapse(time)
    const [id, { action, left }] = next
    timers.delete(id)
    elapse(left)
    action()
    clock.pass(time - left)
  },
}
