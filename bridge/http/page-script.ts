/**
 * What the page does by itself: fetches itself every two seconds and takes over what has changed, says so
 * when nobody answers, and carries out the buttons. Without it the page reloads (page-view.ts, noscript).
 */
export const SCRIPT = `
'use strict'
document.documentElement.classList.add('live')
const stale = document.getElementById('stale')
let answeredAt = Date.now()
let picturedAt = Date.now()

// Pictures that are there already are kept, or they would blink; and at a busy site all of them change
// between two looks, which nobody can see and everybody would have to fetch: so they stay for ten seconds.
function takeOver (fresh) {
  const main = document.querySelector('main')
  const focused = document.activeElement?.id
  const next = document.importNode(fresh.querySelector('main'), true)
  const [pictures, newPictures] = [main.querySelector('#pictures'), next.querySelector('#pictures')]
  if (pictures && newPictures && Date.now() - picturedAt < 10000) newPictures.replaceWith(pictures)
  else picturedAt = Date.now()
  const shown = new Map([...main.querySelectorAll('img')].map((img) => [img.getAttribute('src'), img]))
  for (const img of next.querySelectorAll('img')) {
    const same = shown.get(img.getAttribute('src'))
    if (same !== undefined && same.alt === img.alt) img.replaceWith(same)
  }
  main.replaceWith(next)
  if (focused) document.getElementById(focused)?.focus({ preventScroll: true })
  document.title = fresh.title
  document.querySelector('link[rel=icon]').href = fresh.querySelector('link[rel=icon]').href
}

async function refresh () {
  const isSelecting = !document.getSelection().isCollapsed
  if (document.hidden || isSelecting) return
  try {
    const response = await fetch('/', { cache: 'no-store', signal: AbortSignal.timeout(10000) })
    if (response.redirected) return location.assign('/login')
    if (!response.ok) throw new Error(response.status)
    takeOver(new DOMParser().parseFromString(await response.text(), 'text/html'))
    answeredAt = Date.now()
    stale.hidden = true
  } catch {
    stale.hidden = false
    stale.textContent = 'No answer since ' + new Date(answeredAt).toLocaleTimeString() + '. What you see is as of then.'
  }
}

async function loop () {
  await refresh()
  setTimeout(loop, 2000)
}

async function ask (button) {
  const { method, url } = button.dataset
  const response = await fetch(url, { method })
  if (response.status === 401) return location.assign('/login')
  if (!response.ok) {
    const { title, detail } = await response.json()
    alert(title + ': ' + detail)
  }
  await refresh()
}

document.addEventListener('click', (event) => {
  const button = event.target.closest('button[data-url]')
  const { question } = button?.dataset ?? {}
  if (button && (!question || confirm(question))) ask(button).catch((error) => alert(error.message))
})
document.addEventListener('visibilitychange', refresh)
setTimeout(loop, 2000)
`
