import { createApp } from 'vue'

import App from './app/App.vue'
import StartFailure from './app/StartFailure.vue'
import { router } from './app/router'
import { connect } from './api/client'
import { Problem, Unreachable } from './api/problem'
import { ConfigError, readConfig } from './config'
import { listen } from './keyboard/shortcuts'
import { follow } from './live/live'
import { whoAmI } from './people/session'
import { say } from './ui/messages'
import './styles/index.css'

try {
  const config = await readConfig()
  connect(config)
  follow(config)
  // Not waited for: whoever only looks needs no login, and buttons come when it is known.
  void whoAmI()
  listen(document)
  const app = createApp(App).use(router)
  app.config.errorHandler = refused
  addEventListener('unhandledrejection', (event) => {
    event.preventDefault()
    refused(event.reason)
  })
  app.mount('#app')
} catch (error) {
  if (!(error instanceof ConfigError)) throw error
  createApp(StartFailure, { reason: error.message }).mount('#app')
}

/** What no page has an answer to: the server's refusal is told, a defect of ours goes to the console. */
function refused(error: unknown): void {
  if (error instanceof Problem || error instanceof Unreachable) say(error.message, 'refused')
  else reportError(error)
}
