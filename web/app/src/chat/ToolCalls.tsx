import type { TaskChoice, ToolCall } from "@errand/client";
import type { ChatChange } from "@errand/react";
import { useTexts, type TextKey } from "../texts";
import { Button } from "../ui/Button";
import { Icon } from "../ui/Icon";
import { Changes } from "./Changes";
import type { MessageActions } from "./MessageRow";
import { Proposal } from "./Proposal";

interface CallProps {
  call: ToolCall;
  changes: readonly ChatChange[];
  /** Whether the call is of the last message. */
  isLast: boolean;
  actions: MessageActions;
}

/** A tool call: what it changed, and on demand its arguments and its result. */
export function Call({ call, changes, isLast, actions }: CallProps) {
  if (call.status === "AWAITING_APPROVAL") return null; // its question follows the text
  return (
    <div className="call" data-status={call.status}>
      {changes.length > 0 && <Changes changes={changes} undo={actions.undo} />}
      <Summary call={call} count={changes.length} isLast={isLast} />
    </div>
  );
}

interface QuestionsProps {
  calls: readonly ToolCall[];
  /** Whether an answer to a choice still makes sense. */
  isLast: boolean;
  actions: MessageActions;
}

/** What a reply asks: for approval, or which task is meant. */
export function Questions({ calls, isLast, actions }: QuestionsProps) {
  return calls.map((call) => (
    <div key={call.id}>
      {call.status === "AWAITING_APPROVAL" && (
        <Proposal
          proposal={call.proposal}
          expiresAt={call.expiresAt}
          approve={() => actions.approve([call.id])}
          reject={() => actions.reject([call.id])}
        />
      )}
      {isLast && call.choices.map((choice) => <Choice key={choice.reference} choice={choice} send={actions.send} />)}
    </div>
  ));
}

function Choice({ choice, send }: { choice: TaskChoice; send(text: string): void }) {
  const { t } = useTexts();
  const question = t("choice.question", { reference: choice.reference });
  return (
    <section className="choice" aria-label={question}>
      <h2><bdi>{question}</bdi></h2>
      <div className="choice-buttons">
        {choice.candidates.map((c) => (
          <Button key={c.taskId} small onClick={() => send(String(c.number))}>
            <span className="number">{c.number}</span> <bdi>{c.title}</bdi>
          </Button>
        ))}
      </div>
    </section>
  );
}

function Summary({ call, count, isLast }: { call: ToolCall; count: number; isLast: boolean }) {
  const { t } = useTexts();
  const running = call.status === "STARTED";
  return (
    <details className="call-details">
      <summary>
        {running ? <span className="spinner" aria-hidden="true" /> : <Icon name={call.status === "FAILED" ? "warning" : "chevron"} />}
        <span>{t(outcome(call, count, isLast))}</span>
        <code>{call.name}</code>
      </summary>
      <h2>{t("call.arguments")}</h2>
      <pre dir="ltr" tabIndex={0}>{JSON.stringify(call.arguments, null, 2)}</pre>
      {call.result != null && (
        <>
          <h2>{t("call.result")}</h2>
          <pre dir="ltr" tabIndex={0}>{JSON.stringify(call.result, null, 2)}</pre>
        </>
      )}
    </details>
  );
}

function outcome(call: ToolCall, count: number, isLast: boolean): TextKey {
  if (call.status === "STARTED") return "call.working";
  if (isUncertain(call)) return isLast ? "call.unclear" : "call.asked";
  if (call.status === "FAILED") {
    switch (codeOf(call.result)) {
      case "REJECTED":
        return "call.rejected";
      case "EXPIRED":
        return "call.expired";
      case "STALE":
        return "call.stale";
      default:
        return "call.failed";
    }
  }
  return count > 0 ? "call.details" : "call.noChange";
}

/** Whether a call did not know which task was meant. Pages of old messages have no choices, but their results have. */
function isUncertain({ choices, result }: ToolCall): boolean {
  const parts = result as { choices?: unknown; results?: readonly { choices?: unknown }[] } | null;
  return choices.length > 0 || parts?.choices !== undefined || parts?.results?.some((r) => r.choices !== undefined) === true;
}

/** The error code in a result. */
function codeOf(result: unknown): unknown {
  const { code, error } = (result ?? {}) as { code?: unknown; error?: { code?: unknown } };
  return code ?? error?.code;
}
