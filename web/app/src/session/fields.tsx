import { retryAfterMs, toErrandError, type ErrandError } from "@errand/client";
import { useEffect, useId, useState, type InputHTMLAttributes } from "react";
import { useTexts } from "../texts";
import { Button } from "../ui/Button";

interface FieldProps extends Omit<InputHTMLAttributes<HTMLInputElement>, "onChange" | "value"> {
  label: string;
  value: string;
  change(value: string): void;
  hint?: string;
  /** Why the server did not accept the value. */
  fault?: string | undefined;
}

/** A text field with a label, a hint and the error of its value. */
export function Field({ label, value, change, hint, fault, ...rest }: FieldProps) {
  const id = useId();
  const described = [hint && `${id}-hint`, fault && `${id}-fault`].filter(Boolean).join(" ");
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <input id={id} value={value} onChange={(event) => change(event.target.value)} spellCheck={false} autoCapitalize="none" aria-invalid={fault ? true : undefined} aria-describedby={described || undefined} {...rest} />
      {fault && <p id={`${id}-fault`} role="alert" className="fault">{fault}</p>}
      {hint && <p id={`${id}-hint`} className="hint">{hint}</p>}
    </div>
  );
}

/** A field for a password, which can be shown. */
export function PasswordField(props: Omit<FieldProps, "type">) {
  const { t } = useTexts();
  const [isShown, setShown] = useState(false);
  return (
    <div className="password">
      <Field {...props} type={isShown ? "text" : "password"} maxLength={256} />
      <Button small variant="quiet" aria-pressed={isShown} onClick={() => setShown(!isShown)}>{t("signIn.showPassword")}</Button>
    </div>
  );
}

/** Whether a new password has too few characters. The server has further rules. */
export const isShort = (password: string): boolean => [...password].length < 8;

/** The state of a form that sends to the sign-in of the server. */
export function useSubmission() {
  const [error, setError] = useState<ErrandError | null>(null);
  const [isBusy, setBusy] = useState(false);
  const [until, setUntil] = useState(0);
  const seconds = useSecondsUntil(until);
  /** Sends the request of the form, and keeps its error for FormError. */
  const submit = async (request: () => Promise<void>): Promise<void> => {
    setBusy(true);
    setError(null);
    try {
      await request();
    } catch (thrown) {
      const failure = toErrandError(thrown);
      setError(failure);
      if (failure.code === "RATE_LIMITED") setUntil(Date.now() + (retryAfterMs(failure) ?? 0));
    }
    setBusy(false);
  };
  const field = error?.code === "BAD_USER_INPUT" || error?.code === "CONFLICT" ? error.extensions.field : undefined;
  return {
    error,
    submit,
    /** Whether the form can be sent now. */
    isReady: !isBusy && seconds === 0,
    /** Seconds until the server accepts the next attempt. */
    seconds,
    /** The message of the error, if it is about this field. */
    fault: (name: string): string | undefined => (field === name ? error?.message : undefined),
    /** Whether the error is about one of these fields. */
    isOf: (...names: string[]): boolean => field !== undefined && names.includes(field),
  };
}

/** Whole seconds until a time, 0 after it. */
function useSecondsUntil(until: number): number {
  const left = () => Math.max(0, Math.ceil((until - Date.now()) / 1_000));
  const [seconds, setSeconds] = useState(left);
  useEffect(() => {
    setSeconds(left());
    if (left() === 0) return;
    const timer = setInterval(() => setSeconds(left()), 250);
    return () => clearInterval(timer);
    // `left` depends on `until` alone.
  }, [until]);
  return seconds;
}

/** The reason why a form cannot be sent: the error, or the seconds to wait, which screen readers speak once. */
export function FormError({ error, seconds, unauthenticated }: { error: ErrandError | null; seconds: number; unauthenticated?: string }) {
  const { t } = useTexts();
  if (error?.code === "RATE_LIMITED") {
    if (seconds === 0) return null;
    return (
      <p className="notice">
        <span role="alert">{t("signIn.tooMany")}</span> <span role="timer">{t("signIn.wait", { seconds })}</span>
      </p>
    );
  }
  if (!error) return null;
  const message = () => {
    if (error.code === "UNAUTHENTICATED" && unauthenticated) return unauthenticated;
    return error.code === "NETWORK_ERROR" ? t("signIn.unreachable") : error.message;
  };
  return <p role="alert" className="notice">{message()}</p>;
}
