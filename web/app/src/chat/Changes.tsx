import type { ChatChange } from "@errand/react";
import { useTexts } from "../texts";
import { IconButton } from "../ui/Button";
import { Icon, type IconName } from "../ui/Icon";
import { Fields } from "./values";

export const kindIcons: Record<ChatChange["kind"], IconName> = {
  CREATED: "plus",
  UPDATED: "edit",
  COMPLETED: "check",
  REOPENED: "retry",
  DELETED: "trash",
  RESTORED: "undo",
};

/** Changes that a reply made, each with its values before and after, and a button that takes it back. */
export function Changes({ changes, undo }: { changes: readonly ChatChange[]; undo(id: string): void }) {
  return (
    <ul className="changes">
      {changes.map((change) => <Change key={change.id} change={change} undo={undo} />)}
    </ul>
  );
}

function Change({ change, undo }: { change: ChatChange; undo(id: string): void }) {
  const { t } = useTexts();
  const { kind, task, fields, undone } = change;
  return (
    <li className={`change kind-${kind.toLowerCase()} ${undone ? "undone" : ""}`}>
      <Icon name={kindIcons[kind]} />
      <div className="change-body">
        <span className="change-kind">{undone ? t("change.undone") : t(`change.${kind}`)}</span>{" "}
        <span className="task-name"><span className="number">{task.number}</span> <bdi>{task.title}</bdi></span>
        <Fields fields={fields} isNew={kind === "CREATED"} />
      </div>
      {!undone && <IconButton small icon="undo" label={t("change.undoOne", { title: task.title })} onClick={() => undo(change.id)} />}
    </li>
  );
}
