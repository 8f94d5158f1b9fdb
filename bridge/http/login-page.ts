import { hashSource } from './content-security.ts'
import { html } from './markup.ts'
import { STYLE } from './page-style.ts'
import type { Reply } from './reply.ts'

const FORM_STYLE = `
.login { max-width: 22rem; margin: 15vh auto 0 }
.login label { display: block; font-size: .875rem; color: var(--soft); margin-bottom: .875rem }
.login input { display: block; width: 100%; font: inherit; color: var(--ink); background: var(--raised); border: 1px solid var(--line); border-radius: .375rem; padding: .4375rem .625rem; margin-top: .25rem }
.login button { display: inline-block; padding: .375rem 1rem; font-size: .9375rem }
.login .alarm { color: var(--bad); font-weight: 600; margin-bottom: .875rem }
.login .quiet { margin-top: 1.5rem }
`
const LOGIN_STYLE = STYLE + FORM_STYLE

/** The form in front of the page. It works without any script. */
export function viewLogin (status: number, alarm?: string): Reply {
  const body = html`<main class="login">
<section>
<h2>Sluice</h2>
${alarm !== undefined && html`<p class="alarm" role="alert">${alarm}</p>`}
<form method="post" action="/login">
<label>Name <input name="name" autocomplete="username" autofocus></label>
<label>Password or token <input name="password" type="password" autocomplete="current-password" required></label>
<button type="submit">Log in</button>
</form>
<p class="quiet">Without a name, a token: the one of http.tokenFile, or one that auth.jwt has the key of.</p>
</section>
</main>`
  return { status, headers: HEADERS, body: document(body.toString()) }
}

function document (body: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Log in · Sluice</title>
<style>${LOGIN_STYLE}</style>
</head>
<body>
${body}
</body>
</html>
`
}

const HEADERS = {
  'content-type': 'text/html; charset=utf-8',
  'cache-control': 'no-store',
  'referrer-policy': 'same-origin', // or the form would come without its Origin
  'content-security-policy': [
    "default-src 'none'", `style-src ${hashSource(LOGIN_STYLE)}`, "base-uri 'none'", "form-action 'self'", "frame-ancestors 'none'"
  ].join('; ')
}
