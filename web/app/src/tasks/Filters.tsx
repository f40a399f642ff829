import { useErrand } from "@errand/react";
import { useEffect, useState } from "react";
import { useTexts } from "../texts";
import { Icon } from "../ui/Icon";
import { LabelsDocument, type LabelsQuery } from "./operations";
import { priorities, useTaskText, type Priority } from "./values";

/** Conditions that the user has set. */
export interface Chosen {
  search: string;
  label: string | null;
  priority: Priority | null;
}

/** Search, label and priority. */
export function Filters({ chosen, choose }: { chosen: Chosen; choose(chosen: Chosen): void }) {
  const { t } = useTexts();
  const errand = useErrand();
  const text = useTaskText();
  const [labels, setLabels] = useState<LabelsQuery["labels"]>([]);
  useEffect(() => {
    let ended = false;
    errand.query(LabelsDocument, {}).then((data) => void (ended || setLabels(data.labels)), () => {});
    return () => void (ended = true);
  }, [errand]);
  return (
    <div className="filters" role="search" aria-label={t("tasks.filter")}>
      <div className="search">
        <Icon name="search" />
        <input
          type="search"
          value={chosen.search}
          maxLength={200}
          autoFocus
          aria-label={t("tasks.search")}
          placeholder={t("tasks.search")}
          onChange={(event) => choose({ ...chosen, search: event.target.value })}
        />
      </div>
      <select aria-label={t("field.labels")} value={chosen.label ?? ""} onChange={(event) => choose({ ...chosen, label: event.target.value || null })}>
        <option value="">{t("tasks.anyLabel")}</option>
        {labels.map(({ name, count }) => <option key={name} value={name}>{`${name} (${count})`}</option>)}
      </select>
      <select aria-label={t("field.priority")} value={chosen.priority ?? ""} onChange={(event) => choose({ ...chosen, priority: (event.target.value || null) as Priority | null })}>
        <option value="">{t("tasks.anyPriority")}</option>
        {priorities.filter((p) => p !== "NONE").map((p) => <option key={p} value={p}>{text.priority(p)}</option>)}
      </select>
    </div>
  );
}
