import type { ListTask, TaskChanges } from "@errand/react";
import { useId, useState, type FormEvent } from "react";
import { useDates } from "../shell/server";
import { useTexts } from "../texts";
import { Button } from "../ui/Button";
import { Dialog } from "../ui/Dialog";
import { dayAfter } from "./lists";
import { useParsed, type ParsedTask } from "./parse";
import { useToday } from "./today";
import { priorities, useTaskText, type Priority } from "./values";

interface Due {
  dueOn: string | null;
  dueAt: string | null;
}

/** All fields of a task. Saving sends those that were changed. */
export function TaskDialog({ task, save, close }: { task: ListTask; save(changes: TaskChanges): void; close(): void }) {
  const { t } = useTexts();
  const text = useTaskText();
  const form = useId();
  const [title, setTitle] = useState(task.title);
  const [description, setDescription] = useState(task.description);
  const [priority, setPriority] = useState<Priority>(task.priority);
  const [labels, setLabels] = useState(task.labels.join(", "));
  const [due, setDue] = useState<Due>({ dueOn: task.dueOn, dueAt: task.dueAt });
  const [words, setWords] = useState("");
  const { parsed, parse } = useParsed(words);
  // The words are taken as soon as they are read.
  const read = parsed && dueOf(parsed);
  if (read && (read.dueOn !== due.dueOn || read.dueAt !== due.dueAt)) setDue(read);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    let entered = due;
    if (words.trim() && !parsed) {
      const late = await parse().then((answer) => answer && dueOf(answer));
      if (!late) return; // the dialog stays open and shows why the words are unclear
      entered = late;
    }
    const changes = changesOf(task, { title: title.trim(), description, priority, labels: labelsOf(labels), ...entered });
    if (Object.keys(changes).length > 0) save({ ...changes, expectedVersion: task.version });
    close();
  };
  const actions = (
    <>
      <Button onClick={close}>{t("action.cancel")}</Button>
      <Button type="submit" form={form} variant="primary">{t("action.save")}</Button>
    </>
  );
  return (
    <Dialog title={t("task.heading", { number: task.number })} close={close} actions={actions}>
      <form id={form} className="task-form" onSubmit={(event) => void submit(event)}>
        <label>
          {t("field.title")}
          <input value={title} required maxLength={200} dir="auto" onChange={(event) => setTitle(event.target.value)} />
        </label>
        <label>
          {t("field.description")}
          <textarea value={description} rows={3} maxLength={10_000} dir="auto" onChange={(event) => setDescription(event.target.value)} />
        </label>
        <DueField due={due} change={setDue} words={words} setWords={setWords} isUnclear={parsed !== null && !read} />
        <div className="task-form-row">
          <label>
            {t("field.priority")}
            <select value={priority} onChange={(event) => setPriority(event.target.value as Priority)}>
              {priorities.map((p) => <option key={p} value={p}>{text.priority(p)}</option>)}
            </select>
          </label>
          <label>
            {t("field.labels")}
            <input value={labels} dir="auto" placeholder={t("task.labelsHint")} onChange={(event) => setLabels(event.target.value)} />
          </label>
        </div>
      </form>
    </Dialog>
  );
}

/** The due date that the server has recognized; null for none. */
const dueOf = ({ dueOn, dueAt }: ParsedTask): Due | null => (dueOn || dueAt ? { dueOn, dueAt } : null);

interface DueFieldProps {
  due: Due;
  change(due: Due): void;
  /** The due date in words, which the caller reads. */
  words: string;
  setWords(words: string): void;
  isUnclear: boolean;
}

/** A due date, in words or by the fields for day and time. The server reads both, so that time zones have one rule. */
function DueField({ due, change, words, setWords, isUnclear }: DueFieldProps) {
  const { t } = useTexts();
  const dates = useDates();
  const text = useTaskText();
  const today = useToday();
  const [entered, setEntered] = useState({ day: due.dueOn ?? (due.dueAt ? dates.dayOf(due.dueAt) : ""), time: due.dueAt ? dates.clock(due.dueAt) : "" });
  const pick = (next: { day: string; time: string }) => {
    setEntered(next);
    setWords(next.time && next.day ? `${next.day} ${next.time}` : "");
    if (!next.time || !next.day) change({ dueOn: next.day || null, dueAt: null });
  };
  return (
    <fieldset className="due-field">
      <legend>{t("field.due")}</legend>
      <p className="due-now" aria-live="polite">{text.due(due.dueOn, due.dueAt) || t("due.none")}</p>
      <div className="due-quick">
        <Button small onClick={() => pick({ ...entered, day: today })}>{t("due.today")}</Button>
        <Button small onClick={() => pick({ ...entered, day: dayAfter(today, 1) })}>{t("due.tomorrow")}</Button>
        <Button small onClick={() => pick({ ...entered, day: dayAfter(today, 7) })}>{t("due.nextWeek")}</Button>
        <Button small onClick={() => pick({ day: "", time: "" })}>{t("due.none")}</Button>
      </div>
      <label>
        {t("due.words")}
        <input value={words} dir="auto" placeholder={t("due.wordsHint")} onChange={(event) => setWords(event.target.value)} />
      </label>
      {isUnclear && <p className="notice">{t("due.unclear")}</p>}
      <div className="task-form-row">
        <label>
          {t("due.day")}
          <input type="date" value={entered.day} onChange={(event) => pick({ ...entered, day: event.target.value })} />
        </label>
        <label>
          {t("due.time")}
          <input type="time" value={entered.time} disabled={!entered.day} onChange={(event) => pick({ ...entered, time: event.target.value })} />
        </label>
      </div>
    </fieldset>
  );
}

type Fields = Required<Pick<ListTask, "title" | "description" | "priority" | "labels">> & Due;

const labelsOf = (text: string): string[] => [...new Set(text.split(",").map((l) => l.trim().replace(/^#/, "")).filter(Boolean))];

/** The fields that differ. A due date is one field: only the member that it has now is sent. */
function changesOf(task: ListTask, fields: Fields): TaskChanges {
  const changes: TaskChanges = {};
  if (fields.title && fields.title !== task.title) changes.title = fields.title;
  if (fields.description !== task.description) changes.description = fields.description;
  if (fields.priority !== task.priority) changes.priority = fields.priority;
  if (fields.labels.join("\n") !== task.labels.join("\n")) changes.labels = fields.labels;
  if (fields.dueOn !== task.dueOn || fields.dueAt !== task.dueAt) {
    if (fields.dueAt) changes.dueAt = fields.dueAt;
    else changes.dueOn = fields.dueOn;
  }
  return changes;
}
