import { useEffect, useRef, useState } from 'react'
import type { SubmitEvent } from 'react'
import type { ToolCall } from '@errand/client'
import { useChat } from '@errand/react'
import type { ChatMessage } from '@errand/react'

interface Props {
  conversationId: string | undefined
  onConversation: (id: string) => void
}

const suggestions = ['Add a task to buy milk tomorrow at 5pm', 'What is due this week?', 'Complete task 1']

export function Chat({ conversationId, onConversation }: Props) {
  const chat = useChat(conversationId, { onConversation })
  const end = useRef<HTMLDivElement>(null)
  const last = chat.messages.at(-1)
  useEffect(() => {
    end.current?.scrollIntoView({ block: 'end' })
  }, [last?.id, last?.content])

  return (
    <main>
      <div className="messages">
        {chat.hasOlder && (
          <button className="older" onClick={() => void chat.loadOlder()}>
            Earlier messages
          </button>
        )}
        {chat.messages.length === 0 && !chat.loading && <Welcome send={chat.send} />}
        <ol aria-label="Messages" aria-live="polite">
          {chat.messages.map((message) => (
            <Message key={message.id} message={message} />
          ))}
        </ol>
        {chat.error && (
          <p role="alert">
            {chat.error.message} <button onClick={() => void chat.retry()}>Try again</button>
          </p>
        )}
        <div ref={end} />
      </div>
      <Composer send={chat.send} stop={chat.stop} busy={chat.status === 'submitted' || chat.status === 'streaming'} />
    </main>
  )
}

function Welcome({ send }: { send: (text: string) => void }) {
  return (
    <div className="welcome">
      <h2>What is there to do?</h2>
      {suggestions.map((text) => (
        <button key={text} onClick={() => send(text)}>
          {text}
        </button>
      ))}
    </div>
  )
}

function Message({ message }: { message: ChatMessage }) {
  const { role, status, content, toolCalls, error, unsent } = message
  const isWaiting = role === 'ASSISTANT' && content === '' && (status === 'PENDING' || status === 'STREAMING')
  return (
    <li className={role.toLowerCase()} data-status={status}>
      {toolCalls.length > 0 && (
        <div className="calls">
          {toolCalls.map((call) => (
            <Call key={call.id} call={call} />
          ))}
        </div>
      )}
      {isWaiting ? <span className="dots" role="status" aria-label="Errand is thinking" /> : content}
      {status === 'CANCELLED' && <small>Stopped.</small>}
      {unsent === 'sending' && <small>Sending …</small>}
      {unsent === 'failed' && <small>Not sent.</small>}
      {error && <small>{error.message}</small>}
    </li>
  )
}

function Call({ call }: { call: ToolCall }) {
  return (
    <span className="call" data-status={call.status} title={JSON.stringify(call.arguments, null, 2)}>
      {call.name.replaceAll('_', ' ')}
    </span>
  )
}

interface ComposerProps {
  send: (text: string) => void
  stop: () => void
  busy: boolean
}

function Composer({ send, stop, busy }: ComposerProps) {
  const [text, setText] = useState('')
  const submit = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault()
    if (text.trim() === '') return
    setText('')
    send(text)
  }
  return (
    <form onSubmit={submit}>
      <input
        aria-label="Message"
        placeholder="Message Errand"
        value={text}
        onChange={(event) => setText(event.target.value)}
        maxLength={8000}
        autoFocus
      />
      {busy ? (
        <button type="button" onClick={stop}>
          Stop
        </button>
      ) : (
        <button disabled={text.trim() === ''}>Send</button>
      )}
    </form>
  )
}
