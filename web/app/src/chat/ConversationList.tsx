import type { Conversation } from "@errand/client";
import { useConversations, type Conversations } from "@errand/react";
import { useDeferredValue, useRef, useState, type KeyboardEvent, type ReactNode } from "react";
import { href, navigate } from "../router";
import { useDates } from "../shell/server";
import { useShortcuts } from "../shell/shortcuts";
import { useTexts, type TextKey } from "../texts";
import { Button, IconButton } from "../ui/Button";
import { Confirm } from "../ui/Dialog";
import { Icon } from "../ui/Icon";
import { Menu } from "../ui/Menu";
import { toast, useErrorToast } from "../ui/toasts";
import { useCurrentConversations } from "./conversationsContext";
import "./conversations.css";

/** The conversations at the side: search, archive, rename and delete. `chosen` is called when one is opened. */
export function ConversationList({ current, chosen }: { current: string | null; chosen(): void }) {
  const { t } = useTexts();
  const [search, setSearch] = useState("");
  const [archived, setArchived] = useState(false);
  const words = useDeferredValue(search.trim());
  const field = useRef<HTMLInputElement>(null);
  useShortcuts([{ key: "/", text: "shortcut.search", act: () => field.current?.focus() }]);
  const props = { current, chosen, words, archived };
  return (
    <section className="conversations" aria-label={archived ? t("conversations.archived") : t("nav.conversations")}>
      <div className="conversations-tools">
        <a className="button plain new-chat" href={href({ view: "chat", conversationId: null })} onClick={chosen}>
          <Icon name="plus" />
          {t("conversations.new")}
        </a>
        <div className="search">
          <Icon name="search" />
          <input
            ref={field}
            type="search"
            value={search}
            maxLength={200}
            aria-label={t("conversations.search")}
            placeholder={t("conversations.search")}
            onChange={(event) => setSearch(event.target.value)}
            onKeyDown={(event) => event.key === "Escape" && setSearch("")}
          />
        </div>
      </div>
      {words || archived ? <Filtered {...props} /> : <Current {...props} />}
      <button type="button" className="archive-link" aria-pressed={archived} onClick={() => setArchived(!archived)}>
        <Icon name={archived ? "back" : "archive"} />
        {archived ? t("conversations.current") : t("conversations.archived")}
      </button>
    </section>
  );
}

interface ListProps {
  current: string | null;
  words: string;
  archived: boolean;
  chosen(): void;
}

function Current(props: ListProps) {
  return <List list={useCurrentConversations()} {...props} />;
}

function Filtered(props: ListProps) {
  const { words, archived } = props;
  return <List list={useConversations({ filter: { ...(words && { search: words }), ...(archived && { archived }) } })} {...props} />;
}

function List({ list, current, words, archived, chosen }: ListProps & { list: Conversations }) {
  const { t } = useTexts();
  const [deleting, setDeleting] = useState<Conversation | null>(null);
  useErrorToast(list.error?.message);
  const title = (c: Conversation) => c.title || t("conversations.untitled");
  const archive = (c: Conversation) => {
    void list.archive(c.id, !archived);
    const text = t("conversations.archivedToast", { title: title(c) });
    if (!archived) toast(text, { text: t("action.undo"), act: () => void list.archive(c.id, false) });
  };
  const remove = (c: Conversation) => {
    if (c.id === current) navigate({ view: "chat", conversationId: null }, { replace: true });
    void list.remove(c.id);
  };
  const empty = words ? "conversations.noMatch" : archived ? "conversations.emptyArchive" : "conversations.empty";
  return (
    <div className="conversations-scroll">
      {list.status === "ready" && list.conversations.length === 0 && <p className="hint conversations-empty">{t(empty)}</p>}
      <Groups conversations={list.conversations}>
        {(c) => (
          <Row
            key={c.id}
            conversation={c}
            title={title(c)}
            isCurrent={c.id === current}
            archived={archived}
            chosen={chosen}
            rename={(name) => void list.rename(c.id, name)}
            archive={() => archive(c)}
            remove={() => setDeleting(c)}
          />
        )}
      </Groups>
      {list.hasMore && <Button variant="quiet" small className="more" onClick={() => void list.loadMore()}>{t("conversations.more")}</Button>}
      {deleting && (
        <Confirm
          title={t("conversations.deleteTitle")}
          text={t("conversations.deleteText", { title: title(deleting) })}
          action={t("action.delete")}
          close={() => setDeleting(null)}
          confirm={() => remove(deleting)}
        />
      )}
    </div>
  );
}

const DAY_MS = 86_400_000;

/** The conversations under headings by the day on which they were begun. */
function Groups({ conversations, children }: { conversations: readonly Conversation[]; children(c: Conversation): ReactNode }) {
  const { t } = useTexts();
  const dates = useDates();
  const now = Date.now();
  const today = dates.dayOf(new Date(now));
  const yesterday = dates.dayOf(new Date(now - DAY_MS));
  const groups = new Map<TextKey, Conversation[]>();
  for (const c of conversations) {
    const day = c.createdAt ? dates.dayOf(c.createdAt) : today;
    const recent = now - Date.parse(c.createdAt) < 7 * DAY_MS;
    const key = day === today ? "conversations.today" : day === yesterday ? "conversations.yesterday" : recent ? "conversations.week" : "conversations.older";
    groups.set(key, [...(groups.get(key) ?? []), c]);
  }
  return [...groups].map(([key, members]) => (
    <section key={key} aria-label={t(key)}>
      <h2 className="group">{t(key)}</h2>
      <ul>{members.map(children)}</ul>
    </section>
  ));
}

interface RowProps {
  conversation: Conversation;
  title: string;
  isCurrent: boolean;
  archived: boolean;
  chosen(): void;
  rename(title: string): void;
  archive(): void;
  remove(): void;
}

function Row({ conversation, title, isCurrent, archived, chosen, rename, archive, remove }: RowProps) {
  const { t } = useTexts();
  const [draft, setDraft] = useState<string | null>(null);
  const finish = () => {
    const text = draft?.trim();
    if (text && text !== conversation.title) rename(text);
    setDraft(null);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "Enter") finish();
    if (event.key === "Escape") {
      event.stopPropagation();
      setDraft(null);
    }
  };
  if (draft !== null) {
    return (
      <li className="conversation renaming" data-row="">
        <input value={draft} maxLength={200} dir="auto" aria-label={t("conversations.newTitle")} autoFocus onFocus={(event) => event.target.select()} onChange={(event) => setDraft(event.target.value)} onKeyDown={onKeyDown} onBlur={finish} />
        <IconButton small label={t("action.save")} icon="check" onMouseDown={(event) => event.preventDefault()} onClick={finish} />
      </li>
    );
  }
  return (
    <li className="conversation" data-row="">
      <a href={href({ view: "chat", conversationId: conversation.id })} aria-current={isCurrent ? "page" : undefined} title={title} onClick={chosen}>
        <bdi>{title}</bdi>
      </a>
      <Menu
        label={t("conversations.actions", { title })}
        items={[
          { text: t("conversations.rename"), icon: "edit", act: () => setDraft(conversation.title) },
          { text: t(archived ? "conversations.unarchive" : "conversations.archive"), icon: "archive", act: archive },
          { text: t("conversations.delete"), icon: "trash", danger: true, act: remove },
        ]}
      />
    </li>
  );
}
