import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { createErrand } from '@errand/client'
import { ErrandProvider } from '@errand/react'
import { App } from './App'
import { getToken, server } from './session'
import './style.css'

const errand = createErrand({ url: `${server}/graphql`, token: getToken })

createRoot(document.getElementById('root')!).render(
  <StrictMode>
    <ErrandProvider client={errand}>
      <App />
    </ErrandProvider>
  </StrictMode>,
)
