import { useState } from 'react'
import { useTasks } from '@errand/react'
import type { ListTask } from '@errand/react'

export function Tasks() {
  const [status, setStatus] = useState<'ALL' | 'PENDING'>('ALL')
  const { tasks, error, create, complete, reopen, remove, hasMore, loadMore } = useTasks({ status })
  const [title, setTitle] = useState('')
  return (
    <aside aria-label="Tasks">
      <header>
        <h2>Tasks</h2>
        <label>
          <input
            type="checkbox"
            checked={status === 'PENDING'}
            onChange={(event) => setStatus(event.target.checked ? 'PENDING' : 'ALL')}
          />
          open only
        </label>
      </header>
      <form
        onSubmit={(event) => {
          event.preventDefault()
          if (title.trim() !== '') void create({ title })
          setTitle('')
        }}
      >
        <input aria-label="New task" placeholder="New task" value={title} onChange={(event) => setTitle(event.target.value)} />
      </form>
      <ul>
        {tasks.map((task) => (
          <li key={task.id} data-completed={task.completed} aria-busy={task.unsaved}>
            <button
              className="check"
              aria-label={task.completed ? `Reopen ${task.title}` : `Complete ${task.title}`}
              onClick={() => void (task.completed ? reopen(task.id) : complete(task.id))}
            >
              {task.completed ? '✓' : '○'}
            </button>
            <span>
              {task.title}
              <small>{details(task)}</small>
            </span>
            <button className="quiet" aria-label={`Delete ${task.title}`} onClick={() => void remove(task.id)}>
              ×
            </button>
          </li>
        ))}
      </ul>
      {hasMore && <button onClick={() => void loadMore()}>More</button>}
      {error && <p role="alert">{error.message}</p>}
    </aside>
  )
}

function details(task: ListTask): string {
  const parts = [`#${task.number}`]
  if (task.dueAt) parts.push(new Date(task.dueAt).toLocaleString([], { dateStyle: 'medium', timeStyle: 'short' }))
  // A day has no time zone; noon keeps it the same day in each.
  if (task.dueOn) parts.push(new Date(`${task.dueOn}T12:00`).toLocaleDateString([], { dateStyle: 'medium' }))
  if (task.priority !== 'NONE') parts.push(task.priority.toLowerCase())
  return [...parts, ...task.labels].join(' · ')
}
