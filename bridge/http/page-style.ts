/** One column of calm: figures are large, words are small, and colour is spent on the verdict. */
export const STYLE = `
:root {
  color-scheme: light dark;
  --ground: #faf9f6; --raised: #ffffff; --ink: #1d2024; --soft: #656b73; --line: #e3e1da; --track: #ebe9e2;
  --good: #1f7a4d; --busy: #1f5f99; --warn: #9a5b00; --bad: #b3261e;
  --good-ground: #e9f4ec; --busy-ground: #e8f0f8; --warn-ground: #faf0dc; --bad-ground: #fbe9e7;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #131518; --raised: #1a1d21; --ink: #e7e5df; --soft: #9298a1; --line: #2a2e34; --track: #2a2e34;
    --good: #6cc597; --busy: #7fb5ea; --warn: #e5b160; --bad: #f2918a;
    --good-ground: #14261d; --busy-ground: #14212e; --warn-ground: #2a2112; --bad-ground: #2f1816;
  }
}
* { box-sizing: border-box; margin: 0 }
html { -webkit-text-size-adjust: 100% }
body {
  background: var(--ground); color: var(--ink); font: 16px/1.5 system-ui, 'Segoe UI', Roboto, sans-serif;
  font-variant-numeric: tabular-nums; max-width: 72rem; margin: 0 auto; padding: 1.5rem 1.5rem 3rem;
}
a { color: inherit; text-underline-offset: .2em; text-decoration-color: var(--line) }
a:hover { text-decoration-color: currentcolor }
header, footer { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; align-items: baseline; color: var(--soft); font-size: .875rem }
header { margin-bottom: 1rem }
header h1 { font-size: 1rem; font-weight: 650; letter-spacing: .01em; color: var(--ink); margin-right: auto }
footer { margin-top: 3rem; padding-top: 1rem; border-top: 1px solid var(--line) }
h2 { font-size: .8125rem; font-weight: 600; color: var(--soft); letter-spacing: .02em; margin-bottom: .75rem }
section { margin-top: 2.5rem }
main > section:first-child { margin-top: 0 }
#stale { background: var(--bad); color: var(--ground); padding: .625rem 1rem; border-radius: .5rem; margin-bottom: 1rem }
#stale:not([hidden]) ~ main { opacity: .5 }

.verdict { padding: 1.25rem 1.5rem 1.375rem; border-radius: .625rem; border-left: .375rem solid }
.verdict h2 { color: inherit; font-size: .875rem; font-weight: 700; letter-spacing: .08em; margin-bottom: .25rem }
.verdict p { color: var(--ink); font-size: 1.375rem; line-height: 1.4; max-width: 56rem; text-wrap: pretty; overflow-wrap: anywhere }
.good { color: var(--good); background: var(--good-ground) } .busy { color: var(--busy); background: var(--busy-ground) }
.warn { color: var(--warn); background: var(--warn-ground) } .bad { color: var(--bad); background: var(--bad-ground) }
.verdict .ahead { padding-left: 1.125rem; margin-top: .625rem; font-size: .9375rem; max-width: 56rem; color: var(--ink); overflow-wrap: anywhere }

.flow { display: grid; grid-template-columns: repeat(4, 1fr); list-style: none; padding: 0; border: 1px solid var(--line); border-radius: .625rem; background: var(--raised) }
.flow li { padding: 1.125rem 1.25rem 1.25rem; position: relative; min-width: 0 }
.flow li + li { border-left: 1px solid var(--line) }
.flow li + li::before {
  content: ''; position: absolute; left: -.3125rem; top: 1.75rem; width: .5625rem; height: .5625rem; background: var(--raised);
  border: solid var(--line); border-width: 1px 1px 0 0; transform: rotate(45deg);
}
.flow h3 { font-size: .8125rem; font-weight: 600; color: var(--soft) }
.figure { font-size: 2.125rem; line-height: 1.2; font-weight: 550; letter-spacing: -.015em; margin: .125rem 0 .5rem }
.figure small { font-size: .9375rem; font-weight: 400; letter-spacing: 0; color: var(--soft) }
.flow p:not(.figure) { font-size: .875rem; color: var(--soft); overflow-wrap: anywhere }
.flow p.thin:not(.figure) { color: var(--warn) }
.flow p.alarm:not(.figure) { color: var(--bad); font-weight: 600 }
.bar { display: block; width: 100%; height: .3125rem; border-radius: .25rem; background: var(--track); fill: var(--soft); margin-top: .625rem }
.bar.hot { fill: var(--warn) }

.lanes { border-collapse: collapse; font-size: .875rem }
.lanes thead th { font-weight: 600; color: var(--soft); font-size: .8125rem }
.lanes th, .lanes td { text-align: left; font-weight: 400; padding: .3125rem 2.5rem .3125rem 0; border-bottom: 1px solid var(--line); vertical-align: baseline }
.lanes tbody th { font-weight: 550 }
.lanes small { font-size: inherit; color: var(--soft); margin-left: .5rem }

.ledger { display: flex; flex-wrap: wrap; gap: .5rem 1rem }
.ledger div { display: grid; grid-template: 'sign count' 'none name' / auto auto; column-gap: 1rem }
.ledger div::before { content: attr(data-sign); grid-area: sign }
.ledger div:first-child { column-gap: 0 }
.ledger dd { grid-area: count; font-weight: 550 }
.ledger dd, .ledger div::before { font-size: 1.375rem; line-height: 1.3 }
.ledger dt { grid-area: name }
.ledger dt, .ledger + p { font-size: .8125rem }
.ledger dt, .ledger + p, .ledger div::before { color: var(--soft) }
.ledger + p { margin-top: .375rem }
.ledger + p.broken { color: var(--bad); font-weight: 600 }

.pictures { display: grid; grid-template-columns: repeat(auto-fill, minmax(10rem, 1fr)); gap: 1rem .875rem; list-style: none; padding: 0 }
.pictures li { min-width: 0 }
.pictures a { text-decoration: none; display: block }
.pictures img {
  display: block; width: 100%; height: auto; aspect-ratio: 4 / 3; object-fit: cover; border-radius: .375rem; background: var(--track);
  color: var(--soft); font-size: .75rem; overflow: hidden;
}
.pictures a:hover img { outline: 2px solid var(--soft); outline-offset: 2px }
.pictures span { display: block; font-size: .8125rem; line-height: 1.4; white-space: nowrap; overflow: hidden; text-overflow: ellipsis }
.pictures span:first-of-type { margin-top: .375rem; font-weight: 550 }
.pictures span:last-of-type { color: var(--soft) }
.pictures i { font-style: normal }
i.waiting, i.uploading, i.retrying { color: var(--busy) } i.failed { color: var(--bad) }

.failed { width: 100%; border-collapse: collapse; font-size: .875rem }
.failed th { text-align: left; font-weight: 600; color: var(--soft); font-size: .8125rem }
.failed th, .failed td { padding: .5rem .75rem .5rem 0; border-bottom: 1px solid var(--line); vertical-align: baseline; overflow-wrap: anywhere }
.failed td:last-child { text-align: right; white-space: nowrap; padding-right: 0 }
.failed td:nth-child(3) { white-space: nowrap }
.failed b { font-weight: 600; color: var(--bad) }
button { display: none; font: inherit; font-size: .8125rem; color: var(--ink); background: var(--raised); border: 1px solid var(--line); border-radius: .375rem; padding: .1875rem .625rem; cursor: pointer }
.live button { display: inline-block }
button:hover { border-color: var(--soft) }
:focus-visible { outline: 2px solid var(--busy); outline-offset: 2px }

pre {
  font: .875rem/1.6 ui-monospace, 'SF Mono', 'DejaVu Sans Mono', Menlo, Consolas, monospace; white-space: pre-wrap; overflow-wrap: anywhere;
  background: var(--raised); border: 1px solid var(--line); border-radius: .5rem; padding: .75rem 1rem; margin-bottom: .625rem;
}
.quiet { color: var(--soft); font-size: .875rem }

@media (max-width: 46rem) {
  body { padding: 1rem 1rem 2rem }
  section { margin-top: 2rem }
  .verdict { padding: 1rem 1.125rem } .verdict p { font-size: 1.125rem }
  .flow { grid-template-columns: 1fr }
  .flow li { padding: .875rem 1.125rem 1rem }
  .flow li + li { border-left: 0; border-top: 1px solid var(--line) }
  .flow li + li::before { left: 1.375rem; top: -.3125rem; transform: rotate(135deg) }
  .figure { font-size: 1.75rem; margin-bottom: .25rem }
  .pictures { grid-template-columns: repeat(3, minmax(0, 1fr)); gap: .75rem .5rem }
  .pictures span:last-of-type { white-space: normal }
  .lanes { width: 100% } .lanes th, .lanes td { padding-right: .75rem } .lanes small { display: block; margin-left: 0 }
  .failed thead { display: none }
  .failed tr { display: block; padding: .625rem 0; border-bottom: 1px solid var(--line) }
  .failed td { display: block; border: 0; padding: .0625rem 0 }
  .failed td:last-child { text-align: left; padding-top: .375rem }
}
`
