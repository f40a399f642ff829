import { useEffect, useState } from 'react'
import { useConversations } from '@errand/react'
import { Chat } from './Chat'
import { Conversations } from './Conversations'
import { Tasks } from './Tasks'

/** The selected conversation is in the URL, so that it survives a reload and can be a bookmark. */
function useSelection() {
  const read = () => window.location.hash.slice(1) || undefined
  const [selected, setSelected] = useState(read)
  useEffect(() => {
    const onChange = () => setSelected(read())
    window.addEventListener('hashchange', onChange)
    return () => window.removeEventListener('hashchange', onChange)
  }, [])
  return [selected, (id: string | undefined) => void (window.location.hash = id ?? '')] as const
}

export function App() {
  const [selected, select] = useSelection()
  const list = useConversations()
  return (
    <div className="app">
      <Conversations list={list} selected={selected} select={select} />
      <Chat conversationId={selected} onConversation={select} />
      <Tasks />
    </div>
  )
}
