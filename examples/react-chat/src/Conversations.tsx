import type { Conversations as List } from '@errand/react'

interface Props {
  list: List
  selected: string | undefined
  select: (id: string | undefined) => void
}

export function Conversations({ list, selected, select }: Props) {
  const remove = async (id: string) => {
    if (!window.confirm('Delete this conversation with its messages? Tasks stay.')) return
    await list.remove(id)
    if (id === selected) select(undefined)
  }
  return (
    <nav aria-label="Conversations">
      <h1>Errand</h1>
      <button className="new" onClick={() => select(undefined)}>
        New conversation
      </button>
      <ul>
        {list.conversations.map(({ id, title }) => (
          <li key={id} aria-current={id === selected}>
            <button onClick={() => select(id)}>{title || 'New conversation'}</button>
            <button className="quiet" aria-label={`Delete ${title}`} onClick={() => void remove(id)}>
              ×
            </button>
          </li>
        ))}
      </ul>
      {list.hasMore && <button onClick={() => void list.loadMore()}>More</button>}
      {list.error && <p role="alert">{list.error.message}</p>}
    </nav>
  )
}
