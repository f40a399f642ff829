import type { ChatChange } from "@errand/react";
import { useDates } from "../shell/server";
import { isTextKey, useTexts } from "../texts";

type Field = ChatChange["fields"][number];

/** Formats the values of fields of tasks, as the log of changes has them. */
export function useFieldText() {
  const { t } = useTexts();
  const dates = useDates();
  const value = (name: string, raw: string | null): string => {
    if (name === "priority" && !raw) return t("priority.NONE");
    if (raw === null || raw === "") return t("change.empty");
    if (name === "priority") {
      const key = `priority.${raw.toUpperCase()}`;
      return isTextKey(key) ? t(key) : raw;
    }
    if (/^\d{4}-\d\d-\d\d$/.test(raw)) return dates.day(raw);
    if (/^\d{4}-\d\d-\d\dT/.test(raw) && !Number.isNaN(Date.parse(raw))) return dates.dateTime(raw);
    return raw.length > 120 ? `${raw.slice(0, 120)}…` : raw;
  };
  const name = (field: string): string => {
    const key = `field.${field}`;
    return isTextKey(key) ? t(key) : field;
  };
  return { name, value };
}

/** Fields that the kind of a change says already. */
const implied = new Set(["completed", "completedAt", "deletedAt"]);

/** The fields of a change, each with its value before and after. */
export function Fields({ fields, isNew }: { fields: readonly Field[]; isNew: boolean }) {
  const { t } = useTexts();
  const text = useFieldText();
  const shown = fields.filter((f) => !implied.has(f.name) && !(isNew && (f.name === "title" || f.to === null || f.to === "" || f.to === "NONE")));
  if (shown.length === 0) return null;
  return (
    <dl className="fields">
      {shown.map((f) => (
        <div key={f.name}>
          <dt>{text.name(f.name)}</dt>
          <dd>
            {!isNew && (
              <>
                <del dir="auto">{text.value(f.name, f.from)}</del>
                <span aria-label={t("change.to")} role="img" className="arrow">→</span>
              </>
            )}
            <ins dir="auto">{text.value(f.name, f.to)}</ins>
          </dd>
        </div>
      ))}
    </dl>
  );
}
