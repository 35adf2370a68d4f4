import { createApp } from 'vue'

import App from './app/App.vue'
import StartFailure from './app/StartFailure.vue'
import { router } from './app/router'
import { connect } from './api/client'
import { ConfigError, readConfig } from './config'
import { listen } from './keyboard/shortcuts'
import { follow } from './live/live'
import { whoAmI } from './people/session'
import './styles/index.css'

try {
  const config = await readConfig()
  connect(config)
  follow(config)
  // Not waited for: whoever only looks needs no login, and buttons come when it is known.
  void whoAmI()
  listen(document)
  createApp(App).use(router).mount('#app')
} catch (error) {
  if (!(error instanceof ConfigError)) throw error
  createApp(StartFailure, { reason: error.message }).mount('#app')
}
